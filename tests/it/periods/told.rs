//! What is asked of periods without writing: another plan, explanations, proof.

use super::*;

#[test]
fn another_plan_is_tried_on_past_periods_without_writing() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.tell(&[Order { created: "2026-12-02T09:00:00", ..order(6, "200.00", "4") }.body()]);
    let rows = "select (select count(*) from commission_events) + (select count(*) from runs) + (select count(*) from calculations)
                + (select count(*) from run_awards) + (select count(*) from run_standings)";
    let before = company.pipeline.ask(rows);
    let try_out = |text: &str| {
        let plan = Plan::parse(text).unwrap();
        company.pipeline.db.read(Lane::Admin, |conn| Ok(periods::what_if(conn, &plan, 3)?)).unwrap()
    };
    let same = try_out(&plan("now", "0.10"));
    assert_eq!(same.periods.iter().map(|p| p.period.as_str()).collect::<Vec<_>>(), [NOVEMBER, DECEMBER]);
    for period in &same.periods {
        assert!(
            period.difference.is_zero() && period.earners.is_empty() && period.ranks.is_empty(),
            "{period:?}"
        );
    }
    let november = &same.periods[0];
    assert_eq!(
        (november.held.paid.decimal(), november.held.paid_by_orders.decimal()),
        (dec!(73.70), dec!(46.86))
    );
    let more = try_out(&plan("now", "0.20").replace("gv = \"250\"", "gv = \"200\""));
    let november = &more.periods[0];
    assert_eq!(november.other.paid_by_orders.decimal(), dec!(85.91));
    assert_eq!(november.difference.decimal(), dec!(39.05));
    // Three share the pool that one had.
    assert_eq!(november.ranks.iter().map(|r| r.distributor_id.as_str()).collect::<Vec<_>>(), ["2", "3"]);
    assert_eq!(november.earners[0].distributor_id.as_str(), "4");
    assert_eq!(november.earners[0].difference.decimal(), dec!(16.05));
    assert_eq!(company.pipeline.ask(rows), before);
}

#[test]
fn an_event_of_a_run_is_explained_and_a_changed_run_is_named() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let run = company.close(NOVEMBER, december());
    let event = |bonus: &str, who: &str| {
        let sql = format!(
            "select event_id from commission_events where bonus = '{bonus}' and distributor_id = '{who}' and line = ''"
        );
        company.pipeline.ask(&sql).parse::<Uuid>().unwrap()
    };
    let explain =
        |id| company.pipeline.db.read(Lane::Admin, |conn| Ok(proof::explain_run(conn, id)?)).unwrap();
    let levels = explain(event("levels", "2")).unwrap();
    assert_eq!((levels.target(), levels.amount, levels.posted_before), (dec!(8.82), dec!(8.82), dec!(0)));
    assert_eq!(levels.exact, dec!(8.815));
    let parts: Vec<_> =
        levels.sources.iter().map(|s| (s.distributor_id.as_str(), s.level, s.exact)).collect();
    assert_eq!(parts, [("4", 2, dec!(4.815)), ("3", 1, dec!(4.00))]);
    let text = levels.to_string();
    for told in [
        "levels",
        "level 2: 4 160.5 x 0.03 = 4.815",
        "8.815 in all, 8.82 after rounding",
        "period 2026-11",
        "earns",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    let forfeit = explain(event("soon", "3")).unwrap().to_string();
    assert!(
        forfeit.contains("does not meet what the bonus asks") && forfeit.contains("forfeit -1.6"),
        "{forfeit}"
    );
    assert!(
        company
            .pipeline
            .db
            .read(Lane::Admin, |conn| proof::explain(conn, event("levels", "2")))
            .unwrap()
            .is_none()
    );

    let changes = [
        (
            "update run_awards set amount = amount + 1 where bonus = 'step' and distributor_id = '5'",
            "step for 5",
        ),
        (
            "update volume_facts set lines = jsonb_set(lines, '{0,net}', '\"90.00\"') where seq = 1",
            "result hash",
        ),
    ];
    for (change, named) in changes {
        company.pipeline.tamper("create schema kept; create table kept.run_awards as table run_awards; create table kept.volume_facts as table volume_facts");
        company.pipeline.tamper(change);
        let replayed = company.pipeline.replay();
        assert!(
            replayed.run_differences.iter().any(|d| d.run_id == run.run_id && d.what == named),
            "{change}: {:?}",
            replayed.run_differences
        );
        company.pipeline.tamper(
            "delete from run_awards; insert into run_awards select * from kept.run_awards; \
             delete from volume_facts; insert into volume_facts select * from kept.volume_facts; drop schema kept cascade",
        );
    }
    for (change, table) in [
        (
            "update postings set amount = amount - 1 where posting_no = 2 and source_id in (select run_id from runs)",
            "journal_entries",
        ),
        (
            "update commission_events set bonus = 'other' where order_id in (select run_id from runs) and bonus = 'step'",
            "journal_entries",
        ),
        ("delete from volume_facts where seq = 2", "volume_facts"),
        ("update volume_facts set own = true where seq = 3", "volume_facts"),
    ] {
        company.pipeline.tamper("create schema kept; create table kept.postings as table postings; \
            create table kept.commission_events as table commission_events; create table kept.volume_facts as table volume_facts");
        company.pipeline.tamper(change);
        let verified = company.pipeline.verify();
        assert!(verified.problems.iter().any(|p| p.table == table), "{change}: {:?}", verified.problems);
        let restore = ["postings", "commission_events", "volume_facts"]
            .map(|t| format!("delete from {t}; insert into {t} select * from kept.{t}"));
        company.pipeline.tamper(&format!("{}; drop schema kept cascade", restore.join("; ")));
    }
    company.check();
}

#[test]
fn an_average_is_explained_as_one() {
    let company = Company::new("average_rate");
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.tell(&[Order {
        modified: "2026-12-04T10:00:00",
        refunds: &["50.00"],
        ..order(1, "100.00", "4")
    }
    .body()]);
    company.adjust(DECEMBER, at("2026-12-05T10:00:00Z"));
    let event = company.pipeline.ask(
        "select event_id from commission_events
         where bonus = 'levels' and distributor_id = '3' and line = '' order by event_id desc limit 1",
    );
    let id = event.parse::<Uuid>().unwrap();
    let told =
        company.pipeline.db.read(Lane::Admin, |conn| Ok(proof::explain_run(conn, id)?)).unwrap().unwrap();
    let text = told.to_string();
    assert!(text.contains("8.03 was paid x base 110.5 now / base 160.5 then = "), "{text}");
    assert!(told.sources.is_empty() && !text.contains("in all"), "{text}");
}
