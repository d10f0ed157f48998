//! Periods: from the first order in them to the posted run, and what has changed of them since.
//!
//! ```text
//! open -> soft close -> freeze -> run -> review -> approve -> post -> closed
//! ```
//!
//! A soft close sends late orders to the next period. A freeze fixes what the official run is calculated from: the
//! volume facts up to a number, the distributors as known then, the plan that holds at the end. A run reads only
//! that, so it comes to the same result whenever and wherever it is calculated, also after its process was killed.
//! A person looks at it, another one approves it, and it is posted once. A closed period is never opened again:
//! what refunds and late corrections change of it is an adjustment, posted into the open period.

mod adjust;
mod calculate;
mod calendar;
mod gather;
mod life;
mod moved;
mod post;
mod problem;
mod prove;
mod repo;
mod rows;
mod run;
mod scope;
mod single;
mod summary;
mod told;
mod what_if;
mod worker;

use repo::words;
use uuid::Uuid;

pub use adjust::{Corrected, changed_since};
pub use calculate::{Loaded, Recalculated, Trees};
pub use gather::Counts;
pub use life::{backlog, ensure, freeze, soft_close, unfreeze};
pub use moved::{EarnerMoved, MovedTrees, PeriodMoved, RankMoved, move_effect};
pub use post::{award_no, event_id, post};
pub use problem::{CalculationProblem, PeriodProblem};
pub use prove::{Proven, RunDifference, posted_before, prove, recalculate};
pub use repo::periods::{Change, Period};
pub use repo::rows::{StoredAward, StoredPool};
pub use repo::runs::Run;
pub use repo::summary::{Held, Mover};
pub use rows::{AwardRow, CutRow, PoolRow, Rows, StandingRow};
pub use run::{StopLoss, approve, discard, start_run, summary};
pub use scope::Scope;
pub use summary::{BonusTotal, Summary, Totals, Variance, share};
pub use what_if::{Cost, PeriodUnder, RankChange, WhatIf, Winner, what_if};
pub use words::{RunKind, RunStage, RunStatus, Status};
pub use worker::Worker;

use crate::db::{Conn, DbError};

/// All periods, in the order of time.
pub fn periods(conn: &mut Conn) -> Result<Vec<Period>, DbError> {
    repo::periods::all(conn)
}

/// What was done to a period, the oldest first.
pub fn changes(conn: &mut Conn, period_id: Uuid) -> Result<Vec<Change>, DbError> {
    repo::periods::changes(conn, period_id)
}

pub fn run(conn: &mut Conn, run_id: Uuid) -> Result<Option<Run>, DbError> {
    repo::runs::run(conn, run_id)
}

/// The newest runs first; of one period where one is given.
pub fn runs(conn: &mut Conn, period_id: Option<Uuid>, limit: i64) -> Result<Vec<Run>, DbError> {
    repo::runs::runs(conn, period_id, limit)
}

/// In the order of their posting.
pub fn posted_runs(conn: &mut Conn) -> Result<Vec<Run>, DbError> {
    repo::runs::posted(conn)
}

/// Where the awards of a posted run are not what its commission events say.
pub fn posted_differences(conn: &mut Conn, run_id: Uuid) -> Result<Vec<String>, DbError> {
    repo::posted::differences(conn, run_id)
}

/// The award of a run for the same bonus, distributor and position of the same period as another one.
pub fn award_like(
    conn: &mut Conn,
    run_id: Uuid,
    award: &StoredAward,
) -> Result<Option<StoredAward>, DbError> {
    repo::rows::award_like(conn, run_id, award)
}

/// The next awards of a run after a number.
pub fn awards(conn: &mut Conn, run_id: Uuid, after: i32, limit: i64) -> Result<Vec<StoredAward>, DbError> {
    repo::rows::awards(conn, run_id, after, limit)
}

pub fn pools(conn: &mut Conn, run_id: Uuid) -> Result<Vec<StoredPool>, DbError> {
    repo::rows::pools(conn, run_id)
}
