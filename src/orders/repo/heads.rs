//! The head row of each order.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::super::OrderKey;
use super::super::circle::Seen;
use super::recordset;
use crate::clock::new_id;
use crate::core::assess::{AssessedLine, Assessment, LockedClass, Verdict};
use crate::core::binding::Claim;
use crate::core::ids::{DeliveryId, DistributorId, OrderId, StoreId};
use crate::core::order::{Absorbed, OrderState, Report};
use crate::db::DbError;

/// An order whose row is locked for the rest of the database transaction.
#[derive(Clone, Debug)]
pub struct Head {
    pub order_id: Uuid,
    pub store_id: StoreId,
    pub external_id: String,
    pub revisions: i32,
    pub newest_revision: Option<i32>,
    pub calculation_no: i32,
    pub received_at: DateTime<Utc>,
    /// These as last assessed.
    pub lines: Vec<AssessedLine>,
    pub customer_id: Option<String>,
    pub ordered_at: Option<DateTime<Utc>>,
    pub binds_to: Option<String>,
    pub seen: Seen,
}

impl Head {
    pub fn key(&self) -> OrderKey {
        (self.store_id, self.external_id.clone())
    }

    pub fn add_revision(&mut self, report: &Report, absorbed: Absorbed) {
        self.revisions += 1;
        if matches!(report, Report::Snapshot(_)) && absorbed == Absorbed::Applied {
            self.newest_revision = Some(self.revisions);
        }
    }

    /// What the order may know of its customer, unless that is everything.
    pub fn seen_of(&self, customer: Option<&str>) -> Option<Seen> {
        (self.calculation_no > 0 && self.customer_id.as_deref() == customer).then_some(self.seen)
    }

    /// Whom it bound its customer to until now.
    pub fn claim(&self) -> Option<(String, Claim)> {
        let distributor = DistributorId::new(self.binds_to.clone()?);
        let claim = Claim { at: self.ordered_at?, order: self.external_id.clone(), distributor };
        Some((self.customer_id.clone()?, claim))
    }

    /// Once money was calculated on a mapping, a later mapping does not reach the order by itself.
    pub fn locked_classes(&self) -> Vec<LockedClass> {
        if self.calculation_no == 0 { vec![] } else { locked_classes(&self.lines) }
    }
}

/// The mappings that assessed lines were given.
pub fn locked_classes(lines: &[AssessedLine]) -> Vec<LockedClass> {
    lines.iter().filter_map(locked_class).collect()
}

fn locked_class(line: &AssessedLine) -> Option<LockedClass> {
    Some(LockedClass {
        line: line.line.clone(),
        product: line.product.clone(),
        mapping_id: line.mapping_id?,
        commission_class: line.commission_class.clone()?,
        sku_id: line.sku_id.clone()?,
    })
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = Integer)]
    revisions: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    newest_revision: Option<i32>,
    #[diesel(sql_type = Integer)]
    calculation_no: i32,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    lines: serde_json::Value,
    #[diesel(sql_type = Nullable<Text>)]
    customer_id: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ordered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    binds_to: Option<String>,
    #[diesel(sql_type = Integer)]
    policy_no: i32,
    #[diesel(sql_type = Integer)]
    binding_no: i32,
}

const COLUMNS: &str =
    "o.order_id, o.store_id, o.external_id, o.revisions, o.newest_revision, o.calculation_no,
    o.received_at, o.lines, o.customer_id, o.ordered_at, o.binds_to, o.policy_no, o.binding_no";

/// Locks the orders of `keys`, making those that are not there yet. Inserts in the order of the keys and locks
/// in the order of the ids, as everybody does.
pub fn lock_or_insert(
    conn: &mut PgConnection,
    keys: &[(&OrderKey, DeliveryId)],
    now: DateTime<Utc>,
) -> Result<Vec<Head>, DbError> {
    let stores: Vec<i32> = keys.iter().map(|((store, _), _)| store.0).collect();
    let external: Vec<&str> = keys.iter().map(|((_, id), _)| id.as_str()).collect();
    sql_query(
        "insert into orders (order_id, store_id, external_id, status, first_delivery_id, received_at, assessed_at)
         select order_id, store_id, external_id, 'awaiting', delivery_id, 'epoch', $5
         from unnest($1, $2, $3, $4) as t(order_id, store_id, external_id, delivery_id)
         on conflict (store_id, external_id) do nothing",
    )
    .bind::<Array<SqlUuid>, _>(keys.iter().map(|_| new_id()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(&stores)
    .bind::<Array<Text>, _>(&external)
    .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, delivery)| delivery.0).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    let rows: Vec<Row> = sql_query(format!(
        "select {COLUMNS} from orders o
         join unnest($1, $2) as k(store_id, external_id)
           on o.store_id = k.store_id and o.external_id = k.external_id
         order by o.order_id for update of o"
    ))
    .bind::<Array<Integer>, _>(&stores)
    .bind::<Array<Text>, _>(&external)
    .load(conn)?;
    rows.into_iter().map(Head::try_from).collect()
}

pub fn lock(conn: &mut PgConnection, order_ids: &[Uuid]) -> Result<Vec<Head>, DbError> {
    sql_query(format!("select {COLUMNS} from orders o where order_id = any($1) order by order_id for update"))
        .bind::<Array<SqlUuid>, _>(order_ids)
        .load::<Row>(conn)?
        .into_iter()
        .map(Head::try_from)
        .collect()
}

impl TryFrom<Row> for Head {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            order_id: row.order_id,
            store_id: StoreId(row.store_id),
            external_id: row.external_id,
            revisions: row.revisions,
            newest_revision: row.newest_revision,
            calculation_no: row.calculation_no,
            received_at: row.received_at,
            lines: serde_json::from_value(row.lines)?,
            customer_id: row.customer_id,
            ordered_at: row.ordered_at,
            binds_to: row.binds_to,
            seen: Seen { policy_no: row.policy_no, binding_no: row.binding_no },
        })
    }
}

/// The columns of `orders` that an assessment decides.
#[derive(Serialize)]
struct Update<'a> {
    order_id: Uuid,
    number: Option<&'a str>,
    currency: Option<&'a str>,
    ordered_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    status: &'a str,
    exemptions: Vec<&'static str>,
    distributor_id: Option<&'a str>,
    place: Option<&'a str>,
    place_value: Option<&'a str>,
    own: bool,
    customer_id: Option<&'a str>,
    total: Decimal,
    sold: Decimal,
    refunded: Decimal,
    net: Decimal,
    lines: &'a [AssessedLine],
    revisions: i32,
    newest_revision: Option<i32>,
    received_at: DateTime<Utc>,
    binds_to: Option<&'a str>,
    policy_no: i32,
    binding_no: i32,
}

impl<'a> Update<'a> {
    fn new((head, state, assessment): &'a (Head, OrderState, Assessment)) -> Self {
        let order = state.snapshot.as_ref();
        let attributed = assessment.attributed.as_ref();
        let exemptions = match &assessment.verdict {
            Verdict::Exempt(exemptions) => exemptions.iter().map(|exemption| exemption.name()).collect(),
            Verdict::Awaiting | Verdict::Commissionable | Verdict::Held(_) => vec![],
        };
        Self {
            order_id: head.order_id,
            number: order.and_then(|order| order.number.as_deref()),
            currency: order.map(|order| order.currency.code()),
            ordered_at: order.map(|order| order.ordered_at),
            updated_at: order.map(|order| order.updated_at),
            status: assessment.verdict.name(),
            exemptions,
            distributor_id: attributed.map(|to| to.distributor.as_str()),
            place: attributed.map(|to| to.place.as_str()),
            place_value: attributed.map(|to| to.value.as_str()),
            own: attributed.is_some_and(|to| to.own),
            customer_id: order.and_then(|order| order.customer_id.as_deref()),
            total: order.map_or(Decimal::ZERO, |order| order.total),
            sold: assessment.sold,
            refunded: assessment.refunded,
            net: assessment.net,
            lines: &assessment.lines,
            revisions: head.revisions,
            newest_revision: head.newest_revision,
            received_at: head.received_at,
            binds_to: assessment.binds_to.as_ref().map(DistributorId::as_str),
            policy_no: head.seen.policy_no,
            binding_no: head.seen.binding_no,
        }
    }
}

pub fn update_heads(
    conn: &mut PgConnection,
    orders: &[(Head, OrderState, Assessment)],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let updates: Vec<Update<'_>> = orders.iter().map(Update::new).collect();
    sql_query(
        "update orders o set
           number = r.number, currency = r.currency, ordered_at = r.ordered_at, updated_at = r.updated_at,
           status = r.status, exemptions = r.exemptions, distributor_id = r.distributor_id, place = r.place,
           place_value = r.place_value, own = r.own, customer_id = r.customer_id, total = r.total, sold = r.sold,
           refunded = r.refunded, net = r.net, lines = r.lines, revisions = r.revisions,
           newest_revision = r.newest_revision, received_at = r.received_at, binds_to = r.binds_to,
           policy_no = r.policy_no, binding_no = r.binding_no, assessed_at = $2
         from json_populate_recordset(null::orders, $1::json) r where o.order_id = r.order_id",
    )
    .bind::<Text, _>(recordset(&updates)?)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// What a calculation needs to know of an order, whose row is locked.
#[derive(Clone, Debug)]
pub struct CommissionableHead {
    pub order_id: OrderId,
    /// Slug.
    pub store: String,
    pub calculation_no: i32,
    pub status: String,
    pub currency: Option<String>,
    pub ordered_at: Option<DateTime<Utc>>,
    pub distributor_id: Option<String>,
    pub place: Option<String>,
    pub place_value: Option<String>,
    /// The distributor bought it itself.
    pub own: bool,
    pub lines: Vec<AssessedLine>,
    pub received_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct CommissionRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Text)]
    store: String,
    #[diesel(sql_type = Integer)]
    calculation_no: i32,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ordered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    distributor_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    place: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    place_value: Option<String>,
    #[diesel(sql_type = Bool)]
    own: bool,
    #[diesel(sql_type = Jsonb)]
    lines: serde_json::Value,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
}

pub fn lock_for_commission(
    conn: &mut PgConnection,
    order_ids: &[Uuid],
) -> Result<Vec<CommissionableHead>, DbError> {
    let rows: Vec<CommissionRow> = sql_query(
        "select order_id, (select slug from stores s where s.store_id = o.store_id) as store, calculation_no,
                status, currency::text as currency, ordered_at, distributor_id, place, place_value, own,
                lines, received_at
         from orders o where order_id = any($1) order by order_id for update",
    )
    .bind::<Array<SqlUuid>, _>(order_ids)
    .load(conn)?;
    rows.into_iter()
        .map(|row| {
            Ok(CommissionableHead {
                order_id: OrderId(row.order_id),
                store: row.store,
                calculation_no: row.calculation_no,
                status: row.status,
                currency: row.currency,
                ordered_at: row.ordered_at,
                distributor_id: row.distributor_id,
                place: row.place,
                place_value: row.place_value,
                own: row.own,
                lines: serde_json::from_value(row.lines)?,
                received_at: row.received_at,
            })
        })
        .collect()
}

/// Marks the latest calculation of each order. The rows are locked by [`lock_for_commission`].
pub fn set_calculation_no(conn: &mut PgConnection, orders: &[(Uuid, i32)]) -> Result<(), DbError> {
    let (ids, numbers): (Vec<Uuid>, Vec<i32>) = orders.iter().copied().unzip();
    sql_query(
        "update orders o set calculation_no = t.no from unnest($1, $2) as t(order_id, no)
         where o.order_id = t.order_id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Integer>, _>(numbers)
    .execute(conn)?;
    Ok(())
}
