//! `upline period`: close periods under review, step by step.

pub(super) mod person;
mod run;
mod show;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use self::person::Person;
use super::{Global, Outcome, output, transact};
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::db::{Lane, Tx};
use crate::periods::{self, Period, PeriodProblem, Run, RunKind, StopLoss};
use crate::plans::{Plans, Published};

/// Close periods: soft close, freeze, run, review, approve, post; and adjust closed ones
///
/// A soft close sends late orders to the next period. A freeze fixes what is calculated: orders, distributors and the
/// plan. The run is looked at, approved by an admin who has not started it, and posted once. What refunds change of a
/// closed period later is an adjustment.
#[derive(Args)]
#[command(after_help = "The close of a month:
  upline period soft-close 2026-01
  upline period freeze 2026-01
  upline period run 2026-01 --by ann
  upline period review RUN
  upline period approve RUN --by bob@example.com
  upline period post RUN --by bob@example.com
Refunds of closed periods, posted into the open one:
  upline period adjust")]
pub struct PeriodCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// All periods, with how far each has come
    #[command(after_help = "Example:\n  upline period list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// One period: what was done to it, and its runs
    #[command(after_help = "Example:\n  upline period show 2026-01")]
    Show {
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Orders that are told from now on count in the next period; possible once the period has ended
    #[command(after_help = "Examples:
  upline period soft-close 2026-01
  upline period soft-close 2026-01 --with-backlog")]
    SoftClose {
        name: String,
        /// Also while deliveries and orders wait to be processed or are parked; they count in the next period
        #[arg(long)]
        with_backlog: bool,
        #[command(flatten)]
        by: By,
    },
    /// Fix what the official run is calculated from: orders, distributors, plan
    #[command(after_help = "Example:\n  upline period freeze 2026-01")]
    Freeze {
        name: String,
        #[command(flatten)]
        by: By,
    },
    /// Back to softly closed, before a run is approved; what was calculated is discarded
    #[command(after_help = "Example:\n  upline period unfreeze 2026-01 --reason 'an import is missing'")]
    Unfreeze {
        name: String,
        /// Why; it stays with the period
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        by: By,
    },
    Run(run::RunPeriod),
    Adjust(run::Adjust),
    /// Runs, the newest first
    #[command(after_help = "Examples:
  upline period runs
  upline period runs 2026-01 --json")]
    Runs {
        /// Of this period only
        name: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// What a run has come to: totals, variance, movers, held orders; what an approval is about
    #[command(after_help = "Example:\n  upline period review 01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f")]
    Review {
        run: Uuid,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Throw a run away that is not posted
    #[command(after_help = "Example:\n  upline period discard 01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f")]
    Discard {
        run: Uuid,
        #[command(flatten)]
        by: By,
    },
    /// Say as a second person, an admin, that a run may be posted
    #[command(after_help = "Examples:
  upline period approve 01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f --by bob@example.com
  upline period approve 01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f --by bob@example.com --over-stop-loss")]
    Approve {
        run: Uuid,
        /// Also where it pays a greater share of CV than the setting periods.stop_loss
        #[arg(long)]
        over_stop_loss: bool,
        /// Also an adjustment that leaves out orders of distributors who were not known at the freeze
        #[arg(long)]
        leave_out: bool,
        #[command(flatten)]
        by: Person,
    },
    /// Post an approved run, once: commission events, journal entries, the close of the period
    #[command(after_help = "Examples:
  upline period post 01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f --by bob@example.com
  upline period post 01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f --by bob@example.com --password-file bob.txt")]
    Post {
        run: Uuid,
        #[command(flatten)]
        by: Person,
    },
}

/// Who does it, and how it is told.
#[derive(Args)]
struct By {
    /// Who does this; recorded as console:NAME [default: the name of the system's user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl By {
    /// Nobody who signs in has such a name, so that nobody is taken for somebody else.
    fn name(&self) -> String {
        let user = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let named = self.by.clone().or_else(user).map(|name| name.trim().to_owned());
        match named.filter(|name| !name.is_empty()) {
            Some(name) => format!("console:{name}"),
            None => "console".to_owned(),
        }
    }
}

fn tell(json: bool, value: &impl Serialize, text: impl std::fmt::Display) -> anyhow::Result<Outcome> {
    if json {
        output::json(value)?;
    } else {
        output::line(text)?;
    }
    Ok(Outcome::Done)
}

impl PeriodCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let stop_loss = global.settings(None)?.periods.stop_loss;
        global.with_backend(Opening::Ready, |backend, clock| {
            let room = Room::open(backend, clock)?;
            match self.action {
                Action::List { json } => show::list(&room, json),
                Action::Show { name, json } => show::period(&room, &name, json),
                Action::Runs { name, json } => show::runs(&room, name.as_deref(), json),
                Action::Review { run, json } => show::review(&room, run, json),
                Action::SoftClose { name, with_backlog, by } => {
                    room.period(&by, |tx, who, now| periods::soft_close(tx, &name, with_backlog, who, now))
                }
                Action::Freeze { name, by } => {
                    room.period(&by, |tx, who, now| periods::freeze(tx, &room.published, &name, who, now))
                }
                Action::Unfreeze { name, reason, by } => {
                    room.period(&by, |tx, who, now| periods::unfreeze(tx, &name, &reason, who, now))
                }
                Action::Run(command) => command.run(&room),
                Action::Adjust(command) => command.run(&room),
                Action::Discard { run, by } => {
                    room.changed((&by.name(), by.json), "is discarded", |tx, who, now| {
                        periods::discard(tx, run, who, now)
                    })
                }
                Action::Approve { run, over_stop_loss, leave_out, by } => {
                    let stop_loss =
                        StopLoss { most: stop_loss, is_acknowledged: over_stop_loss, leaves_out: leave_out };
                    let who = by.sign_in(&room.backend.db)?;
                    room.changed((&who, by.json), "is approved", |tx, who, now| {
                        periods::approve(tx, run, stop_loss, who, now)
                    })
                }
                Action::Post { run, by } => {
                    let who = by.sign_in(&room.backend.db)?;
                    room.changed((&who, by.json), "is posted", |tx, who, now| {
                        periods::post(tx, &room.published, run, who, now)
                    })
                }
            }
        })
    }
}

/// The database with every period that there has to be by now.
struct Room<'a> {
    backend: &'a Backend,
    clock: &'a Clock,
    published: std::sync::Arc<Published>,
}

impl<'a> Room<'a> {
    fn open(backend: &'a Backend, clock: &'a Clock) -> anyhow::Result<Self> {
        let published = backend.db.read(Lane::Admin, |conn| Plans::default().get(conn))?;
        let now = clock.now();
        backend.db.transact(Lane::Admin, |tx| periods::ensure(tx, &published, now))?;
        Ok(Self { backend, clock, published })
    }

    fn transact<T>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, PeriodProblem>,
    ) -> Result<T, PeriodProblem> {
        transact(&self.backend.db, work)
    }

    fn period(
        &self,
        by: &By,
        mut change: impl FnMut(&mut Tx<'_>, &str, DateTime<Utc>) -> Result<Period, PeriodProblem>,
    ) -> anyhow::Result<Outcome> {
        let (who, now) = (by.name(), self.clock.now());
        let period = self.transact(|tx| change(tx, &who, now))?;
        let text = format!("period {} is {}", period.name, period.status.told());
        tell(by.json, &period, text)
    }

    fn changed(
        &self,
        (who, json): (&str, bool),
        what: &str,
        mut change: impl FnMut(&mut Tx<'_>, &str, DateTime<Utc>) -> Result<Run, PeriodProblem>,
    ) -> anyhow::Result<Outcome> {
        let now = self.clock.now();
        let run = self.transact(|tx| change(tx, who, now))?;
        let text = format!("the {} run {} of {} {what}", run.kind, run.run_id, run.period);
        tell(json, &run, text)
    }

    fn periods(&self) -> anyhow::Result<Vec<Period>> {
        Ok(self.backend.db.read(Lane::Admin, periods::periods)?)
    }

    fn named(&self, name: &str) -> anyhow::Result<Period> {
        let found = self.periods()?.into_iter().find(|period| period.name == name);
        Ok(found.ok_or_else(|| PeriodProblem::UnknownPeriod(name.to_owned()))?)
    }

    fn known(&self, run: Uuid) -> anyhow::Result<Run> {
        let found = self.backend.db.read(Lane::Admin, |conn| periods::run(conn, run))?;
        Ok(found.ok_or(PeriodProblem::UnknownRun(run))?)
    }

    /// Into which an adjustment is posted: the first that is not frozen.
    fn open_period(&self) -> anyhow::Result<Period> {
        let mut periods = self.periods()?.into_iter();
        let open = periods.find(|period| !period.status.is_frozen());
        open.context("no period is open; `upline period list` shows all of them")
    }

    fn start(&self, name: &str, kind: RunKind, by: &By) -> anyhow::Result<Uuid> {
        let (who, now) = (by.name(), self.clock.now());
        Ok(self.transact(|tx| periods::start_run(tx, &self.published, name, kind, &who, now))?)
    }
}
