//! The placement tree as it is stored: positions are placed and moved by versions that are only ever added.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{recorded_at, repo};
use crate::core::genealogy::Genealogy;
use crate::core::ids::DistributorId;
use crate::core::placement::spill::{self, Filled, Newcomer};
use crate::core::placement::{Placement, PlacementProblem, PlacementVersion};
use crate::core::plan::{PlacementRule, TreeKind};
use crate::db::{Cached, Conn, DbError, Tx};

/// The placement tree in memory, as fresh as the asking database transaction.
pub struct Placements(Cached<Placement>);

impl Default for Placements {
    fn default() -> Self {
        Self(Cached::new("placement", |conn| load(conn, None)))
    }
}

impl Placements {
    pub fn get(&self, conn: &mut Conn) -> Result<Arc<Placement>, DbError> {
        self.0.get(conn)
    }
}

/// The tree as it was known at an instant: what was recorded later is not in it.
pub fn placement_known_at(conn: &mut Conn, known_at: DateTime<Utc>) -> Result<Placement, DbError> {
    load(conn, Some(known_at))
}

fn load(conn: &mut Conn, known_at: Option<DateTime<Utc>>) -> Result<Placement, DbError> {
    Placement::build(repo::placement::versions(conn, known_at)?).map_err(|problems| {
        let told: Vec<String> = problems.iter().take(3).map(ToString::to_string).collect();
        DbError::Damaged(format!("the placement tree: {}", told.join("; ")))
    })
}

/// Why nothing was placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceProblem {
    #[error("the placement tree would not hold: {}", told(.0))]
    Placement(Vec<PlacementProblem>),
    #[error(transparent)]
    Db(#[from] DbError),
}

fn told(problems: &[PlacementProblem]) -> String {
    problems.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Adds versions of positions, all or none, as the plan's tree allows. The tree is checked as a whole before
/// anything is written; writers wait for each other.
pub fn place(
    tx: &mut Tx<'_>,
    versions: &[PlacementVersion],
    tree: Option<TreeKind>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), PlaceProblem> {
    let recorded_at = recorded_at(tx, "placement", now)?;
    let known = load(tx.conn, None)?;
    let mut owners: Vec<&str> = versions.iter().map(|version| version.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    let owners = repo::known(tx.conn, &owners)?;
    known.check(versions, tree, |owner| owners.contains(owner.as_str())).map_err(PlaceProblem::Placement)?;
    Ok(repo::placement::insert(tx.conn, versions, by, recorded_at)?)
}

/// Places every enrolled distributor without a position by the rule, under the sponsor's uppermost position,
/// effective from the enrolment.
pub fn fill(
    tx: &mut Tx<'_>,
    rule: &PlacementRule,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Filled, PlaceProblem> {
    let recorded_at = recorded_at(tx, "placement", now)?;
    let known = load(tx.conn, None)?;
    let genealogy = super::genealogy(tx.conn, None)?;
    let filled = preview_fill(&known, &genealogy, rule, now);
    known.check(&filled.placed, Some(rule.tree), |_| true).map_err(PlaceProblem::Placement)?;
    repo::placement::insert(tx.conn, &filled.placed, by, recorded_at)?;
    Ok(filled)
}

/// What [`fill`] would do.
pub fn preview_fill(
    known: &Placement,
    genealogy: &Genealogy,
    rule: &PlacementRule,
    now: DateTime<Utc>,
) -> Filled {
    spill::fill(known, rule, enrolled(genealogy, now), now)
}

/// Everybody who has enrolled, with the sponsor of that time.
fn enrolled(genealogy: &Genealogy, now: DateTime<Utc>) -> Vec<Newcomer> {
    let enrolled =
        genealogy.nodes().filter(|node| genealogy.standing_at(*node, now).is_some_and(|s| s.enrolled));
    let newcomer = |node| {
        let enrolled_at = genealogy.enrolled_at(node);
        // A history that begins after the enrolment says nothing of that time.
        let at = enrolled_at.filter(|at| genealogy.standing_at(node, *at).is_some()).unwrap_or(now);
        let sponsor = genealogy.sponsor_at(node, at).map(|sponsor| DistributorId::new(genealogy.id(sponsor)));
        Newcomer { id: DistributorId::new(genealogy.id(node)), sponsor, enrolled_at }
    };
    enrolled.map(newcomer).collect()
}
