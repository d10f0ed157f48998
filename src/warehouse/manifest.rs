//! The manifest of an export: what is in its files, and what it adds up to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::values::Format;
use crate::periods::Period;

pub const MANIFEST: &str = "manifest.json";

/// Says nothing of when or where it was written: the same export has the same manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of the schema `report`.
    pub schema_version: i32,
    pub format: Format,
    pub period: PeriodOf,
    /// Where the ledger's chain stood when the files were written first; nothing where it is not chained.
    pub chain_head: Option<ChainHead>,
    pub files: Vec<FileOf>,
    /// SHA-256 over the lines of `sha256sum` of the files in their order here.
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    pub seq: i64,
    /// 64 hexadecimal digits.
    pub hash: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeriodOf {
    pub name: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub cutoff_seq: Option<i64>,
    pub known_at: Option<DateTime<Utc>>,
    pub plan_hash: Option<String>,
    pub run_id: Option<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileOf {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
    pub columns: Vec<ColumnOf>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sums: Vec<Sum>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnOf {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    pub of: String,
    pub by: BTreeMap<String, String>,
    pub sum: Decimal,
}

impl PeriodOf {
    pub fn new(period: &Period) -> Self {
        Self {
            name: period.name.clone(),
            starts_at: period.starts_at,
            ends_at: period.ends_at,
            cutoff_seq: period.cutoff_seq,
            known_at: period.known_at,
            plan_hash: period.plan_hash.clone(),
            run_id: period.run_id,
        }
    }
}

impl Manifest {
    /// What `sha256sum` prints of the files, hashed again.
    pub fn hash(files: &[FileOf]) -> String {
        let mut hash = Sha256::new();
        for file in files {
            hash.update(format!("{}  {}\n", file.sha256, file.name));
        }
        hex::encode(hash.finalize())
    }

    /// The chain grows after a period is closed: that alone makes no other export.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        Self { chain_head: other.chain_head.clone(), ..self.clone() } == *other
    }

    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}
