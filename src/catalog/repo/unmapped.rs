//! SQL of variants that nothing maps, and of what is known around them.

use diesel::sql_types::{Array, BigInt, Integer, Nullable, Numeric, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::core::suggest::Mapped;
use crate::db::DbError;

/// Store, product and variant.
pub type Key = (i32, String, String);

#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Variant {
    #[diesel(sql_type = Integer)]
    #[serde(skip)]
    pub store_id: i32,
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub platform: String,
    #[diesel(sql_type = Text)]
    pub product_id: String,
    /// Empty: the product is its own only variant.
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
}

impl Variant {
    pub fn key(&self) -> Key {
        (self.store_id, self.product_id.clone(), self.variant_id.clone())
    }

    pub fn sku(&self) -> Option<&str> {
        self.sku.as_deref().map(str::trim).filter(|sku| !sku.is_empty())
    }

    pub fn full_title(&self) -> String {
        match (self.product_title.is_empty(), self.title.is_empty()) {
            (false, false) => format!("{} - {}", self.product_title, self.title),
            (true, _) => self.title.clone(),
            (_, true) => self.product_title.clone(),
        }
    }
}

const VARIANT: &str =
    "c.store_id, c.store, c.platform, c.product_id, c.variant_id, c.sku, c.product_title, c.title, c.stock";

pub fn unmapped(
    conn: &mut PgConnection,
    store: &str,
    q: &str,
    after: Option<&Key>,
    limit: i64,
) -> Result<Vec<Variant>, DbError> {
    let (store_id, product, variant) = after.cloned().unwrap_or_default();
    Ok(sql_query(format!(
        "select {VARIANT} from catalog_variants c
         where c.mapping_id is null and c.gone_at is null and ($1 = '' or c.store = $1)
           and (c.store_id, c.product_id, c.variant_id) > ($2, $3, $4)
           and ($5 = '' or strpos(lower(coalesce(c.sku, '')), $5) > 0 or strpos(lower(c.product_title), $5) > 0
                or strpos(lower(c.title), $5) > 0)
         order by c.store_id, c.product_id, c.variant_id limit $6"
    ))
    .bind::<Text, _>(store)
    .bind::<Integer, _>(store_id)
    .bind::<Text, _>(product)
    .bind::<Text, _>(variant)
    .bind::<Text, _>(q.trim().to_lowercase())
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

pub fn unmapped_among(conn: &mut PgConnection, keys: &[Key]) -> Result<Vec<Variant>, DbError> {
    Ok(sql_query(format!(
        "select {VARIANT} from unnest($1, $2, $3) as k(store_id, product_id, variant_id)
         join catalog_variants c using (store_id, product_id, variant_id)
         where c.mapping_id is null and c.gone_at is null order by c.store_id, c.product_id, c.variant_id"
    ))
    .bind::<Array<Integer>, _>(keys.iter().map(|key| key.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(keys.iter().map(|key| key.1.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(keys.iter().map(|key| key.2.as_str()).collect::<Vec<_>>())
    .load(conn)?)
}

#[derive(QueryableByName)]
struct MappedRow {
    #[diesel(sql_type = Integer)]
    store_id: i32,
    /// The SKU or the product that was asked for.
    #[diesel(sql_type = Text)]
    asked: String,
    #[diesel(sql_type = Text)]
    sku_id: String,
    #[diesel(sql_type = Text)]
    commission_class: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Text)]
    platform: String,
}

impl MappedRow {
    fn split(self) -> (i32, String, Mapped) {
        let mapped = Mapped {
            sku_id: self.sku_id,
            commission_class: self.commission_class,
            name: self.name,
            category: self.category,
            platform: self.platform,
        };
        (self.store_id, self.asked, mapped)
    }
}

/// Mappings that hold now, by a SKU that either the platform or we call so.
pub fn same_sku(conn: &mut PgConnection, skus: &[&str]) -> Result<Vec<(String, Mapped)>, DbError> {
    let rows: Vec<MappedRow> = sql_query(
        "select distinct 0 as store_id, a.sku as asked, m.sku_id, m.commission_class, m.name, m.category, m.platform
         from unnest($1) as a(sku)
         join sku_mapping m on (m.key_kind = 'sku' and m.platform_sku = a.sku) or m.sku_id = a.sku",
    )
    .bind::<Array<Text>, _>(skus)
    .load(conn)?;
    Ok(rows.into_iter().map(MappedRow::split).map(|(_, sku, mapped)| (sku, mapped)).collect())
}

/// A store and its id of a product.
type ProductKey = (i32, String);

/// How the variants of the products are mapped that are mapped.
pub fn siblings(
    conn: &mut PgConnection,
    products: &[(i32, &str)],
) -> Result<Vec<(ProductKey, Mapped)>, DbError> {
    let rows: Vec<MappedRow> = sql_query(
        "select c.store_id, c.product_id as asked, c.sku_id, c.commission_class, c.name, c.category, c.platform
         from (select distinct * from unnest($1, $2) as k(store_id, product_id)) k
         join catalog_variants c using (store_id, product_id) where c.mapping_id is not null",
    )
    .bind::<Array<Integer>, _>(products.iter().map(|(store, _)| *store).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(products.iter().map(|(_, product)| *product).collect::<Vec<_>>())
    .load(conn)?;
    Ok(rows.into_iter().map(MappedRow::split).map(|(store, id, mapped)| ((store, id), mapped)).collect())
}

/// What is mapped and has a name, the latest first.
pub fn named(conn: &mut PgConnection, limit: i64) -> Result<Vec<Mapped>, DbError> {
    let rows: Vec<MappedRow> = sql_query(
        "select 0 as store_id, '' as asked, sku_id, commission_class, name, category, platform
         from sku_mapping where name <> '' order by mapping_id desc limit $1",
    )
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(rows.into_iter().map(MappedRow::split).map(|(_, _, mapped)| mapped).collect())
}

#[derive(QueryableByName)]
struct Sharing {
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Text)]
    sku: String,
    #[diesel(sql_type = Text)]
    product_id: String,
    #[diesel(sql_type = Text)]
    title: String,
}

/// The products of a SKU and store, where there are several.
pub type SharedSku = ((i32, String), (String, String));

pub fn sharing(conn: &mut PgConnection, skus: &[&str]) -> Result<Vec<SharedSku>, DbError> {
    let rows: Vec<Sharing> = sql_query(
        "select distinct v.store_id, btrim(v.sku) as sku, v.product_id, p.title
         from product_variants v join products p using (store_id, product_id)
         where v.sku = any($1) and v.gone_at is null and p.gone_at is null
         order by 1, 2, 3",
    )
    .bind::<Array<Text>, _>(skus)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| ((row.store_id, row.sku), (row.product_id, row.title))).collect())
}
