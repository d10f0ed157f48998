//! Late orders, refunds and adjustments.

use super::*;

#[test]
fn late_orders_count_in_the_open_period_and_later_refunds_where_the_order_is() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let now = december();
    company.ensure(now);
    company.change(|tx, _| periods::soft_close(tx, NOVEMBER, false, "ann", now)).unwrap();
    // Of November's time, told in December; and a refund of a November order before the freeze.
    company.tell(&[order(5, "40.00", "4").body()]);
    company.tell(&[
        Order { modified: "2026-12-01T10:00:00", refunds: &["60.50"], ..order(4, "60.50", "4") }.body()
    ]);
    company.change(|tx, published| periods::freeze(tx, published, NOVEMBER, "ann", now)).unwrap();
    let run = company.calculated(NOVEMBER, RunKind::Official, now);
    assert_eq!(periods::summary(&run).unwrap().totals.cv.decimal(), dec!(330.00));
    company.approve_and_post(run.run_id, now);
    let look = company.calculated(DECEMBER, RunKind::Unofficial, now);
    assert_eq!(periods::summary(&look).unwrap().totals.cv.decimal(), dec!(40.00));
    // Its refund is December's too.
    company.tell(&[
        Order { modified: "2026-12-02T10:00:00", refunds: &["10.00"], ..order(5, "40.00", "4") }.body()
    ]);
    let look = company.calculated(DECEMBER, RunKind::Unofficial, now);
    assert_eq!(periods::summary(&look).unwrap().totals.cv.decimal(), dec!(30.00));
    let adjustment = company.calculated(DECEMBER, RunKind::Adjustment, now);
    assert!(periods::summary(&adjustment).unwrap().corrected.is_empty());
    company.check();
}

#[test]
fn refunding_every_order_leaves_nobody_anything_under_each_policy() {
    for policy in ["now", "same_period", "average_rate"] {
        let company = Company::new(policy);
        company.tell(&november_orders());
        company.close(NOVEMBER, december());
        // Some of it, then all of it; each time the difference is posted into December.
        let refund =
            |id, net: &'static str, who: &str, day: &'static str, amount: &'static [&'static str]| {
                Order { modified: day, refunds: amount, ..order(id, net, who) }.body()
            };
        company.tell(&[refund(1, "100.00", "4", "2026-12-04T10:00:00", &["50.00"])]);
        let first = company.adjust(DECEMBER, at("2026-12-05T10:00:00Z"));
        let corrected = periods::summary(&first).unwrap().corrected;
        assert_eq!(corrected.len(), 1);
        assert_eq!((corrected[0].period.as_str(), corrected[0].policy.as_str()), (NOVEMBER, policy));
        assert!(corrected[0].amount.decimal() < dec!(0), "{policy}");
        company.check();
        company.tell(&[
            refund(1, "100.00", "4", "2026-12-06T10:00:00", &["50.00", "50.00"]),
            refund(2, "80.00", "3", "2026-12-06T10:00:00", &["80.00"]),
            refund(3, "150.00", "5", "2026-12-06T10:00:00", &["150.00"]),
            Order { modified: "2026-12-06T10:00:00", status: "cancelled", ..order(4, "60.50", "4") }.body(),
        ]);
        company.adjust(DECEMBER, at("2026-12-07T10:00:00Z"));
        assert_eq!(company.pipeline.ask(BY_RUNS), "", "{policy}");
        assert_eq!(company.pipeline.ask(PAYABLE), "", "{policy}");
        assert_eq!(
            company.pipeline.ask(
                "select string_agg(distinct kind, ' ' order by kind) from commission_events where line = ''"
            ),
            "adjust clawback earn forfeit"
        );
        company.check();
        // Nothing is left to do.
        let none = company.calculated(DECEMBER, RunKind::Adjustment, at("2026-12-08T10:00:00Z"));
        assert!(periods::summary(&none).unwrap().corrected.is_empty());
    }
}

#[test]
fn refunds_before_the_close_leave_nothing_to_pay() {
    let company = Company::new("same_period");
    company.tell(&november_orders());
    company.tell(&[
        Order { modified: "2026-11-06T10:00:00", refunds: &["100.00"], ..order(1, "100.00", "4") }.body(),
        Order { modified: "2026-11-06T10:00:00", refunds: &["80.00"], ..order(2, "80.00", "3") }.body(),
        Order { modified: "2026-11-06T10:00:00", refunds: &["150.00"], ..order(3, "150.00", "5") }.body(),
        Order { modified: "2026-11-06T10:00:00", refunds: &["60.50"], ..order(4, "60.50", "4") }.body(),
    ]);
    company.close(NOVEMBER, december());
    assert_eq!(company.pipeline.ask(BY_RUNS), "");
    assert_eq!(company.pipeline.ask(PAYABLE), "");
    company.check();
}

#[test]
fn an_adjustment_is_calculated_on_what_is_posted() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.refused("no period is closed yet", |tx, published| {
        periods::ensure(tx, published, december())?;
        periods::start_run(tx, published, DECEMBER, RunKind::Adjustment, "ann", december())
    });
    company.close(NOVEMBER, december());
    company.tell(&[Order { created: "2026-12-02T09:00:00", ..order(6, "200.00", "4") }.body()]);
    company.tell(&[Order {
        modified: "2026-12-04T10:00:00",
        refunds: &["50.00"],
        ..order(1, "100.00", "4")
    }
    .body()]);
    let january = at("2027-01-02T10:00:00Z");
    company.ensure(january);
    let adjustment = company.calculated("2027-01", RunKind::Adjustment, january);
    company.refused("is review already; post it, or throw it away", |tx, published| {
        periods::start_run(tx, published, "2027-01", RunKind::Adjustment, "ann", january)
    });
    company.close(DECEMBER, january);
    let stop_loss = StopLoss { most: dec!(1), is_acknowledged: false, leaves_out: false };
    company.change(|tx, _| periods::approve(tx, adjustment.run_id, stop_loss, "bob", january)).unwrap();
    company.refused("another run was posted since", |tx, published| {
        periods::post(tx, published, adjustment.run_id, "bob", january)
    });
    company.change(|tx, _| periods::discard(tx, adjustment.run_id, "bob", january)).unwrap();
    company.adjust("2027-01", january);
    company.check();
}

#[test]
fn what_a_period_leaves_is_adjusted_with_it() {
    let company = Company::new("same_period");
    company.pipeline.publish(
        &plan("same_period", "0.10").replace("by = \"gv\"\nbrackets", "by = \"cumulative_gv\"\nbrackets"),
        "2020-01-01T00:00:00Z",
    );
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.tell(&[Order { created: "2026-12-02T09:00:00", ..order(6, "50.00", "3") }.body()]);
    let january = at("2027-01-02T10:00:00Z");
    company.close(DECEMBER, january);
    // 3 had 240.50 of November behind it in December; with the refund it has less, and so has 1.
    company.tell(&[Order {
        modified: "2027-01-01T10:00:00",
        refunds: &["150.00"],
        ..order(3, "150.00", "5")
    }
    .body()]);
    let run = company.adjust("2027-01", january);
    let corrected: Vec<String> =
        periods::summary(&run).unwrap().corrected.into_iter().map(|c| c.period).collect();
    assert_eq!(corrected, [NOVEMBER, DECEMBER]);
    assert_eq!(
        company.pipeline.ask(
            "select sum(amount)::numeric(20,2) from run_awards a join periods p using (period_id)
             where p.name = '2026-12' and bonus = 'step' and distributor_id = '1'"
        ),
        "0.00",
        "1 has 290.50 in all and is paid 5 % like 3 below it"
    );
    company.check();
    let none = company.calculated("2027-01", RunKind::Adjustment, january);
    assert!(periods::summary(&none).unwrap().corrected.is_empty());
}
