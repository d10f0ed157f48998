//! What people have decided of orders and of their customers, and what the customers' other orders say.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::core::binding::{Decision, What};
use crate::core::ids::{DistributorId, StoreId};
use crate::customers::CustomerKey;
use crate::db::DbError;

#[derive(QueryableByName)]
pub struct Ground {
    /// `manual`: an admin's decision of an order; `is`, `bound`: a decision of a customer; `order`: another order.
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub order_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub store_id: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub customer_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub distributor_id: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Integer)]
    pub policy_no: i32,
    #[diesel(sql_type = Integer)]
    pub binding_no: i32,
    #[diesel(sql_type = Bool)]
    pub calculated: bool,
}

impl Ground {
    pub fn decision(self) -> Result<Decision, DbError> {
        let what = What::parse(&self.kind)
            .ok_or_else(|| DbError::Damaged(format!("a binding of kind {}", self.kind)))?;
        Ok(Decision {
            no: self.binding_no,
            what,
            distributor: self.distributor_id.map(DistributorId::new),
            from: self.at,
        })
    }
}

/// One statement for a batch. Other orders are read only in the stores of `binding`.
pub fn grounds(
    conn: &mut PgConnection,
    order_ids: &[Uuid],
    customers: &[CustomerKey],
    binding: &[StoreId],
) -> Result<Vec<Ground>, DbError> {
    Ok(sql_query(
        "with asked as (select * from unnest($2, $3) as t(store_id, customer_id))
         select 'manual' as kind, m.order_id, null::int as store_id, null::text as customer_id, null::text as external_id,
                m.distributor_id, null::timestamptz as at, 0 as policy_no, 0 as binding_no, false as calculated
         from (select distinct on (order_id) order_id, distributor_id from manual_attributions
               where order_id = any($1) order by order_id, decision_no desc) m
         union all
         select b.kind, null, b.store_id, b.customer_id, null, b.distributor_id, nullif(b.effective_from, '-infinity'),
                0, b.binding_no, false
         from asked join customer_bindings b using (store_id, customer_id)
         union all
         select 'order', o.order_id, o.store_id, o.customer_id, o.external_id, o.binds_to, o.ordered_at,
                o.policy_no, o.binding_no, o.calculation_no > 0
         from asked join orders o using (store_id, customer_id)
         where o.store_id = any($4) and o.ordered_at is not null and not o.order_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(order_ids)
    .bind::<Array<Integer>, _>(customers.iter().map(|(store, _)| store.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(customers.iter().map(|(_, customer)| customer.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(binding.iter().map(|store| store.0).collect::<Vec<_>>())
    .load(conn)?)
}

#[derive(QueryableByName)]
struct OrderRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
}

/// Orders of a store's customers that are not calculated yet; of all its customers without any given.
pub fn not_calculated(
    conn: &mut PgConnection,
    store: StoreId,
    customers: Option<&[String]>,
) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<OrderRow> = sql_query(
        "select order_id from orders
         where store_id = $1 and customer_id is not null and calculation_no = 0 and ($2 is null or customer_id = any($2))
         order by order_id",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Nullable<Array<Text>>, _>(customers)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.order_id).collect())
}
