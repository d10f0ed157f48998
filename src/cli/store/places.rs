//! The places where a store may name a distributor, as they are written in a store's attribution list.

use crate::stores::Platform;
use crate::web::api::orders::DIRECT_PLACES;

/// Followed by a colon and a name.
const NAMED: [&str; 5] = ["order_meta", "note_attribute", "line_property", "landing_url", "referring_url"];
const PLAIN: [&str; 6] =
    ["discount_code", "customer", "order_tag", "customer_tag", "distributor_ref", "referrer_id"];

pub const HELP: &str = "Places of attribution, first match wins:
  distributor_ref            an order of POST /api/mlm/orders names the distributor itself
  order_meta:KEY             WooCommerce order meta, Magento extension attribute
  note_attribute:KEY         Shopify cart attribute
  line_property:KEY          a property of a line
  discount_code              the coupon, if it is a distributor's code
  landing_url:PARAMETER      ?PARAMETER= of the first page; referring_url:PARAMETER of the page before
  customer                   the distributor that the customer is
  order_tag, customer_tag    Shopify tags
  referrer_id                as in the short shape of POST /api/mlm/orders";

/// For the command line: the place, or what is wrong with it.
pub fn parse(text: &str) -> Result<String, String> {
    let place = text.trim();
    let known = match place.split_once(':') {
        Some((kind, name)) => NAMED.contains(&kind) && !name.trim().is_empty(),
        None => PLAIN.contains(&place),
    };
    match known {
        true => Ok(place.to_owned()),
        false => Err(format!("use {}:NAME, {}", NAMED.join(":NAME, "), PLAIN.join(", "))),
    }
}

/// Where each platform's shops usually keep the distributor.
pub fn usual(platform: Platform) -> Vec<String> {
    let places: &[&str] = match platform {
        Platform::Shopify => &["note_attribute:ref", "line_property:ref", "discount_code", "landing_url:ref"],
        Platform::WooCommerce => &["order_meta:distributor_code", "discount_code", "landing_url:ref"],
        Platform::Magento => &["order_meta:distributor_code", "discount_code"],
        Platform::Direct => &DIRECT_PLACES,
    };
    places.iter().map(|place| (*place).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::attribution::PLACE_MANUAL;

    #[test]
    fn places_are_checked_by_name() {
        for place in
            ["order_meta:distributor_code", " discount_code ", "landing_url:ref", "customer", "referrer_id"]
        {
            assert_eq!(parse(place).unwrap(), place.trim());
        }
        let wrong =
            ["", "order_meta", "order_meta:", "coupon", "cookie:ref", "discount_code:x", PLACE_MANUAL];
        for place in wrong {
            assert!(parse(place).unwrap_err().contains("order_meta:NAME"), "{place}");
        }
        for platform in Platform::ALL {
            assert!(usual(platform).iter().all(|place| parse(place).is_ok()));
        }
    }
}
