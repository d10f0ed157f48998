//! Reading the tree as of an instant: up, down, and who stands how.

use chrono::{DateTime, Utc};

use super::{Genealogy, Node, Standing, Version};

impl Genealogy {
    /// `None` before the distributor's first version.
    pub fn standing_at(&self, node: Node, at: DateTime<Utc>) -> Option<Standing<'_>> {
        let version = self.version_at(node, at)?;
        let enrolled_at = self.enrolled_at.get(node.index()).copied().unwrap_or(i64::MIN);
        Some(Standing {
            status: version.status,
            rank: self.rank_of(version),
            enrolled: enrolled_at <= at.timestamp_micros(),
        })
    }

    pub fn sponsor_at(&self, node: Node, at: DateTime<Utc>) -> Option<Node> {
        self.version_at(node, at).and_then(|version| self.sponsor_of(version))
    }

    /// The distributor itself, then its sponsor, and on to the top, with each one's standing.
    pub fn upline_at(&self, node: Node, at: DateTime<Utc>) -> Upline<'_> {
        Upline { genealogy: self, next: Some(node), at }
    }

    /// Those directly below, in the order of their ids.
    pub fn children_at(&self, node: Node, at: DateTime<Utc>) -> impl Iterator<Item = Node> + '_ {
        self.group_at(node.index(), at)
    }

    /// Those without a sponsor, in the order of their ids.
    pub fn roots_at(&self, at: DateTime<Utc>) -> impl Iterator<Item = Node> + '_ {
        self.group_at(self.len(), at)
    }

    pub fn child_count_at(&self, node: Node, at: DateTime<Utc>) -> usize {
        self.children_at(node, at).count()
    }

    /// Everybody below, each after its sponsor, with its level under `node` (children are level 1).
    pub fn downline_at(&self, node: Node, at: DateTime<Utc>) -> Downline<'_> {
        let mut downline = Downline { genealogy: self, at, open: Vec::new() };
        downline.open_children(node, 1);
        downline
    }

    /// The distributor itself, and everybody who was below it at any time or below somebody who was.
    pub fn ever_below(&self, node: Node) -> Vec<Node> {
        let mut seen = vec![false; self.len()];
        let mut found = vec![node];
        let mut next = 0;
        while let Some(node) = found.get(next).copied() {
            next += 1;
            match seen.get_mut(node.index()) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            let named = self.group(node.index()).iter();
            let below = named.filter_map(|number| self.versions.get(Node(*number).index()));
            found.extend(below.map(|version| Node(version.node)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn version_at(&self, node: Node, at: DateTime<Utc>) -> Option<&Version> {
        let versions = self.versions_of(node)?;
        let current = versions.partition_point(|version| version.from <= at.timestamp_micros());
        versions.get(current.checked_sub(1)?)
    }

    pub(super) fn versions_of(&self, node: Node) -> Option<&[Version]> {
        let start = usize::try_from(*self.version_starts.get(node.index())?).ok()?;
        let end = usize::try_from(*self.version_starts.get(node.index() + 1)?).ok()?;
        self.versions.get(start..end)
    }

    /// Versions that name `group` as sponsor and are the current ones of their distributor at `at`.
    fn group_at(&self, group: usize, at: DateTime<Utc>) -> impl Iterator<Item = Node> + '_ {
        self.group(group).iter().filter_map(move |number| {
            let version = self.versions.get(Node(*number).index())?;
            let node = Node(version.node);
            let current = self.version_at(node, at)?;
            (current.from == version.from).then_some(node)
        })
    }

    fn group(&self, group: usize) -> &[u32] {
        let bound = |index: usize| self.downline_starts.get(index).map_or(0, |start| Node(*start).index());
        self.downline_versions.get(bound(group)..bound(group + 1)).unwrap_or(&[])
    }
}

/// See [`Genealogy::upline_at`]. Ends below a distributor that had no version yet.
pub struct Upline<'g> {
    genealogy: &'g Genealogy,
    next: Option<Node>,
    at: DateTime<Utc>,
}

impl<'g> Iterator for Upline<'g> {
    type Item = (Node, Standing<'g>);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.next.take()?;
        let standing = self.genealogy.standing_at(node, self.at)?;
        self.next = self.genealogy.sponsor_at(node, self.at);
        Some((node, standing))
    }
}

/// See [`Genealogy::downline_at`].
pub struct Downline<'g> {
    genealogy: &'g Genealogy,
    at: DateTime<Utc>,
    open: Vec<(Node, u32)>,
}

impl Downline<'_> {
    fn open_children(&mut self, node: Node, level: u32) {
        let first = self.open.len();
        self.open.extend(self.genealogy.children_at(node, self.at).map(|child| (child, level)));
        if let Some(children) = self.open.get_mut(first..) {
            children.reverse();
        }
    }
}

impl Iterator for Downline<'_> {
    type Item = (Node, u32);

    fn next(&mut self) -> Option<Self::Item> {
        let (node, level) = self.open.pop()?;
        self.open_children(node, level + 1);
        Some((node, level))
    }
}
