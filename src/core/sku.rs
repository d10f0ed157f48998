//! SKU mapping: from what a platform calls a product to a commission class.
//!
//! By the platform's own variant id, SKU or product id, never by a name. Mappings are versioned and
//! effective-dated; the one that held at the order's time is used, the latest recorded where two start together.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::StoreId;
use super::order::ProductKey;

/// The class of products that earn nothing on purpose (samples, gift wrap). Every plan knows it.
pub const CLASS_NONE: &str = "none";

/// Orders of the direct API name products of any platform, so there a SKU counts whatever platform it was mapped for.
const DIRECT: &str = "direct";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    Variant,
    Sku,
    Product,
}

impl KeyKind {
    /// Most specific first: this is the order of look-up.
    pub const ALL: [Self; 3] = [Self::Variant, Self::Sku, Self::Product];

    pub fn name(self) -> &'static str {
        match self {
            Self::Variant => "variant",
            Self::Sku => "sku",
            Self::Product => "product",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn of(self, product: &ProductKey) -> Option<&str> {
        let value = match self {
            Self::Variant => &product.variant_id,
            Self::Sku => &product.sku,
            Self::Product => &product.product_id,
        };
        value.as_deref().map(str::trim).filter(|value| !value.is_empty())
    }
}

/// One version of one mapping. Never changed; a later version with a larger `mapping_id` takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkuMapping {
    pub mapping_id: i64,
    /// `None` maps the key in all stores of the platform.
    pub store: Option<StoreId>,
    pub platform: String,
    pub kind: KeyKind,
    pub key: String,
    /// The company's own SKU.
    pub sku_id: String,
    pub commission_class: String,
    /// `None`: has always been so.
    pub from: Option<DateTime<Utc>>,
}

/// All mappings, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    by_key: HashMap<String, Vec<SkuMapping>>,
}

impl Catalog {
    pub fn new(mappings: impl IntoIterator<Item = SkuMapping>) -> Self {
        let mut by_key: HashMap<String, Vec<SkuMapping>> = HashMap::new();
        for mapping in mappings {
            by_key.entry(mapping.key.clone()).or_default().push(mapping);
        }
        Self { by_key }
    }

    /// A mapping of this very store goes before one of its whole platform, a more specific key before a wider one.
    pub fn resolve(
        &self,
        store: StoreId,
        platform: &str,
        product: &ProductKey,
        at: DateTime<Utc>,
    ) -> Option<&SkuMapping> {
        [Some(store), None].into_iter().find_map(|scope| {
            KeyKind::ALL.into_iter().find_map(|kind| {
                let candidates = self.by_key.get(kind.of(product)?)?;
                candidates
                    .iter()
                    .filter(|m| m.store == scope && m.kind == kind)
                    .filter(|m| m.platform == platform || (platform == DIRECT && kind == KeyKind::Sku))
                    .filter(|m| m.from.is_none_or(|from| from <= at))
                    .max_by_key(|m| (m.from, m.mapping_id))
            })
        })
    }
}

/// How a product without a mapping is named as a cause: the key that a person would map it by.
pub fn cause(product: &ProductKey) -> String {
    [KeyKind::Sku, KeyKind::Variant, KeyKind::Product]
        .into_iter()
        .find_map(|kind| kind.of(product).map(|value| format!("{}:{value}", kind.name())))
        .unwrap_or_else(|| "no product id, no variant id, no SKU".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(
        id: i64,
        store: Option<i32>,
        kind: KeyKind,
        key: &str,
        class: &str,
        from: Option<&str>,
    ) -> SkuMapping {
        SkuMapping {
            mapping_id: id,
            store: store.map(StoreId),
            platform: "shopify".into(),
            kind,
            key: key.into(),
            sku_id: key.into(),
            commission_class: class.into(),
            from: from.map(|text| text.parse().unwrap()),
        }
    }

    fn class(catalog: &Catalog, product: &ProductKey, at: &str) -> Option<String> {
        catalog
            .resolve(StoreId(1), "shopify", product, at.parse().unwrap())
            .map(|m| m.commission_class.clone())
    }

    #[test]
    fn the_store_and_the_specific_key_go_first() {
        let product = ProductKey {
            product_id: Some("10".into()),
            variant_id: Some("11".into()),
            sku: Some(" A1 ".into()),
        };
        let mut mappings = vec![mapping(1, None, KeyKind::Product, "10", "wide", None)];
        let asked = |mappings: &[SkuMapping]| {
            class(&Catalog::new(mappings.to_vec()), &product, "2026-01-01T00:00:00Z")
        };
        assert_eq!(asked(&mappings).as_deref(), Some("wide"));
        mappings.push(mapping(2, None, KeyKind::Sku, "A1", "by-sku", None));
        assert_eq!(asked(&mappings).as_deref(), Some("by-sku"));
        mappings.push(mapping(3, None, KeyKind::Variant, "11", "by-variant", None));
        assert_eq!(asked(&mappings).as_deref(), Some("by-variant"));
        mappings.push(mapping(4, Some(1), KeyKind::Product, "10", "by-store", None));
        assert_eq!(asked(&mappings).as_deref(), Some("by-store"));
        mappings.push(mapping(5, Some(2), KeyKind::Variant, "11", "other store", None));
        assert_eq!(asked(&mappings).as_deref(), Some("by-store"));
    }

    #[test]
    fn direct_orders_find_a_sku_of_any_platform() {
        let product =
            ProductKey { sku: Some("A1".into()), product_id: Some("10".into()), ..ProductKey::default() };
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let catalog = Catalog::new([
            mapping(1, None, KeyKind::Sku, "A1", "x", None),
            mapping(2, None, KeyKind::Product, "10", "y", None),
        ]);
        let found = |platform| catalog.resolve(StoreId(1), platform, &product, at).map(|m| m.mapping_id);
        assert_eq!((found("direct"), found("shopify"), found("magento")), (Some(1), Some(1), None));
    }

    #[test]
    fn the_version_of_the_orders_time_is_used() {
        let product = ProductKey { sku: Some("A1".into()), ..ProductKey::default() };
        let catalog = Catalog::new([
            mapping(1, None, KeyKind::Sku, "A1", "first", None),
            mapping(2, None, KeyKind::Sku, "A1", "second", Some("2026-02-01T00:00:00Z")),
            mapping(3, None, KeyKind::Sku, "A1", "corrected", Some("2026-02-01T00:00:00Z")),
        ]);
        assert_eq!(class(&catalog, &product, "2026-01-31T23:59:59Z").as_deref(), Some("first"));
        assert_eq!(class(&catalog, &product, "2026-02-01T00:00:00Z").as_deref(), Some("corrected"));
        let blank = ProductKey { sku: Some("  ".into()), ..ProductKey::default() };
        assert_eq!(class(&catalog, &blank, "2026-02-01T00:00:00Z"), None);
        assert_eq!(cause(&blank), "no product id, no variant id, no SKU");
        assert_eq!(cause(&product), "sku:A1");
    }
}
