//! What an answer of a bank makes of the item that it is about. What does not fit goes to a person; nothing is
//! guessed.

use rust_decimal::Decimal;

use super::{Answer, ItemStatus, Says};
use crate::core::money::Currency;

/// An item as an answer finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub status: ItemStatus,
    pub net: Decimal,
    pub currency: Currency,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Becomes(ItemStatus),
    /// The same, or less, was known before.
    Known,
    /// Says why somebody has to look.
    Person(&'static str),
}

pub const NOT_OURS: &str = "it names no payout of ours";
const NEVER_LEFT: &str = "the payout has never left in a file";
const OTHER_AMOUNT: &str = "the amount is not the one that was sent";
const OTHER_CURRENCY: &str = "the currency is not the one that was sent";
const DISPUTED: &str = "the payout came back before and is due again; the bank is not sure of that any more";
const TWICE: &str = "the bank refuses it because it has it already; whatever it has stays on its way";
const CAME_BACK: &str = "the payout came back before and is closed; it says the money has left";

/// Codes of ISO 20022 for a file or a payment that came a second time.
const DUPLICATES: [&str; 4] = ["AM05", "DUPL", "DU01", "DU02"];

/// By the arrows of an item. An answer that is older than what is known changes nothing.
pub fn take(answer: &Answer, item: Asked) -> Taken {
    use ItemStatus::{Approved, Cancelled, Confirmed, Exported, Prepared, Returned, Sent, Unknown};
    if matches!(item.status, Prepared | Approved | Cancelled) {
        return Taken::Person(NEVER_LEFT);
    }
    if answer.amount.is_some_and(|amount| amount.abs() != item.net) {
        return Taken::Person(OTHER_AMOUNT);
    }
    let code = answer.currency.as_deref().map(str::trim);
    if code.is_some_and(|code| !code.eq_ignore_ascii_case(item.currency.code())) {
        return Taken::Person(OTHER_CURRENCY);
    }
    let duplicate = answer.code.as_deref().is_some_and(|code| DUPLICATES.contains(&code.trim()));
    match (answer.says, item.status) {
        // What was uploaded twice was taken once.
        (Says::Returned, Exported | Sent | Unknown | Confirmed) if duplicate => Taken::Person(TWICE),
        (Says::Booked, Returned) => Taken::Person(CAME_BACK),
        (Says::Pending, Returned) => Taken::Person(DISPUTED),
        (Says::Accepted, Exported | Unknown) => Taken::Becomes(Sent),
        (Says::Booked, Exported | Sent | Unknown) => Taken::Becomes(Confirmed),
        (Says::Returned, Exported | Sent | Unknown | Confirmed) => Taken::Becomes(Returned),
        (Says::Pending, Exported | Sent) => Taken::Becomes(Unknown),
        _ => Taken::Known,
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::super::Reference;
    use super::*;

    const ALL: [Says; 4] = [Says::Accepted, Says::Booked, Says::Returned, Says::Pending];

    fn answer(says: Says) -> Answer {
        let about = Reference::Number(1);
        Answer { about, says, amount: None, currency: None, code: None, reason: None, on: None }
    }

    fn item(status: ItemStatus) -> Asked {
        Asked { status, net: dec!(75.50), currency: Currency::parse("USD").unwrap() }
    }

    #[test]
    fn what_was_uploaded_twice_does_not_come_back() {
        let refused = Answer { code: Some("DUPL".to_owned()), ..answer(Says::Returned) };
        for status in [ItemStatus::Exported, ItemStatus::Sent, ItemStatus::Confirmed] {
            assert_eq!(take(&refused, item(status)), Taken::Person(TWICE), "{status:?}");
        }
    }

    #[test]
    fn an_answer_only_goes_along_arrows_and_twice_is_once() {
        for status in ItemStatus::ALL {
            for says in ALL {
                if let Taken::Becomes(next) = take(&answer(says), item(status)) {
                    assert!(status.may_become(next), "{says:?} of {status:?}");
                    assert_eq!(take(&answer(says), item(next)), Taken::Known, "{says:?} of {status:?}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_goes_to_a_person() {
        let sent = item(ItemStatus::Sent);
        let person = |answer: Answer, item| matches!(take(&answer, item), Taken::Person(_));
        assert!(person(Answer { amount: Some(dec!(75.49)), ..answer(Says::Booked) }, sent));
        assert!(person(Answer { currency: Some("EUR".into()), ..answer(Says::Booked) }, sent));
        for status in [ItemStatus::Prepared, ItemStatus::Approved, ItemStatus::Cancelled] {
            assert!(ALL.into_iter().all(|says| person(answer(says), item(status))));
        }
        assert!(person(answer(Says::Booked), item(ItemStatus::Returned)));
        assert!(person(answer(Says::Pending), item(ItemStatus::Returned)));
        let fits =
            Answer { amount: Some(dec!(-75.5)), currency: Some("usd ".into()), ..answer(Says::Booked) };
        assert_eq!(take(&fits, sent), Taken::Becomes(ItemStatus::Confirmed));
    }

    #[test]
    fn news_that_is_old_changes_nothing() {
        for (says, status) in [
            (Says::Accepted, ItemStatus::Confirmed),
            (Says::Pending, ItemStatus::Confirmed),
            (Says::Accepted, ItemStatus::Returned),
            (Says::Pending, ItemStatus::Unknown),
        ] {
            assert_eq!(take(&answer(says), item(status)), Taken::Known);
        }
    }
}
