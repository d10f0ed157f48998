//! A batch and its items, as they are stored.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use crate::core::ids::DistributorId;
use crate::core::journal::Seal;
use crate::core::money::Currency;
use crate::core::payout::choice::{LeftOut, Terms};
use crate::core::payout::steps::ItemMoney;
use crate::core::payout::{ItemStatus, Rail};

/// How far a batch is. Whether the bank has paid is for each item to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    Prepared,
    Cancelled,
    Approved,
    Exported,
    Sent,
}

impl BatchStatus {
    pub const ALL: [Self; 5] = [Self::Prepared, Self::Cancelled, Self::Approved, Self::Exported, Self::Sent];

    pub fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Cancelled => "cancelled",
            Self::Approved => "approved",
            Self::Exported => "exported",
            Self::Sent => "sent",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Who has done something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deed {
    pub by: String,
    pub at: DateTime<Utc>,
}

/// The file that left first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredFile {
    pub name: String,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    pub batch_id: Uuid,
    /// Dense, for people.
    pub batch_no: i32,
    pub rail: Rail,
    pub currency: Currency,
    pub status: BatchStatus,
    pub purpose: String,
    pub terms: Terms,
    /// Rate between 0 and 1.
    pub withholding: Decimal,
    pub left_out: Vec<LeftOut>,
    pub created: Deed,
    pub approved: Option<Deed>,
    /// Of what was approved.
    pub approved_digest: Option<String>,
    pub value_date: Option<NaiveDate>,
    pub exported: Option<Deed>,
    pub file: Option<StoredFile>,
    pub sent: Option<Deed>,
}

/// Compared with the distributor's payout before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PayeeNews {
    Same,
    /// Was never paid before.
    First,
    /// Other bank details than last time.
    Changed,
}

impl PayeeNews {
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::First => "first",
            Self::Changed => "changed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Same, Self::First, Self::Changed].into_iter().find(|news| news.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    pub item_id: Uuid,
    /// Dense over all batches.
    pub item_no: i64,
    pub batch_id: Uuid,
    pub batch_no: i32,
    pub currency: Currency,
    #[serde(flatten)]
    pub money: ItemMoney,
    pub payee_version: i32,
    pub masked: String,
    pub payee_news: PayeeNews,
    pub status: ItemStatus,
    /// What the bank said last.
    pub code: Option<String>,
    pub reason: Option<String>,
    pub changed_at: DateTime<Utc>,
}

impl Item {
    pub fn distributor(&self) -> &DistributorId {
        &self.money.distributor
    }
}

/// What somebody who approves has looked at: the batch and every item that would leave, with its money and the
/// version of its bank details.
pub fn digest(batch: &Batch, items: &[Item]) -> [u8; 32] {
    let mut seal = Seal::default();
    seal.text("payout batch");
    seal.bytes(batch.batch_id.as_bytes());
    seal.text(batch.rail.name());
    seal.text(batch.currency.code());
    seal.text(&batch.purpose);
    seal.json(&serde_json::to_value(&batch.terms).unwrap_or_default());
    for item in items.iter().filter(|item| item.status != ItemStatus::Cancelled) {
        seal.bytes(item.item_id.as_bytes());
        seal.integer(item.item_no);
        seal.text(item.distributor().as_str());
        seal.decimal(item.money.gross);
        seal.decimal(item.money.fee);
        seal.decimal(item.money.withheld);
        seal.decimal(item.money.net);
        seal.integer(i64::from(item.payee_version));
    }
    seal.finish()
}

/// What leaves, of all items that are not cancelled.
pub fn total(items: &[Item]) -> Decimal {
    items.iter().filter(|item| item.status != ItemStatus::Cancelled).map(|item| item.money.net).sum()
}
