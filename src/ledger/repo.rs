//! SQL of journal entries and postings.

mod sums;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Jsonb, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::NewEntry;
use crate::core::ids::{DistributorId, EventId};
use crate::core::journal::{Account, Posting};
use crate::db::DbError;
pub use sums::{Balance, Sums, balances, bring_forward, checkpoint, payable, standings};

pub fn insert(conn: &mut PgConnection, entries: &[NewEntry]) -> Result<(), DbError> {
    if entries.is_empty() {
        return Ok(());
    }
    sql_query(
        "insert into journal_entries (source_id, entry_no, kind, currency, posted_at, digest)
         select * from unnest($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Array<SqlUuid>, _>(entries.iter().map(|e| e.entry.source()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(entries.iter().map(|e| e.entry.number()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(entries.iter().map(|e| e.entry.kind().name()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(entries.iter().map(|e| e.entry.currency().to_string()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(entries.iter().map(|e| e.entry.posted_at()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(
        entries.iter().map(|e| e.entry.digest(&e.evidence).to_vec()).collect::<Vec<_>>(),
    )
    .execute(conn)?;
    insert_documents(conn, entries)?;
    insert_postings(conn, entries)
}

fn insert_documents(conn: &mut PgConnection, entries: &[NewEntry]) -> Result<(), DbError> {
    let documented: Vec<(&NewEntry, &Value)> =
        entries.iter().filter_map(|new| Some((new, new.document.as_ref()?))).collect();
    if documented.is_empty() {
        return Ok(());
    }
    sql_query("insert into entry_documents (source_id, entry_no, document) select * from unnest($1, $2, $3)")
        .bind::<Array<SqlUuid>, _>(documented.iter().map(|(new, _)| new.entry.source()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(documented.iter().map(|(new, _)| new.entry.number()).collect::<Vec<_>>())
        .bind::<Array<Jsonb>, _>(documented.iter().map(|(_, document)| *document).collect::<Vec<_>>())
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct DocumentRow {
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    entry_no: i32,
    #[diesel(sql_type = Jsonb)]
    document: Value,
}

/// What entries rest on, of those that rest on a document.
pub fn documents(
    conn: &mut PgConnection,
    keys: &[(Uuid, i32)],
) -> Result<HashMap<(Uuid, i32), Value>, DbError> {
    let (sources, numbers): (Vec<Uuid>, Vec<i32>) = keys.iter().copied().unzip();
    let rows: Vec<DocumentRow> = sql_query(
        "select d.* from unnest($1, $2) as k(source_id, entry_no) join entry_documents d using (source_id, entry_no)",
    )
    .bind::<Array<SqlUuid>, _>(sources)
    .bind::<Array<Integer>, _>(numbers)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| ((row.source_id, row.entry_no), row.document)).collect())
}

fn insert_postings(conn: &mut PgConnection, entries: &[NewEntry]) -> Result<(), DbError> {
    let mut rows: Vec<(Uuid, i32, i16, &Posting)> = vec![];
    for NewEntry { entry, .. } in entries {
        for (i, posting) in entry.postings().iter().enumerate() {
            let no = i16::try_from(i + 1).map_err(|_| {
                DbError::Invariant(format!("journal entry {} has over {} postings", entry.source(), i16::MAX))
            })?;
            rows.push((entry.source(), entry.number(), no, posting));
        }
    }
    sql_query(
        "insert into postings (source_id, entry_no, posting_no, account, distributor_id, amount, event_id)
         select * from unnest($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.0).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|r| r.1).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(rows.iter().map(|r| r.2).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(rows.iter().map(|r| r.3.account.number()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        rows.iter().map(|r| r.3.distributor.as_ref().map(DistributorId::as_str)).collect::<Vec<_>>(),
    )
    .bind::<Array<Numeric>, _>(rows.iter().map(|r| r.3.amount).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(rows.iter().map(|r| r.3.event.map(|e| e.0)).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// An entry as it stands in the database, not trusted to balance or to be what was posted.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub source: Uuid,
    pub number: i32,
    pub kind: String,
    pub currency: String,
    pub posted_at: DateTime<Utc>,
    pub digest: Vec<u8>,
    pub postings: Vec<Posting>,
    /// Whether the postings are numbered from 1 without a gap, as they were posted.
    pub is_numbered: bool,
}

#[derive(QueryableByName)]
struct EntryRow {
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    entry_no: i32,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Timestamptz)]
    posted_at: DateTime<Utc>,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
}

#[derive(QueryableByName)]
struct PostingRow {
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    entry_no: i32,
    #[diesel(sql_type = SmallInt)]
    posting_no: i16,
    #[diesel(sql_type = SmallInt)]
    account: i16,
    #[diesel(sql_type = Nullable<Text>)]
    distributor_id: Option<String>,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    event_id: Option<Uuid>,
}

/// All entries of the given sources, by source and number.
pub fn load_entries(conn: &mut PgConnection, sources: &[Uuid]) -> Result<Vec<StoredEntry>, DbError> {
    let rows: Vec<EntryRow> = sql_query(
        "select source_id, entry_no, kind, currency::text as currency, posted_at, digest from journal_entries
         where source_id = any($1) order by source_id, entry_no",
    )
    .bind::<Array<SqlUuid>, _>(sources)
    .load(conn)?;
    with_postings(conn, rows)
}

/// Source and number of the next entries after one.
pub fn page(
    conn: &mut PgConnection,
    after: Option<(Uuid, i32)>,
    limit: i64,
) -> Result<Vec<(Uuid, i32)>, DbError> {
    let (source, number) = after.unwrap_or((Uuid::nil(), 0));
    let rows: Vec<KeyRow> = sql_query(
        "select source_id, entry_no from journal_entries
         where (source_id, entry_no) > ($1, $2) order by source_id, entry_no limit $3",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Integer, _>(number)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.source_id, row.entry_no)).collect())
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    entry_no: i32,
}

/// The entries of the given sources and numbers, in that order.
pub fn load_keys(conn: &mut PgConnection, keys: &[(Uuid, i32)]) -> Result<Vec<StoredEntry>, DbError> {
    let (sources, numbers): (Vec<Uuid>, Vec<i32>) = keys.iter().copied().unzip();
    let rows: Vec<EntryRow> = sql_query(
        "select e.source_id, e.entry_no, e.kind, e.currency::text as currency, e.posted_at, e.digest
         from unnest($1, $2) as k(source_id, entry_no) join journal_entries e using (source_id, entry_no)
         order by e.source_id, e.entry_no",
    )
    .bind::<Array<SqlUuid>, _>(sources)
    .bind::<Array<Integer>, _>(numbers)
    .load(conn)?;
    with_postings(conn, rows)
}

fn with_postings(conn: &mut PgConnection, entries: Vec<EntryRow>) -> Result<Vec<StoredEntry>, DbError> {
    let rows: Vec<PostingRow> = sql_query(
        "select p.source_id, p.entry_no, p.posting_no, p.account, p.distributor_id, p.amount, p.event_id
         from unnest($1, $2) as k(source_id, entry_no) join postings p using (source_id, entry_no)
         order by p.source_id, p.entry_no, p.posting_no",
    )
    .bind::<Array<SqlUuid>, _>(entries.iter().map(|entry| entry.source_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(entries.iter().map(|entry| entry.entry_no).collect::<Vec<_>>())
    .load(conn)?;
    let mut by_entry: HashMap<(Uuid, i32), Vec<Posting>> = HashMap::new();
    let mut last_no: HashMap<(Uuid, i32), i16> = HashMap::new();
    for row in rows {
        let account = Account::from_number(row.account)
            .ok_or_else(|| DbError::Damaged(format!("account {} of entry {}", row.account, row.source_id)))?;
        last_no.insert((row.source_id, row.entry_no), row.posting_no);
        by_entry.entry((row.source_id, row.entry_no)).or_default().push(Posting {
            account,
            distributor: row.distributor_id.map(DistributorId::new),
            amount: row.amount,
            event: row.event_id.map(EventId),
        });
    }
    let stored = |row: EntryRow| {
        let key = (row.source_id, row.entry_no);
        let postings = by_entry.remove(&key).unwrap_or_default();
        // They come in order of their unique numbers: the last one is the count.
        let last = last_no.get(&key).copied().unwrap_or(0);
        StoredEntry {
            is_numbered: usize::try_from(last) == Ok(postings.len()),
            postings,
            source: row.source_id,
            number: row.entry_no,
            kind: row.kind,
            currency: row.currency,
            posted_at: row.posted_at,
            digest: row.digest,
        }
    };
    Ok(entries.into_iter().map(stored).collect())
}

/// In one order, so that nobody waits for each other.
pub fn hold(conn: &mut PgConnection, distributors: &[&str]) -> Result<(), DbError> {
    sql_query(
        "select 1 from distributors where distributor_id = any($1) order by distributor_id for no key update",
    )
    .bind::<Array<Text>, _>(distributors)
    .execute(conn)?;
    Ok(())
}
