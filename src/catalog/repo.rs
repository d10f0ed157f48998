//! SQL of SKU mappings.

pub mod products;
pub mod unmapped;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::NewMapping;
use crate::core::ids::StoreId;
use crate::core::sku::{KeyKind, SkuMapping};
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    mapping_id: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    store_id: Option<i32>,
    #[diesel(sql_type = Text)]
    platform: String,
    #[diesel(sql_type = Text)]
    key_kind: String,
    #[diesel(sql_type = Text)]
    key_value: String,
    #[diesel(sql_type = Text)]
    sku_id: String,
    #[diesel(sql_type = Text)]
    commission_class: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    effective_from: Option<DateTime<Utc>>,
}

pub fn load(conn: &mut PgConnection) -> Result<Vec<SkuMapping>, DbError> {
    sql_query(
        "select mapping_id, store_id, platform, key_kind, key_value, sku_id, commission_class,
                nullif(effective_from, '-infinity') as effective_from
         from sku_mappings order by mapping_id",
    )
    .load::<Row>(conn)?
    .into_iter()
    .map(|row| {
        let kind = KeyKind::parse(&row.key_kind)
            .ok_or_else(|| DbError::Damaged(format!("key_kind of SKU mapping {}", row.mapping_id)))?;
        Ok(SkuMapping {
            mapping_id: row.mapping_id,
            store: row.store_id.map(StoreId),
            platform: row.platform,
            kind,
            key: row.key_value,
            sku_id: row.sku_id,
            commission_class: row.commission_class,
            from: row.effective_from,
        })
    })
    .collect()
}

pub fn insert(
    conn: &mut PgConnection,
    mappings: &[NewMapping],
    import: Option<Uuid>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    let texts = |f: fn(&NewMapping) -> &str| mappings.iter().map(f).collect::<Vec<_>>();
    Ok(sql_query(
        "insert into sku_mappings (store_id, platform, key_kind, key_value, sku_id, name, category,
                                   commission_class, effective_from, import_id, recorded_at, recorded_by)
         select store_id, platform, key_kind, key_value, sku_id, name, category, commission_class,
                coalesce(effective_from, '-infinity'), $10, $11, $12
         from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
           as t(store_id, platform, key_kind, key_value, sku_id, name, category, commission_class, effective_from)",
    )
    .bind::<Array<Nullable<Integer>>, _>(mappings.iter().map(|m| m.store.map(|s| s.0)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(texts(|m| &m.platform))
    .bind::<Array<Text>, _>(texts(|m| m.kind.name()))
    .bind::<Array<Text>, _>(texts(|m| m.key.trim()))
    .bind::<Array<Text>, _>(texts(|m| &m.sku_id))
    .bind::<Array<Text>, _>(texts(|m| &m.name))
    .bind::<Array<Text>, _>(texts(|m| &m.category))
    .bind::<Array<Text>, _>(texts(|m| &m.commission_class))
    .bind::<Array<Nullable<Timestamptz>>, _>(mappings.iter().map(|m| m.from).collect::<Vec<_>>())
    .bind::<Nullable<SqlUuid>, _>(import)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?)
}

/// A mapping as it holds now.
#[derive(Clone, Debug, QueryableByName)]
pub struct CurrentMapping {
    #[diesel(sql_type = Nullable<Integer>)]
    pub store_id: Option<i32>,
    #[diesel(sql_type = Text)]
    pub platform: String,
    #[diesel(sql_type = Text)]
    pub key_kind: String,
    #[diesel(sql_type = Text)]
    pub platform_sku: String,
    #[diesel(sql_type = Text)]
    pub sku_id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub category: String,
    #[diesel(sql_type = Text)]
    pub commission_class: String,
}

pub fn current(conn: &mut PgConnection) -> Result<Vec<CurrentMapping>, DbError> {
    Ok(sql_query(
        "select store_id, platform, key_kind, platform_sku, sku_id, name, category, commission_class
         from sku_mapping",
    )
    .load(conn)?)
}
