//! The columns of a distributor file that place people in the tree: placement_parent, placement_side, position.
//!
//! Empty columns say nothing: whoever stands somewhere stays there, and whoever does not is placed by the plan's
//! rule. Only who has neither a sponsor nor a placement_parent, in a file with that column, is put at the top.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::{DateTime, Utc};

use crate::core::ids::DistributorId;
use crate::core::placement::{Placement, PlacementProblem, PlacementVersion};
use crate::core::sheet::{Row, RowProblem};

pub const COLUMNS: [&str; 3] = ["placement_parent", "placement_side", "position"];

/// What a row says of a position.
pub struct Told {
    line: u64,
    position: String,
    owner: DistributorId,
    parent: Option<String>,
    side: u16,
    enrolled_at: DateTime<Utc>,
}

/// `None`: nothing, or a problem.
pub fn read(
    row: &Row<'_>,
    id: &str,
    enrolled_at: DateTime<Utc>,
    has_column: bool,
    problems: &mut Vec<RowProblem>,
) -> Option<Told> {
    let [parent, side, position] = COLUMNS.map(|column| row.get(column));
    let top = has_column && parent.is_none() && row.get("sponsor_id").is_none();
    if parent.is_none() && position.is_none() && side.is_none() && !top {
        return None;
    }
    let side = match (parent, side) {
        (None, None) => Some(0),
        (None, Some(_)) => {
            problems.push(row.problem("placement_side", "needs a placement_parent; fill in both or neither"));
            None
        }
        (Some(_), None) => {
            problems.push(row.problem("placement_side", "is empty; write left, right or a number from 0"));
            None
        }
        (Some(_), Some(text)) => {
            let side = side_named(text);
            if side.is_none() {
                let message = format!("{text:?} is no side; write left, right or a number from 0");
                problems.push(row.problem("placement_side", message));
            }
            side
        }
    };
    Some(Told {
        line: row.line,
        position: position.unwrap_or(id).to_owned(),
        owner: DistributorId::new(id),
        parent: parent.map(str::to_owned),
        side: side?,
        enrolled_at,
    })
}

/// The places under a position: left and right are the first two.
pub fn side_named(text: &str) -> Option<u16> {
    match text.trim().to_ascii_lowercase().as_str() {
        "left" => Some(0),
        "right" => Some(1),
        // As many as the table can number.
        number => number.parse().ok().filter(|side| i16::try_from(*side).is_ok()),
    }
}

/// What differs from the tree as it last stood: somebody who moves does so from `effective` on, a new position is
/// there from the enrolment, or from when the one above it is.
pub fn changes(known: &Placement, told: &[Told], effective: DateTime<Utc>) -> Vec<PlacementVersion> {
    let (mut moved, mut fresh) = (vec![], vec![]);
    for told in told {
        let wanted = PlacementVersion {
            position: told.position.clone(),
            owner: told.owner.clone(),
            parent: told.parent.clone(),
            side: told.side,
            from: Some(effective),
        };
        let last = known.node(&told.position).and_then(|node| known.history(node).pop());
        match last {
            None => fresh.push(PlacementVersion { from: Some(told.enrolled_at), ..wanted }),
            Some(last) if PlacementVersion { from: last.from, ..wanted.clone() } == last => {}
            Some(_) => moved.extend(known.moved(&wanted)),
        }
    }
    not_before_their_parents(known, &mut fresh);
    moved.append(&mut fresh);
    moved
}

/// From the top down; who is in a circle is told by the check of the tree.
fn not_before_their_parents(known: &Placement, fresh: &mut [PlacementVersion]) {
    let mut begins: HashMap<String, Option<DateTime<Utc>>> = HashMap::new();
    let numbers: HashMap<&str, usize> =
        fresh.iter().enumerate().map(|(number, version)| (version.position.as_str(), number)).collect();
    let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut open = VecDeque::new();
    for (number, version) in fresh.iter().enumerate() {
        match version.parent.as_ref().and_then(|parent| numbers.get(parent.as_str())) {
            Some(parent) => below.entry(*parent).or_default().push(number),
            None => open.push_back(number),
        }
    }
    while let Some(number) = open.pop_front() {
        open.extend(below.remove(&number).unwrap_or_default());
        let Some(version) = fresh.get_mut(number) else { continue };
        let parent = version.parent.as_ref().and_then(|parent| {
            let stands = || known.node(parent).and_then(|node| known.history(node).first().map(|v| v.from));
            begins.get(parent).copied().or_else(stands)
        });
        version.from = version.from.max(parent.flatten());
        begins.insert(version.position.clone(), version.from);
    }
}

/// A position that two rows name.
pub fn twice(told: &[Told]) -> Vec<RowProblem> {
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    let again = |told: &Told, first: u64| RowProblem {
        line: told.line,
        column: "position".to_owned(),
        message: format!("{} is in line {first} already; keep one of them", told.position),
    };
    told.iter()
        .filter_map(|told| lines.insert(&told.position, told.line).map(|first| again(told, first)))
        .collect()
}

/// Every problem at the row of the first position that it names.
pub fn at_their_rows(problems: &[PlacementProblem], told: &[Told]) -> Vec<RowProblem> {
    let lines: BTreeMap<&str, u64> = told.iter().map(|told| (told.position.as_str(), told.line)).collect();
    let at_row = |problem: &PlacementProblem| RowProblem {
        line: problem.positions().into_iter().find_map(|position| lines.get(position)).copied().unwrap_or(1),
        column: match problem {
            PlacementProblem::Taken { .. } | PlacementProblem::BeyondWidth { .. } => "placement_side",
            PlacementProblem::Duplicate { .. } | PlacementProblem::EmptyId => "position",
            _ => "placement_parent",
        }
        .to_owned(),
        message: problem.to_string(),
    };
    problems.iter().map(at_row).collect()
}
