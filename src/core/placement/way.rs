//! The rules by which newcomers spill over, each with its memory of how far it has come.

use std::collections::{HashMap, VecDeque};

use super::crowd::Crowd;
use super::ground::Ground;
use super::{NONE, at};
use crate::core::plan::Spillover;

/// Under which position, and at which place.
type Found = Option<(u32, u16)>;

pub enum Way {
    /// By where it starts: positions not yet seen to be full, level by level.
    Breadth(HashMap<u32, VecDeque<u32>>),
    Depth(Down),
    Edge(Edge),
    Weaker {
        left: Edge,
        right: Edge,
        crowd: Crowd,
    },
}

impl Way {
    pub fn new(spillover: Spillover, ground: &Ground) -> Self {
        let edge = |side| Edge { side, links: Links::default() };
        let (left, right) = (edge(0), edge(ground.outer_right()));
        match spillover {
            Spillover::BreadthFirst => Self::Breadth(HashMap::new()),
            Spillover::DepthFirst => Self::Depth(Down::default()),
            Spillover::Left => Self::Edge(left),
            Spillover::Right => Self::Edge(right),
            Spillover::Weaker => {
                let mut crowd = Crowd::default();
                ground.spots.iter().for_each(|spot| crowd.add(spot.parent, spot.side));
                Self::Weaker { left, right, crowd }
            }
        }
    }

    /// The free place for the next one below `under`. `None`: there is none any more.
    pub fn find(&mut self, ground: &Ground, under: u32) -> Found {
        match self {
            Self::Breadth(queues) => {
                breadth_first(queues.entry(under).or_insert_with(|| VecDeque::from([under])), ground)
            }
            Self::Depth(down) => down.find(ground, under),
            Self::Edge(edge) => edge.find(ground, under),
            Self::Weaker { left, right, crowd } => {
                let size = |side| ground.child(under, side).map_or(0, |child| crowd.size(child));
                let (first, second) =
                    if size(right.side) < size(left.side) { (right, left) } else { (left, right) };
                first.find(ground, under).or_else(|| second.find(ground, under))
            }
        }
    }

    /// A place was taken.
    pub fn add(&mut self, parent: u32, side: u16) {
        if let Self::Weaker { crowd, .. } = self {
            crowd.add(parent, side);
        }
    }
}

/// A full position makes room in the queue for those below it, who are all there then.
fn breadth_first(queue: &mut VecDeque<u32>, ground: &Ground) -> Found {
    loop {
        let position = *queue.front()?;
        if let Some(side) = ground.free_side(position) {
            return Some((position, side));
        }
        queue.pop_front();
        queue.extend(ground.children(position));
    }
}

/// Down the first child until a place is free; where a matrix ends, back to the next one.
#[derive(Default)]
pub struct Down {
    links: Links,
    /// Below which nothing is free any more.
    closed: Vec<bool>,
}

impl Down {
    fn find(&mut self, ground: &Ground, under: u32) -> Found {
        if !ground.is_bounded() {
            let free = |position| ground.free_side(position);
            let found = self.links.follow(under, free, |position| ground.children(position).next());
            if found.is_some() {
                return found;
            }
        }
        let (mut way, mut position) = (vec![], under);
        loop {
            if let Some(side) = ground.free_side(position) {
                return Some((position, side));
            }
            match ground.children(position).find(|child| !self.is_closed(*child)) {
                Some(child) => {
                    way.push(position);
                    position = child;
                }
                None => {
                    self.close(position);
                    position = way.pop()?;
                }
            }
        }
    }

    fn is_closed(&self, position: u32) -> bool {
        self.closed.get(at(position)).copied().unwrap_or(false)
    }

    fn close(&mut self, position: u32) {
        if self.closed.len() <= at(position) {
            self.closed.resize(at(position).saturating_add(1), false);
        }
        if let Some(closed) = self.closed.get_mut(at(position)) {
            *closed = true;
        }
    }
}

/// The end of the line of those who all stand on one side.
pub struct Edge {
    side: u16,
    links: Links,
}

impl Edge {
    fn find(&mut self, ground: &Ground, under: u32) -> Found {
        let side = self.side;
        let free = |position| ground.is_free(position, side).then_some(side);
        self.links.follow(under, free, |position| ground.child(position, side))
    }
}

/// Short cuts past positions that are full.
#[derive(Default)]
struct Links(Vec<u32>);

impl Links {
    fn follow(
        &mut self,
        under: u32,
        free: impl Fn(u32) -> Option<u16>,
        next: impl Fn(u32) -> Option<u32>,
    ) -> Found {
        let (mut passed, mut position) = (vec![], under);
        let found = loop {
            let link = self.0.get(at(position)).copied().unwrap_or(NONE);
            if link == NONE {
                if let Some(side) = free(position) {
                    break Some((position, side));
                }
                let Some(below) = next(position) else { break None };
                passed.push(position);
                position = below;
            } else {
                passed.push(position);
                position = link;
            }
        };
        for before in passed {
            if self.0.len() <= at(before) {
                self.0.resize(at(before).saturating_add(1), NONE);
            }
            if let Some(link) = self.0.get_mut(at(before)) {
                *link = position;
            }
        }
        found
    }
}
