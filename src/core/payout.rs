//! A payout: what is due to one payee on one rail, and how far it is.
//!
//! An item's id is its end-to-end reference: the bank repeats it in every answer, so an answer finds its item and
//! nothing else does. [`ItemStatus`] is a machine with few arrows; whatever is unknown is never sent again.

pub mod answers;
pub mod choice;
pub mod steps;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::DistributorId;
use super::money::{Currency, Money};
use super::payee::Payee;

/// How money leaves: each rail is a file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    /// NACHA file: CCD to companies, PPD to people. US dollars.
    Nacha,
    /// pain.001.001.09. Euro.
    Sepa,
    Paypal,
    Wise,
    /// Plain CSV for anything else.
    Csv,
}

impl Rail {
    pub const ALL: [Self; 5] = [Self::Nacha, Self::Sepa, Self::Paypal, Self::Wise, Self::Csv];

    pub fn name(self) -> &'static str {
        match self {
            Self::Nacha => "nacha",
            Self::Sepa => "sepa",
            Self::Paypal => "paypal",
            Self::Wise => "wise",
            Self::Csv => "csv",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rail| rail.name() == name)
    }
}

/// The item's id in base 36: 25 capital letters and digits, which every format with room for it carries
/// unchanged; NACHA has 15 signs and takes [`Payment::short_reference`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EndToEnd(String);

impl EndToEnd {
    const SIGNS: &'static [u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const LENGTH: usize = 25;

    pub fn of(item: Uuid) -> Self {
        let (mut rest, mut signs) = (item.as_u128(), vec![]);
        while signs.len() < Self::LENGTH {
            let at = usize::try_from(rest % 36).unwrap_or(0);
            signs.push(Self::SIGNS.get(at).copied().map_or('0', char::from));
            rest /= 36;
        }
        Self(signs.into_iter().rev().collect())
    }

    /// The item, if the text is a reference of ours.
    pub fn item(text: &str) -> Option<Uuid> {
        let text = text.trim();
        if text.len() != Self::LENGTH {
            return None;
        }
        let value = text
            .chars()
            .try_fold(0u128, |sum, sign| sum.checked_mul(36)?.checked_add(u128::from(sign.to_digit(36)?)));
        value.map(Uuid::from_u128)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for EndToEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a bank names a payment in its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// By [`EndToEnd`].
    Item(Uuid),
    /// By [`Payment::short_reference`].
    Number(i64),
    /// By nothing of ours.
    Foreign(String),
}

impl Reference {
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        if let Some(item) = EndToEnd::item(text) {
            return Self::Item(item);
        }
        let digits = text.strip_prefix('U').filter(|digits| digits.len() == 14);
        let number = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        match number.and_then(|digits| digits.parse().ok()) {
            Some(number) => Self::Number(number),
            None => Self::Foreign(text.to_owned()),
        }
    }
}

/// One payment of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub item: Uuid,
    /// Dense over all batches.
    pub number: i64,
    pub distributor: DistributorId,
    pub payee: Payee,
    /// What leaves: after fee and withholding.
    pub amount: Money,
}

impl Payment {
    pub fn end_to_end(&self) -> EndToEnd {
        EndToEnd::of(self.item)
    }

    /// 15 signs, for formats with no room for the other one: `U00000000000042`.
    pub fn short_reference(&self) -> String {
        format!("U{:014}", self.number)
    }
}

/// Whose account is debited, as the bank has told the company. Each rail takes what it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Originator {
    pub name: String,
    /// NACHA: the bank's routing number (origin and destination), the company's account and its identification.
    #[serde(default)]
    pub routing_number: Option<String>,
    #[serde(default)]
    pub account_number: Option<String>,
    /// NACHA: ten signs, given by the bank, often `1` and the EIN.
    #[serde(default)]
    pub company_id: Option<String>,
    /// NACHA: name of the bank that takes the file.
    #[serde(default)]
    pub bank_name: Option<String>,
    /// SEPA.
    #[serde(default)]
    pub iban: Option<String>,
    #[serde(default)]
    pub bic: Option<String>,
}

/// Everything a file is made of. The same values always give the same bytes: the times are the batch's, not the
/// moment of writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFile {
    pub batch: Uuid,
    /// Dense number of the batch, for people.
    pub batch_no: i32,
    pub rail: Rail,
    pub originator: Originator,
    pub currency: Currency,
    /// When the batch was approved.
    pub created_at: DateTime<Utc>,
    /// When the money should arrive.
    pub value_date: NaiveDate,
    /// What the payee reads, such as `Commission 2026-10`.
    pub purpose: String,
    /// By item id.
    pub payments: Vec<Payment>,
}

/// How far one item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    Prepared,
    /// Taken out before anything left.
    Cancelled,
    Approved,
    /// In a file that somebody has; whether the bank has it is not known.
    Exported,
    /// The bank has taken it.
    Sent,
    Confirmed,
    /// The bank refused it or sent it back.
    Returned,
    /// Nobody can say; waits for a person, is never sent again.
    Unknown,
}

impl ItemStatus {
    pub const ALL: [Self; 8] = [
        Self::Prepared,
        Self::Cancelled,
        Self::Approved,
        Self::Exported,
        Self::Sent,
        Self::Confirmed,
        Self::Returned,
        Self::Unknown,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Cancelled => "cancelled",
            Self::Approved => "approved",
            Self::Exported => "exported",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Returned => "returned",
            Self::Unknown => "unknown",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The arrows. A confirmed item may still come back: banks return for days. One that came back is final: what is
    /// due again is an item of its own.
    pub fn may_become(self, next: Self) -> bool {
        use ItemStatus::{Approved, Cancelled, Confirmed, Exported, Prepared, Returned, Sent, Unknown};
        match self {
            Prepared => matches!(next, Approved | Cancelled),
            Approved => matches!(next, Exported | Cancelled),
            Exported => matches!(next, Sent | Confirmed | Returned | Unknown),
            Sent => matches!(next, Confirmed | Returned | Unknown),
            Unknown => matches!(next, Sent | Confirmed | Returned),
            Confirmed => next == Returned,
            Returned | Cancelled => false,
        }
    }

    /// Its money is neither back nor surely gone.
    pub fn is_live(self) -> bool {
        !matches!(self, Self::Cancelled | Self::Returned | Self::Confirmed)
    }
}

/// What a file of a bank says of one payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub about: Reference,
    pub says: Says,
    pub amount: Option<Decimal>,
    pub currency: Option<String>,
    /// The bank's code, such as R03 or AC04.
    pub code: Option<String>,
    /// In words, from the code's published list or the bank's own text.
    pub reason: Option<String>,
    pub on: Option<NaiveDate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// The bank has it and will do it.
    Accepted,
    /// The money has left.
    Booked,
    /// It was refused, or came back.
    Returned,
    /// Neither yes nor no.
    Pending,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_leads_back_to_its_item() {
        for item in [Uuid::nil(), Uuid::max(), Uuid::from_u128(0x0199_0c1e_5a4f_7b2c_9d3e_0a1b_2c3d_4e5f)] {
            let reference = EndToEnd::of(item);
            assert_eq!(reference.as_str().len(), 25);
            assert_eq!(EndToEnd::item(reference.as_str()), Some(item));
        }
        for none in ["", "NOTPROVIDED", "ZZZZZZZZZZZZZZZZZZZZZZZZZ", "0000000000000000000000-00"] {
            assert_eq!(EndToEnd::item(none), None, "{none}");
        }
    }

    #[test]
    fn references_are_told_apart() {
        let item = Uuid::from_u128(42);
        assert_eq!(Reference::read(EndToEnd::of(item).as_str()), Reference::Item(item));
        assert_eq!(Reference::read("U00000000000042 "), Reference::Number(42));
        assert_eq!(Reference::read("INVOICE 7"), Reference::Foreign("INVOICE 7".into()));
    }

    #[test]
    fn what_came_back_is_never_sent_again() {
        for next in ItemStatus::ALL {
            assert!(!ItemStatus::Returned.may_become(next) && !ItemStatus::Cancelled.may_become(next));
            assert!(!next.may_become(ItemStatus::Prepared), "{next:?}");
        }
        assert!(!ItemStatus::Unknown.may_become(ItemStatus::Exported));
        for status in ItemStatus::ALL {
            assert_eq!(ItemStatus::parse(status.name()), Some(status));
        }
    }
}
