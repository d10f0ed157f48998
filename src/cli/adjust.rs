//! `upline adjust`: move money by hand, with a reason and a second person.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use rust_decimal::Decimal;

use super::person::Person;
use super::{Global, Outcome, output, read_bytes, transact};
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::ids::DistributorId;
use crate::core::money::Currency;
use crate::db::Lane;
use crate::settlements::{self, Adjustment, Attachment, NewAdjustment};

/// Adjust what a distributor is owed: asked for by one person, approved by another
///
/// A positive amount is added to what is payable, a negative one taken from it. Nothing moves before an admin who has
/// not asked for it approves it; then it is a journal entry and stays. Nothing else moves money by hand.
#[derive(Args)]
#[command(after_help = "Examples:
  upline adjust request 11043 25.00 USD --reason 'missing kit bonus of March' --attach ticket.pdf --by ann@example.com
  upline adjust list --status requested
  upline adjust approve 7 --by bob@example.com")]
pub struct AdjustCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Ask for an adjustment
    #[command(after_help = "Examples:
  upline adjust request 11043 25.00 USD --reason 'missing kit bonus of March' --by ann@example.com
  upline adjust request 11043 -5.00 USD --reason 'paid twice in March' --by ann@example.com --dry-run")]
    Request {
        /// Id of the distributor
        distributor: String,
        #[arg(allow_negative_numbers = true)]
        amount: Decimal,
        currency: String,
        /// Why; it stays with the adjustment
        #[arg(long)]
        reason: String,
        /// What proves it, at most 5 MiB
        #[arg(long, value_name = "FILE")]
        attach: Option<PathBuf>,
        /// Check it and write nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        by: Person,
    },
    /// Approve and post
    #[command(after_help = "Example:\n  upline adjust approve 7 --by bob@example.com")]
    Approve {
        number: i32,
        /// What you have checked
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        by: Person,
    },
    /// Refuse; nothing moves
    #[command(after_help = "Example:\n  upline adjust refuse 7 --note 'no such kit' --by bob@example.com")]
    Refuse {
        number: i32,
        /// Why not
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        by: Person,
    },
    /// Adjustments, the newest first
    #[command(after_help = "Example:\n  upline adjust list --status requested --json")]
    List {
        /// requested, approved or refused
        #[arg(long)]
        status: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// One adjustment; with --attachment its file
    #[command(after_help = "Examples:
  upline adjust show 7
  upline adjust show 7 --attachment > ticket.pdf")]
    Show {
        number: i32,
        /// Write the attachment to stdout
        #[arg(long)]
        attachment: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl AdjustCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| match self.action {
            Action::Request { distributor, amount, currency, reason, attach, dry_run, by } => {
                let currency = Currency::parse(&currency)
                    .ok_or_else(|| anyhow!("{currency:?} is no currency; three letters such as USD"))?;
                let attachment = attach.as_deref().map(attachment).transpose()?;
                let distributor = DistributorId::new(distributor);
                let new = NewAdjustment { distributor, currency, amount, reason, attachment };
                request(backend, clock, &new, dry_run, &by)
            }
            Action::Approve { number, note, by } => decide(backend, clock, number, true, &note, &by),
            Action::Refuse { number, note, by } => decide(backend, clock, number, false, &note, &by),
            Action::List { status, json } => list(backend, status.as_deref(), json),
            Action::Show { number, attachment, json } => show(backend, number, attachment, json),
        })
    }
}

fn attachment(file: &std::path::Path) -> anyhow::Result<Attachment> {
    let name = file.file_name().context("the attachment has no name")?.to_string_lossy().into_owned();
    let media_type = match file.extension().and_then(|extension| extension.to_str()) {
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("txt" | "csv" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    Ok(Attachment { name, media_type: media_type.to_owned(), bytes: read_bytes(file)? })
}

fn request(
    backend: &Backend,
    clock: &Clock,
    new: &NewAdjustment,
    dry_run: bool,
    by: &Person,
) -> anyhow::Result<Outcome> {
    // The same name as on the pages: under another one nobody could be told from whoever approves.
    let (who, now) = (by.sign_in(&backend.db)?, clock.now());
    let mut asked = None;
    let done = transact(&backend.db, |tx| {
        asked = Some(settlements::request(tx, new, &who, now)?);
        // Whatever was checked is undone again.
        if dry_run { Err(settlements::SettlementProblem::Refused(String::new())) } else { Ok(()) }
    });
    match (done, asked) {
        (Err(problem), None) => Err(problem.into()),
        (Err(problem), Some(_)) if !dry_run => Err(problem.into()),
        (_, Some(asked)) if by.json => output::json(&asked).map(|()| Outcome::Done),
        (_, Some(asked)) => {
            let number = if dry_run {
                "would be asked for".to_owned()
            } else {
                format!("is number {}", asked.adjustment_no)
            };
            output::line(format_args!("{}; it {number} and needs a second person.", told(&asked)))?;
            Ok(Outcome::Done)
        }
        (Ok(()), None) => Ok(Outcome::Done),
    }
}

fn told(asked: &Adjustment) -> String {
    format!("{} {} for {}", asked.amount.normalize(), asked.currency, asked.distributor_id)
}

fn decide(
    backend: &Backend,
    clock: &Clock,
    number: i32,
    approved: bool,
    note: &str,
    by: &Person,
) -> anyhow::Result<Outcome> {
    let (who, now) = (by.sign_in(&backend.db)?, clock.now());
    let decided = transact(&backend.db, |tx| settlements::decide(tx, number, approved, note, &who, now))?;
    match by.json {
        true => output::json(&decided)?,
        false => output::line(format_args!("{}: {}.", told(&decided), decided.status))?,
    }
    Ok(Outcome::Done)
}

fn list(backend: &Backend, status: Option<&str>, json: bool) -> anyhow::Result<Outcome> {
    let found = backend.db.read(Lane::Admin, |conn| settlements::adjustments(conn, status, 500))?;
    if json {
        output::json(&found)?;
    } else if found.is_empty() {
        output::line(
            "No adjustments. Ask for one: upline adjust request DISTRIBUTOR AMOUNT CURRENCY --reason WHY",
        )?;
    } else {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|asked| {
                vec![
                    asked.adjustment_no.to_string(),
                    asked.distributor_id.clone(),
                    asked.amount.normalize().to_string(),
                    asked.currency.clone(),
                    asked.status.clone(),
                    asked.requested_by.clone(),
                    asked.reason.clone(),
                ]
            })
            .collect();
        output::table(&["no", "distributor", "amount", "currency", "status", "asked by", "reason"], &rows)?;
    }
    Ok(Outcome::Done)
}

fn show(backend: &Backend, number: i32, file: bool, json: bool) -> anyhow::Result<Outcome> {
    let unknown = || anyhow!("there is no adjustment {number}; `upline adjust list` shows them");
    if file {
        use std::io::Write;
        let found = backend.db.read(Lane::Admin, |conn| settlements::attachment(conn, number))?;
        let found = found.ok_or_else(|| anyhow!("adjustment {number} has no attachment"))?;
        std::io::stdout().lock().write_all(&found.bytes)?;
        return Ok(Outcome::Done);
    }
    let found =
        backend.db.read(Lane::Admin, |conn| settlements::adjustment(conn, number))?.ok_or_else(unknown)?;
    if json {
        output::json(&found)?;
        return Ok(Outcome::Done);
    }
    output::line(format_args!("{} ({})", told(&found), found.status))?;
    output::line(format_args!(
        "  asked for by {} at {}: {}",
        found.requested_by, found.requested_at, found.reason
    ))?;
    if let Some((by, at)) = found.decided_by.as_ref().zip(found.decided_at) {
        let note = found.decision_note.as_deref().unwrap_or_default();
        output::line(format_args!("  {} by {by} at {at} {note}", found.status))?;
    }
    if let (Some(name), Some(sha256)) = (&found.attachment_name, &found.attachment_sha256) {
        output::line(format_args!("  attachment {name}, SHA-256 {sha256}"))?;
    }
    Ok(Outcome::Done)
}
