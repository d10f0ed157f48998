//! The lines of a statement: a page after a key, or all of them a stretch at a time.
//!
//! There is no index on a distributor's postings by time, so every query walks over all of them. A reader of all lines
//! therefore asks once, with a cursor, and not once a page.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Integer, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::words::{self, Of};
use super::{Amounts, COLUMNS, Line, Part, Span, numbers};
use crate::core::journal::EntryKind;
use crate::db::DbError;
use crate::ledger;

/// Lines that are in memory at once.
const STRETCH: i64 = 2_000;

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
    #[diesel(sql_type = Array<Numeric>)]
    amounts: Vec<Decimal>,
}

/// By currency and time. A credit is positive.
fn select() -> String {
    let amount = |column: &super::Column| {
        format!("coalesce(-sum(p.amount) filter (where p.account = {}), 0)", column.account.number())
    };
    let amounts: Vec<String> = COLUMNS.iter().map(amount).collect();
    format!(
        "select p.source_id, p.entry_no, e.kind, e.currency::text as currency, e.posted_at,
                array[{}] as amounts
         from postings p
         join journal_entries e on e.source_id = p.source_id and e.entry_no = p.entry_no
         where p.distributor_id = $1 and p.account = any($2) and e.posted_at >= $3 and e.posted_at < $4
           and ($5::text is null or (e.currency, e.posted_at, p.source_id, p.entry_no) > ($5::char(3), $6, $7, $8))
         group by p.source_id, p.entry_no, e.kind, e.currency, e.posted_at
         order by e.currency, e.posted_at, p.source_id, p.entry_no",
        amounts.join(", ")
    )
}

/// One line more than was asked for, if there are more.
pub fn page(
    conn: &mut PgConnection,
    distributor: &str,
    span: &Span,
    part: &Part,
) -> Result<Vec<Line>, DbError> {
    let after = part.after.as_ref();
    let rows: Vec<Row> = sql_query(format!("{} limit $9", select()))
        .bind::<Text, _>(distributor)
        .bind::<Array<SmallInt>, _>(numbers())
        .bind::<Timestamptz, _>(span.from)
        .bind::<Timestamptz, _>(span.until)
        .bind::<Nullable<Text>, _>(after.map(|key| key.currency.as_str()))
        .bind::<Nullable<Timestamptz>, _>(after.map(|key| key.at))
        .bind::<Nullable<SqlUuid>, _>(after.map(|key| key.source))
        .bind::<Nullable<Integer>, _>(after.map(|key| key.number))
        .bind::<BigInt, _>(part.limit.saturating_add(1))
        .load(conn)?;
    told(conn, distributor, rows)
}

/// All lines, in one walk. Inside of a database transaction, which keeps the cursor.
pub fn each<E: From<diesel::result::Error> + From<DbError>>(
    conn: &mut PgConnection,
    distributor: &str,
    span: &Span,
    mut take: impl FnMut(&Line) -> Result<(), E>,
) -> Result<(), E> {
    sql_query(format!("declare statement no scroll cursor for {}", select()))
        .bind::<Text, _>(distributor)
        .bind::<Array<SmallInt>, _>(numbers())
        .bind::<Timestamptz, _>(span.from)
        .bind::<Timestamptz, _>(span.until)
        .bind::<Nullable<Text>, _>(None::<&str>)
        .bind::<Nullable<Timestamptz>, _>(None::<DateTime<Utc>>)
        .bind::<Nullable<SqlUuid>, _>(None::<Uuid>)
        .bind::<Nullable<Integer>, _>(None::<i32>)
        .execute(conn)?;
    loop {
        let rows: Vec<Row> = sql_query(format!("fetch {STRETCH} from statement")).load(conn)?;
        if rows.is_empty() {
            sql_query("close statement").execute(conn)?;
            return Ok(());
        }
        for line in told(conn, distributor, rows)? {
            take(&line)?;
        }
    }
}

/// The rows in words.
fn told(conn: &mut PgConnection, distributor: &str, rows: Vec<Row>) -> Result<Vec<Line>, DbError> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let of = sources(conn, distributor, &rows)?;
    let mut bonuses = bonuses(conn, distributor, &rows)?;
    let documented: Vec<(Uuid, i32)> = rows
        .iter()
        .filter(|row| EntryKind::parse(&row.kind).is_some_and(words::rests_on_document))
        .map(|row| (row.source_id, row.entry_no))
        .collect();
    let documents = ledger::documents(conn, &documented)?;
    let line = |row: Row| {
        let key = (row.source_id, row.entry_no);
        let bonuses = bonuses.remove(&key).unwrap_or_default();
        let of = of.get(&row.source_id).unwrap_or(&Of::Unknown);
        Line {
            about: words::about(&row.kind, of, documents.get(&key), &bonuses),
            source: row.source_id,
            number: row.entry_no,
            at: row.posted_at,
            kind: row.kind,
            currency: row.currency,
            amounts: Amounts::from_columns(&row.amounts),
        }
    };
    Ok(rows.into_iter().map(line).collect())
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    beside: Option<String>,
}

fn sources(conn: &mut PgConnection, distributor: &str, rows: &[Row]) -> Result<HashMap<Uuid, Of>, DbError> {
    let mut ids: Vec<Uuid> = rows.iter().map(|row| row.source_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let named: Vec<Named> = sql_query(
        "select o.order_id as id, 'order' as what, coalesce(o.number, o.external_id) as name, s.slug as beside
         from orders o join stores s using (store_id) where o.order_id = any($1)
         union all
         select r.run_id, 'run', p.name, null from runs r join periods p using (period_id) where r.run_id = any($1)
         union all
         select b.batch_id, 'payout', b.batch_no::text, i.item_no::text
         from payout_batches b left join payout_items i on i.batch_id = b.batch_id and i.distributor_id = $2
         where b.batch_id = any($1)
         union all
         select adjustment_id, 'adjustment', adjustment_no::text, null from adjustments
         where adjustment_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Text, _>(distributor)
    .load(conn)?;
    let of = |row: Named| {
        let name = row.name.unwrap_or_default();
        let of = match row.what.as_str() {
            "order" => Of::Order { number: name, store: row.beside.unwrap_or_default() },
            "run" => Of::Run { period: name },
            "payout" => Of::Payout { batch: name, item: row.beside },
            _ => Of::Adjustment { number: name },
        };
        (row.id, of)
    };
    Ok(named.into_iter().map(of).collect())
}

#[derive(QueryableByName)]
struct BonusRow {
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Integer)]
    entry_no: i32,
    #[diesel(sql_type = Text)]
    bonus: String,
    #[diesel(sql_type = SmallInt)]
    level: i16,
}

type Bonuses = HashMap<(Uuid, i32), Vec<(String, i16)>>;

/// Which bonuses, and on which levels, an entry pays the distributor.
fn bonuses(conn: &mut PgConnection, distributor: &str, rows: &[Row]) -> Result<Bonuses, DbError> {
    let calculated: Vec<&Row> =
        rows.iter().filter(|row| EntryKind::parse(&row.kind).is_some_and(EntryKind::is_calculated)).collect();
    let found: Vec<BonusRow> = sql_query(
        "select distinct p.source_id, p.entry_no, c.bonus, c.level
         from unnest($1, $2) as k(source_id, entry_no)
         join postings p on p.source_id = k.source_id and p.entry_no = k.entry_no and p.distributor_id = $3
         join commission_events c on c.order_id = p.source_id and c.event_id = p.event_id
         order by 1, 2, 3, 4",
    )
    .bind::<Array<SqlUuid>, _>(calculated.iter().map(|row| row.source_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(calculated.iter().map(|row| row.entry_no).collect::<Vec<_>>())
    .bind::<Text, _>(distributor)
    .load(conn)?;
    let mut bonuses: Bonuses = HashMap::new();
    for row in found {
        bonuses.entry((row.source_id, row.entry_no)).or_default().push((row.bonus, row.level));
    }
    Ok(bonuses)
}
