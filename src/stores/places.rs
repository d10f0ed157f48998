//! Where a store's payload may name a distributor, collected under the names that a store's attribution list uses.
//!
//! [`Places`] is filled by the platforms' parsers; values that cannot be a reference (too long, an address) are
//! left out, so that a snapshot carries no more of a customer than it needs. The functions
//! serve whoever writes an attribution list.

use url::Url;

use super::Platform;
use crate::core::order::PlaceValue;

const NAMED: [&str; 5] = ["note_attribute", "line_property", "order_meta", "landing_url", "referring_url"];
const PLAIN: [&str; 6] =
    ["discount_code", "customer", "order_tag", "customer_tag", "distributor_ref", "referrer_id"];

/// Whether a payload can name somebody there: `discount_code`, `order_meta:KEY` and their like.
pub fn is_place(place: &str) -> bool {
    match place.split_once(':') {
        Some((kind, key)) => NAMED.contains(&kind) && !key.trim().is_empty(),
        None => PLAIN.contains(&place),
    }
}

/// Whether a customer's record can name somebody there: `customer_tag`, `customer_meta:KEY`.
pub fn is_customer_place(place: &str) -> bool {
    let key = place.strip_prefix("customer_meta:");
    place == "customer_tag" || key.is_some_and(|key| !key.trim().is_empty())
}

/// All of them, for whoever wrote another.
pub fn known_places() -> String {
    format!("{}:NAME, {}", NAMED.join(":NAME, "), PLAIN.join(", "))
}

/// Where each platform's shops usually keep the distributor, in this order.
pub fn usual_places(platform: Platform) -> Vec<String> {
    let places: &[&str] = match platform {
        Platform::Shopify => &["note_attribute:ref", "line_property:ref", "discount_code", "landing_url:ref"],
        Platform::WooCommerce => &["order_meta:distributor_code", "discount_code", "landing_url:ref"],
        Platform::Magento => &["order_meta:distributor_code", "discount_code"],
        Platform::Direct => &["distributor_ref", "referrer_id"],
    };
    places.iter().map(|place| (*place).to_owned()).collect()
}

/// No distributor code is longer; gift messages are.
const LONGEST: usize = 200;

#[derive(Debug, Default)]
pub struct Places(Vec<PlaceValue>);

impl Places {
    pub fn add(&mut self, place: impl Into<String>, value: Option<String>) {
        let Some(value) = value else { return };
        let value = value.trim();
        if value.is_empty() || value.chars().count() > LONGEST {
            return;
        }
        let found = PlaceValue { place: place.into(), value: value.to_owned() };
        if !self.0.contains(&found) {
            self.0.push(found);
        }
    }

    /// `kind:name`, for attributes, properties and metadata.
    pub fn named(&mut self, kind: &str, name: Option<String>, value: Option<String>) {
        if let Some(name) = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) {
            self.add(format!("{kind}:{name}"), value);
        }
    }

    /// Every query parameter of `address`, which may be absolute or only a path, as `kind:parameter`.
    pub fn query(&mut self, kind: &str, address: Option<String>) {
        let Some(address) = address else { return };
        let Ok(url) = Url::parse("https://store.invalid/").and_then(|base| base.join(address.trim())) else {
            return;
        };
        for (name, value) in url.query_pairs() {
            self.named(kind, Some(name.into_owned()), Some(value.into_owned()));
        }
    }

    pub fn has(&self, place: &str) -> bool {
        self.0.iter().any(|known| known.place == place)
    }

    pub fn into_inner(self) -> Vec<PlaceValue> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_parameters_of_paths_and_addresses() {
        let mut places = Places::default();
        places.query("landing_url", Some("/products/x?ref=D%2D1&utm_source=a+b".to_owned()));
        places.query("landing_url", Some("http://shop.example/?ref=D-1&r=2#frag".to_owned()));
        places.query("landing_url", Some("not a url at all".to_owned()));
        places.query("landing_url", Some("//".to_owned()));
        let found: Vec<_> = places.into_inner().into_iter().map(|p| (p.place, p.value)).collect();
        let wanted = [("landing_url:ref", "D-1"), ("landing_url:utm_source", "a b"), ("landing_url:r", "2")];
        assert_eq!(found, wanted.map(|(place, value)| (place.to_owned(), value.to_owned())));
    }

    #[test]
    fn places_are_known_by_name() {
        for place in ["order_meta:distributor_code", "discount_code", "landing_url:ref", "customer"] {
            assert!(is_place(place), "{place}");
        }
        for place in ["", "order_meta", "order_meta:", "coupon", "manual", "cookie:ref", "discount_code:x"] {
            assert!(!is_place(place), "{place}");
        }
        for platform in Platform::ALL {
            assert!(usual_places(platform).iter().all(|place| is_place(place)), "{platform}");
        }
    }

    #[test]
    fn blanks_and_essays_are_no_references() {
        let mut places = Places::default();
        places.add("note_attribute:ref", Some("  ".to_owned()));
        places.add("note_attribute:message", Some("x".repeat(201)));
        places.named("order_meta", Some(" ".to_owned()), Some("D-1".to_owned()));
        assert!(places.into_inner().is_empty());
    }
}
