//! The placement tree that a plan declares, and where newcomers go.

use super::read::{Item, Table};
use super::{Canonical, Plan, word};
use crate::core::bonus::{FamilyWord, Names};

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

pub(super) const SPILLOVERS: [(&str, Spillover); 5] = [
    ("breadth_first", Spillover::BreadthFirst),
    ("depth_first", Spillover::DepthFirst),
    ("left", Spillover::Left),
    ("right", Spillover::Right),
    ("weaker", Spillover::Weaker),
];

/// `None`: there is no placement tree, or it could not be read.
pub(super) fn read(root: &Table<'_>) -> Option<PlacementRule> {
    let table = root.optional("placement")?.table()?;
    let tree = table
        .required("tree", "tree = \"binary\"")
        .and_then(|i| i.word(&[("binary", true), ("matrix", false)]));
    let tree = match tree {
        Some(true) => Some(TreeKind::Binary),
        Some(false) => {
            table.required("width", "width = 3").and_then(|item| item.whole(2, 100)).map(|width| {
                TreeKind::Matrix { width, depth: table.optional("depth").and_then(|i| i.whole(1, 100)) }
            })
        }
        None => {
            table.ignore_rest();
            None
        }
    };
    if tree == Some(TreeKind::Binary) {
        for item in [table.optional("width"), table.optional("depth")].into_iter().flatten() {
            item.problem(
                "a binary has two places under everybody and no end",
                "remove it, or write tree = \"matrix\"",
            );
        }
    }
    let spillover = table.optional("spillover").map(|item| (item.word(&SPILLOVERS), item));
    let spillover = match spillover {
        Some((word, item)) => word.inspect(|word| check_sides(*word, tree, &item)),
        None => Some(Spillover::BreadthFirst),
    };
    table.finish();
    Some(PlacementRule { tree: tree?, spillover: spillover? })
}

fn check_sides(spillover: Spillover, tree: Option<TreeKind>, item: &Item<'_>) {
    let by_side = matches!(spillover, Spillover::Left | Spillover::Right | Spillover::Weaker);
    if by_side && matches!(tree, Some(TreeKind::Matrix { .. })) {
        item.problem("only a binary has sides", "use breadth_first or depth_first");
    }
}

/// Some families go up the placement tree and not up the sponsors.
pub(super) fn check_tree(bonus: &Table<'_>, id: &str, names: &Names<'_>) {
    let family = names.bonuses.iter().find(|(known, _)| known == id).map(|(_, family)| *family);
    match (family, names.placement.map(|rule| rule.tree)) {
        (Some(FamilyWord::Binary), None) => {
            bonus.problem(
                "a binary pays by the placement tree, and there is none",
                "add [placement] with tree = \"binary\"",
            );
        }
        (Some(FamilyWord::Binary), Some(TreeKind::Matrix { .. })) => {
            bonus.problem(
                "a binary needs a placement tree of two sides",
                "write tree = \"binary\" in [placement]",
            );
        }
        (Some(FamilyWord::Matrix), None) => {
            bonus.problem(
                "a matrix pays by the placement tree, and there is none",
                "add [placement] with tree = \"matrix\" and width = 3",
            );
        }
        _ => {}
    }
}

pub(super) fn canonical(plan: &Plan, out: &mut Canonical) {
    let Some(rule) = &plan.placement else { return };
    match rule.tree {
        TreeKind::Binary => out.text("placement.tree", "binary"),
        TreeKind::Matrix { width, depth } => {
            out.text("placement.tree", "matrix");
            out.number("placement.width", width.into());
            if let Some(depth) = depth {
                out.number("placement.depth", depth.into());
            }
        }
    }
    if rule.spillover != Spillover::BreadthFirst {
        out.text("placement.spillover", word(&SPILLOVERS, &rule.spillover));
    }
}
