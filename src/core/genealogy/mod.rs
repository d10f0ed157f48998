//! Who sponsors whom, as of any instant.
//!
//! Built once from every distributor's versions and kept in memory; a change makes another [`Genealogy`].
//! Nothing here recurses, so a chain of a hundred thousand is as good as a star. It knows no volumes and no
//! plan, and it never decides who is paid.
//!
//! Two times belong to a distributor and they are not the same. A *version* says how the tree and the standing
//! were from an instant on; an import without history has one version `from: None`, true since ever, so that
//! orders older than the import still find their upline. `enrolled_at` says from when the distributor can earn:
//! before it the distributor stands in the upline but is not `enrolled`. Before its first version a distributor
//! is not there at all, and an upline that reaches it ends below it.

mod build;
mod cycle;
mod walk;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::DistributorId;
pub use build::GenealogyProblem;
pub use walk::{Downline, Upline};

/// What is true of one distributor from an instant on, until its next version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributorVersion {
    pub id: DistributorId,
    pub sponsor: Option<DistributorId>,
    pub status: Status,
    pub rank: Option<String>,
    /// `None`: since ever.
    pub from: Option<DateTime<Utc>>,
    /// `None`: since ever. A fact of the distributor; where its versions differ the earliest counts.
    pub enrolled_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Prospect,
    Active,
    Suspended,
    Terminated,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Prospect, Self::Active, Self::Suspended, Self::Terminated];

    pub fn name(self) -> &'static str {
        match self {
            Self::Prospect => "prospect",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A distributor inside one [`Genealogy`]. Nodes are numbered in the order of the ids and mean nothing in
/// another genealogy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub u32);

impl Node {
    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'g> {
    pub status: Status,
    pub rank: Option<&'g str>,
    /// Whether the distributor had enrolled by then; before it, it cannot earn.
    pub enrolled: bool,
}

/// One version, 24 bytes. Instants are whole microseconds, as the database keeps them.
#[derive(Clone, Copy, Debug)]
struct Version {
    from: i64,
    node: u32,
    sponsor: u32,
    rank: u16,
    status: Status,
}

/// In `sponsor` and `rank`: there is none.
const NO_SPONSOR: u32 = u32::MAX;
const NO_RANK: u16 = u16::MAX;

/// All versions of all distributors, in arrays that are only read. About 60 bytes per distributor of one
/// version, and no allocation of its own for any of them.
#[derive(Debug)]
pub struct Genealogy {
    /// All ids one after the other, in order; node `n` is `ids[id_ends[n - 1]..id_ends[n]]`.
    ids: String,
    id_ends: Vec<u32>,
    enrolled_at: Vec<i64>,
    ranks: Vec<String>,
    /// Sorted by node, then by `from`; node `n` has `versions[version_starts[n]..version_starts[n + 1]]`.
    versions: Vec<Version>,
    version_starts: Vec<u32>,
    /// Which versions name a node as sponsor, grouped the same way; the last group are the versions without one.
    downline_versions: Vec<u32>,
    downline_starts: Vec<u32>,
}

impl Genealogy {
    /// Every problem of the whole tree at once; versions may come in any order.
    pub fn build(
        versions: impl IntoIterator<Item = DistributorVersion>,
    ) -> Result<Self, Vec<GenealogyProblem>> {
        build::build(versions)
    }

    /// What the tree would be with `changes`, or everything that is wrong with them. A change with the `from`
    /// of a version that is already there replaces it. Time is linear in the whole tree.
    pub fn check(&self, changes: &[DistributorVersion]) -> Result<Self, Vec<GenealogyProblem>> {
        build::with_changes(self, changes)
    }

    /// How many distributors there are.
    pub fn len(&self) -> usize {
        self.id_ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.id_ends.is_empty()
    }

    pub fn version_count(&self) -> usize {
        self.versions.len()
    }

    pub fn node(&self, id: &DistributorId) -> Option<Node> {
        self.find(id.as_str()).and_then(|at| u32::try_from(at).ok()).map(Node)
    }

    /// The operator's id of a node; empty for a node of another genealogy.
    pub fn id(&self, node: Node) -> &str {
        self.id_at(node.index())
    }

    /// `None`: since ever.
    pub fn enrolled_at(&self, node: Node) -> Option<DateTime<Utc>> {
        self.enrolled_at.get(node.index()).copied().and_then(from_micros)
    }

    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).map(Node)
    }

    /// Every version again, as it was given.
    pub fn versions(&self) -> impl Iterator<Item = DistributorVersion> + '_ {
        self.versions.iter().map(|version| self.told(version))
    }

    /// The versions of one distributor, the earliest first.
    pub fn history(&self, node: Node) -> Vec<DistributorVersion> {
        self.versions_of(node).unwrap_or(&[]).iter().map(|version| self.told(version)).collect()
    }

    fn told(&self, version: &Version) -> DistributorVersion {
        DistributorVersion {
            id: DistributorId::new(self.id(Node(version.node))),
            sponsor: self.sponsor_of(version).map(|node| DistributorId::new(self.id(node))),
            status: version.status,
            rank: self.rank_of(version).map(str::to_owned),
            from: from_micros(version.from),
            enrolled_at: self.enrolled_at(Node(version.node)),
        }
    }

    /// Bytes held, without the allocator's own.
    pub fn heap_bytes(&self) -> usize {
        self.ids.capacity()
            + size_of::<u32>()
                * (self.id_ends.capacity()
                    + self.version_starts.capacity()
                    + self.downline_versions.capacity()
                    + self.downline_starts.capacity())
            + size_of::<i64>() * self.enrolled_at.capacity()
            + size_of::<Version>() * self.versions.capacity()
    }

    fn find(&self, id: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id_at(middle).cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    fn id_at(&self, index: usize) -> &str {
        let end = self.id_ends.get(index).copied().unwrap_or(0);
        let start = index.checked_sub(1).and_then(|i| self.id_ends.get(i)).copied().unwrap_or(0);
        let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { return "" };
        self.ids.get(start..end).unwrap_or("")
    }

    fn sponsor_of(&self, version: &Version) -> Option<Node> {
        (version.sponsor != NO_SPONSOR).then_some(Node(version.sponsor))
    }

    fn rank_of(&self, version: &Version) -> Option<&str> {
        self.ranks.get(usize::from(version.rank)).map(String::as_str)
    }
}

/// Since ever is before every instant.
fn to_micros(at: Option<DateTime<Utc>>) -> i64 {
    at.map_or(i64::MIN, |at| at.timestamp_micros())
}

fn from_micros(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
}

#[cfg(test)]
mod tests;
