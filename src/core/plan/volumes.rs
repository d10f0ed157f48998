//! Group volume and markets: what counts for whom, and where.

use super::read::Table;
use super::{Canonical, Plan};
use crate::core::bonus::Names;
use crate::core::volume::VolumeKind;

/// How group volume is summed up the sponsors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupRule {
    /// Which volume it is the sum of.
    pub volume: VolumeKind,
    /// Whether somebody's own volume is part of their group's.
    pub own: bool,
    /// From this rank on a leg breaks away: `pgv` does not count it.
    pub breakaway: Option<u16>,
}

impl Default for GroupRule {
    fn default() -> Self {
        Self { volume: VolumeKind::Qv, own: true, breakaway: None }
    }
}

/// Stores whose orders have volumes of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    pub id: String,
    /// Slugs of stores.
    pub stores: Vec<String>,
}

pub(super) fn read_group(root: &Table<'_>, names: &Names<'_>) -> GroupRule {
    let _ = (root, names);
    GroupRule::default()
}

pub(super) fn read_markets(root: &Table<'_>) -> Vec<Market> {
    let _ = root;
    vec![]
}

pub(super) fn canonical(_plan: &Plan, _out: &mut Canonical) {}
