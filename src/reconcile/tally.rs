//! The orders of a day, compared so far.

use std::collections::{BTreeMap, HashSet};

use super::ours::CompareProblem;
use super::reading::Found;
use super::{ReconcileProblem, Reconciler};
use crate::clients::ApiError;
use crate::core::reconcile::{Compared, Day, Difference, Seam};
use crate::db::DbError;
use crate::ingest::Store;

/// Orders compared so far: those that agree are only added up.
#[derive(Default)]
pub struct Tally {
    pub day: Day,
    pub suspects: BTreeMap<String, Compared>,
    /// What was found at an order when it was judged first.
    noted: BTreeMap<String, Vec<Difference>>,
    /// Every order that was judged, by the store's own id.
    pub seen: HashSet<String>,
}

impl Tally {
    pub fn take(&mut self, compared: Vec<Compared>) {
        for compared in compared {
            match compared.is_clean() {
                true => {
                    self.suspects.remove(&compared.order);
                    self.day.add(compared);
                }
                false => {
                    let noted = self.noted.entry(compared.order.clone());
                    noted.or_insert_with(|| compared.differences.clone());
                    self.suspects.insert(compared.order.clone(), compared);
                }
            }
        }
    }

    /// All that was found so far, although some of it may not be so any more.
    pub fn noted(&self) -> Vec<Difference> {
        self.noted.values().flatten().cloned().collect()
    }

    pub fn suspected(&self) -> Vec<String> {
        self.suspects.keys().cloned().collect()
    }

    /// Those of which we hold a later change than the store showed.
    pub fn to_reread(&self) -> Vec<String> {
        let later = self.suspects.values().filter(|compared| compared.reread);
        later.map(|compared| compared.order.clone()).collect()
    }

    pub fn finish(self) -> Day {
        let mut day = self.day;
        self.suspects.into_values().for_each(|compared| day.add(compared));
        day.finish()
    }

    /// What was seen until the reading ended before its time.
    pub fn stopped(self, room: &Reconciler, store: &Store, stop: Stop) -> Result<Found, ReconcileProblem> {
        let incomplete = match stop {
            Stop::Db(error) => return Err(error.into()),
            Stop::Api(error) => {
                room.note(store.id, Err(&error))?;
                error.to_string()
            }
            Stop::Doubtful(why) => why,
            Stop::Told => return Err(ReconcileProblem::Stopped),
        };
        Ok(Found { day: self.finish(), healed: vec![], incomplete: Some(incomplete), asked: true })
    }

    /// Work on orders of the day was found waiting: it is worth another look.
    pub fn is_unsettled(&self) -> bool {
        self.suspects.values().any(Compared::in_flight)
    }
}

/// Why a day was not read to its end.
pub enum Stop {
    Api(ApiError),
    Db(DbError),
    /// Somebody wants the program to end.
    Told,
    /// It was, and nobody should believe it.
    Doubtful(String),
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<CompareProblem> for Stop {
    fn from(problem: CompareProblem) -> Self {
        match problem {
            CompareProblem::Busy(_) => Self::Doubtful(problem.to_string()),
            CompareProblem::Db(error) => Self::Db(error),
        }
    }
}

/// The store tells the order otherwise than we were told, in a way that reading it mends.
pub fn is_told_otherwise(compared: &Compared) -> bool {
    compared.differences.iter().any(|found| found.seam == Seam::Evidence && found.can_be_healed())
}
