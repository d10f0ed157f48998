//! SQL of the sequencer: its lease, what it has not seen yet, and what it appends.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use crate::chain::link::{AuditRow, Kind, Link, Reference};
use crate::db::DbError;

/// The row `chain_state`, while it is held.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct State {
    #[diesel(sql_type = BigInt)]
    pub head_seq: i64,
    #[diesel(sql_type = Binary)]
    pub head_hash: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    pub base: i64,
    #[diesel(sql_type = BigInt)]
    pub seen_before: i64,
    #[diesel(sql_type = Array<BigInt>)]
    pub missing: Vec<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub walk_kind: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    pub walk_source: Uuid,
    #[diesel(sql_type = Integer)]
    pub walk_number: i32,
    #[diesel(sql_type = BigInt)]
    pub balances_seq: i64,
}

const STATE: &str =
    "head_seq, head_hash, base, seen_before, missing, walk_kind, walk_source, walk_number, balances_seq";

#[derive(QueryableByName)]
struct Fence {
    #[diesel(sql_type = BigInt)]
    fence: i64,
}

/// The lease with its fence, if nobody else holds it.
pub fn acquire(conn: &mut PgConnection, owner: Uuid, seconds: i32) -> Result<Option<i64>, DbError> {
    let got: Option<Fence> = sql_query(
        "update chain_state set fence = case when owner = $1 then fence else fence + 1 end, owner = $1,
                lease_until = clock_timestamp() + $2 * interval '1 second'
         where owner = $1 or owner is null or lease_until < clock_timestamp() returning fence",
    )
    .bind::<SqlUuid, _>(owner)
    .bind::<Integer, _>(seconds)
    .get_result(conn)
    .optional()?;
    Ok(got.map(|row| row.fence))
}

/// Locks the row until the end of the database transaction and renews the lease, if it is still ours.
pub fn hold(
    conn: &mut PgConnection,
    owner: Uuid,
    fence: i64,
    seconds: i32,
) -> Result<Option<State>, DbError> {
    let held = sql_query(format!(
        "update chain_state set lease_until = clock_timestamp() + $3 * interval '1 second'
         where owner = $1 and fence = $2 returning {STATE}"
    ))
    .bind::<SqlUuid, _>(owner)
    .bind::<BigInt, _>(fence)
    .bind::<Integer, _>(seconds);
    Ok(held.get_result(conn).optional()?)
}

pub fn release(conn: &mut PgConnection, owner: Uuid, fence: i64) -> Result<(), DbError> {
    sql_query(
        "update chain_state set owner = null, lease_until = '-infinity' where owner = $1 and fence = $2",
    )
    .bind::<SqlUuid, _>(owner)
    .bind::<BigInt, _>(fence)
    .execute(conn)?;
    Ok(())
}

/// As it is at this moment, without the lease.
pub fn state(conn: &mut PgConnection) -> Result<State, DbError> {
    Ok(sql_query(format!("select {STATE} from chain_state")).get_result(conn)?)
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Bool)]
    told: bool,
}

/// Whether there is anything committed that is not chained. Looks at the end of an index: which share of the table is
/// behind a number that is only known when it runs, the planner guesses far too high.
pub fn has_pending(conn: &mut PgConnection) -> Result<bool, DbError> {
    let told: Told = sql_query(
        "select s.walk_kind is not null
                or coalesce(greatest((select max(txid) from journal_entries), (select max(txid) from audit_log)), 0)
                   >= s.seen_before
                or (cardinality(s.missing) > 0
                    and (exists (select 1 from journal_entries where txid = any(s.missing))
                         or exists (select 1 from audit_log where txid = any(s.missing)))) as told
         from chain_state s",
    )
    .get_result(conn)?;
    Ok(told.told)
}

pub fn has_moved(conn: &mut PgConnection) -> Result<bool, DbError> {
    let moved: Told = sql_query(
        "select system_identifier <> (select system_identifier::text from pg_control_system()) as told from chain_state",
    )
    .get_result(conn)?;
    Ok(moved.told)
}

/// A cluster that numbers its transactions by itself, since the chain last grew: a restored one. From here on the
/// numbers follow on the greatest that is there, and whatever has a smaller one is looked through once.
pub fn settle_in(conn: &mut PgConnection) -> Result<bool, DbError> {
    if !has_moved(conn)? {
        return Ok(false);
    }
    // Whoever writes meanwhile writes under the old rule, or waits until the rule stands.
    sql_query("lock table journal_entries, audit_log in access exclusive mode").execute(conn)?;
    sql_query(
        "update chain_state set system_identifier = (select system_identifier::text from pg_control_system()),
                base = greatest(base, (select coalesce(max(txid), 0) from journal_entries),
                                (select coalesce(max(txid), 0) from audit_log)),
                missing = '{}', walk_kind = 'entry', walk_number = 0,
                walk_source = '00000000-0000-0000-0000-000000000000'",
    )
    .execute(conn)?;
    sql_query("update chain_state set seen_before = base + 1").execute(conn)?;
    let base = state(conn)?.base;
    for table in ["journal_entries", "audit_log"] {
        sql_query(format!(
            "alter table {table} alter column txid set default ({base} + pg_current_xact_id()::text::bigint)"
        ))
        .execute(conn)?;
    }
    Ok(true)
}

/// Which transactions have ended, in our numbers.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Snapshot {
    /// Nothing from here on was there.
    #[diesel(sql_type = BigInt)]
    pub before: i64,
    /// Smaller, and not at their end.
    #[diesel(sql_type = Array<BigInt>)]
    pub running: Vec<i64>,
}

pub fn snapshot(conn: &mut PgConnection) -> Result<Snapshot, DbError> {
    Ok(sql_query(
        "select base + pg_snapshot_xmax(s)::text::bigint as before,
                array(select base + x::text::bigint from pg_snapshot_xip(s) x order by 1) as running
         from chain_state, pg_current_snapshot() s",
    )
    .get_result(conn)?)
}

/// Something that is to be chained.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub txid: i64,
    pub reference: Reference,
    pub digest: Vec<u8>,
}

#[derive(QueryableByName)]
struct EntryRow {
    #[diesel(sql_type = BigInt)]
    txid: i64,
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    entry_no: i32,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
}

#[derive(QueryableByName)]
struct AuditLogRow {
    #[diesel(sql_type = BigInt)]
    txid: i64,
    #[diesel(sql_type = SqlUuid)]
    audit_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    object: String,
    #[diesel(sql_type = Jsonb)]
    detail: Value,
}

impl From<EntryRow> for Row {
    fn from(row: EntryRow) -> Self {
        let reference = Reference { kind: Kind::Entry, source: row.source_id, number: row.entry_no };
        Self { txid: row.txid, reference, digest: row.digest }
    }
}

impl From<AuditLogRow> for Row {
    fn from(row: AuditLogRow) -> Self {
        let AuditLogRow { txid, audit_id, at, actor, action, object, detail } = row;
        let row = AuditRow { audit_id, at, actor, action, object, detail };
        Self { txid, reference: row.reference(), digest: row.digest().to_vec() }
    }
}

const ENTRY: &str = "txid, source_id, entry_no, digest from journal_entries";
const AUDIT: &str = "txid, audit_id, at, actor, action, object, detail from audit_log";

/// Everything that these transactions wrote.
pub fn written_by(conn: &mut PgConnection, txids: &[i64]) -> Result<Vec<Row>, DbError> {
    let sql = |what: &str| sql_query(format!("select {what} where txid = any($1)"));
    let entries: Vec<EntryRow> = sql(ENTRY).bind::<Array<BigInt>, _>(txids).load(conn)?;
    let audits: Vec<AuditLogRow> = sql(AUDIT).bind::<Array<BigInt>, _>(txids).load(conn)?;
    Ok(entries.into_iter().map(Row::from).chain(audits.into_iter().map(Row::from)).collect())
}

/// What transactions from a number on wrote that had ended at a snapshot, by transaction: the first rows of each
/// table, no transaction torn apart.
pub fn written_since(
    conn: &mut PgConnection,
    from: i64,
    upto: &Snapshot,
    limit: i32,
) -> Result<(Vec<Row>, Vec<Row>), DbError> {
    let sql = |what: &str| {
        sql_query(format!(
            "select {what} where txid >= $1 and txid < $2 and txid <> all($3)
             order by txid fetch first {limit} rows with ties"
        ))
        .bind::<BigInt, _>(from)
        .bind::<BigInt, _>(upto.before)
        .bind::<Array<BigInt>, _>(upto.running.clone())
    };
    let entries: Vec<EntryRow> = sql(ENTRY).load(conn)?;
    let audits: Vec<AuditLogRow> = sql(AUDIT).load(conn)?;
    Ok((entries.into_iter().map(Row::from).collect(), audits.into_iter().map(Row::from).collect()))
}

/// Rows that are to be chained, and the key that the page ends with.
pub type Walked = (Vec<Row>, Option<(Uuid, i32)>);

/// The next old rows of a table by key, with those that are chained already left out, and where the page ends.
pub fn walk(conn: &mut PgConnection, kind: Kind, state: &State, limit: i64) -> Result<Walked, DbError> {
    let rows: Vec<Row> = match kind {
        Kind::Entry => sql_query(format!(
            "select {ENTRY} where (source_id, entry_no) > ($1, $2) and txid <= $3 order by source_id, entry_no limit $4"
        ))
        .bind::<SqlUuid, _>(state.walk_source)
        .bind::<Integer, _>(state.walk_number)
        .bind::<BigInt, _>(state.base)
        .bind::<BigInt, _>(limit)
        .load::<EntryRow>(conn)?
        .into_iter()
        .map(Row::from)
        .collect(),
        Kind::Audit => {
            sql_query(format!("select {AUDIT} where audit_id > $1 and txid <= $2 order by audit_id limit $3"))
                .bind::<SqlUuid, _>(state.walk_source)
                .bind::<BigInt, _>(state.base)
                .bind::<BigInt, _>(limit)
                .load::<AuditLogRow>(conn)?
                .into_iter()
                .map(Row::from)
                .collect()
        }
    };
    let last = rows.last().map(|row| (row.reference.source, row.reference.number));
    let chained = super::walk::seqs(conn, kind, &rows.iter().map(|row| row.reference).collect::<Vec<_>>())?;
    Ok((rows.into_iter().filter(|row| !chained.contains_key(&row.reference)).collect(), last))
}

pub fn append(conn: &mut PgConnection, links: &[Link]) -> Result<(), DbError> {
    if links.is_empty() {
        return Ok(());
    }
    sql_query(
        "insert into chain (seq, kind, source_id, number, digest, hash)
         select * from unnest($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Array<BigInt>, _>(links.iter().map(|link| link.seq).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(links.iter().map(|link| link.reference.kind.name()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(links.iter().map(|link| link.reference.source).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(links.iter().map(|link| link.reference.number).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(links.iter().map(|link| &link.digest).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(links.iter().map(|link| &link.hash).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// What [`hold`] has locked becomes this.
pub fn save(conn: &mut PgConnection, state: &State) -> Result<(), DbError> {
    sql_query(
        "update chain_state set head_seq = $1, head_hash = $2, seen_before = $3, missing = $4, walk_kind = $5,
                walk_source = $6, walk_number = $7, balances_seq = $8",
    )
    .bind::<BigInt, _>(state.head_seq)
    .bind::<Binary, _>(&state.head_hash)
    .bind::<BigInt, _>(state.seen_before)
    .bind::<Array<BigInt>, _>(&state.missing)
    .bind::<Nullable<Text>, _>(state.walk_kind.as_deref())
    .bind::<SqlUuid, _>(state.walk_source)
    .bind::<Integer, _>(state.walk_number)
    .bind::<BigInt, _>(state.balances_seq)
    .execute(conn)?;
    Ok(())
}
