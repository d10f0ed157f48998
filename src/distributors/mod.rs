//! Who sells, and who is above whom: distributors, their history and the codes that name them, and the positions
//! of the placement tree.
//!
//! The whole genealogy is in memory; an order's upline is read from it as of the order's own time. The placement
//! tree is beside it: it matters to the bonuses of a period alone.

mod codes;
pub mod import;
mod moves;
mod placement;
mod repo;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use crate::core::placement::spill::{Filled, Unplaced};
pub use codes::{CodeProblem, Codes, bind_codes, link, retire_code};
pub use moves::{MoveProblem, SponsorMove, move_sponsor};
pub use placement::{PlaceProblem, Placements, fill, place, placement_known_at, preview_fill};
pub use repo::{Profile, profiles};

use crate::core::attribution::Named;
use crate::core::genealogy::{DistributorVersion, Genealogy, GenealogyProblem, Status};
use crate::core::ids::DistributorId;
use crate::core::placement::PlacementProblem;
use crate::db::{Cached, Conn, DbError, Tx, bump};

/// Everything in which a reference to a distributor is looked up.
#[derive(Debug)]
pub struct Network {
    pub genealogy: Genealogy,
    pub codes: Codes,
}

/// The network in memory, as fresh as the asking database transaction.
pub struct Networks(Cached<Network>);

impl Default for Networks {
    fn default() -> Self {
        Self(Cached::new("distributors", load))
    }
}

impl Networks {
    pub fn get(&self, conn: &mut Conn) -> Result<Arc<Network>, DbError> {
        self.0.get(conn)
    }
}

fn load(conn: &mut Conn) -> Result<Network, DbError> {
    Ok(Network { genealogy: genealogy(conn, None)?, codes: Codes::new(repo::codes::versions(conn, None)?) })
}

/// The sponsor tree as it was known at an instant: what was recorded later is not in it.
pub fn genealogy_known_at(conn: &mut Conn, known_at: DateTime<Utc>) -> Result<Genealogy, DbError> {
    genealogy(conn, Some(known_at))
}

fn genealogy(conn: &mut Conn, known_at: Option<DateTime<Utc>>) -> Result<Genealogy, DbError> {
    Genealogy::build(repo::versions(conn, known_at)?).map_err(|problems| damaged(&problems))
}

fn damaged(problems: &[GenealogyProblem]) -> DbError {
    let told: Vec<String> = problems.iter().take(3).map(ToString::to_string).collect();
    DbError::Damaged(format!("the genealogy: {}", told.join("; ")))
}

impl Network {
    /// Who `reference` names at an instant: a distributor id as written, or a code in any case.
    pub fn named(&self, reference: &str, at: DateTime<Utc>) -> Named {
        let as_id = DistributorId::new(reference);
        let by_code = || self.codes.holder(reference, at).cloned();
        let Some(id) = self.genealogy.node(&as_id).map(|_| as_id).or_else(by_code) else {
            return Named::Nobody;
        };
        let Some(node) = self.genealogy.node(&id) else { return Named::Nobody };
        match self.genealogy.standing_at(node, at) {
            Some(standing) if !standing.enrolled => Named::NotYetEnrolled(id),
            Some(standing) if standing.status == Status::Terminated => Named::Terminated(id),
            Some(_) => Named::Distributor(id),
            None => Named::NotYetEnrolled(id),
        }
    }
}

/// Whom references name now, whatever their standing: for what is not an order, which asks as of its own time.
pub fn whoever(
    conn: &mut Conn,
    references: &BTreeSet<String>,
) -> Result<HashMap<String, DistributorId>, DbError> {
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    Ok(repo::codes::whoever(conn, &references)?.into_iter().collect())
}

/// When something was last recorded of a distributor or a position. Whoever is just recording something is waited
/// for, and nobody records anything before this database transaction ends.
pub fn newest_knowledge(tx: &mut Tx<'_>) -> Result<Option<DateTime<Utc>>, DbError> {
    repo::knowledge::lock(tx.conn)?;
    repo::knowledge::newest(tx.conn)
}

/// Tells everybody that the named tree changes, and answers the instant under which that is recorded. It is known
/// only under the lock: a clock that was read before could name one that a freeze has passed already.
fn recorded_at(tx: &mut Tx<'_>, tree: &'static str, now: DateTime<Utc>) -> Result<DateTime<Utc>, DbError> {
    repo::knowledge::lock(tx.conn)?;
    bump(tx, tree)?;
    repo::knowledge::stamp(tx.conn, now)
}

/// Whose rank at an instant was decided by the close of a period, as it was known at `known_at`. All others have
/// theirs by hand.
pub fn decided_ranks(
    conn: &mut Conn,
    at: DateTime<Utc>,
    known_at: DateTime<Utc>,
) -> Result<HashSet<DistributorId>, DbError> {
    repo::knowledge::decided(conn, at, Some(known_at))
}

/// Gives distributors the ranks that a period has decided, from its end on, where they have others by then. Who
/// was not known at `known_at` is left alone; whoever is not among them loses a rank that a period had decided.
/// Returns how many versions that are.
pub fn record_ranks(
    tx: &mut Tx<'_>,
    decided: &[(String, Option<String>)],
    (from, known_at): (DateTime<Utc>, DateTime<Utc>),
    by: &str,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    let recorded_at = recorded_at(tx, "distributors", now)?;
    let mut lost = repo::knowledge::decided(tx.conn, from, None)?;
    for (id, _) in decided {
        lost.remove(&DistributorId::new(id.as_str()));
    }
    let mut ranks = decided.to_vec();
    ranks.extend(lost.into_iter().map(|id| (id.0, None)));
    repo::insert_ranks(tx.conn, &ranks, (from, known_at), by, (recorded_at, now))
}

/// A distributor as imported or edited: the profile, and what is true from `version.from` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub version: DistributorVersion,
    pub country: Option<String>,
    /// Not recorded with the rest: it is sealed, by `payees`, for whom `record_numbers` is called beside.
    pub tax_id: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordProblem {
    #[error("the genealogy would not hold")]
    Genealogy(Vec<GenealogyProblem>),
    #[error("the placement tree would not hold")]
    Placement(Vec<PlacementProblem>),
    #[error(transparent)]
    Code(#[from] CodeProblem),
    #[error("the distributors could not be saved")]
    Db(#[from] DbError),
}

impl From<PlaceProblem> for RecordProblem {
    fn from(problem: PlaceProblem) -> Self {
        match problem {
            PlaceProblem::Placement(problems) => Self::Placement(problems),
            PlaceProblem::Db(error) => Self::Db(error),
        }
    }
}

/// Adds distributors and versions, all or none. The tree is checked as a whole before anything is written;
/// writers wait for each other, so that two edits cannot close a cycle between them.
pub fn record(tx: &mut Tx<'_>, entries: &[Entry], by: &str, now: DateTime<Utc>) -> Result<(), RecordProblem> {
    let recorded_at = recorded_at(tx, "distributors", now)?;
    let known = repo::versions(tx.conn, None)?;
    let changes: Vec<DistributorVersion> = entries.iter().map(|entry| entry.version.clone()).collect();
    Genealogy::build(known)
        .and_then(|genealogy| genealogy.check(&changes))
        .map_err(RecordProblem::Genealogy)?;
    repo::upsert(tx.conn, entries, by, recorded_at)?;
    Ok(())
}
