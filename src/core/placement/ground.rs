//! The tree while newcomers are put into it: which places are free, and since when.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};

use super::{NONE, Placement, at};
use crate::core::plan::TreeKind;

/// Positions are numbered parents first: those that are there, then newcomers as they come.
pub struct Ground {
    pub spots: Vec<Spot>,
    /// When the last occupant of a place left it.
    vacated: HashMap<(u32, u16), i64>,
    width: u16,
    most: Option<u16>,
}

pub struct Spot {
    /// In the placement that it was there in; nothing for a newcomer.
    pub known_as: u32,
    pub parent: u32,
    pub side: u16,
    pub from: i64,
    depth: u32,
    /// By side. [`NONE`] is somebody who comes later: the place is not free.
    below: Vec<(u16, u32)>,
}

impl Ground {
    /// As of an instant; who comes later is there already. A place is free that nobody takes from then on.
    pub fn of(placement: &Placement, instant: DateTime<Utc>, tree: TreeKind) -> Self {
        let most = match tree {
            TreeKind::Matrix { depth, .. } => depth,
            TreeKind::Binary => None,
        };
        let mut ground = Self { spots: vec![], vacated: HashMap::new(), width: tree.width(), most };
        let standing =
            |node| placement.version_at(node, instant).or_else(|| placement.versions_of(node).first());
        let mut below: Vec<Vec<(u16, u32)>> = vec![vec![]; placement.len()];
        let mut open = VecDeque::new();
        for node in placement.nodes() {
            let Some(version) = standing(node) else { continue };
            match below.get_mut(at(version.parent)) {
                Some(children) => children.push((version.side, node.0)),
                None => open.push_back((node.0, NONE, 0)),
            }
        }
        let mut numbers = vec![NONE; placement.len()];
        while let Some((node, parent, side)) = open.pop_front() {
            let begins =
                placement.versions_of(super::Node(node)).first().map_or(i64::MIN, |first| first.from);
            let number = ground.stand(parent, side, begins, node);
            if let Some(slot) = numbers.get_mut(at(node)) {
                *slot = number;
            }
            let mut children = below.get_mut(at(node)).map(std::mem::take).unwrap_or_default();
            children.sort_unstable();
            open.extend(children.into_iter().map(|(side, child)| (child, number, side)));
        }
        ground.keep_free(placement, instant, &numbers);
        ground
    }

    /// Places that are taken later are not free, and those that were left are free from then on.
    fn keep_free(&mut self, placement: &Placement, instant: DateTime<Utc>, numbers: &[u32]) {
        for (version, until) in placement.spans() {
            let Some(parent) = numbers.get(at(version.parent)).copied() else { continue };
            if until <= instant.timestamp_micros() {
                let left = self.vacated.entry((parent, version.side)).or_insert(until);
                *left = until.max(*left);
                continue;
            }
            let Some(spot) = self.spots.get_mut(at(parent)) else { continue };
            if let Err(place) = spot.below.binary_search_by_key(&version.side, |(side, _)| *side) {
                spot.below.insert(place, (version.side, NONE));
            }
        }
    }

    /// Puts a newcomer at a free place; answers its number.
    pub fn put(&mut self, parent: u32, side: u16, wanted: i64) -> u32 {
        let begins = self.spots.get(at(parent)).map_or(i64::MIN, |spot| spot.from);
        let left = self.vacated.get(&(parent, side)).copied().unwrap_or(i64::MIN);
        self.stand(parent, side, wanted.max(begins).max(left), NONE)
    }

    fn stand(&mut self, parent: u32, side: u16, from: i64, known_as: u32) -> u32 {
        let number = u32::try_from(self.spots.len()).unwrap_or(NONE);
        let mut depth = 0;
        if let Some(above) = self.spots.get_mut(at(parent)) {
            depth = above.depth + 1;
            // Who takes over a place later is known by their own number alone.
            if let Err(place) = above.below.binary_search_by_key(&side, |(taken, _)| *taken) {
                above.below.insert(place, (side, number));
            }
        }
        self.spots.push(Spot { known_as, parent, side, from, depth, below: vec![] });
        number
    }

    /// The leftmost free place directly under a position.
    pub fn free_side(&self, number: u32) -> Option<u16> {
        let spot = self.spots.get(at(number)).filter(|spot| self.may_have_below(spot))?;
        let gapless = spot.below.last().is_none_or(|(last, _)| usize::from(*last) + 1 == spot.below.len());
        let free = if gapless {
            u16::try_from(spot.below.len()).ok()?
        } else {
            (0u16..).zip(&spot.below).find(|(side, (taken, _))| side != taken).map(|(side, _)| side)?
        };
        (free < self.width).then_some(free)
    }

    /// Whether this very place is free.
    pub fn is_free(&self, number: u32, side: u16) -> bool {
        let spot = self.spots.get(at(number)).filter(|spot| self.may_have_below(spot));
        side < self.width
            && spot.is_some_and(|spot| spot.below.binary_search_by_key(&side, |(taken, _)| *taken).is_err())
    }

    /// Who stands at a place under a position.
    pub fn child(&self, number: u32, side: u16) -> Option<u32> {
        let spot = self.spots.get(at(number))?;
        let place = spot.below.binary_search_by_key(&side, |(taken, _)| *taken).ok()?;
        spot.below.get(place).map(|(_, child)| *child).filter(|child| *child != NONE)
    }

    /// From the left to the right.
    pub fn children(&self, number: u32) -> impl Iterator<Item = u32> + '_ {
        let below = self.spots.get(at(number)).map_or(&[][..], |spot| &spot.below);
        below.iter().map(|(_, child)| *child).filter(|child| *child != NONE)
    }

    pub fn is_bounded(&self) -> bool {
        self.most.is_some()
    }

    pub fn outer_right(&self) -> u16 {
        self.width.saturating_sub(1)
    }

    fn may_have_below(&self, spot: &Spot) -> bool {
        self.most.is_none_or(|most| spot.depth < u32::from(most))
    }
}
