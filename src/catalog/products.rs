//! What the stores sell: products, variants and stock, as pulls and webhooks tell them.
//!
//! The newest telling wins by the store's own time, whatever came first; what is sold no more stays, marked. None
//! of it decides money: it shows what is not mapped yet before anybody orders it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::repo::products as repo;
use crate::core::ids::StoreId;
use crate::core::product::{Product, StockLevel};
use crate::db::{DbError, Tx};

/// What became of a telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// A newer one was known.
    Older,
    /// It was known so.
    Same,
    News,
}

/// Records products of one store. The answer is in the order of `products`.
pub fn record(
    tx: &mut Tx<'_>,
    store: StoreId,
    products: &[Product],
    now: DateTime<Utc>,
) -> Result<Vec<Effect>, DbError> {
    if products.is_empty() {
        return Ok(vec![]);
    }
    let newest = Newest::of(products, now);
    let mut effects = vec![Effect::Older; products.len()];
    for row in repo::record(tx.conn, store, &newest.products, &newest.variants, now)? {
        let effect = match (row.stands, row.news) {
            (false, _) => Effect::Older,
            (true, false) => Effect::Same,
            (true, true) => Effect::News,
        };
        let from = newest.from(&row.product_id, row.variant_id.as_deref());
        if let Some(known) = from.and_then(|from| effects.get_mut(from)) {
            *known = effect.max(*known);
        }
    }
    Ok(effects)
}

/// The newest telling of each product and variant of a batch: a statement can change a row only once.
struct Newest<'p> {
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
        Self { products: rows.into_values().collect(), variants: variants.into_values().collect() }
    }

    /// Which of the products told it.
    fn from(&self, product: &str, variant: Option<&str>) -> Option<usize> {
        match variant {
            None => self.products.iter().find(|row| row.product_id == product).map(|row| row.from),
            Some(variant) => self
                .variants
                .iter()
                .find(|row| row.product_id == product && row.variant_id == variant)
                .map(|row| row.from),
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
