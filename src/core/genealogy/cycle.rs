//! Finds every instant at which sponsors go round in a circle.
//!
//! Versions are played in the order of time. A circle can only close through somebody who just got a sponsor
//! and already has a downline, so only those are walked up, and every step is taken once per instant.

use super::{Genealogy, GenealogyProblem, NO_SPONSOR, Node, Version, from_micros};
use crate::core::ids::DistributorId;

pub(super) fn find(genealogy: &Genealogy) -> Vec<GenealogyProblem> {
    let mut order: Vec<&Version> = genealogy.versions.iter().collect();
    order.sort_unstable_by_key(|version| (version.from, version.node));
    let mut forest = Forest::new(genealogy.len());
    let mut seen = std::collections::BTreeSet::new();
    let mut problems = Vec::new();
    for same_instant in order.chunk_by(|a, b| a.from == b.from) {
        for version in same_instant {
            forest.place(version);
        }
        let at = same_instant.first().and_then(|version| from_micros(version.from));
        forest.begin_instant();
        for version in same_instant {
            let Some(circle) = forest.circle_through(version.node) else { continue };
            if seen.insert(circle.clone()) {
                let members =
                    circle.iter().map(|node| DistributorId::new(genealogy.id(Node(*node)))).collect();
                problems.push(GenealogyProblem::Cycle { at, members });
            }
        }
    }
    problems
}

/// The tree as it stands at the instant that is being played.
struct Forest {
    sponsor: Vec<u32>,
    children: Vec<u32>,
    /// The walk that last passed a node; walks are numbered on and on.
    passed: Vec<u64>,
    walk: u64,
    first_walk: u64,
}

impl Forest {
    fn new(nodes: usize) -> Self {
        Self {
            sponsor: vec![NO_SPONSOR; nodes],
            children: vec![0; nodes],
            passed: vec![0; nodes],
            walk: 0,
            first_walk: 1,
        }
    }

    fn begin_instant(&mut self) {
        self.first_walk = self.walk + 1;
    }

    fn place(&mut self, version: &Version) {
        let Some(slot) = self.sponsor.get_mut(Node(version.node).index()) else { return };
        let before = std::mem::replace(slot, version.sponsor);
        if let Some(count) = self.children.get_mut(Node(before).index()) {
            *count -= 1;
        }
        if let Some(count) = self.children.get_mut(Node(version.sponsor).index()) {
            *count += 1;
        }
    }

    /// The circle above `node`, starting with its smallest member; none if the walk ends or was walked already.
    fn circle_through(&mut self, node: u32) -> Option<Vec<u32>> {
        if self.children.get(Node(node).index()).is_none_or(|count| *count == 0) {
            return None;
        }
        self.walk += 1;
        let mut at = node;
        while at != NO_SPONSOR {
            let passed = self.passed.get_mut(Node(at).index())?;
            if *passed == self.walk {
                return Some(self.members(at));
            }
            if *passed >= self.first_walk {
                return None;
            }
            *passed = self.walk;
            at = *self.sponsor.get(Node(at).index())?;
        }
        None
    }

    fn members(&self, start: u32) -> Vec<u32> {
        let up = |node: &u32| self.sponsor.get(Node(*node).index()).copied().filter(|next| *next != start);
        let mut circle: Vec<u32> = std::iter::successors(Some(start), up).collect();
        let smallest = circle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(at, _)| at);
        circle.rotate_left(smallest);
        circle
    }
}
