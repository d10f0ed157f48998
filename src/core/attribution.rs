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
const PLACE_CUSTOMER: &str = "customer";

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

/// `places` is the store's list, `named` looks a reference up as of the order's time. `buyer` is the distributor
/// that the customer is known to be, if any.
pub fn attribute(
    order: &OrderSnapshot,
    places: &[String],
    manual: Option<&DistributorId>,
    buyer: Option<&DistributorId>,
    named: impl Fn(&str) -> Named,
) -> Attribution {
    if let Some(distributor) = manual {
        return Attribution::To(Attributed {
            distributor: distributor.clone(),
            place: PLACE_MANUAL.into(),
            value: distributor.0.clone(),
            own: buyer == Some(distributor),
        });
    }
    places.iter().find_map(|place| at_place(order, place, buyer, &named)).unwrap_or(Attribution::Unattributed)
}

/// `None` when the place names nobody, so that the next place is asked.
fn at_place(
    order: &OrderSnapshot,
    place: &str,
    buyer: Option<&DistributorId>,
    named: &impl Fn(&str) -> Named,
) -> Option<Attribution> {
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
        Named::Distributor(id) if buyer == Some(&id) && place != PLACE_CUSTOMER => {
            Attribution::Refused(Refusal::SelfReferral(told))
        }
        Named::Distributor(distributor) => {
            let own = buyer == Some(&distributor);
            Attribution::To(Attributed { distributor, place: told.place, value: told.value, own })
        }
        Named::Terminated(_) => Attribution::Refused(Refusal::Terminated(told)),
        Named::NotYetEnrolled(_) | Named::Nobody => Attribution::Refused(Refusal::Unknown(told)),
    })
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
        attribute(&order, &list, None, Some(&DistributorId::new("10090")), named)
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
}
