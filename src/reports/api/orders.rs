//! Orders as programs read them: the newest state, why it is held, what it paid.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Integer, Jsonb, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{money, plain};
use crate::core::assess::AssessedLine;
use crate::db::{Conn, DbError};

/// An order as the newest evidence has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderView {
    pub order_id: Uuid,
    /// Slug of the store.
    #[schema(example = "main")]
    pub store: String,
    /// The store's own id.
    #[schema(example = "587364120")]
    pub external_id: String,
    /// What the customer sees as order number, when it differs.
    pub number: Option<String>,
    /// `awaiting`: only a change is known, the order itself not yet. `held`: waits for a person. `exempt`: earns
    /// nothing, see `exemptions`. `commissionable`: paid for.
    #[schema(example = "commissionable")]
    pub status: String,
    /// Why an exempt order earns nothing: test, cancelled, deleted, voided, unpaid, unattributed,
    /// nothing_commissionable.
    pub exemptions: Vec<String>,
    /// ISO 4217; all amounts of the order are in it.
    #[schema(example = "USD")]
    pub currency: Option<String>,
    /// What commissions are computed on: goods less discounts, tax and refunds.
    #[schema(example = "96.92")]
    pub net: String,
    /// Net before refunds.
    pub sold: String,
    pub refunded: String,
    /// Everything that the customer was asked to pay.
    pub total: String,
    pub lines: Vec<LineView>,
    /// Empty unless the status is `held`; then all reasons.
    pub held: Vec<HoldView>,
    /// Who the order is attributed to.
    pub distributor_id: Option<String>,
    pub attribution: Option<AttributionView>,
    /// The same as `attribution.place`.
    #[schema(example = "order_meta:distributor_code")]
    pub attribution_place: Option<String>,
    /// How many tellings have changed something about the order.
    pub revisions: i32,
    /// Everything that was posted for the order, oldest first; their sum is what stands.
    pub commission_events: Vec<EventView>,
    pub ordered_at: Option<DateTime<Utc>>,
    /// The store's own time of the newest snapshot.
    pub updated_at: Option<DateTime<Utc>>,
    /// When the newest delivery that changed the order was received.
    pub received_at: DateTime<Utc>,
}

/// Where the distributor was named.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttributionView {
    #[schema(example = "order_meta:distributor_code")]
    pub place: String,
    pub value: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    /// The store's own id of the line.
    pub line: String,
    /// The SKU as the platform has it; the variant's or product's id where there is none.
    #[schema(example = "KIT-STARTER-001")]
    pub platform_sku: Option<String>,
    /// The company's own SKU, where the line is mapped.
    pub sku_id: Option<String>,
    /// As a decimal; fractions exist.
    #[schema(example = "1")]
    pub quantity: String,
    #[schema(example = "96.92")]
    pub net: String,
    /// Part of the net was taken back by refunds.
    pub refunded: String,
    /// The refund named no lines and was spread over them.
    pub refund_estimated: bool,
    #[schema(example = "starter")]
    pub commission_class: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HoldView {
    #[schema(example = "unmapped_sku")]
    pub reason: String,
    /// What many orders can share, so that one fix releases them all.
    #[schema(example = "KIT-9")]
    pub cause: String,
    pub detail: String,
    /// The line that it is about, if it is about one.
    pub line: Option<String>,
}

/// An immutable share of an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView {
    pub event_id: Uuid,
    pub line: String,
    pub distributor_id: String,
    /// Id of the bonus in the plan.
    #[schema(example = "retail")]
    pub bonus: String,
    /// 0: the attributed distributor; 1: its sponsor, and so on up.
    pub level: i16,
    /// Negative for a clawback.
    #[schema(example = "19.38")]
    pub amount: String,
    #[schema(example = "USD")]
    pub currency: String,
    /// earn, adjust, clawback or forfeit.
    #[schema(example = "earn")]
    pub kind: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    pub store: Option<String>,
    pub external_id: Option<String>,
    pub status: Option<String>,
    pub distributor_id: Option<String>,
    pub after: Option<Uuid>,
    pub limit: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Text)]
    store: String,
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ordered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    updated_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Array<Text>)]
    exemptions: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    distributor_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    place: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    place_value: Option<String>,
    #[diesel(sql_type = Numeric)]
    total: Decimal,
    #[diesel(sql_type = Numeric)]
    sold: Decimal,
    #[diesel(sql_type = Numeric)]
    refunded: Decimal,
    #[diesel(sql_type = Numeric)]
    net: Decimal,
    #[diesel(sql_type = Jsonb)]
    lines: serde_json::Value,
    #[diesel(sql_type = Integer)]
    revisions: i32,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
}

/// A page of orders by `order_id`: in the order in which they were first heard of.
pub fn orders(conn: &mut Conn, filter: &OrderFilter) -> Result<Vec<OrderView>, DbError> {
    let rows: Vec<Row> = sql_query(
        "select o.order_id, s.slug as store, o.external_id, o.number, o.currency::text as currency, o.ordered_at,
                o.updated_at, o.status, o.exemptions, o.distributor_id, o.place, o.place_value, o.total, o.sold,
                o.refunded, o.net, o.lines, o.revisions, o.received_at
         from orders o join stores s using (store_id)
         where ($1::text is null or s.slug = $1) and ($2::text is null or o.external_id = $2)
           and ($3::text is null or o.status = $3) and ($4::text is null or o.distributor_id = $4)
           and ($5::uuid is null or o.order_id > $5)
         order by o.order_id limit $6",
    )
    .bind::<Nullable<Text>, _>(&filter.store)
    .bind::<Nullable<Text>, _>(&filter.external_id)
    .bind::<Nullable<Text>, _>(&filter.status)
    .bind::<Nullable<Text>, _>(&filter.distributor_id)
    .bind::<Nullable<SqlUuid>, _>(filter.after)
    .bind::<BigInt, _>(filter.limit)
    .load(conn)?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.order_id).collect();
    let mut held = holds(conn, &ids)?;
    let mut paid = events(conn, &ids)?;
    let view = |row: Row| {
        let held = held.remove(&row.order_id).unwrap_or_default();
        let paid = paid.remove(&row.order_id).unwrap_or_default();
        view(row, held, paid)
    };
    rows.into_iter().map(view).collect()
}

/// The one order of a store's own id.
pub fn order_by_external_id(
    conn: &mut Conn,
    store: &str,
    external_id: &str,
) -> Result<Option<OrderView>, DbError> {
    let filter = OrderFilter {
        store: Some(store.to_owned()),
        external_id: Some(external_id.to_owned()),
        limit: 1,
        ..OrderFilter::default()
    };
    Ok(orders(conn, &filter)?.pop())
}

pub fn order(conn: &mut Conn, order_id: Uuid) -> Result<Option<OrderView>, DbError> {
    // The only id that comes after the one before it is itself, if it is there.
    let before = Uuid::from_u128(order_id.as_u128().saturating_sub(1));
    let filter = OrderFilter { after: Some(before), limit: 1, ..OrderFilter::default() };
    Ok(orders(conn, &filter)?.pop().filter(|order| order.order_id == order_id))
}

fn view(row: Row, held: Vec<HoldView>, commission_events: Vec<EventView>) -> Result<OrderView, DbError> {
    let currency = row.currency.as_deref();
    let lines: Vec<AssessedLine> = serde_json::from_value(row.lines)?;
    Ok(OrderView {
        order_id: row.order_id,
        store: row.store,
        external_id: row.external_id,
        number: row.number,
        status: row.status,
        exemptions: row.exemptions,
        net: money(row.net, currency),
        sold: money(row.sold, currency),
        refunded: money(row.refunded, currency),
        total: money(row.total, currency),
        lines: lines.into_iter().map(|line| line_view(line, currency)).collect(),
        held,
        distributor_id: row.distributor_id,
        attribution_place: row.place.clone(),
        attribution: row.place.map(|place| AttributionView { place, value: row.place_value }),
        revisions: row.revisions,
        commission_events,
        ordered_at: row.ordered_at,
        updated_at: row.updated_at,
        received_at: row.received_at,
        currency: row.currency,
    })
}

fn line_view(line: AssessedLine, currency: Option<&str>) -> LineView {
    let AssessedLine { product, .. } = line;
    LineView {
        line: line.line,
        platform_sku: product.sku.or(product.variant_id).or(product.product_id),
        sku_id: line.sku_id,
        quantity: plain(line.quantity),
        net: money(line.net, currency),
        refunded: money(line.refunded, currency),
        refund_estimated: line.estimated,
        commission_class: line.commission_class,
    }
}

#[derive(QueryableByName)]
struct HoldRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = Nullable<Text>)]
    line: Option<String>,
}

fn holds(conn: &mut Conn, orders: &[Uuid]) -> Result<HashMap<Uuid, Vec<HoldView>>, DbError> {
    let rows: Vec<HoldRow> = sql_query(
        "select order_id, reason, cause, detail, line from holds where order_id = any($1) order by order_id, hold_no",
    )
    .bind::<Array<SqlUuid>, _>(orders)
    .load(conn)?;
    let mut by_order: HashMap<Uuid, Vec<HoldView>> = HashMap::new();
    for HoldRow { order_id, reason, cause, detail, line } in rows {
        by_order.entry(order_id).or_default().push(HoldView { reason, cause, detail, line });
    }
    Ok(by_order)
}

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    event_id: Uuid,
    #[diesel(sql_type = Text)]
    line: String,
    #[diesel(sql_type = Text)]
    bonus: String,
    #[diesel(sql_type = SmallInt)]
    level: i16,
    #[diesel(sql_type = Text)]
    distributor_id: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

fn events(conn: &mut Conn, orders: &[Uuid]) -> Result<HashMap<Uuid, Vec<EventView>>, DbError> {
    let rows: Vec<EventRow> = sql_query(
        "select order_id, event_id, line, bonus, level, distributor_id, amount, currency::text as currency, kind,
                created_at
         from commission_events where order_id = any($1) order by order_id, calculation_no, event_id",
    )
    .bind::<Array<SqlUuid>, _>(orders)
    .load(conn)?;
    let mut by_order: HashMap<Uuid, Vec<EventView>> = HashMap::new();
    for row in rows {
        by_order.entry(row.order_id).or_default().push(EventView {
            event_id: row.event_id,
            line: row.line,
            distributor_id: row.distributor_id,
            bonus: row.bonus,
            level: row.level,
            amount: money(row.amount, Some(&row.currency)),
            currency: row.currency,
            kind: row.kind,
            created_at: row.created_at,
        });
    }
    Ok(by_order)
}
