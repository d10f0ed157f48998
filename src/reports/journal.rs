//! The journal, newest orders first.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::{Conn, PAGE, Page, limit};
use crate::db::DbError;
use crate::ledger::{self, StoredEntry};

/// Entries that one page may look at before it shows what it has.
const STRETCH: i64 = 20_000;

/// Empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub account: String,
    pub distributor: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.account.is_empty() && self.distributor.is_empty()
    }
}

/// Source and number of an entry.
pub type Key = (Uuid, i32);

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    entry_no: i32,
}

pub fn entries(
    conn: &mut Conn,
    filter: &Filter,
    before: Option<Key>,
) -> Result<Page<StoredEntry, Key>, DbError> {
    let (source, number) = before.unwrap_or((Uuid::max(), i32::MAX));
    // The distributor's postings have an index of their own; without one a stretch of the journal is looked at.
    let sql = if filter.distributor.trim().is_empty() {
        "with e as (select source_id, entry_no from journal_entries where (source_id, entry_no) < ($1, $2)
                    order by source_id desc, entry_no desc limit $5)
         select e.source_id, e.entry_no from e
         where ($3 = '' or exists (
           select 1 from postings p join accounts a using (account)
           where p.source_id = e.source_id and p.entry_no = e.entry_no and a.name = $3))
         order by 1 desc, 2 desc limit $6"
    } else {
        "select distinct p.source_id, p.entry_no from postings p join accounts a using (account)
         where p.distributor_id = $4 and (p.source_id, p.entry_no) < ($1, $2) and ($3 = '' or a.name = $3)
         order by 1 desc, 2 desc limit $6"
    };
    let found: Vec<Found> = sql_query(sql)
        .bind::<SqlUuid, _>(source)
        .bind::<Integer, _>(number)
        .bind::<Text, _>(&filter.account)
        .bind::<Text, _>(filter.distributor.trim())
        .bind::<BigInt, _>(STRETCH)
        .bind::<BigInt, _>(limit())
        .load(conn)?;
    let full = found.len() > PAGE;
    let keys = Page::cut(found, |row| (row.source_id, row.entry_no));
    let next = if full || !filter.distributor.trim().is_empty() {
        keys.next
    } else {
        end_of_stretch(conn, (source, number))?
    };
    let keys: Vec<Key> = keys.rows.iter().map(|row| (row.source_id, row.entry_no)).collect();
    let mut rows = load(conn, &keys)?;
    rows.sort_by_key(|entry| std::cmp::Reverse((entry.source, entry.number)));
    Ok(Page { rows, next })
}

fn load(conn: &mut Conn, keys: &[Key]) -> Result<Vec<StoredEntry>, DbError> {
    let mut sources: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
    sources.dedup();
    let mut entries = ledger::load_entries(conn, &sources)?;
    entries.retain(|entry| keys.contains(&(entry.source, entry.number)));
    Ok(entries)
}

fn end_of_stretch(conn: &mut Conn, before: Key) -> Result<Option<Key>, DbError> {
    let end: Option<Found> = sql_query(
        "select source_id, entry_no from journal_entries where (source_id, entry_no) < ($1, $2)
         order by source_id desc, entry_no desc offset $3 limit 1",
    )
    .bind::<SqlUuid, _>(before.0)
    .bind::<Integer, _>(before.1)
    .bind::<BigInt, _>(STRETCH - 1)
    .get_result(conn)
    .optional()?;
    Ok(end.map(|row| (row.source_id, row.entry_no)))
}

pub fn one(conn: &mut Conn, key: Key) -> Result<Option<StoredEntry>, DbError> {
    Ok(load(conn, &[key])?.pop())
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Account {
    #[diesel(sql_type = SmallInt)]
    pub account: i16,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub title: String,
}

pub fn accounts(conn: &mut Conn) -> Result<Vec<Account>, DbError> {
    Ok(sql_query("select account, name, title from accounts order by account").load(conn)?)
}

/// What an entry or an event belongs to, and how people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The store's number of an order.
    Order(String),
    /// The name of the period that a run is of.
    Run(String),
    /// The number of a batch of payouts.
    Payout(i32),
    /// Held back, released, converted, written off or adjusted: the entry itself says from what.
    Settlement,
}

impl Source {
    pub(super) fn of(number: Option<String>, period: Option<String>) -> Self {
        match (number, period) {
            (None, Some(period)) => Self::Run(period),
            (number, _) => Self::Order(number.unwrap_or_default()),
        }
    }
}

pub fn sources(conn: &mut Conn, ids: &[Uuid]) -> Result<HashMap<Uuid, Source>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Nullable<Text>)]
        number: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        period: Option<String>,
        #[diesel(sql_type = Nullable<Integer>)]
        payout: Option<i32>,
    }
    let rows: Vec<Row> = sql_query(
        "select order_id as id, coalesce(number, external_id) as number, null as period, null::int as payout
         from orders where order_id = any($1)
         union all
         select r.run_id, null, p.name, null from runs r join periods p using (period_id) where r.run_id = any($1)
         union all
         select batch_id, null, null, batch_no from payout_batches where batch_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    let source = |row: Row| match row.payout {
        Some(batch) => (row.id, Source::Payout(batch)),
        None => (row.id, Source::of(row.number, row.period)),
    };
    Ok(rows.into_iter().map(source).collect())
}
