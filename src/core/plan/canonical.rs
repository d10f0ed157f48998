//! The one text of a plan, and its hash.
//!
//! A sorted list of `path = value` lines. Values at their default are left out.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::parse::{CADENCES, REFUND_POLICIES, ROUNDING_MODES, STAGES};
use super::{ActiveRule, Plan, RefundPolicy, limits, placement, ranks, volumes};
use crate::core::volume::{VolumeRule, VolumeRules};

/// SHA-256 of a plan's canonical text; shown and stored as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PlanHash(pub [u8; 32]);

impl PlanHash {
    pub(super) fn of(canonical: &str) -> Self {
        Self(Sha256::digest(canonical.as_bytes()).into())
    }

    /// `None` unless `text` is 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }
}

impl std::fmt::Display for PlanHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for PlanHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<PlanHash> for String {
    fn from(hash: PlanHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for PlanHash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not a plan hash of 64 hexadecimal digits"))
    }
}

/// Collects the lines; names that the writer chose are quoted, so that no name can look like a path.
#[derive(Default)]
pub(crate) struct Canonical {
    lines: BTreeMap<String, String>,
    /// The plan's, for what names them by their places.
    ranks: Vec<String>,
    qualifications: Vec<String>,
}

impl Canonical {
    pub fn of(plan: &Plan) -> String {
        let qualifications = plan.qualifications.iter().map(|one| one.id.clone()).collect();
        let mut out = Self { lines: BTreeMap::new(), ranks: plan.ranks.clone(), qualifications };
        out.text("plan.id", &plan.id);
        if !plan.name.is_empty() {
            out.text("plan.name", &plan.name);
        }
        out.text("plan.currency", plan.currency.code());
        out.text("rounding.mode", word(&ROUNDING_MODES, &plan.rounding.mode));
        out.text("rounding.stage", word(&STAGES, &plan.rounding.stage));
        out.text("period.cadence", word(&CADENCES, &plan.period.cadence));
        out.text("period.zone", plan.period.zone.name());
        out.active("active", &plan.active);
        for (at, rank) in plan.ranks.iter().enumerate() {
            out.text(&format!("rank[{at:04}]"), rank);
        }
        if let Some(rank) = &plan.default_rank {
            out.text("standing.default_rank", rank);
        }
        if plan.refunds != RefundPolicy::Now {
            out.text("refunds.policy", word(&REFUND_POLICIES, &plan.refunds));
        }
        ranks::canonical(plan, &mut out);
        volumes::canonical(plan, &mut out);
        placement::canonical(plan, &mut out);
        limits::canonical(plan, &mut out);
        for class in &plan.classes {
            let path = format!("class.{}", quoted(&class.id));
            out.empty(&path);
            out.volumes(&path, &class.volumes, &VolumeRules::NONE);
            for (market, volumes) in &class.markets {
                out.volumes(&format!("{path}.markets.{}", quoted(market)), volumes, &class.volumes);
            }
        }
        for bonus in &plan.bonuses {
            bonus.canonical(&format!("bonus.{}", quoted(&bonus.id)), &mut out);
        }
        out.lines.into_iter().map(|(path, value)| format!("{path} = {value}\n")).collect()
    }

    pub fn rank(&self, at: u16) -> &str {
        self.ranks.get(usize::from(at)).map_or("", String::as_str)
    }

    pub(super) fn qualification(&self, at: u16) -> &str {
        self.qualifications.get(usize::from(at)).map_or("", String::as_str)
    }

    /// Something that is there and says nothing more.
    pub fn empty(&mut self, path: &str) {
        self.lines.insert(path.to_owned(), "{}".to_owned());
    }

    pub fn text(&mut self, path: &str, value: &str) {
        self.lines.insert(path.to_owned(), quoted(value));
    }

    pub fn number(&mut self, path: &str, value: Decimal) {
        self.lines.insert(path.to_owned(), value.normalize().to_string());
    }

    pub fn numbers(&mut self, path: &str, values: &[Decimal]) {
        let values: Vec<String> = values.iter().map(|value| value.normalize().to_string()).collect();
        self.lines.insert(path.to_owned(), format!("[{}]", values.join(", ")));
    }

    pub fn texts(&mut self, path: &str, values: &[String]) {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        self.lines.insert(path.to_owned(), format!("[{}]", values.join(", ")));
    }

    pub fn active(&mut self, path: &str, rule: &ActiveRule) {
        if rule.statuses != ActiveRule::default().statuses {
            let names: Vec<String> = rule.statuses.iter().map(ToString::to_string).collect();
            self.texts(&format!("{path}.statuses"), &names);
        }
        if let Some(pv) = rule.min_pv {
            self.number(&format!("{path}.min_pv"), pv);
        }
    }

    /// Those that are not as they would be without.
    fn volumes(&mut self, path: &str, rules: &VolumeRules, without: &VolumeRules) {
        for ((key, rule), (_, without)) in rules.named().into_iter().zip(without.named()) {
            if rule != without {
                self.volume(&format!("{path}.{key}"), &rule);
            }
        }
    }

    fn volume(&mut self, path: &str, rule: &VolumeRule) {
        match rule {
            VolumeRule::OfNet(share) => self.number(&format!("{path}.of_net"), *share),
            VolumeRule::PerUnit(volume) => self.number(&format!("{path}.per_unit"), *volume),
        }
    }
}

/// As JSON quotes it, which no version of a library changes.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The document's word for a value.
pub(crate) fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word)
}
