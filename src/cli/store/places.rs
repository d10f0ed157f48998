//! The places where a store may name a distributor, as they are written in a store's attribution list.

use crate::stores::{is_place, known_places};

pub const HELP: &str = "Places of attribution, first match wins:
  distributor_ref            an order of POST /api/mlm/orders names the distributor itself
  order_meta:KEY             WooCommerce order meta, Magento extension attribute
  note_attribute:KEY         Shopify cart attribute
  line_property:KEY          a property of a line
  discount_code              the coupon, if it is a distributor's code
  landing_url:PARAMETER      ?PARAMETER= of the first page; referring_url:PARAMETER of the page before
  customer                   the distributor that the customer is; order_tag, customer_tag: a Shopify tag
  referrer_id                as in the short shape of POST /api/mlm/orders";

/// For the command line: the place, or what is wrong with it.
pub fn parse(text: &str) -> Result<String, String> {
    let place = text.trim();
    if is_place(place) { Ok(place.to_owned()) } else { Err(format!("use {}", known_places())) }
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
    }
}
