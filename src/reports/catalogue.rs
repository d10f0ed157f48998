//! The stores' catalogues as a person reads them: variants with stock, and how they are mapped.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Nullable, Numeric, Text, Timestamptz};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{Conn, Page, limit};
use crate::db::DbError;

/// Empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of a SKU, an id or a title.
    pub q: String,
    /// Slug.
    pub store: String,
    /// One of [`STATES`].
    pub state: String,
}

pub const STATES: [(&str, &str); 4] =
    [("unmapped", "Not mapped"), ("mapped", "Mapped"), ("gone", "Sold no more"), ("out", "Out of stock")];

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.q.is_empty() && self.store.is_empty() && self.state.is_empty()
    }
}

#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = Integer)]
    #[serde(skip)]
    pub store_id: i32,
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub product_id: String,
    #[diesel(sql_type = Text)]
    pub variant_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub sku: Option<String>,
    #[diesel(sql_type = Text)]
    pub product_title: String,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub stock: Option<Decimal>,
    #[diesel(sql_type = Timestamptz)]
    pub first_seen_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_seen_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub gone_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub mapping_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub sku_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub commission_class: Option<String>,
}

/// Store, product and variant.
pub type Key = (i32, String, String);

pub fn list(conn: &mut Conn, filter: &Filter, after: Option<Key>) -> Result<Page<Row, Key>, DbError> {
    let (store_id, product, variant) = after.unwrap_or_default();
    let rows: Vec<Row> = sql_query(
        "select store_id, store, product_id, variant_id, sku, product_title, title, stock, first_seen_at, last_seen_at,
                gone_at, mapping_id, sku_id, commission_class
         from catalog_variants
         where (store_id, product_id, variant_id) > ($1, $2, $3) and ($4 = '' or store = $4)
           and case $5 when '' then true when 'gone' then gone_at is not null
                       when 'unmapped' then mapping_id is null and gone_at is null
                       when 'out' then stock <= 0 and gone_at is null
                       else mapping_id is not null and gone_at is null end
           and ($6 = '' or strpos(lower(coalesce(sku, '')), $6) > 0 or strpos(lower(product_title), $6) > 0
                or strpos(lower(title), $6) > 0 or product_id = $6 or variant_id = $6)
         order by store_id, product_id, variant_id limit $7",
    )
    .bind::<Integer, _>(store_id)
    .bind::<Text, _>(product)
    .bind::<Text, _>(variant)
    .bind::<Text, _>(&filter.store)
    .bind::<Text, _>(&filter.state)
    .bind::<Text, _>(filter.q.trim().to_lowercase())
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| (row.store_id, row.product_id.clone(), row.variant_id.clone())))
}

/// One SKU that several products of a store have.
#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct SharedSku {
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub sku: String,
    #[diesel(sql_type = Text)]
    pub products: String,
}

pub fn shared_skus(conn: &mut Conn) -> Result<Vec<SharedSku>, DbError> {
    Ok(sql_query(
        "select s.slug as store, btrim(v.sku) as sku,
                string_agg(distinct p.title || ' (' || p.product_id || ')', ', ') as products
         from product_variants v join products p using (store_id, product_id) join stores s using (store_id)
         where v.gone_at is null and p.gone_at is null and btrim(v.sku) <> ''
         group by v.store_id, s.slug, btrim(v.sku) having count(distinct v.product_id) > 1
         order by 1, 2 limit $1",
    )
    .bind::<BigInt, _>(limit())
    .load(conn)?)
}
