//! What a link seals, and what is recomputed of it: pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::core::journal::Seal;

/// What is chained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A journal entry.
    Entry,
    /// A row of the audit log.
    Audit,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Audit => "audit",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Entry, Self::Audit].into_iter().find(|kind| kind.name() == name)
    }
}

/// Source and number of an entry, id and 0 of a row of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    pub kind: Kind,
    pub source: Uuid,
    pub number: i32,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Kind::Entry => write!(f, "{}/{}", self.source, self.number),
            Kind::Audit => write!(f, "{}", self.source),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub seq: i64,
    pub reference: Reference,
    pub digest: Vec<u8>,
    pub hash: Vec<u8>,
}

impl Link {
    /// The one that follows on a hash; the first follows on no bytes.
    pub fn after(before: &[u8], seq: i64, reference: Reference, digest: Vec<u8>) -> Self {
        let hash = seal(before, seq, &reference, &digest).to_vec();
        Self { seq, reference, digest, hash }
    }
}

fn seal(before: &[u8], seq: i64, reference: &Reference, digest: &[u8]) -> [u8; 32] {
    let mut seal = Seal::default();
    seal.bytes(before);
    seal.integer(seq);
    seal.text(reference.kind.name());
    seal.bytes(reference.source.as_bytes());
    seal.integer(i64::from(reference.number));
    seal.bytes(digest);
    seal.finish()
}

/// A row of the audit log, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    pub audit_id: Uuid,
    pub at: DateTime<Utc>,
    pub actor: String,
    pub action: String,
    pub object: String,
    pub detail: Value,
}

impl AuditRow {
    pub fn reference(&self) -> Reference {
        Reference { kind: Kind::Audit, source: self.audit_id, number: 0 }
    }

    pub fn digest(&self) -> [u8; 32] {
        let mut seal = Seal::default();
        seal.text("audit");
        seal.bytes(self.audit_id.as_bytes());
        seal.integer(self.at.timestamp_micros());
        seal.text(&self.actor);
        seal.text(&self.action);
        seal.text(&self.object);
        seal.json(&self.detail);
        seal.finish()
    }
}

/// Goes along a chain and says what does not follow.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    pub seq: i64,
    pub hash: Vec<u8>,
}

impl Walk {
    /// Takes the next link; what is wrong with it is said once, and the walk goes on from what stands there.
    pub fn step(&mut self, link: &Link) -> Option<String> {
        let expected = self.seq.saturating_add(1);
        let wrong = if link.seq != expected {
            Some(format!("follows on {}: a link was taken out, or put elsewhere", self.seq))
        } else if seal(&self.hash, link.seq, &link.reference, &link.digest).as_slice() != link.hash {
            Some("does not follow on the link before it: one of the two was changed".to_owned())
        } else {
            None
        };
        (self.seq, self.hash) = (link.seq, link.hash.clone());
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: i64) -> Vec<Link> {
        let mut links: Vec<Link> = vec![];
        for seq in 1..=length {
            let before = links.last().map(|link| link.hash.clone()).unwrap_or_default();
            let source = Uuid::from_u128(u128::try_from(seq).unwrap());
            let reference = Reference { kind: Kind::Entry, source, number: 1 };
            links.push(Link::after(&before, seq, reference, vec![7; 32]));
        }
        links
    }

    fn first_bad(links: &[Link]) -> Option<i64> {
        let mut walk = Walk::default();
        links.iter().find_map(|link| walk.step(link).map(|_| link.seq))
    }

    #[test]
    fn whatever_is_changed_is_found_where_it_is() {
        let good = chain(9);
        assert_eq!(first_bad(&good), None);
        let mut edited = good.clone();
        edited[3].digest[0] = 8;
        assert_eq!(first_bad(&edited), Some(4));
        let mut numbered = good.clone();
        numbered[3].reference.number = 2;
        assert_eq!(first_bad(&numbered), Some(4));
        let mut cut = good.clone();
        cut.remove(3);
        assert_eq!(first_bad(&cut), Some(5));
        let mut moved = good.clone();
        moved.swap(3, 4);
        (moved[3].seq, moved[4].seq) = (4, 5);
        assert_eq!(first_bad(&moved), Some(4));
        // Whoever edits a link and its hash has to write all that follow anew.
        let mut patched = good.clone();
        patched[3] = Link::after(&good[2].hash, 4, good[3].reference, vec![8; 32]);
        assert_eq!(first_bad(&patched), Some(5));
    }

    #[test]
    fn every_column_of_the_audit_log_is_sealed() {
        let row = AuditRow {
            audit_id: Uuid::from_u128(1),
            at: "2026-08-28T08:11:04Z".parse().unwrap(),
            actor: "ada".into(),
            action: "run.post".into(),
            object: "1".into(),
            detail: serde_json::json!({"a": 1}),
        };
        let others = [
            AuditRow { audit_id: Uuid::from_u128(2), ..row.clone() },
            AuditRow { at: "2026-08-28T08:11:05Z".parse().unwrap(), ..row.clone() },
            AuditRow { actor: "eve".into(), ..row.clone() },
            AuditRow { action: "run".into(), ..row.clone() },
            AuditRow { object: "2".into(), ..row.clone() },
            AuditRow { detail: serde_json::json!({"a": 2}), ..row.clone() },
        ];
        assert!(others.iter().all(|other| other.digest() != row.digest()));
    }
}
