//! The placement tree that a plan declares, and where newcomers go.

use super::read::Table;
use super::{Canonical, Plan};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacementRule {
    pub tree: TreeKind,
    pub spillover: Spillover,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeKind {
    Binary,
    /// So many places under everybody, and so many levels at most.
    Matrix {
        width: u16,
        depth: Option<u16>,
    },
}

impl TreeKind {
    /// Places under a position.
    pub fn width(self) -> u16 {
        match self {
            Self::Binary => 2,
            Self::Matrix { width, .. } => width,
        }
    }
}

/// Where somebody goes whose sponsor has no free place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spillover {
    /// The uppermost free place below the sponsor, from left to right.
    BreadthFirst,
    /// Down the first child until a place is free.
    DepthFirst,
    /// Of a binary: the outer edge of a side.
    Left,
    Right,
    /// Of a binary: the outer edge of the side with fewer people; left where they are equal.
    Weaker,
}

pub(super) fn read(root: &Table<'_>) -> Option<PlacementRule> {
    let _ = root;
    None
}

pub(super) fn canonical(_plan: &Plan, _out: &mut Canonical) {}
