//! From versions in any order to the arrays of a [`Placement`]; every problem is named, not the first.

use std::collections::BTreeSet;

use super::names::Names;
use super::{
    Groups, NONE, Placement, PlacementProblem, PlacementVersion, Version, at, from_micros, play, to_micros,
};
use crate::core::ids::DistributorId;
use crate::core::plan::TreeKind;

/// What the plan allows, and which versions, of which positions, are measured by it.
pub struct Limits<'a> {
    pub tree: TreeKind,
    pub judged: &'a BTreeSet<&'a str>,
    changed: &'a BTreeSet<(&'a str, i64)>,
}

pub fn with_changes(
    known: &Placement,
    changes: &[PlacementVersion],
    tree: Option<TreeKind>,
    is_known: impl Fn(&DistributorId) -> bool,
) -> Result<Placement, Vec<PlacementProblem>> {
    let replaced: BTreeSet<(&str, i64)> =
        changes.iter().map(|change| (change.position.as_str(), to_micros(change.from))).collect();
    let judged: BTreeSet<&str> = changes.iter().map(|change| change.position.as_str()).collect();
    let unknown: Vec<PlacementProblem> = changes
        .iter()
        .filter(|change| !change.owner.as_str().is_empty() && !is_known(&change.owner))
        .map(|change| PlacementProblem::UnknownOwner {
            position: change.position.clone(),
            owner: change.owner.clone(),
        })
        .collect();
    let kept =
        known.versions().filter(|old| !replaced.contains(&(old.position.as_str(), to_micros(old.from))));
    let given = kept.chain(changes.iter().cloned()).collect();
    let limits = tree.map(|tree| Limits { tree, judged: &judged, changed: &replaced });
    let built = build(given, limits.as_ref());
    match (built, unknown.is_empty()) {
        (Ok(placement), true) => Ok(placement),
        (Ok(_), false) => Err(sorted(unknown)),
        (Err(problems), _) => Err(sorted(problems.into_iter().chain(unknown).collect())),
    }
}

pub fn build(
    mut given: Vec<PlacementVersion>,
    limits: Option<&Limits<'_>>,
) -> Result<Placement, Vec<PlacementProblem>> {
    let mut problems = vec![];
    given.retain(|version| {
        let named = !version.position.is_empty();
        if !named {
            problems.push(PlacementProblem::EmptyId);
        } else if version.owner.as_str().is_empty() {
            problems.push(PlacementProblem::NoOwner { position: version.position.clone() });
        }
        named
    });
    given.sort_unstable_by(|a, b| (&a.position, a.from).cmp(&(&b.position, b.from)));
    let Some(placement) = lay_out(&given, &mut problems) else { return Err(vec![PlacementProblem::TooMany]) };
    drop(given);
    problems.extend(later_parents(&placement));
    problems.extend(taken(&placement));
    if let Some(limits) = limits {
        problems.extend(beyond_width(&placement, limits));
    }
    problems.extend(play::find(&placement, limits));
    if problems.is_empty() { Ok(placement) } else { Err(sorted(problems)) }
}

/// `None`: too many. What cannot stand is left out and told.
fn lay_out(given: &[PlacementVersion], problems: &mut Vec<PlacementProblem>) -> Option<Placement> {
    let same = |a: &PlacementVersion, b: &PlacementVersion| a.position == b.position;
    let positions = Names::of(
        given.chunk_by(same).filter_map(|chunk| chunk.first()).map(|first| first.position.as_str()),
    )?;
    let mut owners: Vec<&str> = given.iter().map(|version| version.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    let owners = Names::of(owners)?;
    let mut versions: Vec<Version> = Vec::with_capacity(given.len());
    let mut starts = vec![0];
    for (position, chunk) in (0u32..).zip(given.chunk_by(same)) {
        for version in chunk {
            let from = to_micros(version.from);
            if versions.last().is_some_and(|last| last.position == position && last.from == from) {
                let position = version.position.clone();
                problems.push(PlacementProblem::Duplicate { position, from: version.from });
                continue;
            }
            let parent = parent(version, &positions, problems);
            let owner = owners.find(version.owner.as_str()).unwrap_or(NONE);
            let side = if parent == NONE { 0 } else { version.side };
            versions.push(Version { from, position, parent, owner, side });
        }
        starts.push(u32::try_from(versions.len()).ok()?);
    }
    let by_parent = grouped(&versions, positions.len(), |version| version.parent);
    let by_owner = grouped(&versions, owners.len(), |version| version.owner);
    Some(Placement { positions, owners, versions, starts, by_parent, by_owner })
}

fn parent(version: &PlacementVersion, positions: &Names, problems: &mut Vec<PlacementProblem>) -> u32 {
    let Some(parent) = &version.parent else { return NONE };
    if *parent == version.position {
        problems.push(PlacementProblem::OwnParent { position: version.position.clone() });
        return NONE;
    }
    positions.find(parent).unwrap_or_else(|| {
        problems.push(PlacementProblem::UnknownParent {
            position: version.position.clone(),
            parent: parent.clone(),
        });
        NONE
    })
}

/// Counting sort of version numbers; those of no group are the last group.
fn grouped(versions: &[Version], groups: usize, group: impl Fn(&Version) -> u32) -> Groups {
    let slot = |version: &Version| at(group(version)).min(groups);
    let mut starts = vec![0u32; groups + 2];
    for version in versions {
        if let Some(count) = starts.get_mut(slot(version) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut numbers = vec![0u32; versions.len()];
    for (number, version) in (0u32..).zip(versions) {
        let Some(place) = next.get_mut(slot(version)) else { continue };
        if let Some(entry) = numbers.get_mut(at(*place)) {
            *entry = number;
        }
        *place += 1;
    }
    Groups { numbers, starts }
}

fn later_parents(placement: &Placement) -> Vec<PlacementProblem> {
    let later = |version: &Version| {
        let parent = super::Node(version.parent);
        let begins = placement.versions_of(parent).first()?.from;
        (begins > version.from).then(|| PlacementProblem::ParentLater {
            position: placement.positions.get(version.position).to_owned(),
            parent: placement.id(parent).to_owned(),
            at: from_micros(version.from),
            begins: from_micros(begins).map(|at| at.to_rfc3339()).unwrap_or_default(),
        })
    };
    placement.versions.iter().filter(|version| version.parent != NONE).filter_map(later).collect()
}

/// Two positions at one place of a parent at the same time: their spans, swept by time.
fn taken(placement: &Placement) -> Vec<PlacementProblem> {
    let mut spans: Vec<(u32, u16, i64, i64, u32)> = placement
        .spans()
        .filter(|(version, _)| version.parent != NONE)
        .map(|(version, until)| (version.parent, version.side, version.from, until, version.position))
        .collect();
    spans.sort_unstable();
    let mut problems = vec![];
    for place in spans.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (mut busy, mut by) = (i64::MIN, NONE);
        for (parent, side, from, until, position) in place {
            if *from < busy && by != *position {
                problems.push(PlacementProblem::Taken {
                    parent: placement.positions.get(*parent).to_owned(),
                    side: *side,
                    first: placement.positions.get(by).to_owned(),
                    second: placement.positions.get(*position).to_owned(),
                    at: from_micros(*from),
                });
            }
            if *until > busy || by == NONE {
                (busy, by) = (*until, *position);
            }
        }
    }
    problems
}

fn beyond_width(placement: &Placement, limits: &Limits<'_>) -> Vec<PlacementProblem> {
    let width = limits.tree.width();
    let beyond = placement.versions.iter().filter(|version| version.parent != NONE && version.side >= width);
    let changed = |version: &&Version| {
        limits.changed.contains(&(placement.positions.get(version.position), version.from))
    };
    beyond
        .filter(changed)
        .map(|version| PlacementProblem::BeyondWidth {
            position: placement.positions.get(version.position).to_owned(),
            parent: placement.positions.get(version.parent).to_owned(),
            side: version.side,
            width,
        })
        .collect()
}

impl Placement {
    /// Every version with the instant at which it ends.
    pub(super) fn spans(&self) -> impl Iterator<Item = (&Version, i64)> {
        let next = self.versions.iter().skip(1).map(Some).chain(std::iter::once(None));
        self.versions.iter().zip(next).map(|(version, next)| {
            let next = next.filter(|next| next.position == version.position);
            (version, next.map_or(i64::MAX, |next| next.from))
        })
    }
}

/// The order in which versions came must not show in the answer.
fn sorted(mut problems: Vec<PlacementProblem>) -> Vec<PlacementProblem> {
    problems.sort_by_cached_key(ToString::to_string);
    problems.dedup();
    problems
}
