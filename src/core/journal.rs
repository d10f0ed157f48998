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

/// The chart of accounts. Numbers and names as in the table `accounts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Money that has left for distributors.
    Bank,
    /// What distributors owe: refunds after they were paid; by distributor.
    ClawbackReceivable,
    /// What distributors have earned and not been paid; by distributor.
    CommissionPayable,
    /// Earned, and held back until a date; by distributor.
    Holdback,
    /// Payouts on their way; by distributor.
    PayoutClearing,
    /// Tax withheld; by distributor.
    Withholding,
    /// Kept for pools that pay later.
    PoolReserve,
    /// Not explained yet.
    Suspense,
    /// Between two currencies: its sum over both at the recorded rate is zero.
    Conversion,
    /// Fees of payouts, kept from distributors.
    Fees,
    /// Pool shares that nobody qualified for.
    Breakage,
    CommissionExpense,
    /// Given up: what distributors will not pay back.
    WriteOff,
    Rounding,
    /// Adjustments by hand.
    AdjustmentExpense,
}

const ACCOUNTS: [(Account, i16, &str); 15] = [
    (Account::Bank, 1000, "bank"),
    (Account::ClawbackReceivable, 1200, "clawback_receivable"),
    (Account::CommissionPayable, 2100, "commission_payable"),
    (Account::Holdback, 2110, "holdback"),
    (Account::PayoutClearing, 2120, "payout_clearing"),
    (Account::Withholding, 2130, "withholding"),
    (Account::PoolReserve, 2140, "pool_reserve"),
    (Account::Suspense, 2190, "suspense"),
    (Account::Conversion, 2900, "conversion"),
    (Account::Fees, 4200, "fees"),
    (Account::Breakage, 4900, "breakage"),
    (Account::CommissionExpense, 5100, "commission_expense"),
    (Account::WriteOff, 5180, "write_off"),
    (Account::Rounding, 5190, "rounding"),
    (Account::AdjustmentExpense, 5200, "adjustment_expense"),
];

impl Account {
    pub fn all() -> impl Iterator<Item = Self> {
        ACCOUNTS.into_iter().map(|(account, ..)| account)
    }

    pub fn number(self) -> i16 {
        self.row().1
    }

    pub fn name(self) -> &'static str {
        self.row().2
    }

    pub fn from_number(number: i16) -> Option<Self> {
        ACCOUNTS.into_iter().find(|(_, known, _)| *known == number).map(|(account, ..)| account)
    }

    fn row(self) -> (Self, i16, &'static str) {
        let found = ACCOUNTS.into_iter().find(|(account, ..)| *account == self);
        found.unwrap_or((self, 0, "unknown"))
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
    /// The order, run, batch or settlement that the entry belongs to; `(source, number)` is the entry's unique reference.
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
    /// Money moved by hand, with a reason and a second person.
    Manual,
    /// Held back until a date.
    Holdback,
    /// Not held back any more.
    Release,
    /// From one currency into another, at a recorded rate.
    Conversion,
    /// A negative balance becomes a debt.
    Carry,
    /// A debt is paid from what was earned since.
    Recovery,
    /// A debt is given up.
    WriteOff,
    /// Payouts are prepared.
    Payout,
    /// A prepared payout does not go out.
    PayoutCancelled,
    /// The bank has paid.
    PayoutConfirmed,
    /// The bank has sent the money back, or never paid it.
    PayoutReturned,
}

impl EntryKind {
    const ALL: [Self; 14] = [
        Self::Commission,
        Self::Period,
        Self::Adjustment,
        Self::Manual,
        Self::Holdback,
        Self::Release,
        Self::Conversion,
        Self::Carry,
        Self::Recovery,
        Self::WriteOff,
        Self::Payout,
        Self::PayoutCancelled,
        Self::PayoutConfirmed,
        Self::PayoutReturned,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Commission => "commission",
            Self::Period => "period",
            Self::Adjustment => "adjustment",
            Self::Manual => "manual",
            Self::Holdback => "holdback",
            Self::Release => "release",
            Self::Conversion => "conversion",
            Self::Carry => "carry",
            Self::Recovery => "recovery",
            Self::WriteOff => "write_off",
            Self::Payout => "payout",
            Self::PayoutCancelled => "payout_cancelled",
            Self::PayoutConfirmed => "payout_confirmed",
            Self::PayoutReturned => "payout_returned",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Rests on a calculation and its commission events; the others rest on a document.
    pub fn is_calculated(self) -> bool {
        matches!(self, Self::Commission | Self::Period | Self::Adjustment)
    }
}

/// The seal of what an entry rests on when that is no calculation.
pub fn document_evidence(document: &Value) -> [u8; 32] {
    let mut seal = Seal::default();
    seal.text("document");
    seal.json(document);
    seal.finish()
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
    fn accounts_and_kinds_are_named_once() {
        for account in Account::all() {
            assert_eq!(Account::from_number(account.number()), Some(account));
        }
        let names: std::collections::BTreeSet<&str> = Account::all().map(Account::name).collect();
        assert_eq!(names.len(), ACCOUNTS.len());
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::parse(kind.name()), Some(kind));
        }
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
