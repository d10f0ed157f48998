//! SQL of products, variants and stock: one statement a batch.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::core::ids::StoreId;
use crate::core::product::{Product, StockLevel, Variant};
use crate::db::DbError;

#[derive(Debug, Serialize)]
pub struct ProductRow<'p> {
    /// Which of the told products it is.
    #[serde(skip)]
    pub from: usize,
    pub product_id: &'p str,
    title: &'p str,
    /// `None` where only a variant is told.
    pub updated_at: Option<DateTime<Utc>>,
    /// All its variants are told: those that are not are gone.
    whole: bool,
    /// It is sold through variants alone, which are told elsewhere.
    frame: bool,
}

impl<'p> ProductRow<'p> {
    pub fn new(from: usize, product: &'p Product, at: DateTime<Utc>) -> Self {
        let itself = !product.title.is_empty() || !product.partial;
        Self {
            from,
            product_id: &product.external_id,
            title: &product.title,
            updated_at: itself.then_some(at),
            whole: !product.partial,
            frame: itself && product.partial && product.variants.is_empty(),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct VariantRow<'p> {
    #[serde(skip)]
    pub from: usize,
    pub product_id: &'p str,
    /// Empty: the product is its own only variant.
    pub variant_id: &'p str,
    sku: Option<&'p str>,
    title: &'p str,
    stock: Option<Decimal>,
    inventory_id: Option<&'p str>,
    pub updated_at: DateTime<Utc>,
}

impl<'p> VariantRow<'p> {
    pub fn new(from: usize, product: &'p Product, variant: &'p Variant, at: DateTime<Utc>) -> Self {
        Self {
            from,
            product_id: &product.external_id,
            variant_id: variant.external_id.as_deref().unwrap_or_default(),
            sku: variant.sku.as_deref(),
            title: &variant.title,
            stock: variant.stock,
            inventory_id: variant.inventory_id.as_deref(),
            updated_at: at,
        }
    }
}

/// What became of a product (without a variant) or of a variant.
#[derive(QueryableByName)]
pub struct Standing {
    #[diesel(sql_type = Text)]
    pub product_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub variant_id: Option<String>,
    /// It stands now as it was told; no newer telling was known.
    #[diesel(sql_type = Bool)]
    pub stands: bool,
    /// And that is news.
    #[diesel(sql_type = Bool)]
    pub news: bool,
}

pub fn record(
    conn: &mut PgConnection,
    store: StoreId,
    products: &[ProductRow<'_>],
    variants: &[VariantRow<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<Standing>, DbError> {
    Ok(sql_query(
        "with told as (
           select * from json_to_recordset($2::json) as r(product_id text, title text, updated_at timestamptz,
                                                          whole boolean, frame boolean)),
         told_variants as (
           select * from json_to_recordset($3::json) as r(product_id text, variant_id text, sku text, title text,
                                                          stock numeric, inventory_id text, updated_at timestamptz)),
         p as (
           insert into products as p (store_id, product_id, title, updated_at, first_seen_at, last_seen_at)
           select $1, product_id, title, updated_at, $4, $4 from told order by product_id
           on conflict (store_id, product_id) do update set
             title = excluded.title, updated_at = excluded.updated_at, last_seen_at = excluded.last_seen_at, gone_at = null
           where excluded.updated_at is not null
             and (p.updated_at is null or excluded.updated_at >= p.updated_at)
             and (p.gone_at is null or excluded.updated_at > p.gone_at)
           returning product_id),
         v as (
           insert into product_variants as v (store_id, product_id, variant_id, sku, title, stock, inventory_id, updated_at,
                                              first_seen_at, last_seen_at, gone_at)
           select $1, product_id, variant_id, sku, title, stock, inventory_id, updated_at, $4, $4,
                  (select gone_at from products k where k.store_id = $1 and k.product_id = t.product_id
                   and k.gone_at >= t.updated_at)
           from told_variants t order by product_id, variant_id
           on conflict (store_id, product_id, variant_id) do update set
             sku = excluded.sku, title = excluded.title, stock = excluded.stock,
             inventory_id = coalesce(excluded.inventory_id, v.inventory_id), updated_at = excluded.updated_at,
             last_seen_at = excluded.last_seen_at, gone_at = null
           where excluded.updated_at >= v.updated_at and (v.gone_at is null or excluded.updated_at > v.gone_at)
           returning product_id, variant_id),
         g as (
           update product_variants v set gone_at = t.updated_at
           from told t join p using (product_id)
           where v.store_id = $1 and v.product_id = t.product_id and v.gone_at is null and v.updated_at <= t.updated_at
             and (t.whole or (t.frame and v.variant_id = ''))
             and not exists (select from told_variants n
                             where n.product_id = v.product_id and n.variant_id = v.variant_id))
         select t.product_id, null::text as variant_id, p.product_id is not null as stands,
                p.product_id is not null
                and (k.title, k.gone_at is null) is distinct from (t.title, true) as news
         from told t left join p using (product_id)
         left join products k on k.store_id = $1 and k.product_id = t.product_id
         where t.updated_at is not null
         union all
         select t.product_id, t.variant_id, v.product_id is not null,
                v.product_id is not null
                and (k.sku, k.title, k.stock, k.gone_at is null) is distinct from (t.sku, t.title, t.stock, true)
         from told_variants t left join v using (product_id, variant_id)
         left join product_variants k
           on k.store_id = $1 and k.product_id = t.product_id and k.variant_id = t.variant_id",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(serde_json::to_string(products)?)
    .bind::<Text, _>(serde_json::to_string(variants)?)
    .bind::<Timestamptz, _>(now)
    .load(conn)?)
}

/// Marks products and variants; one that was never told is remembered as gone, so that an older telling which comes
/// late does not bring it to life.
pub fn gone(
    conn: &mut PgConnection,
    store: StoreId,
    ids: &HashMap<&str, DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (ids, times): (Vec<&str>, Vec<DateTime<Utc>>) = ids.iter().unzip();
    sql_query(
        "with told as (select * from unnest($2, $3) as t(id, at)),
         v as (
           update product_variants v set gone_at = t.at from told t
           where v.store_id = $1 and (v.product_id = t.id or v.variant_id = t.id) and v.updated_at <= t.at
             and v.gone_at is null)
         insert into products as p (store_id, product_id, first_seen_at, last_seen_at, gone_at)
         select $1, id, $4, $4, at from told
         where not exists (select from product_variants v where v.store_id = $1 and v.variant_id = told.id)
         order by id
         on conflict (store_id, product_id) do update set gone_at = excluded.gone_at
         where (p.updated_at is null or p.updated_at <= excluded.gone_at)
           and (p.gone_at is null or p.gone_at < excluded.gone_at)",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Timestamptz>, _>(times)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

pub fn stock(
    conn: &mut PgConnection,
    store: StoreId,
    levels: &[&StockLevel],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into stock_levels as l (store_id, inventory_id, location_id, available, updated_at)
         select $1, inventory_id, location_id, available, coalesce(updated_at, $3)
         from json_to_recordset($2::json) as r(inventory_id text, location_id text, available numeric, updated_at timestamptz)
         order by inventory_id, location_id
         on conflict (store_id, inventory_id, location_id) do update set
           available = excluded.available, updated_at = excluded.updated_at
         where excluded.updated_at >= l.updated_at",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(serde_json::to_string(levels)?)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
