//! Who earns on an order: the store's ordered list of places, the first that names somebody wins.
//!
//! A reference that is unknown, ambiguous, terminated or the buyer's own holds the order; it is never guessed.
//! A discount code is different in one respect: most codes are just discounts, so one that names nobody is no
//! reference at all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ids::DistributorId;
use super::order::{OrderSnapshot, PlaceValue};

/// The place of a manual decision by an admin; goes before everything the payload says.
pub const PLACE_MANUAL: &str = "manual";
const PLACE_DISCOUNT_CODE: &str = "discount_code";
/// The buyer's own account, or whom it is bound to.
pub const PLACE_CUSTOMER: &str = "customer";

/// Who a reference names at the order's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Distributor(DistributorId),
    Terminated(DistributorId),
    /// Known, but enrolled only after the order.
    NotYetEnrolled(DistributorId),
    Nobody,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributed {
    pub distributor: DistributorId,
    /// The place that matched and what stood there.
    pub place: String,
    pub value: String,
    /// The distributor bought it itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribution {
    To(Attributed),
    /// No place names anybody.
    Unattributed,
    Refused(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Unknown(PlaceValue),
    /// One place names several distributors.
    Ambiguous {
        place: String,
        values: Vec<String>,
    },
    Terminated(PlaceValue),
    SelfReferral(PlaceValue),
}

/// What is known of the customer at the order's time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Buyer<'a> {
    /// The distributor that the customer is.
    pub is: Option<&'a DistributorId>,
    /// Whom the customer is bound to.
    pub bound: Option<&'a DistributorId>,
    /// Customers and distributors share one id space, as on the direct API: there a customer's own id names one.
    pub shares_ids: bool,
}

/// `places` is the store's list, `named` looks a reference up as of the order's time.
pub fn attribute(
    order: &OrderSnapshot,
    places: &[String],
    manual: Option<&DistributorId>,
    buyer: Buyer<'_>,
    named: impl Fn(&str) -> Named,
) -> Attribution {
    if let Some(distributor) = manual {
        return Attribution::To(Attributed {
            distributor: distributor.clone(),
            place: PLACE_MANUAL.into(),
            value: distributor.0.clone(),
            own: buyer.is == Some(distributor),
        });
    }
    places.iter().find_map(|place| at_place(order, place, buyer, &named)).unwrap_or(Attribution::Unattributed)
}

/// `None` when the place names nobody, so that the next place is asked.
fn at_place(
    order: &OrderSnapshot,
    place: &str,
    buyer: Buyer<'_>,
    named: &impl Fn(&str) -> Named,
) -> Option<Attribution> {
    if place == PLACE_CUSTOMER {
        return at_customer(order, buyer, named);
    }
    let values = values_at(order, place);
    let mut found: Vec<(&str, Named)> = values.iter().map(|value| (*value, named(value))).collect();
    if place == PLACE_DISCOUNT_CODE {
        found.retain(|(_, who)| *who != Named::Nobody);
    }
    let distinct: BTreeSet<&str> = found.iter().map(|(value, who)| identity(value, who)).collect();
    if distinct.len() > 1 {
        let values = found.iter().map(|(value, _)| (*value).to_owned()).collect();
        return Some(Attribution::Refused(Refusal::Ambiguous { place: place.to_owned(), values }));
    }
    let (value, who) = found.into_iter().next()?;
    let told = PlaceValue { place: place.to_owned(), value: value.to_owned() };
    Some(match who {
        // Whoever buys from their own account buys for themselves; naming oneself as the referrer is another thing.
        Named::Distributor(id) if buyer.is == Some(&id) => Attribution::Refused(Refusal::SelfReferral(told)),
        who => to(who, told, false),
    })
}

/// Whoever is a distributor buys for themselves, all others for whom they are bound to. Most customers are neither.
fn at_customer(
    order: &OrderSnapshot,
    buyer: Buyer<'_>,
    named: &impl Fn(&str) -> Named,
) -> Option<Attribution> {
    let told = |value: &str| PlaceValue { place: PLACE_CUSTOMER.to_owned(), value: value.to_owned() };
    let customer =
        order.customer_id.as_deref().or_else(|| values_at(order, PLACE_CUSTOMER).first().copied())?;
    if let Some(id) = buyer.is.filter(|id| !buyer.shares_ids || id.as_str() != customer) {
        return Some(to(named(id.as_str()), told(customer), true));
    }
    let shared = buyer.shares_ids.then(|| named(customer));
    match (shared, buyer.bound) {
        (None, None) => None,
        (None | Some(Named::Nobody), Some(id)) => Some(to(named(id.as_str()), told(customer), false)),
        (Some(who), _) => {
            let own = matches!(&who, Named::Distributor(id) if buyer.is == Some(id));
            Some(to(who, told(customer), own))
        }
    }
}

fn to(who: Named, told: PlaceValue, own: bool) -> Attribution {
    match who {
        Named::Distributor(distributor) => {
            Attribution::To(Attributed { distributor, place: told.place, value: told.value, own })
        }
        Named::Terminated(_) => Attribution::Refused(Refusal::Terminated(told)),
        Named::NotYetEnrolled(_) | Named::Nobody => Attribution::Refused(Refusal::Unknown(told)),
    }
}

/// Two spellings of one distributor are no ambiguity; two unknown references are.
fn identity<'a>(value: &'a str, who: &'a Named) -> &'a str {
    match who {
        Named::Distributor(id) | Named::Terminated(id) | Named::NotYetEnrolled(id) => id.as_str(),
        Named::Nobody => value,
    }
}

fn values_at<'a>(order: &'a OrderSnapshot, place: &str) -> BTreeSet<&'a str> {
    let of_lines = order.lines.iter().flat_map(|line| &line.places);
    order
        .places
        .iter()
        .chain(of_lines)
        .filter(|told| told.place.eq_ignore_ascii_case(place))
        .map(|told| told.value.trim())
        .filter(|value| !value.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::net::tests::{line, order};

    fn told(place: &str, value: &str) -> PlaceValue {
        PlaceValue { place: place.into(), value: value.into() }
    }

    fn named(value: &str) -> Named {
        match value {
            "11043" | "ANNA" => Named::Distributor(DistributorId::new("11043")),
            "10090" => Named::Distributor(DistributorId::new("10090")),
            "9" => Named::Terminated(DistributorId::new("9")),
            _ => Named::Nobody,
        }
    }

    fn ask(places: &[PlaceValue], list: &[&str]) -> Attribution {
        let mut order = order(vec![line("1", "10", "0", "0")], "10");
        order.places = places.to_vec();
        let list: Vec<String> = list.iter().map(|s| (*s).to_owned()).collect();
        let is = DistributorId::new("10090");
        attribute(&order, &list, None, Buyer { is: Some(&is), ..Buyer::default() }, named)
    }

    #[test]
    fn the_first_place_that_names_somebody_wins() {
        let places = [told("landing_url:ref", "10090"), told("note_attribute:ref", "11043")];
        let Attribution::To(to) = ask(&places, &["note_attribute:ref", "landing_url:ref"]) else { panic!() };
        assert_eq!((to.distributor.as_str(), to.place.as_str()), ("11043", "note_attribute:ref"));
        assert_eq!(ask(&places, &["order_meta:x"]), Attribution::Unattributed);
    }

    #[test]
    fn a_discount_code_that_is_nobodys_is_only_a_discount() {
        let places = [told("discount_code", "SUMMER10"), told("note_attribute:ref", "11043")];
        assert!(matches!(ask(&places, &["discount_code", "note_attribute:ref"]), Attribution::To(_)));
        assert!(matches!(ask(&[told("discount_code", "ANNA")], &["discount_code"]), Attribution::To(_)));
    }

    #[test]
    fn doubtful_references_are_refused() {
        let list = ["note_attribute:ref", "discount_code"];
        let refused = |places: &[PlaceValue]| match ask(places, &list) {
            Attribution::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        };
        let at = |value| told("note_attribute:ref", value);
        assert_eq!(refused(&[at("gone")]), Refusal::Unknown(at("gone")));
        assert_eq!(refused(&[at("9")]), Refusal::Terminated(at("9")));
        assert_eq!(refused(&[at("10090")]), Refusal::SelfReferral(at("10090")));
        assert!(matches!(refused(&[at("11043"), at("9")]), Refusal::Ambiguous { .. }));
        assert!(matches!(ask(&[at("11043"), at("ANNA")], &list), Attribution::To(_)));
    }

    #[test]
    fn a_customer_buys_for_itself_or_for_whom_it_is_bound_to() {
        let mut order = order(vec![line("1", "10", "0", "0")], "10");
        order.customer_id = Some("9".into());
        let list = ["note_attribute:ref".to_owned(), PLACE_CUSTOMER.to_owned()];
        let (anna, ben) = (DistributorId::new("11043"), DistributorId::new("10090"));
        let ask = |is, bound| attribute(&order, &list, None, Buyer { is, bound, shares_ids: false }, named);
        let found = |attribution| match attribution {
            Attribution::To(to) => (to.distributor.0, to.own),
            other => panic!("{other:?}"),
        };
        assert_eq!(found(ask(None, Some(&anna))), ("11043".to_owned(), false));
        assert_eq!(found(ask(Some(&ben), Some(&anna))), ("10090".to_owned(), true));
        // A number that happens to be a distributor's says nothing: these are the store's own ids.
        assert_eq!(ask(None, None), Attribution::Unattributed);
        let gone = DistributorId::new("9");
        assert!(matches!(ask(None, Some(&gone)), Attribution::Refused(Refusal::Terminated(_))));
    }
}
