//! SQL of the proofs: what only they ask.

use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::db::DbError;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

fn names(conn: &mut PgConnection, sql: &str) -> Result<Vec<String>, DbError> {
    Ok(sql_query(sql).load::<Named>(conn)?.into_iter().map(|row| row.name).collect())
}

/// Entries that the heads of orders and runs count and the journal does not have, and the other way round.
pub fn missing_entries(conn: &mut PgConnection) -> Result<Vec<String>, DbError> {
    names(
        conn,
        "select o.order_id || '/' || n as name
         from orders o cross join lateral generate_series(1, o.calculation_no) n
         left join journal_entries e on e.source_id = o.order_id and e.entry_no = n
         where e.source_id is null
         union all
         select r.run_id || '/' || n
         from runs r cross join lateral generate_series(1, r.entries) n
         left join journal_entries e on e.source_id = r.run_id and e.entry_no = n
         where e.source_id is null
         union all
         select e.source_id || '/' || e.entry_no from journal_entries e
         left join orders o on o.order_id = e.source_id and e.entry_no <= o.calculation_no
         left join runs r on r.run_id = e.source_id and e.entry_no <= r.entries
         where o.order_id is null and r.run_id is null and e.kind in ('commission', 'period', 'adjustment')
         union all
         select d.source_id || '/' || d.entry_no from entry_documents d
         left join journal_entries e using (source_id, entry_no) where e.source_id is null
         union all
         select a.adjustment_id || '/1' from adjustments a
         left join journal_entries e on e.source_id = a.adjustment_id and e.entry_no = 1 and e.kind = 'manual'
         where a.status = 'approved' and e.source_id is null
         union all
         select e.source_id || '/' || e.entry_no from journal_entries e
         where e.kind = 'manual' and not exists (
           select from adjustments a join postings p on p.source_id = e.source_id and p.entry_no = e.entry_no
           where a.adjustment_id = e.source_id and a.status = 'approved' and a.currency = e.currency
             and p.account = 5200 and p.amount = a.amount)
         union all
         select e.source_id || '/' || e.entry_no from journal_entries e
         where e.kind like 'payout%' and not exists (select from payout_batches b where b.batch_id = e.source_id)
         order by 1",
    )
}

/// Distributors of whom more or less stands held back than their holdbacks say.
pub fn held_otherwise(conn: &mut PgConnection) -> Result<Vec<String>, DbError> {
    names(
        conn,
        "select coalesce(h.distributor_id, p.distributor_id) || ' ' || coalesce(h.currency, p.currency) as name
         from (select distributor_id, currency::text, sum(amount) as amount from holdbacks
               where released_at is null group by 1, 2) h
         full join (select p.distributor_id, e.currency::text, -sum(p.amount) as amount
                    from postings p join journal_entries e using (source_id, entry_no)
                    where p.account = 2110 group by 1, 2) p
           on p.distributor_id = h.distributor_id and p.currency = h.currency
         where coalesce(h.amount, 0) <> coalesce(p.amount, 0) order by 1",
    )
}

/// Which of the sources are runs.
pub fn runs_among(conn: &mut PgConnection, sources: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<Id> = sql_query("select run_id as id from runs where run_id = any($1)")
        .bind::<Array<SqlUuid>, _>(sources)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

pub fn orphan_postings(conn: &mut PgConnection) -> Result<Vec<String>, DbError> {
    names(
        conn,
        "select p.source_id || '/' || p.entry_no || '/' || p.posting_no as name from postings p
         left join journal_entries e using (source_id, entry_no) where e.source_id is null order by 1",
    )
}

/// A volume fact beside its calculation.
#[derive(QueryableByName)]
pub struct FactBeside {
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    #[diesel(sql_type = Bool)]
    pub is_true: bool,
}

/// The next facts after a number.
pub fn facts(conn: &mut PgConnection, after: i64, limit: i64) -> Result<Vec<FactBeside>, DbError> {
    Ok(sql_query(
        "select f.seq,
                coalesce(f.lines = volume_lines(c.calc_snapshot_json) and f.currency = c.currency
                         and f.distributor_id = c.calc_snapshot_json #>> '{context,attributed,distributor}'
                         and f.ordered_at = (c.calc_snapshot_json #>> '{context,ordered_at}')::timestamptz
                         and f.own = coalesce((c.calc_snapshot_json #>> '{context,attributed,own}')::boolean, false)
                         and f.first_seq = (select min(n.seq) from volume_facts n where n.order_id = f.order_id),
                         false) as is_true
         from (select * from volume_facts where seq > $1 order by seq limit $2) f
         left join calculations c using (order_id, calculation_no) order by f.seq",
    )
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

pub fn delivery_ids(conn: &mut PgConnection, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<Id> = sql_query(
        "select delivery_id as id from deliveries where delivery_id > $1 order by delivery_id limit $2",
    )
    .bind::<SqlUuid, _>(after.unwrap_or(Uuid::nil()))
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
struct Redacted {
    #[diesel(sql_type = BigInt)]
    deliveries: i64,
}

/// How many deliveries are redacted, and which of them differ from what their redactions say.
pub fn redactions(conn: &mut PgConnection) -> Result<(u64, Vec<String>), DbError> {
    let count: Redacted =
        sql_query("select count(*) as deliveries from deliveries where redacted_at is not null")
            .get_result(conn)?;
    let differing = names(
        conn,
        "select coalesce(d.delivery_id, r.delivery_id)::text as name
         from (select delivery_id, redacted_sha256, redacted_at from deliveries
               where redacted_at is not null or redacted_sha256 is not null) d
         full join (select distinct on (delivery_id) delivery_id, redacted_sha256, redacted_at from delivery_redactions
                    order by delivery_id, redaction_no desc) r using (delivery_id)
         where (d.redacted_sha256, d.redacted_at) is distinct from (r.redacted_sha256, r.redacted_at)
         order by 1",
    )?;
    Ok((u64::try_from(count.deliveries).unwrap_or(0), differing))
}

/// An order's head as the pipeline left it, with its newest snapshot.
#[derive(Clone, Debug, QueryableByName)]
pub struct StandingOrder {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    #[diesel(sql_type = Text)]
    pub slug: String,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = Integer)]
    pub calculation_no: i32,
    #[diesel(sql_type = Jsonb)]
    pub lines: serde_json::Value,
    #[diesel(sql_type = Nullable<Text>)]
    pub manual: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub report: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<Text>)]
    pub binds_to: Option<String>,
    #[diesel(sql_type = Integer)]
    pub policy_no: i32,
    #[diesel(sql_type = Integer)]
    pub binding_no: i32,
}

/// The next orders after one, by store and external id.
pub fn standing_orders(
    conn: &mut PgConnection,
    after: (i32, &str),
    limit: i64,
) -> Result<Vec<StandingOrder>, DbError> {
    Ok(sql_query(
        "select o.order_id, o.store_id, s.slug, o.external_id, o.status, o.net, o.calculation_no, o.lines,
                (select distributor_id from manual_attributions m where m.order_id = o.order_id
                 order by decision_no desc limit 1) as manual,
                (select report from order_revisions r
                 where r.order_id = o.order_id and r.revision_no = o.newest_revision) as report,
                o.binds_to, o.policy_no, o.binding_no
         from orders o join stores s using (store_id)
         where (o.store_id, o.external_id) > ($1, $2)
         order by o.store_id, o.external_id limit $3",
    )
    .bind::<Integer, _>(after.0)
    .bind::<Text, _>(after.1)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// What was decided of an order from outside, and what it may know of its customer.
#[derive(Clone, Debug, QueryableByName)]
pub struct Decided {
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub manual: Option<String>,
    #[diesel(sql_type = Integer)]
    pub calculation_no: i32,
    #[diesel(sql_type = Integer)]
    pub policy_no: i32,
    #[diesel(sql_type = Integer)]
    pub binding_no: i32,
}

/// Of the orders of customers in the given stores, the next after one.
pub fn decided(
    conn: &mut PgConnection,
    stores: &[i32],
    after: (i32, &str),
    limit: i64,
) -> Result<Vec<Decided>, DbError> {
    Ok(sql_query(
        "select o.store_id, o.external_id, o.calculation_no, o.policy_no, o.binding_no,
                (select distributor_id from manual_attributions m where m.order_id = o.order_id
                 order by decision_no desc limit 1) as manual
         from orders o
         where o.store_id = any($1) and o.customer_id is not null and (o.store_id, o.external_id) > ($2, $3)
         order by o.store_id, o.external_id limit $4",
    )
    .bind::<Array<Integer>, _>(stores)
    .bind::<Integer, _>(after.0)
    .bind::<Text, _>(after.1)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// What orders and runs have posted, by account, earner and currency.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Posted {
    #[diesel(sql_type = Text)]
    pub account: String,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
}

pub fn posted(conn: &mut PgConnection) -> Result<Vec<Posted>, DbError> {
    Ok(sql_query(
        "select a.name as account, coalesce(p.distributor_id, '') as distributor_id, e.currency::text as currency,
                sum(p.amount) as amount
         from postings p join journal_entries e using (source_id, entry_no) join accounts a on a.account = p.account
         where e.kind in ('commission', 'period', 'adjustment')
         group by 1, 2, 3 having sum(p.amount) <> 0",
    )
    .load(conn)?)
}

/// What one page about one commission event needs of its order.
#[derive(Clone, Debug, QueryableByName)]
pub struct EventOrder {
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub platform: String,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Array<SqlUuid>)]
    pub deliveries: Vec<Uuid>,
    #[diesel(sql_type = Text)]
    pub plan_name: String,
}

pub fn event_order(
    conn: &mut PgConnection,
    order_id: Uuid,
    calculation_no: i32,
) -> Result<EventOrder, DbError> {
    Ok(sql_query(
        "select s.slug as store, s.platform, o.external_id,
                array(select distinct delivery_id from order_revisions r where r.order_id = o.order_id
                      and r.recorded_at <= e.posted_at order by delivery_id) as deliveries,
                p.name as plan_name
         from orders o
         join stores s using (store_id)
         join calculations c on c.order_id = o.order_id and c.calculation_no = $2
         join plans p on p.plan_hash = c.plan_hash
         join journal_entries e on e.source_id = o.order_id and e.entry_no = $2
         where o.order_id = $1",
    )
    .bind::<SqlUuid, _>(order_id)
    .bind::<Integer, _>(calculation_no)
    .get_result(conn)?)
}
