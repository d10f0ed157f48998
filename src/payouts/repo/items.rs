//! The rows of items.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::super::batch::{Item, PayeeNews};
use crate::core::ids::DistributorId;
use crate::core::money::Currency;
use crate::core::payout::ItemStatus;
use crate::core::payout::steps::ItemMoney;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    item_id: Uuid,
    #[diesel(sql_type = BigInt)]
    item_no: i64,
    #[diesel(sql_type = SqlUuid)]
    batch_id: Uuid,
    #[diesel(sql_type = Integer)]
    batch_no: i32,
    #[diesel(sql_type = Text)]
    distributor_id: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    gross: Decimal,
    #[diesel(sql_type = Numeric)]
    fee: Decimal,
    #[diesel(sql_type = Numeric)]
    withheld: Decimal,
    #[diesel(sql_type = Numeric)]
    net: Decimal,
    #[diesel(sql_type = Integer)]
    payee_version: i32,
    #[diesel(sql_type = Text)]
    masked: String,
    #[diesel(sql_type = Text)]
    payee_news: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    changed_at: DateTime<Utc>,
}

const COLUMNS: &str = "i.item_id, i.item_no, i.batch_id, b.batch_no, i.distributor_id, i.currency::text as currency, \
     i.gross, i.fee, i.withheld, i.net, i.payee_version, i.masked, i.payee_news, i.status, i.code, i.reason, \
     i.changed_at from payout_items i join payout_batches b using (batch_id)";

impl TryFrom<Row> for Item {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let damaged = || DbError::Damaged(format!("payout item {}", row.item_no));
        let currency = Currency::parse(&row.currency).ok_or_else(damaged)?;
        let scale = currency.exponent().ok_or_else(damaged)?;
        let pinned = |amount: Decimal| {
            let mut amount = amount;
            amount.rescale(scale);
            amount
        };
        Ok(Self {
            item_id: row.item_id,
            item_no: row.item_no,
            batch_id: row.batch_id,
            batch_no: row.batch_no,
            currency,
            payee_news: PayeeNews::parse(&row.payee_news).ok_or_else(damaged)?,
            status: ItemStatus::parse(&row.status).ok_or_else(damaged)?,
            money: ItemMoney {
                gross: pinned(row.gross),
                fee: pinned(row.fee),
                withheld: pinned(row.withheld),
                net: pinned(row.net),
                distributor: DistributorId::new(row.distributor_id),
            },
            payee_version: row.payee_version,
            masked: row.masked,
            code: row.code,
            reason: row.reason,
            changed_at: row.changed_at,
        })
    }
}

fn items(rows: Vec<Row>) -> Result<Vec<Item>, DbError> {
    rows.into_iter().map(Item::try_from).collect()
}

/// By number.
pub fn of_batch(conn: &mut PgConnection, batch_id: Uuid) -> Result<Vec<Item>, DbError> {
    items(
        sql_query(format!("select {COLUMNS} where i.batch_id = $1 order by i.item_no"))
            .bind::<SqlUuid, _>(batch_id)
            .load(conn)?,
    )
}

/// The newest first.
pub fn of_distributor(conn: &mut PgConnection, distributor: &str, limit: i64) -> Result<Vec<Item>, DbError> {
    items(
        sql_query(format!("select {COLUMNS} where i.distributor_id = $1 order by i.item_no desc limit $2"))
            .bind::<Text, _>(distributor)
            .bind::<BigInt, _>(limit)
            .load(conn)?,
    )
}

/// The batches of items that banks name by id or by number, in the order in which they are locked.
pub fn batches_of(conn: &mut PgConnection, ids: &[Uuid], numbers: &[i64]) -> Result<Vec<i32>, DbError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Integer)]
        batch_no: i32,
    }
    let rows: Vec<Found> = sql_query(
        "select distinct b.batch_no from payout_items i join payout_batches b using (batch_id)
         where i.item_id = any($1) or i.item_no = any($2) order by b.batch_no",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<BigInt>, _>(numbers)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.batch_no).collect())
}

/// Whose bank nobody has an answer of.
pub fn unknown(conn: &mut PgConnection, limit: i64) -> Result<Vec<Item>, DbError> {
    items(
        sql_query(format!("select {COLUMNS} where i.status = 'unknown' order by i.item_no limit $1"))
            .bind::<BigInt, _>(limit)
            .load(conn)?,
    )
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Under the lock of payouts.
pub fn next_no(conn: &mut PgConnection) -> Result<i64, DbError> {
    let next = sql_query("select coalesce(max(item_no), 0) + 1 as number from payout_items");
    Ok(next.get_result::<Number>(conn)?.number)
}

#[derive(QueryableByName)]
struct Live {
    #[diesel(sql_type = Text)]
    distributor_id: String,
}

/// Who has a payout in this currency that has not come to its end.
pub fn in_flight(conn: &mut PgConnection, currency: Currency) -> Result<HashSet<DistributorId>, DbError> {
    let rows: Vec<Live> = sql_query(
        "select distributor_id from payout_items
         where currency = $1 and status in ('prepared', 'approved', 'exported', 'sent', 'unknown')",
    )
    .bind::<Text, _>(currency.code())
    .load(conn)?;
    Ok(rows.into_iter().map(|row| DistributorId::new(row.distributor_id)).collect())
}

#[derive(QueryableByName)]
pub struct Last {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Integer)]
    pub payee_version: i32,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
}

/// Each distributor's newest payout in a currency before a number, of those that left.
pub fn last_before(
    conn: &mut PgConnection,
    distributors: &[&str],
    currency: Currency,
    before: i64,
) -> Result<Vec<Last>, DbError> {
    Ok(sql_query(
        "select l.distributor_id, l.payee_version, l.net from unnest($1) as d(distributor_id)
         cross join lateral (
           select i.distributor_id, i.payee_version, i.net from payout_items i
           where i.distributor_id = d.distributor_id and i.currency = $2 and i.item_no < $3
             and i.status not in ('cancelled', 'returned')
           order by i.item_no desc limit 1) l",
    )
    .bind::<Array<Text>, _>(distributors)
    .bind::<Text, _>(currency.code())
    .bind::<BigInt, _>(before)
    .load(conn)?)
}

pub fn insert(conn: &mut PgConnection, items: &[Item]) -> Result<(), DbError> {
    let Some(first) = items.first() else { return Ok(()) };
    let money = |of: fn(&ItemMoney) -> Decimal| items.iter().map(|item| of(&item.money)).collect::<Vec<_>>();
    sql_query(
        "insert into payout_items (item_id, item_no, distributor_id, gross, fee, withheld, net, payee_version, masked,
                                   payee_news, batch_id, currency, changed_at)
         select t.*, $11, $12, $13 from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as t",
    )
    .bind::<Array<SqlUuid>, _>(items.iter().map(|item| item.item_id).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(items.iter().map(|item| item.item_no).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(items.iter().map(|item| item.distributor().as_str()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(money(|money| money.gross))
    .bind::<Array<Numeric>, _>(money(|money| money.fee))
    .bind::<Array<Numeric>, _>(money(|money| money.withheld))
    .bind::<Array<Numeric>, _>(money(|money| money.net))
    .bind::<Array<Integer>, _>(items.iter().map(|item| item.payee_version).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(items.iter().map(|item| item.masked.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(items.iter().map(|item| item.payee_news.name()).collect::<Vec<_>>())
    .bind::<SqlUuid, _>(first.batch_id)
    .bind::<Text, _>(first.currency.code())
    .bind::<Timestamptz, _>(first.changed_at)
    .execute(conn)?;
    Ok(())
}

/// One item on one arrow.
pub struct Moved<'m> {
    pub item_id: Uuid,
    pub from: ItemStatus,
    pub to: ItemStatus,
    pub code: Option<&'m str>,
    pub reason: Option<&'m str>,
}

/// Each item at most once. Answers how many were still where they were thought to be.
pub fn set_status(
    conn: &mut PgConnection,
    moved: &[Moved<'_>],
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    Ok(sql_query(
        "update payout_items i set status = t.status, code = coalesce(t.code, i.code),
                reason = coalesce(t.reason, i.reason), changed_at = $6
         from unnest($1, $2, $3, $4, $5) as t(item_id, was, status, code, reason)
         where i.item_id = t.item_id and i.status = t.was",
    )
    .bind::<Array<SqlUuid>, _>(moved.iter().map(|moved| moved.item_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(moved.iter().map(|moved| moved.from.name()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(moved.iter().map(|moved| moved.to.name()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(moved.iter().map(|moved| moved.code).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(moved.iter().map(|moved| moved.reason).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)?)
}

/// How many items of a batch stand where, and what they are worth.
#[derive(Clone, Debug, QueryableByName, serde::Serialize)]
pub struct Count {
    #[diesel(sql_type = Integer)]
    pub batch_no: i32,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = BigInt)]
    pub items: i64,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
}

pub fn counts(conn: &mut PgConnection, batches: &[i32]) -> Result<Vec<Count>, DbError> {
    Ok(sql_query(
        "select b.batch_no, i.status, count(*) as items, sum(i.net) as net
         from payout_items i join payout_batches b using (batch_id)
         where b.batch_no = any($1) group by 1, 2 order by 1, 2",
    )
    .bind::<Array<Integer>, _>(batches)
    .load(conn)?)
}
