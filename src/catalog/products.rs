//! What the stores sell: products, variants and stock, as pulls and webhooks tell them.
//!
//! The newest telling wins by the store's own time, whatever came first; what is sold no more stays, marked. None
//! of it decides money: it shows what is not mapped yet before anybody orders it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::repo::products as repo;
use crate::core::ids::StoreId;
use crate::core::product::{Product, StockLevel};
use crate::db::{DbError, Tx};

/// Records products of one store. The answer is in the order of `products`: whether each stands now as it was
/// told, or a newer telling of it was known.
pub fn record(
    tx: &mut Tx<'_>,
    store: StoreId,
    products: &[Product],
    now: DateTime<Utc>,
) -> Result<Vec<bool>, DbError> {
    if products.is_empty() {
        return Ok(vec![]);
    }
    let newest = Newest::of(products, now);
    let standing = repo::record(tx.conn, store, &newest.products, &newest.variants, now)?;
    let products: BTreeSet<&str> = standing.iter().filter(|(_, v)| v.is_none()).map(|(p, _)| &**p).collect();
    let variants: BTreeSet<(&str, &str)> =
        standing.iter().filter_map(|(p, v)| Some((&**p, v.as_deref()?))).collect();
    let stands = |at: usize| {
        let of_product =
            newest.products.iter().any(|row| row.from == at && products.contains(row.product_id));
        of_product
            || newest
                .variants
                .iter()
                .any(|row| row.from == at && variants.contains(&(row.product_id, row.variant_id)))
    };
    Ok((0..newest.told).map(stands).collect())
}

/// The newest telling of each product and variant of a batch: a statement can change a row only once.
struct Newest<'p> {
    told: usize,
    products: Vec<repo::ProductRow<'p>>,
    variants: Vec<repo::VariantRow<'p>>,
}

impl<'p> Newest<'p> {
    fn of(products: &'p [Product], now: DateTime<Utc>) -> Self {
        let mut rows: BTreeMap<&str, repo::ProductRow<'p>> = BTreeMap::new();
        let mut variants: BTreeMap<(&str, &str), repo::VariantRow<'p>> = BTreeMap::new();
        for (from, product) in products.iter().enumerate() {
            let at = product.updated_at.unwrap_or(now);
            let row = repo::ProductRow::new(from, product, at);
            let known = rows.get(row.product_id);
            if known.is_none_or(|known| known.updated_at <= row.updated_at) {
                rows.insert(row.product_id, row);
            }
            for variant in &product.variants {
                let row = repo::VariantRow::new(from, product, variant, at);
                let key = (row.product_id, row.variant_id);
                if variants.get(&key).is_none_or(|known| known.updated_at <= row.updated_at) {
                    variants.insert(key, row);
                }
            }
        }
        Self {
            told: products.len(),
            products: rows.into_values().collect(),
            variants: variants.into_values().collect(),
        }
    }
}

/// Products, or single variants, that are sold no more, each with the time of it.
pub fn gone(
    tx: &mut Tx<'_>,
    store: StoreId,
    ids: &[(String, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut latest: HashMap<&str, DateTime<Utc>> = HashMap::new();
    for (id, at) in ids {
        let known = latest.entry(id).or_insert(*at);
        *known = (*known).max(*at);
    }
    if latest.is_empty() { Ok(()) } else { repo::gone(tx.conn, store, &latest, now) }
}

/// Stock at single locations.
pub fn stock(
    tx: &mut Tx<'_>,
    store: StoreId,
    levels: &[StockLevel],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut newest: BTreeMap<(&str, &str), &StockLevel> = BTreeMap::new();
    for level in levels {
        let known = newest.entry((&level.inventory_id, &level.location_id)).or_insert(level);
        if known.updated_at <= level.updated_at {
            *known = level;
        }
    }
    let newest: Vec<&StockLevel> = newest.into_values().collect();
    if newest.is_empty() { Ok(()) } else { repo::stock(tx.conn, store, &newest, now) }
}
