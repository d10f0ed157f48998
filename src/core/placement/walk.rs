//! Reading the placement tree as of an instant.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use super::{NONE, Node, Placement, Version, at};
use crate::core::ids::DistributorId;
use crate::core::period::PositionAt;

/// How a position stood at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'p> {
    pub owner: &'p str,
    pub parent: Option<Node>,
    pub side: u16,
}

impl Placement {
    /// The whole tree, by position id: what a period is calculated with.
    pub fn at(&self, instant: DateTime<Utc>) -> Vec<PositionAt> {
        self.nodes().filter_map(|node| self.position_at(node, instant)).collect()
    }

    /// `None` before the position's first version.
    pub fn standing_at(&self, node: Node, instant: DateTime<Utc>) -> Option<Standing<'_>> {
        self.version_at(node, instant).map(|version| Standing {
            owner: self.owners.get(version.owner),
            parent: (version.parent != NONE).then_some(Node(version.parent)),
            side: version.side,
        })
    }

    /// Those directly below, from the left to the right.
    pub fn children_at(&self, node: Node, instant: DateTime<Utc>) -> Vec<Node> {
        let mut children = self.group_at(self.by_parent.of(node.index()), instant);
        children.sort_unstable_by_key(|(version, node)| (version.side, *node));
        children.into_iter().map(|(_, node)| node).collect()
    }

    /// Those at the top, by id.
    pub fn tops_at(&self, instant: DateTime<Utc>) -> Vec<Node> {
        let tops = self.group_at(self.by_parent.of(self.len()), instant);
        tops.into_iter().map(|(_, node)| node).collect()
    }

    /// The position itself, the one above it, and on to the top.
    pub fn upline_at(&self, node: Node, instant: DateTime<Utc>) -> impl Iterator<Item = Node> + '_ {
        let is_there = self.standing_at(node, instant).is_some();
        std::iter::successors(is_there.then_some(node), move |node| {
            self.standing_at(*node, instant).and_then(|standing| standing.parent)
        })
    }

    /// The positions of a distributor, the uppermost first, then by id.
    pub fn of_owner_at(&self, owner: &DistributorId, instant: DateTime<Utc>) -> Vec<Node> {
        let Some(owner) = self.owners.find(owner.as_str()) else { return vec![] };
        let mut owned: Vec<(usize, Node)> = self
            .group_at(self.by_owner.of(at(owner)), instant)
            .into_iter()
            .map(|(_, node)| (self.upline_at(node, instant).count(), node))
            .collect();
        owned.sort_unstable();
        owned.into_iter().map(|(_, node)| node).collect()
    }

    /// Whether a distributor owned a position at any time.
    pub fn is_owner(&self, owner: &DistributorId) -> bool {
        self.owners.find(owner.as_str()).is_some()
    }

    /// How many positions are below one.
    pub fn count_below_at(&self, node: Node, instant: DateTime<Utc>) -> usize {
        let mut open = VecDeque::from([node]);
        let mut count = 0;
        while let Some(node) = open.pop_front() {
            let below = self.group_at(self.by_parent.of(node.index()), instant);
            count += below.len();
            open.extend(below.into_iter().map(|(_, node)| node));
        }
        count
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).map(Node)
    }

    fn position_at(&self, node: Node, instant: DateTime<Utc>) -> Option<PositionAt> {
        let standing = self.standing_at(node, instant)?;
        Some(PositionAt {
            position: self.id(node).to_owned(),
            owner: DistributorId::new(standing.owner),
            parent: standing.parent.map(|parent| self.id(parent).to_owned()),
            side: standing.side,
        })
    }

    pub(super) fn version_at(&self, node: Node, instant: DateTime<Utc>) -> Option<&Version> {
        let versions = self.versions_of(node);
        let current = versions.partition_point(|version| version.from <= instant.timestamp_micros());
        versions.get(current.checked_sub(1)?)
    }

    /// Those of a group's versions that hold at the instant, by position id.
    fn group_at(&self, numbers: &[u32], instant: DateTime<Utc>) -> Vec<(Version, Node)> {
        let holds = |number: &u32| {
            let version = self.versions.get(at(*number))?;
            let node = Node(version.position);
            let current = self.version_at(node, instant)?;
            (current.from == version.from).then_some((*version, node))
        };
        numbers.iter().filter_map(holds).collect()
    }
}
