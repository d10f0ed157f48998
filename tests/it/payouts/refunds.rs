//! Refunds at every point of a payout's life: paid + carried = earned.

use super::*;

/// How far a payout is when the refund comes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Before,
    Prepared,
    Approved,
    Exported,
    Sent,
    Unknown,
    Confirmed,
    Returned,
    Cancelled,
}

const STAGES: [Stage; 9] = [
    Stage::Before,
    Stage::Prepared,
    Stage::Approved,
    Stage::Exported,
    Stage::Sent,
    Stage::Unknown,
    Stage::Confirmed,
    Stage::Returned,
    Stage::Cancelled,
];

fn bring(company: &Company, stage: Stage) {
    if stage == Stage::Before {
        return;
    }
    company.prepare();
    if stage == Stage::Prepared {
        return;
    }
    if stage == Stage::Cancelled {
        company.change(|tx| payouts::cancel(tx, 1, None, "wrong month", ANN, now())).unwrap();
        return;
    }
    company.approve(1);
    if stage == Stage::Approved {
        return;
    }
    company.export(1);
    let to = match stage {
        Stage::Sent => ItemStatus::Sent,
        Stage::Unknown => ItemStatus::Unknown,
        Stage::Confirmed => ItemStatus::Confirmed,
        Stage::Returned => ItemStatus::Returned,
        _ => return,
    };
    company.mark(1, Which::All, to).unwrap();
}

/// From wherever it is to the bank's last word.
fn finish(company: &Company, stage: Stage) {
    if matches!(stage, Stage::Prepared) {
        company.approve(1);
    }
    if matches!(stage, Stage::Prepared | Stage::Approved) {
        company.export(1);
    }
    if !matches!(stage, Stage::Before | Stage::Confirmed | Stage::Returned | Stage::Cancelled) {
        company.mark(1, Which::All, ItemStatus::Confirmed).unwrap();
    }
    company.closes();
}

#[test]
fn what_was_refunded_is_paid_back_from_what_is_earned_next() {
    for stage in STAGES {
        let company = Company::new();
        company.order(301, "100.00", &[], 9);
        bring(&company, stage);
        company.order(301, "100.00", &["60.00"], 10);
        company.closes();
        finish(&company, stage);
        let paid_before = company
            .pipeline
            .ask("select coalesce(-sum(amount), 0)::numeric(20,2) from postings where account = 1000");
        let left = !matches!(stage, Stage::Before | Stage::Returned | Stage::Cancelled);
        assert_eq!(paid_before, if left { "24.25" } else { "0.00" }, "{stage:?}");

        // Earned by everybody: 10.00 and later 25.00 of two orders. What was paid too much stays behind.
        company.order(302, "100.00", &[], 11);
        let batch = company.prepare();
        company.approve(batch.batch_no);
        company.export(batch.batch_no);
        company.mark(batch.batch_no, Which::All, ItemStatus::Confirmed).unwrap();
        company.closes();
        let fees: Decimal = if left { dec!(1.50) } else { dec!(0.75) };
        let paid: Decimal = company
            .pipeline
            .ask("select -sum(amount)::numeric(20,2) from postings where account = 1000")
            .parse()
            .unwrap();
        assert_eq!(paid + fees, dec!(35.00), "{stage:?}: all that was earned, not a cent more");
        assert_eq!((company.on(2100), company.on(1200), company.on(2120)), Default::default(), "{stage:?}");
    }
}

#[test]
fn a_debt_is_carried_and_paid_back_bit_by_bit() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.exported();
    company.mark(1, Which::All, ItemStatus::Confirmed).unwrap();
    company.order(301, "100.00", &["100.00"], 10);
    assert_eq!(company.on(2100), "2 -5.00, 3 -5.00, 4 -15.00");
    company.refused("refunds took more than was earned", |tx| payouts::prepare(tx, &order(), ANN, now()));
    assert_eq!(company.on(2100), "2 -5.00, 3 -5.00, 4 -15.00", "nothing is written where nobody is paid");

    // 4 sells for 40: 6.00 for 4, 2.00 each for 3 and 2; nobody has more than the debt.
    company.order(302, "40.00", &[], 9);
    company.refused("nobody to pay", |tx| payouts::prepare(tx, &order(), ANN, now()));
    // 160 more: 24.00 for 4, 8.00 each for 3 and 2.
    company.order(303, "160.00", &[], 9);
    let batch = company.prepare();
    let gross: Vec<String> = company
        .items(batch.batch_no)
        .iter()
        .map(|item| format!("{} {}", item.distributor(), item.money.gross))
        .collect();
    assert_eq!(gross, ["2 5.00", "3 5.00", "4 15.00"], "30, 10 and 10 less what was paid for nothing");
    company.closes();
    assert_eq!(company.on(1200), "");
}

#[test]
fn a_debt_that_stands_is_paid_back_before_anything_leaves() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.exported();
    company.mark(1, Which::All, ItemStatus::Confirmed).unwrap();
    company.order(301, "100.00", &["100.00"], 10);
    // Somebody else sells, so that a batch is prepared while 4 is still in debt: 3 earns 15 %, 2 and 1 5 % each.
    let body = payload::Order {
        id: 302,
        net: "200.00",
        total: "200.00",
        distributor: Some("3"),
        ..Default::default()
    };
    company.pipeline.accept(STORE, &[body.body()]);
    company.pipeline.drain();
    let batch = company.prepare();
    assert_eq!(company.on(1200), "4 -15.00", "a debt");
    assert_eq!(company.on(2100), "");
    let carried: Vec<_> = batch.left_out.iter().map(|out| (out.distributor.as_str(), out.amount)).collect();
    assert_eq!(carried, [("4", dec!(-15.00))]);
    company.closes();
    company.change(|tx| payouts::cancel(tx, batch.batch_no, None, "not yet", ANN, now())).unwrap();
    assert_eq!(company.on(1200), "4 -15.00", "what is owed is owed, whatever becomes of a batch");
    company.closes();

    company.order(303, "80.00", &[], 9);
    let batch = company.prepare();
    let reasons: Vec<_> = batch.left_out.iter().map(|out| (out.distributor.as_str(), out.why)).collect();
    assert_eq!(reasons, [("4", upline::core::payout::choice::Why::Recovered)]);
    assert_eq!(company.on(1200), "4 -3.00");
    company.closes();
}

#[test]
fn what_comes_back_after_it_was_confirmed_is_due_again_less_what_was_refunded() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.exported();
    company.mark(1, Which::All, ItemStatus::Confirmed).unwrap();
    company.order(301, "100.00", &["60.00"], 10);
    let item = company.item_of(1, "4");
    let returned = Answer { code: Some("R02".into()), ..answer(&item, Says::Returned) };
    let import = company.hear("return 1", vec![returned]);
    assert_eq!(import.moved.get("returned"), Some(&1));
    assert_eq!(company.on(2100), "2 -3.00, 3 -3.00, 4 6.00");
    company.closes();
    let batch = company.prepare();
    assert_eq!(company.item_of(batch.batch_no, "4").money.gross, dec!(6.00));
    company.closes();
}
