//! Reading one window, page by page.
//!
//! A page is asked for outside of any database transaction; what is news of it and the cursor behind it are then
//! stored together. Whatever dies in between leaves a cursor from which the next try goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::health::{self, Of, Trouble};
use super::repo::turn::Turn;
use super::repo::{self, windows};
use super::sink::{Asked, Sheet, Sink, sink};
use super::{Cause, Kind, Pull, PullProblem, Span, State, Stop};
use crate::clients::{ApiError, StoreApi, WindowBy};
use crate::clock::{Clock, new_id};
use crate::connections;
use crate::db::{Db, DbError, Lane, Tx};
use crate::ingest::Store;

/// What reading needs beside the store's API.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    pub db: &'a Db,
    pub clock: &'a Clock,
    pub stop: &'a Stop,
}

/// A window to be read.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    pub store: &'a Store,
    pub kind: Kind,
    pub cause: Cause,
    pub span: Span,
    /// Who asks.
    pub by: &'a str,
}

impl Job<'_> {
    fn of(&self) -> Of<'_> {
        Of { store: self.store.id, slug: &self.store.slug, kind: self.kind }
    }
}

/// Reads a window to its end, or goes on with it where the last try ended. `tell` hears of every page. The window
/// is complete when the answer is [`State::Done`]; after [`State::Stopped`] the same call goes on.
pub fn run(
    means: Means<'_>,
    api: &dyn StoreApi,
    job: &Job<'_>,
    tell: &mut dyn FnMut(&Pull),
) -> Result<Pull, PullProblem> {
    let Some(turn) = Turn::take(means.db, job.store.id, job.kind, job.cause)? else {
        return Err(PullProblem::Busy { store: job.store.slug.clone(), kind: job.kind });
    };
    run_in(&turn, means, api, job, tell)
}

/// [`run`] for whoever has the turn.
pub fn run_in(
    _turn: &Turn,
    means: Means<'_>,
    api: &dyn StoreApi,
    job: &Job<'_>,
    tell: &mut dyn FnMut(&Pull),
) -> Result<Pull, PullProblem> {
    let sink = sink(job.kind).ok_or(PullProblem::NobodyTakes(job.kind))?;
    let mut window = Open::begin(means, job)?;
    tell(&window.pull);
    loop {
        if means.stop.is_said() {
            return window.stop();
        }
        let sheet = window.read(api, sink)?;
        window.keep(&sheet)?;
        tell(&window.pull);
        if window.pull.state == State::Done {
            return Ok(window.pull);
        }
        if let Some(wait) = sheet.wait {
            means.stop.wait(wait);
        }
    }
}

/// A window that is being read.
struct Open<'a> {
    means: Means<'a>,
    job: &'a Job<'a>,
    pull: Pull,
    taker: Uuid,
    /// Pages of this try.
    pages: u32,
}

impl<'a> Open<'a> {
    fn begin(means: Means<'a>, job: &'a Job<'a>) -> Result<Self, DbError> {
        let (now, taker, fresh_id) = (means.clock.now(), new_id(), new_id());
        let pull = means.db.transact(Lane::Pipeline, |tx| begin(tx, job, taker, fresh_id, now))?;
        Ok(Self { means, job, pull, taker, pages: 0 })
    }

    fn read(&self, api: &dyn StoreApi, sink: Sink) -> Result<Sheet, PullProblem> {
        let asked =
            Asked { span: &self.pull.span, cause: self.pull.cause, cursor: self.pull.cursor.as_deref() };
        let read = catch_unwind(AssertUnwindSafe(|| sink(api, asked)));
        let broken = || ApiError::Unreadable("reading it panicked; the log says where".to_owned());
        read.unwrap_or_else(|_| Err(broken())).map_err(|error| self.fail(error))
    }

    fn keep(&mut self, sheet: &Sheet) -> Result<(), PullProblem> {
        let Self { means, job, taker, .. } = *self;
        let now = means.clock.now();
        let kept = means.db.transact(Lane::Pipeline, |tx| {
            let taken = sheet.keep(tx, job.store, now)?;
            let step = windows::Step {
                pull_id: self.pull.pull_id,
                taker,
                seen: sheet.seen,
                taken,
                next: sheet.next.as_deref(),
                remaining: sheet.remaining,
            };
            windows::advance(tx.conn, &step, now)?;
            if sheet.next.is_none() {
                complete(tx, job, &self.pull.span, now)?;
            }
            if self.pages == 0 {
                health::answered(tx, job.of(), now)?;
            }
            windows::one(tx.conn, self.pull.pull_id)
        });
        match kept {
            Ok(pull) => {
                self.pull = pull.ok_or_else(|| DbError::Damaged("a pull is gone".to_owned()))?;
                self.pages += 1;
                Ok(())
            }
            Err(error) => Err(self.not_kept(error)),
        }
    }

    fn stop(self) -> Result<Pull, PullProblem> {
        let now = self.means.clock.now();
        let end = windows::End {
            pull_id: self.pull.pull_id,
            taker: self.taker,
            state: State::Stopped,
            problem: None,
            from_the_start: false,
        };
        self.means.db.transact(Lane::Pipeline, |tx| windows::end(tx.conn, &end, now))?;
        Ok(Pull { state: State::Stopped, ..self.pull })
    }

    /// What was read stays; the cursor, too, unless it may be what the store does not take any more.
    fn fail(&self, error: ApiError) -> PullProblem {
        // A cursor that leads nowhere any more, or behind which the store counts more than it shows, would fail for
        // ever: the window begins again.
        let stale = self.pages == 0
            && matches!(
                error,
                ApiError::Refused(_)
                    | ApiError::NotFound(_)
                    | ApiError::Incomplete(_)
                    | ApiError::Unsupported(_)
            );
        let problem = match self.job.store.platform.parse() {
            Ok(platform) => connections::told(platform, &error),
            Err(_) => error.to_string(),
        };
        let noted = self.note(&problem, stale, |tx, now| match self.job.cause.is_aside() {
            // The person who asked for it is told at once.
            true => Ok(()),
            false => health::failed(tx, self.job.of(), Trouble::of(&error, &problem), now),
        });
        noted.map_or_else(PullProblem::Db, |()| PullProblem::Api(error))
    }

    /// What the database refuses for good would be refused again at once.
    fn not_kept(&self, error: DbError) -> PullProblem {
        if !error.is_transient() {
            let problem = format!("a page could not be stored: {error}");
            let noted = self.note(&problem, false, |tx, now| match self.job.cause.is_aside() {
                true => Ok(()),
                false => health::put_off(tx, self.job.of(), now).map(drop),
            });
            if let Err(error) = noted {
                tracing::warn!(store = self.job.store.slug, %error, "a failed pull could not be noted");
            }
        }
        PullProblem::Db(error)
    }

    fn note(
        &self,
        problem: &str,
        from_the_start: bool,
        also: impl Fn(&mut Tx<'_>, DateTime<Utc>) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let now = self.means.clock.now();
        let end = windows::End {
            pull_id: self.pull.pull_id,
            taker: self.taker,
            state: State::Failed,
            problem: Some(problem),
            from_the_start,
        };
        self.means.db.transact(Lane::Pipeline, |tx| {
            windows::end(tx.conn, &end, now)?;
            also(tx, now)
        })
    }
}

/// The same window that did not come to its end, or another one.
fn begin(
    tx: &mut Tx<'_>,
    job: &Job<'_>,
    taker: Uuid,
    fresh_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Pull, DbError> {
    let Job { store, kind, cause, span, by } = job;
    windows::stop_orphans(tx.conn, (store.id, *kind), cause.is_aside(), now)?;
    let unfinished = windows::unfinished(tx.conn, Some(store.id), &[*cause])?;
    let begun = unfinished.into_iter().find(|pull| pull.kind == *kind && pull.span == *span);
    let pull_id = match begun {
        Some(begun) => {
            windows::take_over(tx.conn, begun.pull_id, taker, now)?;
            begun.pull_id
        }
        None => {
            let new = windows::New {
                pull_id: fresh_id,
                store: store.id,
                kind: *kind,
                cause: *cause,
                span,
                by,
                taker,
            };
            windows::insert(tx.conn, &new, now)?;
            fresh_id
        }
    };
    windows::one(tx.conn, pull_id)?.ok_or_else(|| DbError::Damaged(format!("pull {pull_id}")))
}

fn complete(tx: &mut Tx<'_>, job: &Job<'_>, span: &Span, now: DateTime<Utc>) -> Result<(), DbError> {
    // A window by the time of ordering has not seen what changed of older orders.
    if span.by != WindowBy::Changed {
        return Ok(());
    }
    let to = span.to.min(now);
    repo::marks::move_to(tx.conn, (job.store.id, job.kind), (span.from, to), job.cause == Cause::Daily)
}
