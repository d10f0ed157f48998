//! One box for everything: ids, order numbers, distributors, SKUs.

use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::Conn;
use crate::db::DbError;

/// Something that was found: of which kind, under which key, and what to call it.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Hit {
    /// `order`, `delivery`, `event`, `distributor`, `sku`
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub key: String,
    #[diesel(sql_type = Text)]
    pub text: String,
}

/// At most a few of each kind.
pub fn find(conn: &mut Conn, text: &str) -> Result<Vec<Hit>, DbError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(vec![]);
    }
    Ok(sql_query(
        "(select 'order' as kind, o.order_id::text as key,
                 s.slug || ' · ' || coalesce(o.number, o.external_id) as text
          from orders o join stores s using (store_id)
          where o.order_id = $2 or o.number = $1
             or (o.store_id, o.external_id) in (select store_id, $1 from stores) limit 10)
         union all
         (select 'delivery', d.delivery_id::text, d.topic || ', ' || to_char(d.received_at, 'YYYY-MM-DD HH24:MI')
          from deliveries d where d.delivery_id = $2)
         union all
         (select 'event', e.event_id::text, e.amount::text || ' ' || e.currency || ' to ' || e.distributor_id
          from commission_events e where e.event_id = $2)
         union all
         (select 'distributor', d.distributor_id, d.distributor_id || coalesce(' · ' || d.name, '')
          from distributors d
          where d.distributor_id = $1 or starts_with(lower(d.name), lower($1))
             or d.distributor_id in (select c.distributor_id from distributor_codes c where c.code = lower($1))
          order by d.distributor_id limit 10)
         union all
         (select 'sku', max(m.mapping_id)::text, m.platform || ' ' || m.key_kind || ':' || m.key_value
          from sku_mappings m where lower(m.key_value) = lower($1) or lower(m.sku_id) = lower($1)
          group by m.platform, m.key_kind, m.key_value limit 10)",
    )
    .bind::<Text, _>(text)
    .bind::<Nullable<SqlUuid>, _>(Uuid::parse_str(text).ok())
    .load(conn)?)
}
