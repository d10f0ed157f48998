//! What a run stands on, and what holds a step back.

use super::*;

#[test]
fn a_rank_that_a_close_decided_is_not_given_by_hand() {
    let company = Company::new("same_period");
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    let standing = |at: &str| {
        company.pipeline.ask(&format!(
            "select concat_ws(' ', rank, rank_decided) from distributor_versions
             where distributor_id = '1' and effective_from <= '{at}'
             order by effective_from desc, version_no desc limit 1"
        ))
    };
    assert_eq!(standing("2026-12-31"), "silver t");
    // Somebody moves and keeps the rank; somebody else is given one.
    let version = |id: &str, rank: &str, from: &str| Entry {
        version: DistributorVersion {
            id: DistributorId::new(id),
            sponsor: (id != "1").then(|| DistributorId::new("1")),
            status: StatusOf::Active,
            rank: Some(rank.to_owned()),
            from: Some(at(from)),
            enrolled_at: Some(at("2020-01-01T00:00:00Z")),
        },
        country: None,
        tax_id: None,
        name: None,
        email: None,
    };
    let told =
        [version("1", "silver", "2026-12-10T00:00:00Z"), version("5", "silver", "2026-12-10T00:00:00Z")];
    let record = |tx: &mut Tx<'_>| {
        distributors::record(tx, &told, "test", at("2020-01-01T00:00:00Z"))
            .map_err(|e| DbError::Invariant(format!("{e:?}")))
    };
    company.pipeline.db.transact(Lane::Admin, record).unwrap();
    assert_eq!(standing("2026-12-31"), "silver t");
    let decided = "select string_agg(distributor_id, ' ') from distributor_versions
                   where recorded_by = 'test' and rank = 'silver' and rank_decided";
    assert_eq!(company.pipeline.ask(decided), "1");
    let order_of_time = "select count(*) from distributor_versions where recorded_by = 'test' and effective_from = '2026-12-10'
        and recorded_at <= (select max(recorded_at) from distributor_versions where recorded_by = 'period 2026-11')";
    assert_eq!(company.pipeline.ask(order_of_time), "0", "what is recorded later is known later");
    // The refund takes the rank away from the end of November on.
    company.tell(&[Order {
        modified: "2026-12-04T10:00:00",
        refunds: &["150.00"],
        ..order(3, "150.00", "5")
    }
    .body()]);
    let adjustment = company.adjust(DECEMBER, at("2026-12-12T10:00:00Z"));
    assert_eq!(adjustment.status, RunStatus::Posted);
    assert_eq!([standing("2026-12-01"), standing("2026-12-31")], ["t", "t"]);
    company.check();
}

#[test]
fn a_run_stands_on_what_the_period_before_leaves_by_now() {
    let company = Company::new("same_period");
    company.pipeline.publish(
        &plan("same_period", "0.10").replace("by = \"gv\"\nbrackets", "by = \"cumulative_gv\"\nbrackets"),
        "2020-01-01T00:00:00Z",
    );
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.tell(&[Order { created: "2026-12-02T09:00:00", ..order(6, "50.00", "3") }.body()]);
    let january = at("2027-01-02T10:00:00Z");
    company.freeze(DECEMBER, january);
    let run = company.calculated(DECEMBER, RunKind::Official, january);
    company.tell(&[Order {
        modified: "2027-01-01T10:00:00",
        refunds: &["150.00"],
        ..order(3, "150.00", "5")
    }
    .body()]);
    let stale = || company.pipeline.db.read(Lane::Admin, periods::changed_since).unwrap();
    assert_eq!(stale(), [NOVEMBER]);
    let stop_loss = StopLoss { most: dec!(1), is_acknowledged: false, leaves_out: false };
    company.change(|tx, _| periods::approve(tx, run.run_id, stop_loss, "bob", january)).unwrap();
    company.adjust("2027-01", january);
    assert!(stale().is_empty());
    company.refused("2026-11, was adjusted since", |tx, published| {
        periods::post(tx, published, run.run_id, "bob", january)
    });
    company.change(|tx, _| periods::discard(tx, run.run_id, "bob", january)).unwrap();
    let again = company.calculated(DECEMBER, RunKind::Official, january);
    company.approve_and_post(again.run_id, january);
    company.check();
}

#[test]
fn a_soft_close_waits_for_what_is_not_processed() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let now = december();
    company.ensure(now);
    company.pipeline.accept(STORE, &[order(7, "10.00", "4").body()]);
    company.refused("1 deliveries or orders", |tx, _| periods::soft_close(tx, NOVEMBER, false, "ann", now));
    company.change(|tx, _| periods::soft_close(tx, NOVEMBER, true, "ann", now)).unwrap();
    assert_eq!(
        company.pipeline.ask("select detail ->> 'backlog' from period_changes where change = 'soft_closed'"),
        "1"
    );
    company.pipeline.drain();
}

#[test]
fn what_is_posted_of_a_run_cannot_be_changed_unseen() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let run = company.close(NOVEMBER, december());
    for table in ["run_awards", "run_pools", "run_standings"] {
        for change in [format!("delete from {table}"), format!("update {table} set run_id = run_id")] {
            let refused =
                company.pipeline.db.read(Lane::Admin, |conn| Ok(conn.batch_execute(&change)?)).unwrap_err();
            assert!(format!("{refused:?}").contains("of a posted run"), "{change}: {refused:?}");
        }
    }
    company.check();
    company
        .pipeline
        .tamper("update run_awards set amount = amount + 1 where bonus = 'step' and distributor_id = '5'");
    let problems = company.pipeline.verify().problems;
    assert!(
        problems.iter().any(|p| p.table == "run_awards"
            && p.row == run.run_id.to_string()
            && p.message.contains("step 5 8.5000 earn, its event is 2026-11 step 5 7.5000 earn")),
        "{problems:?}"
    );
}

#[test]
fn an_adjustment_that_leaves_orders_out_is_only_approved_knowingly() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.pipeline.enroll("9", Some("1"));
    company.tell(&[Order {
        modified: "2026-12-04T10:00:00",
        refunds: &["50.00"],
        ..order(1, "100.00", "4")
    }
    .body()]);
    // As if the order had been another's.
    company.pipeline.tamper(
        "update volume_facts set distributor_id = '9' where seq = (select max(seq) from volume_facts)",
    );
    let now = at("2026-12-05T10:00:00Z");
    let run = company.calculated(DECEMBER, RunKind::Adjustment, now);
    assert_eq!(periods::summary(&run).unwrap().counts.unknown_distributor, 1);
    let approve = |leaves_out| {
        move |tx: &mut Tx<'_>, _: &Published| {
            let known = StopLoss { most: dec!(0), is_acknowledged: true, leaves_out };
            periods::approve(tx, run.run_id, known, "bob", now)
        }
    };
    company.refused("1 order(s) of the corrected periods", approve(false));
    company.change(approve(true)).unwrap();
}
