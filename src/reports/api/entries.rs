//! Journal entries with their postings as programs read them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Integer, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::money;
use crate::db::{Conn, DbError};

/// A balanced entry: its postings sum to zero.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// `source_id/entry_no`; `after` of the next page.
    pub entry_id: String,
    /// The order, or the run of a period, that the entry belongs to.
    pub source_id: Uuid,
    pub entry_no: i32,
    #[schema(example = "commission")]
    pub kind: String,
    #[schema(example = "USD")]
    pub currency: String,
    pub posted_at: DateTime<Utc>,
    /// SHA-256 of the entry and everything that it rests on, hexadecimal; `upline verify` computes it again.
    pub digest: String,
    pub postings: Vec<PostingView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PostingView {
    pub posting_no: i16,
    #[schema(example = 2100)]
    pub account: i16,
    #[schema(example = "commission_payable")]
    pub account_name: String,
    /// On distributors' accounts.
    pub distributor_id: Option<String>,
    /// Debit positive, credit negative.
    #[schema(example = "-19.38")]
    pub amount: String,
    /// The commission event that it pays.
    pub event_id: Option<Uuid>,
}

#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Entries with a posting of this distributor.
    pub distributor_id: Option<String>,
    pub after: Option<(Uuid, i32)>,
    pub limit: i64,
}

#[derive(QueryableByName)]
struct Row {
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
    #[diesel(sql_type = Text)]
    digest: String,
}

/// A page of entries by source and number.
pub fn entries(conn: &mut Conn, filter: &EntryFilter) -> Result<Vec<EntryView>, DbError> {
    let (source, number) = filter.after.unwrap_or((Uuid::nil(), 0));
    let rows: Vec<Row> = sql_query(
        "select e.source_id, e.entry_no, e.kind, e.currency::text as currency, e.posted_at,
                encode(e.digest, 'hex') as digest
         from journal_entries e
         where (e.source_id, e.entry_no) > ($1, $2)
           and ($3::text is null or exists (select 1 from postings p where p.source_id = e.source_id
                                            and p.entry_no = e.entry_no and p.distributor_id = $3))
         order by e.source_id, e.entry_no limit $4",
    )
    .bind::<SqlUuid, _>(source)
    .bind::<Integer, _>(number)
    .bind::<Nullable<Text>, _>(&filter.distributor_id)
    .bind::<BigInt, _>(filter.limit)
    .load(conn)?;
    let mut postings = postings(conn, &rows)?;
    let view = |row: Row| EntryView {
        entry_id: format!("{}/{}", row.source_id, row.entry_no),
        postings: postings.remove(&(row.source_id, row.entry_no)).unwrap_or_default(),
        source_id: row.source_id,
        entry_no: row.entry_no,
        kind: row.kind,
        currency: row.currency,
        posted_at: row.posted_at,
        digest: row.digest,
    };
    Ok(rows.into_iter().map(view).collect())
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
    #[diesel(sql_type = Text)]
    account_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    distributor_id: Option<String>,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    event_id: Option<Uuid>,
}

fn postings(conn: &mut Conn, entries: &[Row]) -> Result<HashMap<(Uuid, i32), Vec<PostingView>>, DbError> {
    let rows: Vec<PostingRow> = sql_query(
        "select p.source_id, p.entry_no, p.posting_no, p.account, a.name as account_name, p.distributor_id, p.amount,
                e.currency::text as currency, p.event_id
         from unnest($1, $2) as k(source_id, entry_no)
         join postings p on p.source_id = k.source_id and p.entry_no = k.entry_no
         join journal_entries e on e.source_id = p.source_id and e.entry_no = p.entry_no
         join accounts a on a.account = p.account
         order by p.source_id, p.entry_no, p.posting_no",
    )
    .bind::<Array<SqlUuid>, _>(entries.iter().map(|row| row.source_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(entries.iter().map(|row| row.entry_no).collect::<Vec<_>>())
    .load(conn)?;
    let mut by_entry: HashMap<(Uuid, i32), Vec<PostingView>> = HashMap::new();
    for row in rows {
        by_entry.entry((row.source_id, row.entry_no)).or_default().push(PostingView {
            posting_no: row.posting_no,
            account: row.account,
            account_name: row.account_name,
            distributor_id: row.distributor_id,
            amount: money(row.amount, Some(&row.currency)),
            event_id: row.event_id,
        });
    }
    Ok(by_entry)
}
