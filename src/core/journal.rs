//! Double entry: balanced by construction, sealed by a digest.
//!
//! An entry that does not balance cannot be made. Its digest covers the entry, its postings and the evidence it
//! rests on, so that a changed byte is found by computing the digest again.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ids::{DistributorId, EventId};
use super::money::Currency;

/// The chart of accounts. Numbers as in the table `accounts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What distributors have earned and not been paid; by distributor.
    CommissionPayable,
    /// Pool shares that nobody qualified for.
    Breakage,
    CommissionExpense,
    Rounding,
}

impl Account {
    pub const ALL: [Self; 4] =
        [Self::CommissionPayable, Self::Breakage, Self::CommissionExpense, Self::Rounding];

    pub fn number(self) -> i16 {
        match self {
            Self::CommissionPayable => 2100,
            Self::Breakage => 4900,
            Self::CommissionExpense => 5100,
            Self::Rounding => 5190,
        }
    }

    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.number() == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::CommissionPayable => "commission_payable",
            Self::Breakage => "breakage",
            Self::CommissionExpense => "commission_expense",
            Self::Rounding => "rounding",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    pub account: Account,
    /// On distributor accounts.
    pub distributor: Option<DistributorId>,
    /// Debit positive, credit negative, at the currency's scale.
    pub amount: Decimal,
    /// The commission event that the posting carries out.
    pub event: Option<EventId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// The order or the run that the entry belongs to; `(source, number)` is the entry's unique reference.
    source: Uuid,
    number: i32,
    kind: EntryKind,
    currency: Currency,
    posted_at: DateTime<Utc>,
    postings: Vec<Posting>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// What an order's calculation changed.
    Commission,
    /// What the close of a period pays.
    Period,
    /// What later facts change of a closed period.
    Adjustment,
}

impl EntryKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Commission => "commission",
            Self::Period => "period",
            Self::Adjustment => "adjustment",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Commission, Self::Period, Self::Adjustment].into_iter().find(|kind| kind.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("journal entry {number} of {origin} does not balance: its postings sum to {sum}")]
pub struct Unbalanced {
    pub origin: Uuid,
    pub number: i32,
    pub sum: Decimal,
}

impl JournalEntry {
    /// Postings of zero are left out; the rest has to sum to zero.
    pub fn new(
        source: Uuid,
        number: i32,
        kind: EntryKind,
        currency: Currency,
        posted_at: DateTime<Utc>,
        postings: impl IntoIterator<Item = Posting>,
    ) -> Result<Self, Unbalanced> {
        let postings: Vec<Posting> =
            postings.into_iter().filter(|posting| !posting.amount.is_zero()).collect();
        let sum: Decimal = postings.iter().map(|posting| posting.amount).sum();
        if !sum.is_zero() {
            return Err(Unbalanced { origin: source, number, sum });
        }
        Ok(Self { source, number, kind, currency, posted_at, postings })
    }

    pub fn source(&self) -> Uuid {
        self.source
    }

    pub fn number(&self) -> i32 {
        self.number
    }

    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn posted_at(&self) -> DateTime<Utc> {
        self.posted_at
    }

    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// `evidence` is the [`Seal`] of what the entry rests on.
    pub fn digest(&self, evidence: &[u8; 32]) -> [u8; 32] {
        let mut seal = Seal::default();
        seal.bytes(self.source.as_bytes());
        seal.integer(i64::from(self.number));
        seal.text(self.kind.name());
        seal.text(self.currency.code());
        seal.integer(self.posted_at.timestamp_micros());
        for posting in &self.postings {
            seal.integer(i64::from(posting.account.number()));
            seal.text(posting.distributor.as_ref().map_or("", DistributorId::as_str));
            seal.decimal(posting.amount);
            seal.bytes(
                posting.event.map(|event| event.0).as_ref().map_or(&[], |id| id.as_bytes().as_slice()),
            );
        }
        seal.bytes(evidence);
        seal.finish()
    }
}

/// SHA-256 over length-prefixed fields: no two different sequences of fields give the same bytes.
#[derive(Default)]
pub struct Seal(Sha256);

impl Seal {
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(bytes);
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub fn integer(&mut self, value: i64) {
        self.bytes(&value.to_be_bytes());
    }

    /// By value: 1.50 and 1.5 seal alike.
    pub fn decimal(&mut self, value: Decimal) {
        self.text(&value.normalize().to_string());
    }

    /// By meaning: neither key order nor spacing counts.
    pub fn json(&mut self, value: &Value) {
        match value {
            Value::Null => self.text("null"),
            Value::Bool(flag) => self.text(if *flag { "true" } else { "false" }),
            Value::Number(number) => self.text(&number.to_string()),
            Value::String(text) => {
                self.text("text");
                self.text(text);
            }
            Value::Array(items) => {
                self.text("array");
                self.integer(i64::try_from(items.len()).unwrap_or(i64::MAX));
                items.iter().for_each(|item| self.json(item));
            }
            Value::Object(fields) => {
                let mut keys: Vec<&String> = fields.keys().collect();
                keys.sort();
                self.text("object");
                self.integer(i64::try_from(keys.len()).unwrap_or(i64::MAX));
                for key in keys {
                    self.text(key);
                    self.json(fields.get(key).unwrap_or(&Value::Null));
                }
            }
        }
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posting(account: Account, amount: &str) -> Posting {
        Posting { account, distributor: None, amount: amount.parse().unwrap(), event: None }
    }

    fn entry(postings: Vec<Posting>) -> Result<JournalEntry, Unbalanced> {
        let at = "2026-08-28T08:11:04Z".parse().unwrap();
        JournalEntry::new(
            Uuid::nil(),
            1,
            EntryKind::Commission,
            Currency::parse("USD").unwrap(),
            at,
            postings,
        )
    }

    #[test]
    fn only_balanced_entries_exist() {
        let off =
            entry(vec![posting(Account::CommissionExpense, "10.00"), posting(Account::Breakage, "-9.99")]);
        assert_eq!(off.unwrap_err().sum, "0.01".parse().unwrap());
        let zero = entry(vec![posting(Account::Rounding, "0"), posting(Account::Breakage, "0.00")]).unwrap();
        assert!(zero.postings().is_empty());
    }

    #[test]
    fn every_field_is_sealed() {
        let base = || {
            vec![posting(Account::CommissionExpense, "10.00"), posting(Account::CommissionPayable, "-10.00")]
        };
        let digest = |postings, evidence: u8| entry(postings).unwrap().digest(&[evidence; 32]);
        let sealed = digest(base(), 0);
        assert_eq!(sealed, digest(base(), 0));
        assert_ne!(sealed, digest(base(), 1));
        let mut other = base();
        other[1].distributor = Some(DistributorId::new("1"));
        assert_ne!(sealed, digest(other, 0));
        let mut more = base();
        more[0].amount += Decimal::ONE;
        more[1].amount -= Decimal::ONE;
        assert_ne!(sealed, digest(more, 0));
    }

    #[test]
    fn json_is_sealed_by_meaning() {
        let seal = |text: &str| {
            let mut seal = Seal::default();
            seal.json(&serde_json::from_str(text).unwrap());
            seal.finish()
        };
        assert_eq!(seal(r#"{"a":1,"b":[true,null]}"#), seal(r#"{ "b": [true, null], "a": 1 }"#));
        assert_ne!(seal(r#"{"a":"1"}"#), seal(r#"{"a":1}"#));
        assert_ne!(seal(r#"[["a"],"b"]"#), seal(r#"[["a","b"]]"#));
    }
}
