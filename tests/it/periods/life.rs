//! The life of a period, from the calendar to the posted run.

use super::*;

#[test]
fn a_period_is_closed_under_review_and_posted_once() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let now = december();
    company.ensure(now);
    assert_eq!(
        company.pipeline.ask("select string_agg(name, ' ' order by name) from periods"),
        "2026-11 2026-12"
    );
    company.refused("goes on until 2026-12-01", |tx, _| {
        periods::soft_close(tx, NOVEMBER, false, "ann", at("2026-11-30T23:59:59Z"))
    });
    company.refused("is open; first run `upline period soft-close 2026-11`", |tx, published| {
        periods::freeze(tx, published, NOVEMBER, "ann", now)
    });
    company.refused("an official run needs it frozen", |tx, published| {
        periods::start_run(tx, published, NOVEMBER, RunKind::Official, "ann", now)
    });
    company.refused("there is no period \"2025-01\"", |tx, _| {
        periods::soft_close(tx, "2025-01", false, "ann", now)
    });

    // To look at before, and thrown away.
    let look = company.calculated(NOVEMBER, RunKind::Unofficial, now);
    company.refused("unofficial", |tx, _| {
        let stop_loss = StopLoss { most: dec!(1), is_acknowledged: true, leaves_out: false };
        periods::approve(tx, look.run_id, stop_loss, "bob", now)
    });
    company.change(|tx, _| periods::discard(tx, look.run_id, "ann", now)).unwrap();

    company.freeze(NOVEMBER, now);
    let run = company.calculated(NOVEMBER, RunKind::Official, now);
    assert_eq!(run.result_hash, look.result_hash, "nothing has happened in between");
    let summary = periods::summary(&run).unwrap();
    assert_eq!(summary.totals.cv.decimal(), dec!(390.50));
    assert_eq!(summary.totals.paid_by_orders.decimal(), dec!(46.86));
    assert_eq!(summary.totals.paid.decimal(), dec!(73.70));
    assert_eq!(summary.totals.share, Some(dec!(0.3087)));
    assert_eq!((summary.active, summary.earners, summary.zero_earners), (5, 5, 0));
    assert!(summary.carried && summary.held.is_empty() && summary.variance.is_empty());

    let approve = |by: &'static str, most, is_acknowledged| {
        move |tx: &mut Tx<'_>, _: &Published| {
            periods::approve(
                tx,
                run.run_id,
                StopLoss { most, is_acknowledged, leaves_out: false },
                by,
                december(),
            )
        }
    };
    company.refused("the run is not approved", |tx, published| {
        periods::post(tx, published, run.run_id, "bob", now)
    });
    company.refused(
        "ann has started this run, so somebody else has to approve it",
        approve(" Ann ", dec!(1), false),
    );
    company.refused("30.87% of CV, above the limit of 30%", approve("bob", dec!(0.30), false));
    company.change(approve("bob", dec!(0.30), true)).unwrap();
    company.refused("is approved; first run", |tx, _| periods::unfreeze(tx, NOVEMBER, "a test", "ann", now));
    company.change(|tx, published| periods::post(tx, published, run.run_id, "bob", now)).unwrap();
    company.refused("a run is posted once", |tx, published| {
        periods::post(tx, published, run.run_id, "bob", now)
    });
    company.refused("nothing posted is ever changed", |tx, _| periods::discard(tx, run.run_id, "ann", now));
    company.refused("is closed and stays so", |tx, _| periods::unfreeze(tx, NOVEMBER, "a test", "ann", now));

    assert_eq!(company.status(NOVEMBER), Status::Closed);
    assert_eq!(company.pipeline.ask(BY_RUNS), NOVEMBER_PAYS);
    assert_eq!(
        company.pipeline.ask(
            "select string_agg(distinct kind, ' ' order by kind) from commission_events where line = ''"
        ),
        "earn forfeit"
    );
    assert_eq!(
        company.pipeline.ask(
            "select string_agg(change || ' ' || changed_by, ', ' order by change_no) from period_changes
             join periods using (period_id) where name = '2026-11'"
        ),
        "created calendar, soft_closed ann, frozen ann, closed bob"
    );
    assert_eq!(
        company
            .pipeline
            .ask("select string_agg(action, ' ' order by audit_id) from audit_log where action like 'run.%'"),
        "run.start run.discard run.start run.approve run.post"
    );
    company.check();
}

#[test]
fn periods_follow_each_other_without_a_gap_whatever_the_plan() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let weekly = plan("now", "0.10").replace("cadence = \"month\"", "cadence = \"week\"");
    company.pipeline.publish(&weekly, "2026-11-20T00:00:00Z");
    company.pipeline.publish(&plan("now", "0.10"), "2026-12-09T00:00:00Z");
    company.ensure(at("2026-12-20T10:00:00Z"));
    let all = "select string_agg(concat_ws(' ', name, to_char(starts_at, 'MM-DD')), ', ' order by starts_at) from periods";
    assert_eq!(
        company.pipeline.ask(all),
        "2026-11 11-01, 2026-W49 12-01, 2026-W50 12-07, 2026-12 12-14",
        "what a calendar has begun ends by it"
    );
    company.ensure(at("2027-01-01T00:00:00Z"));
    company.ensure(at("2027-01-01T00:00:00Z"));
    assert_eq!(company.pipeline.ask("select max(name) || ' ' || count(*) from periods"), "2027-01 5");
    let gaps = "select count(*) from periods p where not exists (select from periods n where n.starts_at = p.ends_at)";
    assert_eq!(company.pipeline.ask(gaps), "1");
}

#[test]
fn orders_of_an_earlier_time_have_periods_of_their_own_until_one_is_closed() {
    let company = Company::new("now");
    let all = "select string_agg(name, ' ' order by starts_at) from periods";
    company.ensure(december());
    assert_eq!(company.pipeline.ask(all), "2026-12");
    company.tell(&[Order { created: "2026-10-30T09:00:00", ..order(1, "10.00", "4") }.body()]);
    company.ensure(december());
    assert_eq!(company.pipeline.ask(all), "2026-10 2026-11 2026-12");
    company.change(|tx, _| periods::soft_close(tx, "2026-10", true, "ann", december())).unwrap();
    company.tell(&[Order { created: "2026-09-30T09:00:00", ..order(2, "10.00", "4") }.body()]);
    company.ensure(december());
    assert_eq!(company.pipeline.ask(all), "2026-10 2026-11 2026-12");
    let look = company.calculated(NOVEMBER, RunKind::Unofficial, december());
    assert_eq!(
        periods::summary(&look).unwrap().totals.cv.decimal(),
        dec!(10.00),
        "it was told too late for October"
    );
}

#[test]
fn ranks_that_a_period_decides_hold_from_its_end_on() {
    let company = Company::new("now");
    company.tell(&november_orders());
    // Recorded before the close, true only after it: it knows nothing of the rank to come.
    let later = Entry {
        version: DistributorVersion {
            id: DistributorId::new("1"),
            sponsor: None,
            status: StatusOf::Suspended,
            rank: None,
            from: Some(at("2026-12-10T00:00:00Z")),
            enrolled_at: Some(at("2020-01-01T00:00:00Z")),
        },
        country: None,
        tax_id: None,
        name: None,
        email: None,
    };
    let record = |tx: &mut Tx<'_>| {
        distributors::record(tx, std::slice::from_ref(&later), "test", at("2026-11-21T12:00:00Z"))
            .map_err(|e| DbError::Invariant(format!("{e:?}")))
    };
    company.pipeline.db.transact(Lane::Admin, record).unwrap();
    company.close(NOVEMBER, december());
    assert_eq!(
        company.pipeline.ask(
            "select string_agg(concat_ws(' ', to_char(effective_from, 'MM-DD'), rank, status, recorded_by), ', '
                               order by version_no)
             from distributor_versions where distributor_id = '1' and effective_from > '-infinity'"
        ),
        "12-10 suspended test, 12-01 silver active period 2026-11, 12-10 silver suspended period 2026-11"
    );
    assert_eq!(
        company.pipeline.ask("select string_agg(distributor_id || rank, ' ') from distributors"),
        "1silver"
    );
    // Once it is decided it is not decided again.
    company.close(DECEMBER, at("2027-01-03T10:00:00Z"));
    let decided =
        "select count(*) from distributor_versions where recorded_by = 'period 2026-12' and rank = 'silver'";
    assert_eq!(company.pipeline.ask(decided), "0");
    company.check();
}

#[test]
fn the_way_of_the_deliveries_changes_no_result() {
    let refunded = Order { modified: "2026-11-05T10:00:00", refunds: &["33.33"], ..order(3, "150.00", "5") };
    let bodies: Vec<String> = november_orders().into_iter().chain([refunded.body()]).collect();
    let close = |bodies: &[String], one_by_one: bool| {
        let company = Company::new("now");
        match one_by_one {
            true => bodies.iter().for_each(|body| company.tell(std::slice::from_ref(body))),
            false => company.tell(bodies),
        }
        company.freeze(NOVEMBER, december());
        company.calculated(NOVEMBER, RunKind::Official, december()).result_hash.unwrap()
    };
    let clean = close(&bodies, false);
    let mut rng = Rng::with_seed(20_261_121);
    for round in 0..3 {
        let mut shuffled: Vec<String> = bodies.iter().chain(&bodies).cloned().collect();
        rng.shuffle(&mut shuffled);
        assert_eq!(close(&shuffled, round % 2 == 0), clean);
    }
}
