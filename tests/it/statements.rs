//! Statements: what stood before and every line are what stands after, on the page, on paper, in the file and over the
//! API; whatever was posted, in whatever order.

mod edge;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use rust_decimal::{Decimal, dec};
use serde_json::json;
use upline::chain::Head;
use upline::clock::{Clock, new_id};
use upline::core::ids::{DistributorId, StoreId};
use upline::core::journal::{Account, EntryKind, JournalEntry, Posting};
use upline::core::money::Currency;
use upline::core::payout::choice::Terms;
use upline::core::payout::{ItemStatus, Originator, Rail};
use upline::db::{DbError, Lane, Tx};
use upline::ledger::{self, NewEntry};
use upline::payees::{self, Given};
use upline::payouts::{self, Approval, PayoutProblem, Which};
use upline::reports::statement::{
    self, Amounts, Asked, COLUMNS, LINES, Line, Part, Purse, Span, Statement, kind_title, money,
};
use upline::settlements::{self, NewAdjustment, NewPolicy};
use upline::vault::Vault;

use crate::support::payload::Order;
use crate::support::pipeline::{Pipeline, now};

const STORE: StoreId = StoreId(1);
const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The day after the one on which the pipeline posts orders.
fn monday() -> DateTime<Utc> {
    now() + TimeDelta::days(1)
}

fn days(from: &str, to: &str) -> Span {
    Span {
        from: at(&format!("{from}T00:00:00Z")),
        until: at(&format!("{to}T00:00:00Z")) + TimeDelta::days(1),
        period: None,
    }
}

fn read_part(pipeline: &Pipeline, distributor: &str, span: &Span, part: &Part) -> Statement {
    let read = |conn: &mut _| statement::read(conn, distributor, span, part);
    pipeline.db.read(Lane::Admin, read).unwrap().unwrap()
}

fn read(pipeline: &Pipeline, distributor: &str, span: &Span) -> Statement {
    read_part(pipeline, distributor, span, &Part::default())
}

fn change<T, E: From<DbError> + std::fmt::Display>(
    pipeline: &Pipeline,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
) -> T {
    pipeline.db.transact_or(Lane::Admin, work).unwrap_or_else(|problem| panic!("{problem}"))
}

fn sum<'a>(amounts: impl IntoIterator<Item = &'a Amounts>) -> Amounts {
    amounts.into_iter().fold(Amounts::default(), |mut sum, more| {
        sum += more;
        sum
    })
}

fn lines_of<'s>(found: &'s Statement, purse: &Purse) -> Vec<&'s Line> {
    found.lines.iter().filter(|line| line.currency == purse.currency).collect()
}

/// Opening and every line are the closing, and so are the sums by kind; the closing is what the journal says.
#[track_caller]
fn closes(pipeline: &Pipeline, found: &Statement) {
    assert!(found.next.is_none(), "all lines are there");
    for purse in &found.purses {
        let lines = lines_of(found, purse);
        assert_eq!(i64::try_from(lines.len()).unwrap(), purse.lines);
        assert_eq!(sum(lines.iter().map(|line| &line.amounts)), purse.moved);
        assert_eq!(sum(purse.sums.iter().map(|sum| &sum.amounts)), purse.moved);
        assert_eq!(sum([&purse.opening, &purse.moved]), purse.closing);
        for (instant, amounts) in [(found.span.from, &purse.opening), (found.span.until, &purse.closing)] {
            for (column, amount) in amounts.each() {
                let stood = pipeline.ask(&format!(
                    "select coalesce(-sum(amount), 0) from postings p join journal_entries e using (source_id, entry_no)
                     where distributor_id = '{}' and account = {} and currency = '{}' and posted_at < '{}'",
                    found.distributor,
                    column.account.number(),
                    purse.currency,
                    instant.to_rfc3339()
                ));
                assert_eq!(amount, stood.parse::<Decimal>().unwrap(), "{} at {instant}", column.key);
            }
        }
    }
}

fn vault() -> Vault {
    Vault::open(std::path::Path::new("/nonexistent"), Some(&"5a".repeat(32))).unwrap()
}

fn account(pipeline: &Pipeline, id: &str) {
    let given = Given {
        rail: "nacha".into(),
        currency: "USD".into(),
        name: format!("Person {id}"),
        holder: "person".into(),
        country: "US".into(),
        routing_number: "021000021".into(),
        account_number: "1234567".into(),
        account: "checking".into(),
        ..Given::default()
    };
    let details = given.read().unwrap_or_else(|problems| panic!("{problems:?}"));
    let id = DistributorId::new(id);
    change(pipeline, |tx| payees::set(tx, &vault(), (&id, &details), 0, ANN, at("2026-01-01T00:00:00Z")));
}

fn order() -> payouts::Order {
    let originator = Originator {
        name: "Acme Inc".into(),
        routing_number: Some("021000021".into()),
        account_number: Some("1234567890".into()),
        company_id: Some("1123456789".into()),
        bank_name: Some("First Bank".into()),
        iban: None,
        bic: None,
    };
    let terms = Terms {
        currency: Currency::parse("USD").unwrap(),
        minimum: dec!(1),
        fee: dec!(0.25),
        item_limit: dec!(1000),
        batch_limit: dec!(5000),
        value_days: 1,
        originator: Some(originator),
    };
    payouts::Order { rail: Rail::Nacha, terms, withholding: dec!(0.24), purpose: "Commission 2026-11".into() }
}

/// Everything that is due leaves on Monday, and the bank says that it has paid.
fn pay(pipeline: &Pipeline) {
    type Done<T> = Result<T, PayoutProblem>;
    let batch = change(pipeline, |tx| -> Done<_> { payouts::prepare(tx, &order(), ANN, monday()) }).batch_no;
    let shown = change(pipeline, |tx| -> Done<_> { payouts::review(tx.conn, batch, monday()) }).digest;
    let approval = Approval { shown, over_limits: false };
    change(pipeline, |tx| -> Done<_> { payouts::approve(tx, batch, &approval, BOB, monday()) });
    change(pipeline, |tx| -> Done<_> { payouts::export(tx, &vault(), batch, ANN, monday()) });
    change(pipeline, |tx| -> Done<_> {
        payouts::mark(tx, (batch, &Which::All), ItemStatus::Confirmed, "the bank said so", BOB, monday())
    });
}

/// Two orders, one of them refunded in part, a fifth held back on Sunday; an adjustment and a payout on Monday.
fn company() -> Pipeline {
    let pipeline = Pipeline::with_company();
    ["2", "3", "4"].iter().for_each(|id| account(&pipeline, id));
    let policy = NewPolicy {
        country: "*".to_owned(),
        holdback_percent: dec!(20),
        holdback_days: 30,
        carry_floor: None,
        write_off_days: None,
        effective_from: at("2020-01-01T00:00:00Z"),
    };
    change(&pipeline, |tx| settlements::add_policy(tx, policy.clone(), "test", now()));
    let refunded = Order { modified: "2026-11-03T10:00:00", refunds: &["50.00"], ..Order::default() };
    for body in [Order::default().body(), Order { id: 302, ..Order::default() }.body(), refunded.body()] {
        pipeline.accept(STORE, &[body]);
        pipeline.drain();
    }
    settlements::settle(&pipeline.db, &Clock::fixed(now())).unwrap();
    let asked = NewAdjustment {
        distributor: DistributorId::new("4"),
        currency: Currency::parse("USD").unwrap(),
        amount: dec!(25),
        reason: "missing kit bonus".to_owned(),
        attachment: None,
    };
    let number = change(&pipeline, |tx| settlements::request(tx, &asked, ANN, monday())).adjustment_no;
    change(&pipeline, |tx| settlements::decide(tx, number, true, "looked", BOB, monday()));
    pay(&pipeline);
    pipeline
}

fn told(amounts: &Amounts) -> String {
    let some = amounts.each().filter(|(_, amount)| !amount.is_zero());
    some.map(|(column, amount)| format!("{} {}", column.key, money(amount, "USD")))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn before_and_every_line_are_after() {
    let pipeline = company();
    let (sunday, monday, both) = (
        days("2026-11-21", "2026-11-21"),
        days("2026-11-22", "2026-11-22"),
        days("2026-11-21", "2026-11-22"),
    );
    for id in ["1", "2", "3", "4"] {
        for span in [&sunday, &monday, &both, &days("2020-01-01", "2020-01-31")] {
            closes(&pipeline, &read(&pipeline, id, span));
        }
    }
    let (first, second) = (read(&pipeline, "4", &sunday), read(&pipeline, "4", &monday));
    let purse = |found: &Statement| found.purses[0].clone();
    assert_eq!(purse(&first).closing, purse(&second).opening);
    // 15 of each order, half of one of them back, a fifth of the rest held back.
    assert_eq!(told(&purse(&first).closing), "payable 18.00, held_back 4.50");
    assert_eq!(told(&purse(&second).closing), "held_back 4.50, fees 0.25, paid 42.75");
    let about = |found: &Statement| -> Vec<String> {
        found.lines.iter().map(|line| format!("{} {}", line.about, told(&line.amounts))).collect()
    };
    let mut sundays = about(&first);
    sundays.sort_unstable();
    assert_eq!(sundays.len(), 4, "{sundays:?}");
    assert!(sundays[0].starts_with("Held back of orders' commissions payable -4.50, held_back 4.50"));
    assert!(
        sundays[1].starts_with("Order 301 of main: ") && sundays[1].ends_with(" payable -7.50"),
        "{sundays:?}"
    );
    assert!(
        sundays[2].starts_with("Order 301 of main: ") && sundays[2].ends_with(" payable 15.00"),
        "{sundays:?}"
    );
    assert!(
        sundays[3].starts_with("Order 302 of main: ") && sundays[3].ends_with(" payable 15.00"),
        "{sundays:?}"
    );
    let item = pipeline.ask("select item_no from payout_items where distributor_id = '4'");
    let mut mondays = about(&second);
    mondays.sort_unstable();
    let wanted = [
        "Adjustment 1 payable 25.00".to_owned(),
        format!("Payout {item} of batch 1 paid on_its_way -42.75, paid 42.75"),
        format!("Payout {item} of batch 1 prepared payable -43.00, on_its_way 42.75, fees 0.25"),
    ];
    assert_eq!(mondays, wanted);
    let sums = purse(&second).sums;
    let kinds: Vec<&str> = sums.iter().map(|sum| kind_title(&sum.kind)).collect();
    assert_eq!(kinds, ["Adjustments by hand", "Payouts prepared", "Payouts paid"]);
    let nobody =
        pipeline.db.read(Lane::Admin, |conn| statement::read(conn, "nobody", &both, &Part::default()));
    assert!(nobody.unwrap().is_none());
    assert!(read(&pipeline, "1", &both).purses.is_empty(), "nobody has bought below two levels");
}

fn post(pipeline: &Pipeline, currency: &str, when: DateTime<Utc>, legs: &[(Account, Decimal)]) {
    let of = |account, amount| Posting {
        account,
        distributor: Some(DistributorId::new("2")),
        amount,
        event: None,
    };
    let house: Decimal = legs.iter().map(|leg| leg.1).sum();
    let mut postings: Vec<Posting> = legs.iter().map(|leg| of(leg.0, leg.1)).collect();
    postings.push(Posting { distributor: None, ..of(Account::AdjustmentExpense, -house) });
    let currency = Currency::parse(currency).unwrap();
    let entry = JournalEntry::new(new_id(), 1, EntryKind::Manual, currency, when, postings).unwrap();
    let entry = [NewEntry::documented(entry, json!({"test": 1}))];
    pipeline.db.transact(Lane::Admin, |tx| ledger::post(tx, &entry)).unwrap();
}

/// Whatever is posted on whichever account at whatever time, each statement closes, and one begins where another ends.
#[test]
fn statements_close_whatever_was_posted() {
    let mut rng = Rng::with_seed(7);
    let pipeline = Pipeline::with_company();
    for _ in 0..120 {
        let when = at("2026-10-01T00:00:00Z") + TimeDelta::hours(rng.i64(0..24 * 30));
        let legs: Vec<(Account, Decimal)> = (0..rng.usize(1..4))
            .map(|_| {
                (COLUMNS[rng.usize(0..COLUMNS.len())].account, Decimal::new(rng.i64(-9999..9999) * 2 + 1, 2))
            })
            .collect();
        post(&pipeline, ["USD", "EUR", "JPY"][rng.usize(0..3)], when, &legs);
    }
    for _ in 0..12 {
        let mut cuts = [rng.i64(0..31), rng.i64(0..31), rng.i64(0..31)];
        cuts.sort_unstable();
        let day = |days| at("2026-10-01T00:00:00Z") + TimeDelta::days(days);
        let span = |from, until| Span { from: day(from), until: day(until), period: None };
        let (first, second) = (span(cuts[0], cuts[1]), span(cuts[1], cuts[2]));
        let (first, second) = (read(&pipeline, "2", &first), read(&pipeline, "2", &second));
        closes(&pipeline, &first);
        closes(&pipeline, &second);
        for purse in &first.purses {
            let next = second.purses.iter().find(|next| next.currency == purse.currency);
            assert_eq!(next.map(|next| &next.opening), Some(&purse.closing));
        }
    }
}

/// More entries than a page shows and than a stretch of the file has.
const MANY: usize = 2_300;

fn busy() -> Pipeline {
    let pipeline = Pipeline::with_company();
    let entries: Vec<NewEntry> = (0..MANY)
        .map(|i| {
            let amount = Decimal::new(i64::try_from(i).unwrap() + 1, 2);
            let of = |account, distributor, amount| Posting { account, distributor, amount, event: None };
            let postings = [
                of(Account::CommissionPayable, Some(DistributorId::new("2")), -amount),
                of(Account::AdjustmentExpense, None, amount),
            ];
            // Many at the same instant: only the key tells them apart.
            let when = at("2026-10-05T00:00:00Z") + TimeDelta::minutes(i64::try_from(i / 50).unwrap());
            let currency = Currency::parse(["EUR", "USD"][i % 2]).unwrap();
            let entry = JournalEntry::new(new_id(), 1, EntryKind::Manual, currency, when, postings).unwrap();
            NewEntry::documented(entry, json!({"test": i}))
        })
        .collect();
    pipeline.db.transact(Lane::Admin, |tx| ledger::post(tx, &entries)).unwrap();
    pipeline
}

fn sheet(pipeline: &Pipeline, id: &str, span: &Span) -> Vec<BTreeMap<String, String>> {
    let mut bytes = vec![];
    let written = pipeline
        .db
        .read(Lane::Admin, |conn| Ok(statement::write_sheet(conn, id, span, &mut bytes)))
        .unwrap()
        .unwrap();
    let rows: Vec<BTreeMap<String, String>> =
        csv::Reader::from_reader(bytes.as_slice()).deserialize().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.iter().filter(|row| row["row"] == "entry").count() as u64, written);
    rows
}

/// Currency by currency, in every column, from the file alone.
#[track_caller]
fn sheet_closes(rows: &[BTreeMap<String, String>]) {
    let mut stands: BTreeMap<(String, &str), Decimal> = BTreeMap::new();
    for row in rows {
        for column in &COLUMNS {
            let amount: Decimal = row[column.key].parse().unwrap();
            let stand = stands.entry((row["currency"].clone(), column.key)).or_default();
            match row["row"].as_str() {
                "closing" => assert_eq!(*stand, amount, "{row:?}"),
                _ => *stand += amount,
            }
        }
    }
}

#[test]
fn the_file_has_every_line_and_pages_have_each_once() {
    let pipeline = busy();
    let span = days("2026-10-01", "2026-10-31");
    let rows = sheet(&pipeline, "2", &span);
    assert_eq!(rows.len(), MANY + 4, "two currencies open and close");
    sheet_closes(&rows);
    let shown = read(&pipeline, "2", &span);
    assert_eq!(i64::try_from(shown.lines.len()).unwrap(), LINES);
    assert_eq!(shown.purses.iter().map(|purse| purse.lines).sum::<i64>(), MANY as i64);
    let mut part = Part { after: None, limit: 333 };
    let mut seen: Vec<String> = vec![];
    loop {
        let found = read_part(&pipeline, "2", &span, &part);
        assert_eq!(found.purses, shown.purses, "balances are of the whole on every page");
        seen.extend(found.lines.iter().map(|line| ledger::reference(line.source, line.number)));
        part.after = found.next;
        if part.after.is_none() {
            break;
        }
    }
    let written: Vec<String> =
        rows.iter().filter(|row| row["row"] == "entry").map(|row| row["entry"].clone()).collect();
    assert_eq!(seen, written, "in the same order");

    let pipeline = company();
    let rows = sheet(&pipeline, "4", &days("2026-11-22", "2026-11-22"));
    sheet_closes(&rows);
    let kinds: Vec<&str> = rows.iter().map(|row| row["row"].as_str()).collect();
    assert_eq!(kinds, ["opening", "entry", "entry", "entry", "closing"]);
    assert_eq!(sheet(&pipeline, "1", &span), Vec::<BTreeMap<String, String>>::new());
}

/// The text of each page, as somebody else reads it, without its line breaks.
fn pages(bytes: &[u8]) -> Vec<String> {
    let document = lopdf::Document::load_mem(bytes).unwrap();
    let numbers: Vec<u32> = document.get_pages().into_keys().collect();
    let text = |number: &u32| document.extract_text(&[*number]).unwrap();
    numbers.iter().map(|number| text(number).split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Every line and every sum is on it.
#[track_caller]
fn paper_has_it_all(found: &Statement, pages: &[String]) {
    let whole = pages.join(" ");
    let row = |amounts: &Amounts, purse: &Purse, zeros: bool| -> String {
        let columns: Vec<_> = purse.columns().collect();
        let told = columns.iter().rev().filter_map(|column| {
            let amount = amounts.of(column.account);
            (zeros || !amount.is_zero()).then(|| money(amount, &purse.currency))
        });
        told.collect::<Vec<_>>().join(" ")
    };
    for purse in &found.purses {
        for (title, amounts) in [("Before", &purse.opening), ("After", &purse.closing)] {
            let wanted = format!("{} {title}", row(amounts, purse, true));
            assert!(whole.contains(&wanted), "{wanted} in {whole}");
        }
        for sum in &purse.sums {
            let bonus = if sum.bonus.is_empty() { String::new() } else { format!(": {}", sum.bonus) };
            let wanted = format!("{} {}{bonus}", row(&sum.amounts, purse, false), kind_title(&sum.kind));
            assert!(whole.contains(wanted.trim()), "{wanted} in {whole}");
        }
        for line in lines_of(found, purse) {
            let wanted =
                format!("{} {} {}", line.at.format("%Y-%m-%d"), row(&line.amounts, purse, false), line.about);
            assert!(whole.contains(&wanted), "{wanted} in {whole}");
        }
    }
    for (page, number) in pages.iter().zip(1..) {
        assert!(page.contains(&format!("page {number} of {}", pages.len())), "{page}");
    }
}

#[test]
fn paper_has_every_line_and_sum() {
    let pipeline = company();
    pipeline.tamper("update distributors set name = 'Łucja Größe' where distributor_id = '4'");
    let mut found = read(&pipeline, "4", &days("2026-11-21", "2026-11-22"));
    found.head = None;
    let bytes = statement::paper(&found);
    assert_eq!(bytes, statement::paper(&found), "the same bytes");
    let text = pages(&bytes);
    paper_has_it_all(&found, &text);
    assert!(text[0].contains("Distributor 4, Lucja Größe"), "{}", text[0]);
    assert!(text[0].contains("Posted 2026-11-21 to 2026-11-22 (UTC)") && !text[0].contains("Chain head"));
    found.head = Some(Head { seq: 1204, hash: "ab".repeat(32) });
    assert!(pages(&statement::paper(&found))[0].contains(&format!("Chain head 1204 {}", "ab".repeat(32))));

    let nothing = pages(&statement::paper(&read(&pipeline, "1", &days("2026-11-21", "2026-11-22"))));
    assert!(nothing.len() == 1 && nothing[0].contains("Nothing was ever posted"), "{nothing:?}");

    let pipeline = busy();
    let found = read(&pipeline, "2", &days("2026-10-01", "2026-10-31"));
    let text = pages(&statement::paper(&found));
    assert!(text.len() > 20, "{} pages", text.len());
    paper_has_it_all(&found, &text);
    let whole = text.join(" ");
    assert!(
        whole.contains("1000 of 1150 entries are shown") && whole.contains("0 of 1150 entries are shown")
    );
}

#[test]
fn a_time_is_a_period_or_days() {
    let pipeline = Pipeline::with_company();
    pipeline.tamper(
        "insert into periods (period_id, name, starts_at, ends_at, created_at) values
         (gen_random_uuid(), '2026-10', '2026-10-01', '2026-11-01', now()),
         (gen_random_uuid(), '2026-11', '2026-11-01', '2026-12-01', now())",
    );
    let span = |period: &str, from: &str, to: &str| {
        let some = |text: &str| Some(text.to_owned());
        let asked = Asked { period: some(period), from: some(from), to: some(to) };
        let found = pipeline.db.read(Lane::Admin, |conn| Ok(statement::span(conn, &asked, now()))).unwrap();
        found.map(|span| (span.name(), span.from, span.until)).map_err(|problem| problem.to_string())
    };
    let (october, november) = (at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"));
    assert_eq!(span("2026-10", "", "").unwrap(), ("2026-10".to_owned(), october, november));
    assert_eq!(span("", "", "").unwrap().0, "2026-11", "of now");
    let whole = span("", "2026-10-01", "2026-10-31").unwrap();
    assert_eq!((whole.1, whole.2), (october, november), "both days are in it");
    for ((period, from, to), why) in [
        (("2026-13", "", ""), "no period \"2026-13\""),
        (("2026-10", "2026-10-01", "2026-10-02"), "not both"),
        (("", "2026-10-01", ""), "needs a last day"),
        (("", "2026-10-02", "2026-10-01"), "before the first"),
        (("", "2026-10-02", "tomorrow"), "\"tomorrow\" is no day"),
    ] {
        let refused = span(period, from, to).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}
