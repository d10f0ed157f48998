//! Who stands where in the placement tree (binary or matrix), as of any instant.
//!
//! Beside the sponsor tree and of the same make: every version of every position, in arrays that are only read;
//! a change makes another [`Placement`]. A position is a place in the tree, owned by a distributor; most
//! distributors own one, which has their own id. Nothing here recurses.
//!
//! A position is there from its first version on, and it never goes: it moves, or gets another owner. Where
//! newcomers go is in [`spill`]; what the volume of a position pays is the bonuses' business.

mod build;
mod crowd;
mod ground;
mod names;
mod play;
mod problem;
pub mod spill;
mod walk;
mod way;

use chrono::{DateTime, Utc};

use super::ids::DistributorId;
use super::plan::TreeKind;
use names::Names;
pub use problem::PlacementProblem;
pub use walk::Standing;

/// What is true of one position from an instant on, until its next version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementVersion {
    pub position: String,
    pub owner: DistributorId,
    /// `None`: at the top of a tree.
    pub parent: Option<String>,
    /// Which place under the parent, from 0: left and right of a binary are 0 and 1. At the top always 0.
    pub side: u16,
    /// `None`: since ever.
    pub from: Option<DateTime<Utc>>,
}

/// A position inside one [`Placement`]; numbered in the order of the ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub u32);

impl Node {
    fn index(self) -> usize {
        at(self.0)
    }
}

/// Where a number is expected and there is nothing.
const NONE: u32 = u32::MAX;

fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[derive(Clone, Copy, Debug)]
struct Version {
    from: i64,
    position: u32,
    parent: u32,
    owner: u32,
    side: u16,
}

/// All versions of all positions.
#[derive(Debug, Default)]
pub struct Placement {
    positions: Names,
    owners: Names,
    /// By position, then by `from`; position `n` has `versions[starts[n]..starts[n + 1]]`.
    versions: Vec<Version>,
    starts: Vec<u32>,
    /// Which versions name a parent; the last group are those at the top.
    by_parent: Groups,
    by_owner: Groups,
}

/// Numbers of versions, grouped: group `g` is `numbers[starts[g]..starts[g + 1]]`.
#[derive(Debug, Default)]
struct Groups {
    numbers: Vec<u32>,
    starts: Vec<u32>,
}

impl Groups {
    fn of(&self, group: usize) -> &[u32] {
        let bound = |group: usize| self.starts.get(group).map_or(0, |start| at(*start));
        self.numbers.get(bound(group)..bound(group.saturating_add(1))).unwrap_or(&[])
    }
}

impl Placement {
    /// Every problem of the whole tree at once; versions may come in any order.
    pub fn build(
        versions: impl IntoIterator<Item = PlacementVersion>,
    ) -> Result<Self, Vec<PlacementProblem>> {
        build::build(versions.into_iter().collect(), None)
    }

    /// What the tree would be with `changes`, or everything that is wrong with them. A change with the `from` of
    /// a version that is already there replaces it. `tree` is what the plan allows: changed positions and what is
    /// below them have to fit it; what was placed under an earlier plan stays. Linear in the whole tree.
    pub fn check(
        &self,
        changes: &[PlacementVersion],
        tree: Option<TreeKind>,
        is_known: impl Fn(&DistributorId) -> bool,
    ) -> Result<Self, Vec<PlacementProblem>> {
        build::with_changes(self, changes, tree, is_known)
    }

    /// How many positions there are.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn node(&self, position: &str) -> Option<Node> {
        self.positions.find(position).map(Node)
    }

    /// Empty for a node of another placement.
    pub fn id(&self, node: Node) -> &str {
        self.positions.get(node.0)
    }

    /// Every version again, as it was given, by position and instant.
    pub fn versions(&self) -> impl Iterator<Item = PlacementVersion> + '_ {
        self.versions.iter().map(|version| self.told(version))
    }

    /// The versions of one position, the earliest first.
    pub fn history(&self, node: Node) -> Vec<PlacementVersion> {
        self.versions_of(node).iter().map(|version| self.told(version)).collect()
    }

    /// What has to be recorded so that a position stands as `wanted` says from `wanted.from` on. Versions that
    /// follow say the same then, up to the next one that had moved the position elsewhere.
    pub fn moved(&self, wanted: &PlacementVersion) -> Vec<PlacementVersion> {
        let history = self.node(&wanted.position).map(|node| self.history(node)).unwrap_or_default();
        let begun = history.partition_point(|version| version.from <= wanted.from);
        let before = begun.checked_sub(1).and_then(|last| history.get(last));
        let stood = |version: &PlacementVersion| (version.parent.clone(), version.side);
        let follow = history.iter().skip(begun).take_while(|next| before.map(stood) == Some(stood(next)));
        let restated = follow.map(|next| PlacementVersion {
            parent: wanted.parent.clone(),
            side: wanted.side,
            ..next.clone()
        });
        std::iter::once(wanted.clone()).chain(restated).collect()
    }

    fn told(&self, version: &Version) -> PlacementVersion {
        PlacementVersion {
            position: self.positions.get(version.position).to_owned(),
            owner: DistributorId::new(self.owners.get(version.owner)),
            parent: (version.parent != NONE).then(|| self.positions.get(version.parent).to_owned()),
            side: version.side,
            from: from_micros(version.from),
        }
    }

    fn versions_of(&self, node: Node) -> &[Version] {
        let bound = |index: usize| self.starts.get(index).map_or(0, |start| at(*start));
        self.versions.get(bound(node.index())..bound(node.index().saturating_add(1))).unwrap_or(&[])
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
