//! Plan documents that were published, and which one holds at an instant.
//!
//! A published document never changes; publishing another one, effective from a date, is how a plan changes.

mod repo;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use repo::{Publication, StoredPlan, publications, stored};

use crate::core::plan::{Plan, PlanHash, PlanProblem};
use crate::db::{Cached, Conn, DbError, Tx, bump};

/// All published plans in memory, as fresh as the asking database transaction.
pub struct Plans(Cached<Published>);

impl Default for Plans {
    fn default() -> Self {
        Self(Cached::new("plans", load))
    }
}

impl Plans {
    pub fn get(&self, conn: &mut Conn) -> Result<Arc<Published>, DbError> {
        self.0.get(conn)
    }
}

#[derive(Debug, Default)]
pub struct Published {
    plans: HashMap<PlanHash, Arc<Plan>>,
    /// By effective_from, then by publication.
    timeline: Vec<(DateTime<Utc>, PlanHash)>,
}

impl Published {
    /// The plan that holds at an instant.
    pub fn at(&self, instant: DateTime<Utc>) -> Option<&Arc<Plan>> {
        let held = self.timeline.iter().rev().find(|(from, _)| *from <= instant)?;
        self.plans.get(&held.1)
    }

    /// When the next plan takes effect after an instant.
    pub fn first_after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.timeline.iter().map(|(from, _)| *from).find(|from| *from > instant)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Plan>> {
        self.plans.values()
    }

    pub fn by_hash(&self, hash: PlanHash) -> Option<&Arc<Plan>> {
        self.plans.get(&hash)
    }
}

fn load(conn: &mut Conn) -> Result<Published, DbError> {
    let mut published = Published::default();
    for row in stored(conn)? {
        let damaged = || DbError::Damaged(format!("plan {}", hex::encode(&row.plan_hash)));
        let plan = Plan::parse(&row.document).map_err(|_| damaged())?;
        if plan.hash().0.as_slice() != row.plan_hash {
            return Err(damaged());
        }
        published.plans.insert(plan.hash(), Arc::new(plan));
    }
    let timeline = publications(conn)?.into_iter().map(|p| p.timed_hash()).collect::<Result<Vec<_>, _>>()?;
    published.timeline = timeline;
    Ok(published)
}

/// Why a document was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishProblem {
    #[error("the plan document has {} problem(s)", .0.len())]
    Invalid(Vec<PlanProblem>),
    #[error("the plan could not be saved")]
    Db(#[from] DbError),
}

/// Publishes a document effective from an instant. Orders that wait for a plan are released by the caller.
pub fn publish(
    tx: &mut Tx<'_>,
    document: &str,
    from: DateTime<Utc>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Arc<Plan>, PublishProblem> {
    let plan = Plan::parse(document).map_err(PublishProblem::Invalid)?;
    repo::insert(tx.conn, &plan, document, by, now)?;
    repo::insert_publication(tx.conn, plan.hash(), from, by, now)?;
    bump(tx, "plans")?;
    Ok(Arc::new(plan))
}
