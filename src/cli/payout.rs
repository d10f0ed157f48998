//! `upline payout`: batches of payments, step by step. Whoever moves money signs in.

mod file;
mod show;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use super::person::Person;
use super::{Global, Outcome, output};
use crate::access::Role;
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::payout::{ItemStatus, Rail};
use crate::db::{DbError, Lane, Tx};
use crate::payouts::{self, Approval, Batch, Order, PayoutProblem, Which};
use crate::settings::Payouts;
use crate::settlements;

/// Pay distributors: prepare, approve, export, sent; and what the bank answers
///
/// Prepared money has left the balances. Somebody else than who prepared a batch approves it, exactly as it was shown.
/// The file that is exported first is the only one that ever leaves for its batch. What the bank answers finds its
/// payout by the reference in the file; a payout that nobody can say anything of is never sent again.
#[derive(Args)]
#[command(after_help = "Pay a month:
  upline payout prepare --rail nacha --purpose 'Commission 2026-10' --by ann@example.com
  upline payout show 7
  upline payout approve 7 --digest 3f9a0c11d2e4 --by bob@example.com
  upline payout export 7 --out files --by ann@example.com
  upline payout sent 7 --by ann@example.com
What the bank answers:
  upline payout import returns.ach --by ann@example.com")]
pub struct PayoutCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Put what is due on one rail into a batch; the money leaves the balances
    #[command(after_help = "Examples:
  upline payout prepare --rail nacha --purpose 'Commission 2026-10' --by ann@example.com
  upline payout prepare --rail sepa --purpose 'Commission 2026-10' --by ann@example.com --dry-run")]
    Prepare {
        #[arg(long, value_parser = parse_rail, help = "nacha, sepa, paypal, wise or csv")]
        rail: Rail,
        /// What payees read on their statement
        #[arg(long)]
        purpose: String,
        #[command(flatten)]
        by: Doing,
    },
    /// Batches, the newest first
    #[command(after_help = "Example:\n  upline payout list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// What an approval is about: payments, who is new, changed or left out, what is above a limit
    #[command(after_help = "Examples:
  upline payout show 7
  upline payout show 7 --items")]
    Show {
        batch: i32,
        /// Also every payment
        #[arg(long)]
        items: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say as a second person that a batch may leave, exactly as it was shown
    #[command(after_help = "Examples:
  upline payout approve 7 --digest 3f9a0c11d2e4 --by bob@example.com
  upline payout approve 7 --digest 3f9a0c11d2e4 --by bob@example.com --over-limits")]
    Approve {
        batch: i32,
        /// Twelve or more signs of the digest that `payout show` prints
        #[arg(long)]
        digest: String,
        /// Also above the limits of payouts.RAIL; an admin only
        #[arg(long)]
        over_limits: bool,
        #[command(flatten)]
        by: Doing,
    },
    /// Write the file for the bank; every time the same bytes
    #[command(after_help = "Example:\n  upline payout export 7 --out files --by ann@example.com")]
    Export {
        batch: i32,
        /// Directory that the file is written to
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        #[command(flatten)]
        by: Doing,
    },
    /// Say that the bank has the file
    #[command(after_help = "Example:\n  upline payout sent 7 --by ann@example.com")]
    Sent {
        batch: i32,
        #[command(flatten)]
        by: Doing,
    },
    /// Take what a file of the bank says: NACHA returns, pain.002, camt.053, camt.054 or CSV
    #[command(after_help = "Examples:
  upline payout import returns.ach --by ann@example.com
  upline payout import camt053.xml --by ann@example.com --dry-run --json")]
    Import {
        file: PathBuf,
        #[command(flatten)]
        by: Doing,
    },
    /// Take a batch, or some of its payments, back before anything has left
    #[command(after_help = "Examples:
  upline payout cancel 7 --reason 'wrong month' --by ann@example.com
  upline payout cancel 7 --item 1204 --reason 'the account is closed' --by ann@example.com")]
    Cancel {
        batch: i32,
        /// Number of a payment; all of them without it
        #[arg(long = "item", value_name = "NUMBER")]
        items: Vec<i64>,
        /// Why; it stays with the batch
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        by: Doing,
    },
    /// Say as a second person what became of payments where no file of the bank does
    #[command(after_help = "Examples:
  upline payout mark 7 --all --as confirmed --reason 'statement of 3 November' --by bob@example.com
  upline payout mark 7 --item 1204 --as returned --reason 'credit of 5 November' --by bob@example.com")]
    Mark {
        batch: i32,
        /// Number of a payment
        #[arg(long = "item", value_name = "NUMBER", required_unless_present = "all")]
        items: Vec<i64>,
        /// All that can go there
        #[arg(long, conflicts_with = "items")]
        all: bool,
        #[arg(long = "as", value_parser = parse_status, help = "sent, confirmed, returned or unknown")]
        to: ItemStatus,
        /// How you know; it stays with the payment
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        by: Doing,
    },
    /// What waits for a person: answers that fit no payment, and payments that nobody knows about
    #[command(after_help = "Example:\n  upline payout waiting")]
    Waiting {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what came of an answer that waited for a person
    #[command(after_help = "Example:
  upline payout settle 01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f --note 'a fee of the bank' --by ann@example.com")]
    Settle {
        answer: Uuid,
        /// What came of it
        #[arg(long)]
        note: String,
        #[command(flatten)]
        by: Doing,
    },
}

/// Who does it, and whether it is only tried.
#[derive(Args)]
struct Doing {
    #[command(flatten)]
    person: Person,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

fn parse_rail(text: &str) -> Result<Rail, String> {
    let known = Rail::ALL.map(Rail::name).join(", ");
    Rail::parse(text).ok_or_else(|| format!("{text:?} is no rail; use one of {known}"))
}

fn parse_status(text: &str) -> Result<ItemStatus, String> {
    let told = [ItemStatus::Sent, ItemStatus::Confirmed, ItemStatus::Returned, ItemStatus::Unknown];
    let found = told.into_iter().find(|status| status.name() == text);
    found.ok_or_else(|| {
        format!("{text:?} is nothing that becomes of a payment; use sent, confirmed, returned or unknown")
    })
}

impl PayoutCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let settings = global.settings(None)?.payouts;
        global.with_backend(Opening::Ready, |backend, clock| {
            let room = Room { backend, clock, settings: &settings };
            match self.action {
                Action::List { json } => show::list(&room, json),
                Action::Show { batch, items, json } => show::batch(&room, batch, items, json),
                Action::Waiting { json } => show::waiting(&room, json),
                Action::Prepare { rail, purpose, by } => room.prepare(rail, purpose, &by),
                Action::Approve { batch, digest, over_limits, by } => {
                    room.approve(batch, Approval { shown: digest, over_limits }, &by)
                }
                Action::Export { batch, out, by } => file::export(&room, batch, &out, &by),
                Action::Import { file, by } => file::import(&room, &file, &by),
                Action::Sent { batch, by } => room
                    .step(&by, Role::may_prepare_payouts, |tx, who, now| payouts::sent(tx, batch, who, now)),
                Action::Cancel { batch, items, reason, by } => {
                    let only = Some(items.as_slice()).filter(|items| !items.is_empty());
                    room.step(&by, Role::may_prepare_payouts, |tx, who, now| {
                        payouts::cancel(tx, batch, only, &reason, who, now)
                    })
                }
                Action::Mark { batch, items, all, to, reason, by } => {
                    let which = if all { Which::All } else { Which::Items(items) };
                    room.step(&by, Role::may_approve_payouts, |tx, who, now| {
                        payouts::mark(tx, (batch, &which), to, &reason, who, now)
                    })
                }
                Action::Settle { answer, note, by } => room.settle(answer, &note, &by),
            }
        })
    }
}

struct Room<'a> {
    backend: &'a Backend,
    clock: &'a Clock,
    settings: &'a Payouts,
}

/// Why nothing was written in the end.
enum Undone {
    /// It was only tried.
    Tried,
    Problem(PayoutProblem),
}

impl From<DbError> for Undone {
    fn from(error: DbError) -> Self {
        Self::Problem(error.into())
    }
}

impl std::fmt::Display for Undone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tried => f.write_str("it was only tried"),
            Self::Problem(problem) => problem.fmt(f),
        }
    }
}

impl Room<'_> {
    /// Somebody whose role `may`.
    fn person(&self, by: &Doing, may: fn(Role) -> bool) -> anyhow::Result<(String, Role)> {
        let known: Vec<&str> = Role::ALL.into_iter().filter(|role| may(*role)).map(Role::name).collect();
        by.person.sign_in_as(&self.backend.db, &known.join(" or "), may)
    }

    /// All of it, or nothing; nothing as well where it is only tried.
    fn transact<T>(
        &self,
        dry_run: bool,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, PayoutProblem>,
    ) -> Result<T, PayoutProblem> {
        let mut tried = None;
        let done = self.backend.db.transact_or(Lane::Admin, |tx| {
            let value = work(tx).map_err(Undone::Problem)?;
            if dry_run {
                tried = Some(value);
                return Err(Undone::Tried);
            }
            Ok(value)
        });
        match (done, tried) {
            (Ok(value), _) | (Err(Undone::Tried), Some(value)) => Ok(value),
            (Err(Undone::Problem(problem)), _) => Err(problem),
            (Err(Undone::Tried), None) => {
                Err(DbError::Invariant("tried, and nothing came of it".into()).into())
            }
        }
    }

    fn step(
        &self,
        by: &Doing,
        may: fn(Role) -> bool,
        mut work: impl FnMut(&mut Tx<'_>, &str, DateTime<Utc>) -> Result<Batch, PayoutProblem>,
    ) -> anyhow::Result<Outcome> {
        let ((who, _), now) = (self.person(by, may)?, self.clock.now());
        let batch = self.transact(by.dry_run, |tx| work(tx, &who, now))?;
        tell(by, &batch, &format!("payout batch {} is {}", batch.batch_no, batch.status.name()))
    }

    fn prepare(&self, rail: Rail, purpose: String, by: &Doing) -> anyhow::Result<Outcome> {
        let ((who, _), now) = (self.person(by, Role::may_prepare_payouts)?, self.clock.now());
        let order = Order {
            rail,
            terms: self.settings.terms(rail).clone(),
            withholding: self.settings.withholding,
            purpose,
        };
        // What is held back until today is due today.
        settlements::settle(&self.backend.db, self.clock)?;
        let review = self.transact(by.dry_run, |tx| {
            let batch = payouts::prepare(tx, &order, &who, now)?;
            payouts::review(tx.conn, batch.batch_no, now)
        })?;
        if by.person.json {
            output::json(&review)?;
            return Ok(Outcome::Done);
        }
        if by.dry_run {
            output::note("Only tried: nothing was written.")?;
        }
        show::reviewed(&review, false)
    }

    fn approve(&self, batch: i32, approval: Approval, by: &Doing) -> anyhow::Result<Outcome> {
        let ((who, role), now) = (self.person(by, Role::may_approve_payouts)?, self.clock.now());
        if approval.over_limits && role != Role::Admin {
            anyhow::bail!("{who} is no admin, and only an admin approves above the limits");
        }
        let batch = self.transact(by.dry_run, |tx| payouts::approve(tx, batch, &approval, &who, now))?;
        tell(by, &batch, &format!("payout batch {} is {}", batch.batch_no, batch.status.name()))
    }

    fn settle(&self, answer: Uuid, note: &str, by: &Doing) -> anyhow::Result<Outcome> {
        let ((who, _), now) = (self.person(by, Role::may_prepare_payouts)?, self.clock.now());
        self.transact(by.dry_run, |tx| payouts::settle(tx, answer, note, &who, now))?;
        tell(by, &serde_json::json!({"answer": answer, "settled_by": who}), "the answer is settled")
    }
}

fn tell(by: &Doing, value: &impl Serialize, text: &str) -> anyhow::Result<Outcome> {
    if by.person.json {
        output::json(value)?;
    } else {
        output::line(text)?;
    }
    if by.dry_run {
        output::note("Only tried: nothing was written.")?;
    }
    Ok(Outcome::Done)
}
