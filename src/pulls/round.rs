//! What a person asks to be read now, at once.

use chrono::{DateTime, Utc};

use super::due::{kinds, known_now};
use super::repo::turn::Turn;
use super::run::run_in;
use super::{Cause, Job, Kind, Means, Pull, PullProblem, Rhythm, Span};
use crate::clients::{StoreApi, WindowBy};
use crate::connections::Connection;
use crate::db::Lane;
use crate::ingest::Store;
use crate::settings;

/// Who asks for a round, and since when.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a> {
    pub by: &'a str,
    pub since: Option<DateTime<Utc>>,
}

/// What a person asks for now: every kind since its last time, or since a time of choice. `tell` hears of every page.
pub fn round(
    means: Means<'_>,
    settings: &settings::Pulls,
    api: &dyn StoreApi,
    (connection, store): (&Connection, &Store),
    asked: &Round<'_>,
    tell: &mut dyn FnMut(&Pull),
) -> Result<Vec<Pull>, PullProblem> {
    let mut pulls = vec![];
    for kind in kinds().filter(|kind| asked.since.is_none() || *kind == Kind::Orders) {
        let Some(turn) = Turn::take(means.db, store.id, kind, Cause::Manual)? else {
            return Err(PullProblem::Busy { store: store.slug.clone(), kind });
        };
        let known = means.db.read(Lane::Pipeline, |conn| known_now(conn, connection, kind))?;
        let now = means.clock.now();
        let span = match asked.since {
            Some(since) => Span { by: WindowBy::Changed, from: Some(since.min(now)), to: now },
            None => Rhythm::of(kind, settings).since_last(&known, now),
        };
        let job = Job { store, kind, cause: Cause::Manual, span, by: asked.by };
        pulls.push(run_in(&turn, means, api, &job, tell)?);
    }
    Ok(pulls)
}
