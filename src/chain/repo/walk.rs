//! SQL of reading the chain back: link by link beside what it seals, and what should be in it.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::sequence::State;
use crate::chain::link::{AuditRow, Kind, Link, Reference};
use crate::db::DbError;

#[derive(QueryableByName)]
struct Seq {
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Where these are in the chain; those that are not in it are left out.
pub fn seqs(
    conn: &mut PgConnection,
    kind: Kind,
    references: &[Reference],
) -> Result<HashMap<Reference, i64>, DbError> {
    let rows: Vec<Seq> = sql_query(
        "select c.source_id, c.number, c.seq from unnest($1, $2) as k(source_id, number)
         join chain c on c.source_id = k.source_id and c.number = k.number and c.kind = $3",
    )
    .bind::<Array<SqlUuid>, _>(references.iter().map(|reference| reference.source).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(references.iter().map(|reference| reference.number).collect::<Vec<_>>())
    .bind::<Text, _>(kind.name())
    .load(conn)?;
    let referred = |row: Seq| (Reference { kind, source: row.source_id, number: row.number }, row.seq);
    Ok(rows.into_iter().map(referred).collect())
}

#[derive(QueryableByName)]
struct LinkRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
    #[diesel(sql_type = Nullable<Binary>)]
    stored: Option<Vec<u8>>,
}

/// A link and the digest that the journal entry has now.
pub struct Beside {
    pub link: Link,
    pub stored: Option<Vec<u8>>,
}

/// The next links after a number.
pub fn links(conn: &mut PgConnection, after: i64, limit: i64) -> Result<Vec<Beside>, DbError> {
    let rows: Vec<LinkRow> = sql_query(
        "select c.seq, c.kind, c.source_id, c.number, c.digest, c.hash, e.digest as stored
         from (select * from chain where seq > $1 order by seq limit $2) c
         left join journal_entries e on c.kind = 'entry' and e.source_id = c.source_id and e.entry_no = c.number
         order by c.seq",
    )
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    rows.into_iter()
        .map(|row| {
            let kind = Kind::parse(&row.kind)
                .ok_or_else(|| DbError::Damaged(format!("{:?} of link {} is no kind", row.kind, row.seq)))?;
            let reference = Reference { kind, source: row.source_id, number: row.number };
            let link = Link { seq: row.seq, reference, digest: row.digest, hash: row.hash };
            Ok(Beside { link, stored: row.stored })
        })
        .collect()
}

#[derive(QueryableByName)]
struct HashRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
}

/// The hashes of these links.
pub fn hashes(conn: &mut PgConnection, seqs: &[i64]) -> Result<HashMap<i64, Vec<u8>>, DbError> {
    let rows: Vec<HashRow> = sql_query("select seq, hash from chain where seq = any($1)")
        .bind::<Array<BigInt>, _>(seqs)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.seq, row.hash)).collect())
}

#[derive(QueryableByName)]
struct Audit {
    #[diesel(sql_type = SqlUuid)]
    audit_id: Uuid,
    #[diesel(sql_type = diesel::sql_types::Timestamptz)]
    at: chrono::DateTime<chrono::Utc>,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    object: String,
    #[diesel(sql_type = diesel::sql_types::Jsonb)]
    detail: serde_json::Value,
}

pub fn audit_rows(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, AuditRow>, DbError> {
    let rows: Vec<Audit> = sql_query(
        "select audit_id, at, actor, action, object, detail from audit_log where audit_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    let row = |Audit { audit_id, at, actor, action, object, detail }| {
        (audit_id, AuditRow { audit_id, at, actor, action, object, detail })
    };
    Ok(rows.into_iter().map(row).collect())
}

#[derive(QueryableByName)]
struct Left {
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// What is not in the chain although the sequencer, as it stood, has seen the transactions that wrote it.
pub fn left_out(conn: &mut PgConnection, as_of: &State) -> Result<Vec<Reference>, DbError> {
    let mut found = vec![];
    let tables = [
        (Kind::Entry, "source_id", "entry_no", "journal_entries"),
        (Kind::Audit, "audit_id", "0", "audit_log"),
    ];
    for (kind, source, number, table) in tables {
        let rows: Vec<Left> = sql_query(format!(
            "select t.{source} as source_id, {number} as number from {table} t
             left join chain c on c.source_id = t.{source} and c.number = {number} and c.kind = $1
             where c.seq is null and t.txid < $2 and t.txid <> all($3) and t.txid > $4 order by 1, 2 limit 1000"
        ))
        .bind::<Text, _>(kind.name())
        .bind::<BigInt, _>(as_of.seen_before)
        .bind::<Array<BigInt>, _>(&as_of.missing)
        .bind::<BigInt, _>(if as_of.walk_kind.is_some() { as_of.base } else { -1 })
        .load(conn)?;
        found.extend(rows.into_iter().map(|row| Reference {
            kind,
            source: row.source_id,
            number: row.number,
        }));
    }
    Ok(found)
}
