//! What banks say, in whatever order and however often.

use fastrand::Rng;
use upline::rails::Whole;

use super::*;

#[test]
fn an_answer_is_taken_once_and_what_fits_nothing_waits_for_a_person() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.exported();
    let items = company.items(1);
    let stranger =
        Answer { about: Reference::Foreign("INVOICE 7".into()), ..answer(&items[0], Says::Booked) };
    let unknown = Answer { about: Reference::Number(4711), ..answer(&items[0], Says::Booked) };
    let short = Answer { amount: Some(dec!(4.74)), ..answer(&items[1], Says::Booked) };
    let by_number = Answer { about: Reference::Number(items[0].item_no), ..answer(&items[0], Says::Booked) };
    let import = company.hear("statement 1", vec![stranger, unknown, short, by_number]);
    assert_eq!(import.moved, BTreeMap::from([("confirmed".to_owned(), 1)]));
    assert_eq!(import.person.len(), 3);
    assert!(!import.again);
    let again = company.hear("statement 1", vec![]);
    assert!(again.again, "the same bytes");
    let waiting = company.change(|tx| Ok(payouts::open_answers(tx.conn, 10)?)).unwrap();
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting.iter().filter_map(|answer| answer.item_no).collect::<Vec<_>>(), [items[1].item_no]);
    company.change(|tx| payouts::settle(tx, waiting[0].answer_id, "an invoice", ANN, now())).unwrap();
    company.refused("no answer", |tx| payouts::settle(tx, waiting[0].answer_id, "again", ANN, now()));
    company.refused("what came of it", |tx| payouts::settle(tx, waiting[1].answer_id, " ", ANN, now()));
    assert_eq!(
        company.pipeline.ask("select status from payout_items order by item_no offset 1 limit 1"),
        "exported"
    );
    company.closes();
}

#[test]
fn an_outcome_that_nobody_knows_is_never_sent_again() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    let (_, first) = company.exported();
    let item = company.item_of(1, "4");
    company.hear("status 1", vec![answer(&item, Says::Pending)]);
    company.order(302, "100.00", &[], 9);
    company.order(303, "50.00", &[], 9);
    company.mark(1, Which::Items(vec![item.item_no - 1]), ItemStatus::Confirmed).unwrap();
    let batch = company.prepare();
    let in_flight: Vec<&str> = batch.left_out.iter().map(|out| out.distributor.as_str()).collect();
    assert_eq!(in_flight, ["2", "4"], "neither who has a payout out, nor whose nobody knows about");
    assert_eq!(company.on(2100), "2 7.50, 4 22.50");
    assert_eq!(company.export(1).file.bytes, first.file.bytes, "it is the same file, not another");
    let unknown = company.change(|tx| Ok(payouts::unknown(tx.conn, 10)?)).unwrap();
    assert_eq!(unknown.len(), 1);
    company.refused("so somebody else has to say this", |tx| {
        let which = Which::Items(vec![item.item_no]);
        payouts::mark(tx, (1, &which), ItemStatus::Returned, "I know it", ANN, now())
    });
    company.mark(1, Which::Items(vec![item.item_no]), ItemStatus::Returned).unwrap();
    assert_eq!(company.on(2100), "2 7.50, 4 37.50");
    company.closes();
}

#[test]
fn a_word_about_the_whole_file_counts_if_its_sums_do() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    let (batch, _) = company.exported();
    let whole = |amount: Decimal, payments: u32, says: Says| Whole {
        batch: Some(batch.batch_id),
        message: "our file".into(),
        says,
        code: None,
        reason: None,
        payments: Some(payments),
        amount: Some(amount),
        currency: Some("USD".into()),
    };
    let hear = |message: &str, wholes: Vec<Whole>, answers: Vec<Answer>| {
        let file = BankFile { wholes, ..bank_file(message, answers) };
        let hash = payouts::file_hash(message.as_bytes());
        company.change(|tx| payouts::take_answers(tx, &file, &hash, ANN, now())).unwrap()
    };
    let wrong = hear("1", vec![whole(dec!(24.24), 3, Says::Booked)], vec![]);
    assert_eq!((wrong.moved.len(), wrong.person.len()), (0, 1));
    let accepted = hear("2", vec![whole(dec!(24.25), 3, Says::Accepted)], vec![]);
    assert_eq!(accepted.moved.get("sent"), Some(&3));
    assert_eq!(company.pipeline.ask("select status from payout_batches"), "sent");
    // One came back; the sum that was booked is what is left.
    let item = company.item_of(1, "4");
    let mixed = hear("3", vec![whole(dec!(9.50), 2, Says::Booked)], vec![answer(&item, Says::Returned)]);
    assert_eq!((mixed.moved.get("returned"), mixed.moved.get("confirmed")), (Some(&1), Some(&2)));
    let foreign = hear("4", vec![Whole { batch: None, ..whole(dec!(9.50), 2, Says::Booked) }], vec![]);
    assert_eq!(foreign.person.len(), 1);
    company.closes();
}

#[test]
fn any_answers_in_any_order_leave_every_cent_in_one_place() {
    let mut rng = Rng::with_seed(20_261_122);
    let says = [Says::Accepted, Says::Booked, Says::Returned, Says::Pending];
    let company = Company::new();
    for round in 1..=12u64 {
        company.order(300 + round, "100.00", &[], 9);
        if let Ok(batch) = company.change(|tx| payouts::prepare(tx, &order(), ANN, now())) {
            company.approve(batch.batch_no);
            company.export(batch.batch_no);
        }
        let all: Vec<Item> = (1..=i32::try_from(round).unwrap())
            .flat_map(|no| {
                company.change(|tx| payouts::review(tx.conn, no, now())).map(|r| r.items).unwrap_or_default()
            })
            .collect();
        for file in 0..3 {
            let count = rng.usize(0..6);
            let answers: Vec<Answer> = (0..count)
                .map(|_| Answer {
                    amount: if rng.u8(0..8) == 0 { Some(dec!(0.01)) } else { None },
                    ..answer(&all[rng.usize(0..all.len())], says[rng.usize(0..4)])
                })
                .collect();
            let message = format!("file {round} {file}");
            let first = company.hear(&message, answers.clone());
            assert!(!first.again);
            let before = company.pipeline.ask("select count(*) from postings");
            assert!(company.hear(&message, answers.clone()).again);
            let other_bytes = company.hear(&format!("{message} as another file"), answers);
            // What was heard before moves money again only where the bank has said several things of one payment.
            if other_bytes.moved.is_empty() {
                assert_eq!(company.pipeline.ask("select count(*) from postings"), before);
            }
        }
        company.closes();
    }
}
