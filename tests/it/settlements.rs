//! Between earning and payout: held back and released, converted, owed and given up, adjusted by hand.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use rust_decimal::dec;
use serde_json::json;
use upline::clock::{Clock, new_id};
use upline::core::ids::{DistributorId, StoreId};
use upline::core::journal::{Account, EntryKind, JournalEntry, Posting};
use upline::core::money::Currency;
use upline::db::Lane;
use upline::ledger::{self, NewEntry};
use upline::settlements::{self, Attachment, NewAdjustment, NewPolicy, NewRate, Settled};

use crate::support::payload::Order;
use crate::support::pipeline::{Pipeline, now};

const STORE: StoreId = StoreId(1);

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}T12:00:00Z").parse().unwrap()
}

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

fn policy(percent: Decimal, days: u32) -> NewPolicy {
    NewPolicy {
        country: "*".to_owned(),
        holdback_percent: percent,
        holdback_days: days,
        carry_floor: None,
        write_off_days: None,
        effective_from: at("2020-01-01"),
    }
}

fn set(pipeline: &Pipeline, policy: &NewPolicy) -> Result<i32, String> {
    let set = |tx: &mut upline::db::Tx<'_>| settlements::add_policy(tx, policy.clone(), "test", now());
    pipeline.db.transact_or(Lane::Admin, set).map_err(|problem| problem.to_string())
}

fn settle(pipeline: &Pipeline, on: &str) -> Settled {
    settlements::settle(&pipeline.db, &Clock::fixed(at(on))).unwrap()
}

/// Payable, held back, owed; each as a person reads it.
fn stands(pipeline: &Pipeline, distributor: &str) -> [Decimal; 3] {
    let accounts = [Account::CommissionPayable, Account::Holdback, Account::ClawbackReceivable];
    let standings = pipeline
        .db
        .read(Lane::Admin, |conn| ledger::standings(conn, &accounts, Some(&[distributor])))
        .unwrap();
    let of = |account| standings.iter().filter(|s| s.account == account).map(|s| s.amount).sum::<Decimal>();
    [-of(accounts[0]), -of(accounts[1]), of(accounts[2])].map(|amount| amount.normalize())
}

fn is_proven(pipeline: &Pipeline) {
    let verified = pipeline.verify();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    let replayed = pipeline.replay();
    assert!(replayed.is_clean(), "{:?}", replayed.differences);
}

fn entries(pipeline: &Pipeline, kind: &str) -> String {
    pipeline.ask(&format!("select count(*) from journal_entries where kind = '{kind}'"))
}

#[test]
fn a_share_is_held_back_until_its_day_and_follows_refunds() {
    let pipeline = Pipeline::with_company();
    set(&pipeline, &policy(dec!(20), 30)).unwrap();
    pipeline.accept(STORE, &[Order::default().body()]);
    pipeline.drain();
    assert_eq!(stands(&pipeline, "4"), [dec!(15), dec!(0), dec!(0)]);
    settle(&pipeline, "2026-11-21");
    assert_eq!(stands(&pipeline, "4"), [dec!(12), dec!(3), dec!(0)]);
    assert_eq!(stands(&pipeline, "3"), [dec!(4), dec!(1), dec!(0)]);
    assert_eq!(settle(&pipeline, "2026-11-21"), Settled::default(), "once");
    is_proven(&pipeline);
    // Half of it is taken back: half of the holdback, too.
    let refunded = Order { modified: "2026-11-03T10:00:00", refunds: &["50.00"], ..Order::default() };
    pipeline.accept(STORE, &[refunded.body()]);
    pipeline.drain();
    settle(&pipeline, "2026-11-22");
    assert_eq!(stands(&pipeline, "4"), [dec!(6), dec!(1.5), dec!(0)]);
    // Another policy does not reach back.
    set(&pipeline, &policy(dec!(50), 90)).unwrap();
    assert_eq!(settle(&pipeline, "2026-11-30").released, 0);
    assert_eq!(settle(&pipeline, "2026-12-01").released, 3);
    assert_eq!(stands(&pipeline, "4"), [dec!(7.5), dec!(0), dec!(0)]);
    // What is refunded after the release is taken from what is payable.
    let all = Order { modified: "2026-11-04T10:00:00", refunds: &["50.00", "50.00"], ..Order::default() };
    pipeline.accept(STORE, &[all.body()]);
    pipeline.drain();
    settle(&pipeline, "2026-12-02");
    assert_eq!(stands(&pipeline, "4"), [dec!(0), dec!(0), dec!(0)]);
    is_proven(&pipeline);
}

#[test]
fn old_orders_and_markets_without_a_policy_are_paid_at_once() {
    let pipeline = Pipeline::with_company();
    let german = NewPolicy { country: "de".to_owned(), ..policy(dec!(20), 30) };
    set(&pipeline, &german).unwrap();
    pipeline.accept(STORE, &[Order::default().body()]);
    pipeline.drain();
    settle(&pipeline, "2026-11-21");
    assert_eq!(stands(&pipeline, "4"), [dec!(15), dec!(0), dec!(0)]);
    set(&pipeline, &policy(dec!(20), 5)).unwrap();
    let late = Order { id: 302, ..Order::default() };
    pipeline.accept(STORE, &[late.body()]);
    pipeline.drain();
    settle(&pipeline, "2026-11-21");
    assert_eq!(stands(&pipeline, "4"), [dec!(30), dec!(0), dec!(0)], "its five days were over");
    assert_eq!(entries(&pipeline, "holdback"), "0");
    for wrong in [
        NewPolicy { country: "Germany".to_owned(), ..policy(dec!(1), 1) },
        policy(dec!(100.01), 1),
        policy(dec!(-1), 1),
        NewPolicy { write_off_days: Some(0), ..policy(dec!(1), 1) },
    ] {
        assert!(set(&pipeline, &wrong).is_err(), "{wrong:?}");
    }
}

/// Orders and refunds at random, settled on random days: whatever happens, nothing is lost between the accounts.
#[test]
fn what_is_earned_is_payable_or_held_back_after_every_step() {
    for seed in 1..=3 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let pipeline = Pipeline::with_company();
        set(&pipeline, &policy(Decimal::from(rng.u32(1..100)), rng.u32(1..60))).unwrap();
        let mut day = at("2026-11-02");
        let mut refunds: Vec<Vec<String>> = vec![vec![]; 6];
        for step in 0..30 {
            let which = rng.usize(0..6);
            if step > 5 && rng.bool() && refunds[which].len() < 4 {
                refunds[which].push(format!("{}.{:02}", rng.u32(1..25), rng.u32(0..100)));
            }
            let modified = format!("2026-11-03T10:{:02}:{:02}", step, rng.u32(0..60));
            let told: Vec<&str> = refunds[which].iter().map(String::as_str).collect();
            let order =
                Order { id: 400 + which as u64, modified: &modified, refunds: &told, ..Order::default() };
            pipeline.accept(STORE, &[order.body()]);
            pipeline.drain();
            if rng.bool() {
                day += TimeDelta::days(rng.i64(0..9));
                settlements::settle(&pipeline.db, &Clock::fixed(day)).unwrap();
            }
            let lost = pipeline.ask(
                "select count(*) from (
                   select distributor_id, sum(amount) as earned from commission_events group by 1) e
                 full join (select distributor_id, -sum(amount) as stands from postings
                            where account in (2100, 2110) group by 1) p using (distributor_id)
                 where coalesce(earned, 0) <> coalesce(stands, 0)",
            );
            assert_eq!(lost, "0", "seed {seed} step {step}");
            let held = pipeline.ask(
                "select coalesce((select sum(amount) from holdbacks where released_at is null), 0)
                      + coalesce((select sum(amount) from postings where account = 2110), 0)",
            );
            assert_eq!(held.parse::<Decimal>().unwrap(), dec!(0), "seed {seed} step {step}");
        }
        is_proven(&pipeline);
    }
}

/// As when an order was refunded after its commission had been paid.
fn owe(pipeline: &Pipeline, distributor: &str, amount: Decimal, on: &str) {
    let posting = |account, distributor: Option<&str>, amount| Posting {
        account,
        distributor: distributor.map(DistributorId::new),
        amount,
        event: None,
    };
    let postings = [
        posting(Account::ClawbackReceivable, Some(distributor), amount),
        posting(Account::Bank, None, -amount),
    ];
    let entry = JournalEntry::new(new_id(), 1, EntryKind::Carry, usd(), at(on), postings).unwrap();
    let entry = [NewEntry::documented(entry, json!({"test": distributor}))];
    pipeline.db.transact(Lane::Admin, |tx| ledger::post(tx, &entry)).unwrap();
}

#[test]
fn debts_are_given_up_as_their_market_says() {
    let pipeline = Pipeline::with_company();
    owe(&pipeline, "2", dec!(40), "2026-06-01");
    owe(&pipeline, "3", dec!(130), "2026-11-01");
    owe(&pipeline, "4", dec!(99), "2026-11-01");
    settle(&pipeline, "2026-11-21");
    assert_eq!(entries(&pipeline, "write_off"), "0", "without a policy nothing is given up");
    let debts = pipeline.db.read(Lane::Admin, |conn| settlements::debts(conn, None)).unwrap();
    let told: Vec<_> = debts.iter().map(|debt| (debt.distributor.as_str(), debt.since.to_string())).collect();
    let november = || "2026-11-01".to_owned();
    assert_eq!(told, [("2", "2026-06-01".to_owned()), ("3", november()), ("4", november())]);
    set(
        &pipeline,
        &NewPolicy { carry_floor: Some(dec!(100)), write_off_days: Some(90), ..policy(dec!(0), 0) },
    )
    .unwrap();
    assert_eq!(settle(&pipeline, "2026-11-21").written_off, 2);
    assert_eq!(["2", "3", "4"].map(|id| stands(&pipeline, id)[2]), [dec!(0), dec!(100), dec!(99)]);
    assert_eq!(settle(&pipeline, "2026-11-21").written_off, 0);
    assert_eq!(pipeline.ask("select sum(amount)::numeric(9, 2) from postings where account = 5180"), "70.00");
    assert!(pipeline.verify().is_clean());
}

#[test]
fn an_amount_changes_its_currency_at_a_rate_that_is_on_record() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &[Order::default().body()]);
    pipeline.drain();
    let eur = Currency::parse("EUR").unwrap();
    let convert = || {
        let work = |tx: &mut upline::db::Tx<'_>| settlements::convert(tx, &["4", "2"], eur, now());
        pipeline.db.transact_or(Lane::Admin, work).unwrap()
    };
    assert_eq!(convert().without_rate, [usd()].into());
    let rate = |rate, on: &str, source: &str| NewRate {
        from: usd(),
        to: eur,
        rate,
        on_date: on.parse().unwrap(),
        source: source.to_owned(),
    };
    let add = |rates: &[NewRate]| {
        let work = |tx: &mut upline::db::Tx<'_>| settlements::add_rates(tx, rates, "test", now());
        pipeline.db.transact_or(Lane::Admin, work).map_err(|problem| problem.to_string())
    };
    add(&[rate(dec!(0.5), "2026-11-10", "ECB")]).unwrap();
    assert_eq!(convert().without_rate, [usd()].into(), "that rate is too old");
    assert!(add(&[rate(dec!(0), "2026-11-20", "ECB")]).is_err());
    assert!(add(&[rate(dec!(1), "2026-11-22", "ECB")]).is_err(), "it lies in the future");
    assert!(add(&[rate(dec!(1), "2026-11-20", " ")]).is_err());
    add(&[rate(dec!(0.9), "2026-11-19", "ECB"), rate(dec!(0.9213), "2026-11-20", "ECB")]).unwrap();
    let done = convert().done;
    let of: Vec<&str> = done.iter().map(|(of, _)| of.as_str()).collect();
    assert_eq!(of, ["2", "4"]);
    let converted = &done[1].1;
    assert_eq!((converted.from_amount, converted.to_amount), (dec!(15.00), dec!(13.82)));
    assert_eq!(converted.rate.on_date.to_string(), "2026-11-20");
    assert!(convert().done.is_empty(), "nothing is left to convert");
    let sums = "select string_agg(currency || ' ' || sum::numeric(9, 2), ', ' order by currency) from (
                  select e.currency, sum(p.amount) from postings p join journal_entries e using (source_id, entry_no)
                  where p.account in (2100, 2900) and (p.distributor_id = '4' or p.account = 2900) group by 1) x";
    assert_eq!(pipeline.ask(sums), "EUR 4.61, USD -20.00");
    let document = pipeline.ask("select document from entry_documents limit 1");
    assert!(document.contains("0.9213") && document.contains("ECB"), "{document}");
    is_proven(&pipeline);
    pipeline.tamper("update entry_documents set document = document || '{\"rate\": \"1.0\"}'");
    assert!(pipeline.verify().problems.len() >= 4);
}

#[test]
fn money_is_moved_by_hand_with_a_reason_and_a_second_person() {
    let pipeline = Pipeline::with_company();
    let attachment = Attachment {
        name: "ticket.pdf".into(),
        media_type: "application/pdf".into(),
        bytes: b"%PDF-".into(),
    };
    let asked = |distributor: &str, amount, reason: &str| NewAdjustment {
        distributor: DistributorId::new(distributor),
        currency: usd(),
        amount,
        reason: reason.to_owned(),
        attachment: Some(attachment.clone()),
    };
    let request = |new: &NewAdjustment| {
        let work = |tx: &mut upline::db::Tx<'_>| settlements::request(tx, new, "ann@example.com", now());
        pipeline.db.transact_or(Lane::Admin, work).map_err(|problem| problem.to_string())
    };
    let decide = |number: i32, approved: bool, by: &str| {
        let work =
            |tx: &mut upline::db::Tx<'_>| settlements::decide(tx, number, approved, "looked", by, now());
        pipeline.db.transact_or(Lane::Admin, work).map_err(|problem| problem.to_string())
    };
    for (new, why) in [
        (asked("4", dec!(0), "why"), "of zero"),
        (asked("4", dec!(1.001), "why"), "more digits"),
        (asked("4", dec!(1), "  "), "say why"),
        (asked("nobody", dec!(1), "why"), "no distributor nobody"),
    ] {
        let refused = request(&new).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    let one = request(&asked("4", dec!(25), "missing kit bonus")).unwrap().adjustment_no;
    assert_eq!(stands(&pipeline, "4")[0], dec!(0), "nothing moves yet");
    assert!(decide(one, true, "Ann@example.com").unwrap_err().contains("somebody else"));
    assert_eq!(decide(one, true, "bob@example.com").unwrap().status, "approved");
    assert_eq!(stands(&pipeline, "4")[0], dec!(25));
    assert!(decide(one, true, "bob@example.com").unwrap_err().contains("decided once"));
    assert!(decide(one, false, "eve@example.com").unwrap_err().contains("decided once"));
    let two = request(&asked("4", dec!(-30), "paid twice")).unwrap().adjustment_no;
    assert_eq!(decide(two, false, "bob@example.com").unwrap().status, "refused");
    assert_eq!(stands(&pipeline, "4")[0], dec!(25));
    assert!(decide(99, true, "bob@example.com").unwrap_err().contains("no adjustment 99"));
    let file = pipeline.db.read(Lane::Admin, |conn| settlements::attachment(conn, one)).unwrap().unwrap();
    assert_eq!(file.bytes, b"%PDF-");
    for change in ["update adjustments set amount = 1", "delete from adjustments", "truncate adjustments"] {
        let refused = pipeline.db.read(Lane::Admin, |conn| {
            use diesel::connection::SimpleConnection;
            Ok(conn.batch_execute(change)?)
        });
        assert!(refused.is_err(), "{change}");
    }
    assert!(pipeline.verify().is_clean());
    pipeline.tamper("update entry_documents set document = document || '{\"approved_by\": \"eve\"}'");
    assert!(!pipeline.verify().is_clean());
}
