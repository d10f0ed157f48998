//! The versions played in the order of time: circles at any instant, and who comes to stand too deep.
//!
//! A circle can only close through a position that just moved and has others below, so only those are walked
//! up. Levels are made again only below what moved. So a tree that mostly grows costs one pass.

use std::collections::{BTreeSet, VecDeque};

use super::build::Limits;
use super::{NONE, Placement, PlacementProblem, Version, at, from_micros};
use crate::core::plan::TreeKind;

pub fn find(placement: &Placement, limits: Option<&Limits<'_>>) -> Vec<PlacementProblem> {
    let mut order: Vec<&Version> = placement.versions.iter().collect();
    order.sort_unstable_by_key(|version| (version.from, version.position));
    let most = limits.and_then(|limits| match limits.tree {
        TreeKind::Matrix { depth, .. } => depth,
        TreeKind::Binary => None,
    });
    let mut stage = Stage::new(placement.len());
    let (mut circles, mut deep) = (BTreeSet::new(), BTreeSet::new());
    let mut problems = vec![];
    for same_instant in order.chunk_by(|a, b| a.from == b.from) {
        for version in same_instant {
            stage.place(version);
        }
        let instant = same_instant.first().and_then(|version| from_micros(version.from));
        for circle in stage.circles(same_instant) {
            if circles.insert(circle.clone()) {
                let members = circle.iter().map(|node| placement.positions.get(*node).to_owned()).collect();
                problems.push(PlacementProblem::Cycle { at: instant, members });
            }
        }
        // Below a circle there are no levels.
        let (Some(limits), Some(most), true) = (limits, most, circles.is_empty()) else { continue };
        let name = |node: u32| placement.positions.get(node);
        let changed = same_instant.iter().any(|version| limits.judged.contains(name(version.position)));
        for node in stage.levels(same_instant) {
            let depth = stage.depth_of(node);
            // Everything further down is beyond it too, and is not told one by one.
            let first_beyond = depth == u32::from(most) + 1;
            if first_beyond && (changed || limits.judged.contains(name(node))) && deep.insert(node) {
                let position = name(node).to_owned();
                problems.push(PlacementProblem::BeyondDepth { position, depth, most, at: instant });
            }
        }
    }
    problems
}

/// The tree as it stands at the instant that is being played; children in lists that run through the arrays.
struct Stage {
    parent: Vec<u32>,
    first: Vec<u32>,
    next: Vec<u32>,
    before: Vec<u32>,
    depth: Vec<u32>,
    /// The walk that last passed a position; walks are numbered on and on.
    passed: Vec<u64>,
    walk: u64,
}

impl Stage {
    fn new(nodes: usize) -> Self {
        let none = || vec![NONE; nodes];
        let (parent, first, next, before, depth) = (none(), none(), none(), none(), none());
        Self { parent, first, next, before, depth, passed: vec![0; nodes], walk: 0 }
    }

    fn place(&mut self, version: &Version) {
        let node = version.position;
        let (left, right) = (get(&self.before, node), get(&self.next, node));
        let old = get(&self.parent, node);
        if old != NONE && left == NONE {
            set(&mut self.first, old, right);
        }
        set(&mut self.next, left, right);
        set(&mut self.before, right, left);
        let head = get(&self.first, version.parent);
        set(&mut self.parent, node, version.parent);
        set(&mut self.before, node, NONE);
        set(&mut self.next, node, head);
        set(&mut self.before, head, node);
        set(&mut self.first, version.parent, node);
    }

    fn depth_of(&self, node: u32) -> u32 {
        get(&self.depth, node)
    }

    /// Each circle once, its smallest member first.
    fn circles(&mut self, moved: &[&Version]) -> Vec<Vec<u32>> {
        let first_walk = self.walk + 1;
        let with_others_below =
            moved.iter().map(|version| version.position).filter(|node| get(&self.first, *node) != NONE);
        let starts: Vec<u32> = with_others_below.collect();
        starts.into_iter().filter_map(|start| self.circle_through(start, first_walk)).collect()
    }

    fn circle_through(&mut self, start: u32, first_walk: u64) -> Option<Vec<u32>> {
        self.walk += 1;
        let mut node = start;
        while node != NONE {
            let passed = self.passed.get_mut(at(node))?;
            if *passed == self.walk {
                return Some(self.members(node));
            }
            if *passed >= first_walk {
                return None;
            }
            *passed = self.walk;
            node = get(&self.parent, node);
        }
        None
    }

    fn members(&self, start: u32) -> Vec<u32> {
        let up = |node: &u32| Some(get(&self.parent, *node)).filter(|next| *next != start && *next != NONE);
        let mut circle: Vec<u32> = std::iter::successors(Some(start), up).collect();
        let smallest = circle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(place, _)| place);
        circle.rotate_left(smallest);
        circle
    }

    /// Makes the levels right again; answers whose changed.
    fn levels(&mut self, moved: &[&Version]) -> Vec<u32> {
        self.walk += 1;
        for version in moved {
            set_walk(&mut self.passed, version.position, self.walk);
        }
        let is_moved = |stage: &Self, node: u32| stage.passed.get(at(node)).is_some_and(|p| *p == stage.walk);
        let tops = moved.iter().filter(|version| version.parent == NONE || !is_moved(self, version.parent));
        let mut open: VecDeque<u32> = tops.map(|version| version.position).collect();
        let mut changed = vec![];
        while let Some(node) = open.pop_front() {
            let parent = get(&self.parent, node);
            let depth = if parent == NONE { 0 } else { get(&self.depth, parent).saturating_add(1) };
            if get(&self.depth, node) != depth {
                set(&mut self.depth, node, depth);
                changed.push(node);
            }
            let mut child = get(&self.first, node);
            while child != NONE {
                if get(&self.depth, child) != depth.saturating_add(1) || is_moved(self, child) {
                    open.push_back(child);
                }
                child = get(&self.next, child);
            }
        }
        changed
    }
}

fn get(numbers: &[u32], node: u32) -> u32 {
    numbers.get(at(node)).copied().unwrap_or(NONE)
}

fn set(numbers: &mut [u32], node: u32, value: u32) {
    if let Some(slot) = numbers.get_mut(at(node)) {
        *slot = value;
    }
}

fn set_walk(walks: &mut [u64], node: u32, walk: u64) {
    if let Some(slot) = walks.get_mut(at(node)) {
        *slot = walk;
    }
}
