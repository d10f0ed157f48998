//! `upline plan`: check, hash, show, compare and publish plan documents.

mod diff;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, Outcome, output, transact};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::assess::Hold;
use crate::core::plan::{Plan, schema};
use crate::db::Lane;
use crate::orders;
use crate::plans::{self, Plans, PublishProblem};

/// Plan documents: what is paid to whom
#[derive(Args)]
#[command(after_help = "Examples:
  upline plan check plan.toml
  upline plan show --effective
  upline plan diff plan.toml next.toml
  upline plan publish plan.toml --from 2026-01-01")]
pub struct PlanCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// All problems of a document at once, each with its line and fix; exit code 1 if there are any
    #[command(after_help = "Example:\n  upline plan check plan.toml")]
    Check {
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The SHA-256 of the document's canonical form: the same for documents that mean the same
    #[command(after_help = "Example:\n  upline plan hash plan.toml")]
    Hash { file: PathBuf },
    /// What a plan says, in words: of a document, or the published one that holds
    #[command(after_help = "Examples:
  upline plan show plan.toml
  upline plan show --effective
  upline plan show --effective 2026-01-01")]
    Show {
        #[arg(required_unless_present = "effective", conflicts_with = "effective")]
        file: Option<PathBuf>,
        /// The published plan that holds at an instant [default: now]
        #[arg(long, value_name = "DATE", num_args = 0..=1, value_parser = super::parse_instant)]
        effective: Option<Option<DateTime<Utc>>>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// What one plan says other than another, value by value; exit code 3 if there is anything
    #[command(after_help = "Examples:
  upline plan diff plan.toml next.toml
  upline plan diff 3f9a0c1d4be2 next.toml --json")]
    Diff {
        /// A document, or the hash of a published plan (or how it begins)
        old: String,
        /// The same
        new: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The JSON Schema of plan documents, for editors
    #[command(after_help = "Example:\n  upline plan schema > plan.schema.json")]
    Schema,
    /// Everything that was published, in the order in which it takes effect
    #[command(after_help = "Example:\n  upline plan list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// What the last periods would have cost under a document; writes nothing
    ///
    /// Every order and every period is calculated again, as the facts are now: cost, share of CV, who earns more or
    /// less, whose rank is another.
    #[command(after_help = "Example:\n  upline plan simulate next.toml --periods 3 --json")]
    Simulate {
        file: PathBuf,
        /// How many of the last periods, the open ones too
        #[arg(long, value_name = "N", default_value_t = 3)]
        periods: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a document the plan of all orders from a date on
    ///
    /// A published document never changes. Orders that were held because no plan held are assessed again.
    #[command(after_help = "Example:\n  upline plan publish plan.toml --from 2026-01-01")]
    Publish {
        file: PathBuf,
        /// A date (its first instant in the plan's time zone) or an instant such as 2026-01-01T00:00:00Z
        #[arg(long, value_name = "DATE", value_parser = parse_from)]
        from: From,
    },
}

impl PlanCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.action {
            Action::Check { file, json } => check(&file, json),
            Action::Hash { file } => {
                output::line(hex::encode(parse(&file)?.hash().0))?;
                Ok(Outcome::Done)
            }
            Action::Show { file: Some(file), json, .. } => show::show(&parse(&file)?.describe(), json),
            Action::Show { file: None, effective, json } => {
                global.with_backend(Opening::Ready, |backend, clock| {
                    let at = effective.flatten().unwrap_or_else(|| clock.now());
                    show::show(&effective_at(backend, at)?.describe(), json)
                })
            }
            Action::Diff { old, new, json } => diff::diff(global, [&old, &new], json),
            Action::Schema => {
                output::json(&schema())?;
                Ok(Outcome::Done)
            }
            Action::List { json } => {
                global.with_backend(Opening::Ready, |backend, clock| list(backend, clock, json))
            }
            Action::Simulate { file, periods, json } => {
                let plan = parse(&file)?;
                global.with_backend(Opening::Ready, |backend, _| {
                    super::simulate::simulate(backend, &plan, periods, json)
                })
            }
            Action::Publish { file, from } => {
                let (document, plan) = (super::read_text(&file)?, parse(&file)?);
                let from = from.instant(&plan)?;
                global.with_backend(Opening::Ready, |backend, clock| publish(backend, clock, &document, from))
            }
        }
    }
}

fn parse(file: &Path) -> anyhow::Result<Plan> {
    Plan::parse(&super::read_text(file)?).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
        anyhow!("{} is no valid plan{}", file.display(), lines.concat())
    })
}

fn check(file: &Path, json: bool) -> anyhow::Result<Outcome> {
    let checked = Plan::parse(&super::read_text(file)?);
    if json {
        let (hash, problems) = match &checked {
            Ok(plan) => (Some(hex::encode(plan.hash().0)), [].as_slice()),
            Err(problems) => (None, problems.as_slice()),
        };
        output::json(&json!({"valid": checked.is_ok(), "hash": hash, "problems": problems}))?;
    } else {
        match &checked {
            Ok(plan) => output::line(format_args!("{} is a valid plan: {}", file.display(), plan.name()))?,
            Err(problems) => {
                output::note(format_args!("error: {} has {} problem(s)", file.display(), problems.len()))?;
                output::problems(problems)?;
            }
        }
    }
    Ok(if checked.is_ok() { Outcome::Done } else { Outcome::Failed })
}

fn effective_at(backend: &Backend, at: DateTime<Utc>) -> anyhow::Result<Arc<Plan>> {
    let published = backend.db.read(Lane::Admin, |conn| Plans::default().get(conn))?;
    let plan = published.at(at).cloned();
    plan.with_context(|| {
        format!("no plan holds at {}; `upline plan list` shows from when on they do", at.to_rfc3339())
    })
}

fn list(backend: &Backend, clock: &Clock, json: bool) -> anyhow::Result<Outcome> {
    let publications = backend.db.read(Lane::Admin, plans::publications)?;
    let now = clock.now();
    let holding = publications.iter().rfind(|p| p.effective_from <= now).map(|p| p.publication_no);
    let holds = |p: &plans::Publication| Some(p.publication_no) == holding;
    if json {
        let as_json = |p: &plans::Publication| {
            json!({"name": p.name, "hash": hex::encode(&p.plan_hash), "effective_from": p.effective_from,
                   "published_at": p.published_at, "published_by": p.published_by, "holds_now": holds(p)})
        };
        output::json(&publications.iter().map(as_json).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let row = |p: &plans::Publication| {
        let now = if holds(p) { "holds" } else { "" };
        let (from, hash) = (p.effective_from.to_rfc3339(), hex::encode(&p.plan_hash));
        vec![from, now.to_owned(), hash, p.published_by.clone(), p.name.clone()]
    };
    let rows: Vec<_> = publications.iter().map(row).collect();
    output::table(&["from", "now", "hash", "by", "name"], &rows)?;
    Ok(Outcome::Done)
}

/// A day begins in the plan's time zone, which is not known before the plan is read.
#[derive(Clone, Copy, Debug)]
enum From {
    Day(NaiveDate),
    Instant(DateTime<Utc>),
}

fn parse_from(text: &str) -> Result<From, String> {
    text.parse().map_or_else(|_| super::parse_instant(text).map(From::Instant), |day| Ok(From::Day(day)))
}

impl From {
    fn instant(self, plan: &Plan) -> anyhow::Result<DateTime<Utc>> {
        let day = match self {
            Self::Instant(instant) => return Ok(instant),
            Self::Day(day) => day,
        };
        let zone = plan.period().zone;
        // Where a zone skips midnight, the day begins with the first time there is.
        let first = (0..24).find_map(|hour| {
            zone.from_local_datetime(&day.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?)).earliest()
        });
        match first {
            Some(instant) => Ok(instant.to_utc()),
            None => bail!("{day} is no day in {zone}"),
        }
    }
}

fn publish(backend: &Backend, clock: &Clock, document: &str, from: DateTime<Utc>) -> anyhow::Result<Outcome> {
    const WAITED: [Hold; 3] = [Hold::NoPlan, Hold::OtherCurrency, Hold::UnknownClass];
    let now = clock.now();
    let (plan, reviewed) = transact(&backend.db, |tx| {
        let plan = plans::publish(tx, document, from, "console", now)?;
        let hash = hex::encode(plan.hash().0);
        let detail = json!({"hash": hash, "from": from});
        audit::record(tx, "console", "plan.publish", plan.id(), detail, now)?;
        let reviewed = orders::review_all_of(tx, &WAITED, now)?;
        Ok::<_, PublishProblem>((plan, reviewed))
    })?;
    output::line(format_args!(
        "{} holds from {}\nhash {}",
        plan.name(),
        from.to_rfc3339(),
        hex::encode(plan.hash().0)
    ))?;
    if reviewed > 0 {
        output::line(format_args!("{reviewed} held order(s) are assessed again."))?;
    }
    Ok(Outcome::Done)
}
