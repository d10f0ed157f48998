//! `upline reconcile`: a day of a store, order by order, from what the store says to what is posted.

mod told;

use std::io::Write;
use std::sync::Arc;

use anyhow::bail;
use chrono::NaiveDate;
use clap::Args;
use serde_json::json;

use super::pipeline::{Pipeline, with_pipeline};
use super::{Global, Outcome, output};
use crate::access::audit;
use crate::core::reconcile::State;
use crate::db::Lane;
use crate::reconcile::{Asked, Cause, Heal, ReconcileProblem, Reconciler, Report};
use crate::reports::api;
use crate::reports::reconciliation::{self as rows, differences_sheet, sums_sheet};

/// Compare a day of a store with what is held and posted, and mend what can be mended
///
/// Reads the store's day through its API and compares every order with what we were told, with what it stands at and
/// with the ledger. What differs from the store is read and takes the usual road, what stands other than its evidence
/// is assessed again, and all of it is compared once more. The report is kept; the newest of a day counts.
///
/// A store whose API is not connected cannot be asked: then only what we hold is compared.
///
/// Exit code 3 when a difference or a drift is left, 1 when a day could not be read to its end.
#[derive(Args)]
#[command(after_help = "Examples:
  upline reconcile main --date 2026-11-20
  upline reconcile main --date 2026-11-20 --no-heal --details
  upline reconcile main --from 2026-11-01 --to 2026-11-20 --csv > november.csv
  upline reconcile main --date 2026-11-20 --json | jq '.found[].what'")]
pub struct Reconcile {
    /// Slug of a store
    store: String,
    /// The store's own day, such as 2026-11-20
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"], required_unless_present = "from")]
    date: Option<NaiveDate>,
    /// The first of several days
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<NaiveDate>,
    /// The last of several days
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<NaiveDate>,
    /// Only look: nothing is mended
    #[arg(long)]
    no_heal: bool,
    /// What to do about each difference, what was mended, and which orders wait
    #[arg(long)]
    details: bool,
    /// Print JSON: of several days a list
    #[arg(long, conflicts_with_all = ["csv", "details"])]
    json: bool,
    /// Print CSV: a row for each day and currency; with --details a row for each difference
    #[arg(long)]
    csv: bool,
}

/// Days of one command.
const MOST: usize = 366;

/// How long another reconciliation of the same day is waited for.
const TURNS: u32 = 240;
const TURN: std::time::Duration = std::time::Duration::from_millis(250);

impl Reconcile {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let days = self.days()?;
        with_pipeline(global, |pipeline| self.reconcile(pipeline, &days))
    }

    fn days(&self) -> anyhow::Result<Vec<NaiveDate>> {
        let (Some(first), Some(last)) = (self.date.or(self.from), self.date.or(self.to)) else {
            bail!("name a day with --date, or several with --from and --to");
        };
        let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).take(MOST + 1).collect();
        if days.is_empty() {
            bail!("--to has to be the same day as --from or a later one");
        }
        if days.len() > MOST {
            bail!("at most {MOST} days at once");
        }
        Ok(days)
    }

    fn reconcile(&self, pipeline: &Pipeline, days: &[NaiveDate]) -> anyhow::Result<Outcome> {
        let (db, vault) = (pipeline.backend.db.clone(), pipeline.backend.vault.clone());
        let counter = output::counter("orders read");
        let shown = counter.clone();
        let room = Reconciler {
            progress: Arc::new(move |read| shown.set_position(read)),
            stop: pipeline.stop.clone(),
            ..Reconciler::new(db, vault, pipeline.books.clone(), pipeline.clock.clone())
        };
        let heal = if self.no_heal { Heal::No } else { Heal::Yes };
        let mut reports = Vec::with_capacity(days.len());
        for day in days {
            counter.set_message(format!("orders of {day} read"));
            reports.push(self.day(&room, *day, heal)?);
            if pipeline.stop.is_said() {
                break;
            }
        }
        counter.finish_and_clear();
        self.tell(&room, &reports)?;
        let is_cut_short = reports.len() < days.len();
        if is_cut_short {
            output::note(format!("Stopped after {} of {} days.", reports.len(), days.len()))?;
        }
        Ok(match () {
            () if is_cut_short || reports.iter().any(|report| report.incomplete.is_some()) => Outcome::Failed,
            () if reports.iter().any(|report| report.state == State::NotOk) => Outcome::Difference,
            () => Outcome::Done,
        })
    }

    fn day(&self, room: &Reconciler, day: NaiveDate, heal: Heal) -> anyhow::Result<Report> {
        if heal == Heal::Yes {
            let (now, detail) = (room.clock.now(), json!({ "day": day }));
            room.db.transact(Lane::Admin, |tx| {
                audit::record(tx, "console", "store.reconcile", &self.store, detail.clone(), now)
            })?;
        }
        let asked = Asked { heal, cause: Cause::Manual, by: "console" };
        // A server beside us may be at this very day; its turn ends with its report.
        for _ in 0..TURNS {
            match room.day(&self.store, day, &asked) {
                Err(ReconcileProblem::Busy(..)) => std::thread::sleep(TURN),
                done => return Ok(done?),
            }
        }
        Ok(room.day(&self.store, day, &asked)?)
    }

    fn tell(&self, room: &Reconciler, reports: &[Report]) -> anyhow::Result<()> {
        if self.json {
            return self.tell_json(room, reports);
        }
        if self.csv {
            return self.tell_csv(room, reports);
        }
        for (i, report) in reports.iter().enumerate() {
            if i > 0 {
                output::line("")?;
            }
            told::tell(report, self.details)?;
        }
        Ok(())
    }

    fn tell_json(&self, room: &Reconciler, reports: &[Report]) -> anyhow::Result<()> {
        let view = |report: &Report| {
            let number = Some(report.report_no);
            room.db.read(Lane::Admin, |conn| api::reconciliation(conn, &report.store, report.day, number))
        };
        let views = reports.iter().map(view).collect::<Result<Vec<_>, _>>()?;
        match views.as_slice() {
            [one] if self.date.is_some() => output::json(one),
            all => output::json(&all),
        }
    }

    fn tell_csv(&self, room: &Reconciler, reports: &[Report]) -> anyhow::Result<()> {
        let mut sums = vec![];
        let mut differences = vec![];
        for report in reports {
            let number = Some(report.report_no);
            let read = room.db.read(Lane::Admin, |conn| {
                let Some(head) = rows::head(conn, &report.store, report.day, number)? else {
                    return Ok(None);
                };
                let found = if self.details { rows::differences(conn, &head, 0, i64::MAX)? } else { vec![] };
                Ok(Some((rows::sums(conn, &head)?, found, head)))
            })?;
            if let Some((of_day, found, head)) = read {
                sums.push((head.clone(), of_day));
                differences.push((head, found));
            }
        }
        let sheet = if self.details { differences_sheet(&differences)? } else { sums_sheet(&sums)? };
        Ok(std::io::stdout().lock().write_all(&sheet)?)
    }
}
