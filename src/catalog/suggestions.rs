//! Variants of the stores that no mapping covers, each with what [`crate::core::suggest`] makes of it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::NewMapping;
use super::repo::unmapped as repo;
use crate::core::ids::StoreId;
use crate::core::sku::KeyKind;
use crate::core::suggest::{Around, Mapped, Suggested, suggest};
use crate::db::{Conn, DbError};

pub use repo::{Key, Variant};

/// A variant that nothing maps.
#[derive(Clone, Debug, Serialize)]
pub struct Unmapped {
    #[serde(flatten)]
    pub variant: Variant,
    #[serde(flatten)]
    pub suggested: Suggested,
    /// Other products of the store with the same SKU: a mapping of the SKU would cover them all.
    pub shares_sku_with: Vec<String>,
}

/// Which unmapped variants.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// Slug; empty for all stores.
    pub store: &'a str,
    /// Part of a SKU or a title.
    pub q: &'a str,
    /// Where a page goes on.
    pub after: Option<Key>,
    pub limit: i64,
}

/// The next variants that nothing maps, with their suggestions. What is gone is not among them.
pub fn unmapped(conn: &mut Conn, asked: &Asked<'_>) -> Result<Vec<Unmapped>, DbError> {
    let variants = repo::unmapped(conn, asked.store, asked.q, asked.after.as_ref(), asked.limit)?;
    with_suggestions(conn, variants)
}

/// Those of `keys` that nothing maps, with their suggestions.
pub fn unmapped_among(conn: &mut Conn, keys: &[Key]) -> Result<Vec<Unmapped>, DbError> {
    let variants = repo::unmapped_among(conn, keys)?;
    with_suggestions(conn, variants)
}

/// So many names are compared at most: a hint is not worth more.
const NAMES: i64 = 2000;

fn with_suggestions(conn: &mut Conn, variants: Vec<Variant>) -> Result<Vec<Unmapped>, DbError> {
    if variants.is_empty() {
        return Ok(vec![]);
    }
    let skus: Vec<&str> = variants.iter().filter_map(Variant::sku).collect();
    let same_sku = by(repo::same_sku(conn, &skus)?);
    let products: Vec<(i32, &str)> = variants.iter().map(|v| (v.store_id, v.product_id.as_str())).collect();
    let siblings = by(repo::siblings(conn, &products)?);
    let named = repo::named(conn, NAMES)?;
    let shared = by(repo::sharing(conn, &skus)?);
    let none: Vec<Mapped> = vec![];
    let mut found = vec![];
    for variant in variants {
        let of_sku = variant.sku().and_then(|sku| same_sku.get(sku)).unwrap_or(&none);
        let of_product = siblings.get(&(variant.store_id, variant.product_id.clone())).unwrap_or(&none);
        let title = variant.full_title();
        let suggested = suggest(&Around {
            sku: variant.sku(),
            title: &title,
            same_sku: of_sku,
            siblings: of_product,
            named: &named,
        });
        let sharing = variant.sku().and_then(|sku| shared.get(&(variant.store_id, sku.to_owned())));
        let others = sharing.into_iter().flatten().filter(|(id, _)| *id != variant.product_id);
        let shares_sku_with = others.map(|(id, title)| format!("{title} ({id})")).collect();
        found.push(Unmapped { suggested, shares_sku_with, variant });
    }
    Ok(found)
}

fn by<K: std::hash::Hash + Eq, V>(pairs: Vec<(K, V)>) -> HashMap<K, Vec<V>> {
    let mut map: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in pairs {
        map.entry(key).or_default().push(value);
    }
    map
}

impl Unmapped {
    /// The mapping that a person makes of it: by the SKU for the whole platform, unless several products of the
    /// store share it; else by the store's own id.
    pub fn mapping(&self, sku_id: &str, class: &str, from: Option<DateTime<Utc>>) -> NewMapping {
        let Variant { store_id, platform, product_id, variant_id, .. } = &self.variant;
        let by_sku = self.variant.sku().filter(|_| self.shares_sku_with.is_empty());
        let (store, kind, key) = match by_sku {
            Some(sku) => (None, KeyKind::Sku, sku),
            None if !variant_id.is_empty() => {
                (Some(StoreId(*store_id)), KeyKind::Variant, variant_id.as_str())
            }
            None => (Some(StoreId(*store_id)), KeyKind::Product, product_id.as_str()),
        };
        let known = self.suggested.suggestion.as_ref().filter(|suggestion| suggestion.why.is_sure());
        NewMapping {
            store,
            platform: platform.clone(),
            kind,
            key: key.to_owned(),
            sku_id: sku_id.to_owned(),
            name: known.map(|known| known.name.clone()).unwrap_or_else(|| self.variant.full_title()),
            category: known.map(|known| known.category.clone()).unwrap_or_default(),
            commission_class: class.to_owned(),
            from,
        }
    }

    /// The mapping of its suggestion, unless that is none or only a hint.
    pub fn accepted(&self) -> Option<NewMapping> {
        let suggestion = self.suggested.suggestion.as_ref().filter(|suggestion| suggestion.why.is_sure())?;
        Some(self.mapping(&suggestion.sku_id, &suggestion.commission_class, None))
    }
}
