//! The placement tree of a scenario: positions one by one, or everybody by the plan's rule.

use chrono::{DateTime, Utc};

use super::book::Book;
use crate::core::placement::spill::{Newcomer, fill};
use crate::core::placement::{Placement, PlacementVersion};

/// A position more; everything that is wrong with it where it does not fit.
pub(super) fn place(book: &mut Book<'_>, version: &PlacementVersion) -> Result<(), String> {
    let Some(rule) = book.scenario.plan.placement() else {
        return Err("the plan has no placement tree; give it [placement]".to_owned());
    };
    let known = |owner: &_| book.versions.iter().any(|version| version.id == *owner);
    let checked = tree(book)?.check(std::slice::from_ref(version), Some(rule.tree), known);
    checked.map_err(|problems| told(&problems))?;
    book.placed.push(version.clone());
    Ok(())
}

/// Everybody who has no position yet, in the order in which they enrolled.
pub(super) fn place_all(book: &mut Book<'_>) -> Result<(), String> {
    let Some(rule) = book.scenario.plan.placement() else {
        return Err("the plan has no placement tree; give it [placement]".to_owned());
    };
    let mut newcomers: Vec<Newcomer> = vec![];
    for version in &book.versions {
        if newcomers.iter().all(|known| known.id != version.id) {
            let (id, sponsor) = (version.id.clone(), version.sponsor.clone());
            newcomers.push(Newcomer { id, sponsor, enrolled_at: version.enrolled_at });
        }
    }
    let filled = fill(&tree(book)?, rule, newcomers, latest(book));
    book.placed.extend(filled.placed);
    match filled.unplaced.as_slice() {
        [] => Ok(()),
        unplaced => Err(told(unplaced)),
    }
}

pub(super) fn tree(book: &Book<'_>) -> Result<Placement, String> {
    Placement::build(book.placed.iter().cloned()).map_err(|problems| told(&problems))
}

/// By then everything that was told of positions is so.
fn latest(book: &Book<'_>) -> DateTime<Utc> {
    let since = book.placed.iter().filter_map(|placed| placed.from).max();
    since.unwrap_or(DateTime::UNIX_EPOCH)
}

fn told(problems: &[impl ToString]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
