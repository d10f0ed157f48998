//! `upline plan`: check, hash, show and publish plan documents.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, Outcome, output, transact};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::assess::Hold;
use crate::core::plan::{Plan, PlanDescription};
use crate::db::Lane;
use crate::orders;
use crate::plans::{self, PublishProblem};

/// Plan documents: what is paid to whom
#[derive(Args)]
#[command(after_help = "Examples:
  upline plan check plan.toml
  upline plan publish plan.toml --from 2026-01-01")]
pub struct PlanCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// All problems of a document at once, each with its line and fix; exit code 1 if there are any
    Check {
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The SHA-256 of the document's canonical form: the same for documents that mean the same
    Hash { file: PathBuf },
    /// What a document says, in words; without a file, the published plans
    Show {
        file: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a document the plan of all orders from a date on
    ///
    /// A published document never changes. Orders that were held because no plan held are assessed again.
    Publish {
        file: PathBuf,
        /// A date (its first instant in the plan's time zone) or an instant such as 2026-01-01T00:00:00Z
        #[arg(long, value_name = "DATE")]
        from: String,
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
            Action::Show { file: Some(file), json } => show(&parse(&file)?.describe(), json),
            Action::Show { file: None, json } => {
                global.with_backend(Opening::Ready, |backend, _| published(backend, json))
            }
            Action::Publish { file, from } => {
                let (document, plan) = (super::read_text(&file)?, parse(&file)?);
                let from = first_instant(&from, &plan)?;
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
                eprintln!("error: {} has {} problem(s)", file.display(), problems.len());
                output::problems(problems)?;
            }
        }
    }
    Ok(if checked.is_ok() { Outcome::Done } else { Outcome::Failed })
}

fn show(plan: &PlanDescription, json: bool) -> anyhow::Result<Outcome> {
    if json {
        output::json(plan)?;
        return Ok(Outcome::Done);
    }
    output::line(format_args!("{} ({})\nhash {}", plan.name, plan.id, plan.hash))?;
    for (name, value) in &plan.facts {
        output::line(format_args!("{name}: {value}"))?;
    }
    if !plan.ranks.is_empty() {
        output::line(format_args!("ranks, lowest first: {}", plan.ranks.join(", ")))?;
    }
    for bonus in &plan.bonuses {
        output::line(format_args!("\n{} ({}), on {}", bonus.id, bonus.family, bonus.base))?;
        for sentence in &bonus.sentences {
            output::line(format_args!("  {sentence}"))?;
        }
        let header: Vec<&str> =
            std::iter::once(&bonus.rates.corner).chain(&bonus.rates.columns).map(String::as_str).collect();
        let cell =
            |rate: &Option<rust_decimal::Decimal>| rate.map_or_else(|| "-".to_owned(), |r| r.to_string());
        let row = |(name, rates): &(String, Vec<_>)| {
            std::iter::once(name.clone()).chain(rates.iter().map(cell)).collect::<Vec<_>>()
        };
        output::table(&header, &bonus.rates.rows.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(Outcome::Done)
}

fn published(backend: &Backend, json: bool) -> anyhow::Result<Outcome> {
    let publications = backend.db.read(Lane::Admin, plans::publications)?;
    if json {
        let as_json = |p: &plans::Publication| {
            json!({"name": p.name, "hash": hex::encode(&p.plan_hash), "effective_from": p.effective_from,
                   "published_at": p.published_at, "published_by": p.published_by})
        };
        output::json(&publications.iter().map(as_json).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let row = |p: &plans::Publication| {
        vec![p.effective_from.to_rfc3339(), hex::encode(&p.plan_hash), p.published_by.clone(), p.name.clone()]
    };
    output::table(&["from", "hash", "by", "name"], &publications.iter().map(row).collect::<Vec<_>>())?;
    Ok(Outcome::Done)
}

fn first_instant(text: &str, plan: &Plan) -> anyhow::Result<DateTime<Utc>> {
    let Ok(date) = text.parse::<NaiveDate>() else {
        return super::parse_instant(text).map_err(|e| anyhow!(e));
    };
    let zone = plan.period().zone;
    // Where a zone skips midnight, the day begins with the first time there is.
    let first = (0..24).find_map(|hour| {
        zone.from_local_datetime(&date.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?)).earliest()
    });
    match first {
        Some(instant) => Ok(instant.to_utc()),
        None => bail!("{text} is no day in {zone}"),
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
