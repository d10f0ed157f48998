//! Everything that is committed is chained, once, in one order, by one at a time; and whatever is changed of it is found.

mod commands;
mod offline;
mod sequencer;
mod tamper;

use std::time::Duration;

use serde_json::json;
use upline::access::audit;
use upline::chain::{self, GivenHead};
use upline::clock::new_id;
use upline::core::ids::{DistributorId, StoreId};
use upline::core::journal::{Account, EntryKind, JournalEntry, Posting};
use upline::core::money::Currency;
use upline::db::Lane;
use upline::ledger::{self, NewEntry};

use crate::support::payload::Order;
use crate::support::pipeline::{Pipeline, now};

const STORE: StoreId = StoreId(1);

/// Orders with a life, acts of people, and entries that rest on a document, chained.
fn with_history() -> Pipeline {
    let pipeline = Pipeline::with_company();
    let order = |id, modified, refunds| Order { id, modified, refunds, ..Order::default() }.body();
    pipeline.accept(
        STORE,
        &[
            order(1, "2026-11-01T10:00:00", &[]),
            order(1, "2026-11-02T10:00:00", &["33.33"]),
            order(2, "2026-11-01T10:00:00", &[]),
            order(3, "2026-11-01T10:00:00", &["10.00"]),
        ],
    );
    pipeline.drain();
    for number in 0..6 {
        act(&pipeline, number);
        hold_back(&pipeline, "3", "1.25");
    }
    chain_all(&pipeline);
    pipeline
}

fn act(pipeline: &Pipeline, number: u32) {
    let detail = json!({"number": number, "why": "a test"});
    pipeline
        .db
        .transact(Lane::Admin, |tx| {
            audit::record(tx, "ada", "test.act", &number.to_string(), detail.clone(), now())
        })
        .unwrap();
}

fn hold_back(pipeline: &Pipeline, distributor: &str, amount: &str) {
    let amount: rust_decimal::Decimal = amount.parse().unwrap();
    let posting = |account, amount| Posting {
        account,
        distributor: Some(DistributorId::new(distributor)),
        amount,
        event: None,
    };
    let postings = [posting(Account::CommissionPayable, amount), posting(Account::PayoutClearing, -amount)];
    let usd = Currency::parse("USD").unwrap();
    let entry = JournalEntry::new(new_id(), 1, EntryKind::Carry, usd, now(), postings).unwrap();
    let new = NewEntry::documented(entry, json!({"days": 14, "share": "0.10"}));
    pipeline.db.transact(Lane::Admin, |tx| ledger::post(tx, std::slice::from_ref(&new))).unwrap();
}

fn chain_all(pipeline: &Pipeline) {
    assert!(chain::catch_up(&pipeline.db, Duration::from_secs(30)).unwrap(), "somebody else holds the lease");
}

fn give_head(pipeline: &Pipeline, cause: &str) {
    pipeline.db.transact(Lane::Admin, |tx| chain::give_head(tx, cause, now()).map(drop)).unwrap();
}

fn heads(pipeline: &Pipeline) -> Vec<GivenHead> {
    pipeline.db.read(Lane::Admin, chain::given_heads).unwrap()
}

/// Whether the chain has every entry and every row of the audit log exactly once, in a dense order.
fn assert_whole(pipeline: &Pipeline) {
    let counts = pipeline.ask(
        "select (select count(*) from journal_entries) + (select count(*) from audit_log) || ' '
                || (select count(*) from chain) || ' ' || (select coalesce(max(seq), 0) from chain)",
    );
    let numbers: Vec<&str> = counts.split(' ').collect();
    assert!(numbers[0] == numbers[1] && numbers[1] == numbers[2], "{counts}");
    let standing = pipeline.db.read(Lane::Admin, chain::standing).unwrap();
    assert_eq!(standing.unchained, 0);
    assert_eq!(standing.head.map_or(0, |head| head.seq).to_string(), numbers[2]);
}

/// Whether what is read from the kept sums and the postings behind them is what the postings say.
fn assert_balanced(pipeline: &Pipeline) {
    let differing = pipeline.ask(
        "select string_agg(account || '/' || distributor_id || ' ' || amount, ', ') from (
           select account, distributor_id, currency, sum(amount) as amount from (
             select account, distributor_id, currency, amount from account_sums
             union all
             select p.account, coalesce(p.distributor_id, ''), e.currency, -p.amount
             from postings p join journal_entries e using (source_id, entry_no)) both_sides
           group by 1, 2, 3 having sum(amount) <> 0) differing",
    );
    assert_eq!(differing, "");
}
