//! The command line: one file for each group of commands.
//!
//! What a command was asked for goes to stdout, everything else to stderr. Exit codes: 0 done, 1 an error,
//! 2 the command line is wrong, 3 a difference was found.

mod adjust;
mod backfill;
mod backup;
mod balance;
mod catalog;
mod customer;
mod demo;
mod distributor;
mod doctor;
mod export;
mod import;
mod inspect;
mod ledger;
mod market;
mod migrate;
mod notices;
mod output;
mod payee;
mod payout;
mod period;
mod person;
mod pipeline;
mod plan;
mod proof;
mod pull;
mod rate;
mod reconcile;
mod scenario;
mod serve;
mod simulate;
mod statement;
mod store;
mod token;
mod user;
mod verify;
mod warehouse;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};

use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::db::{Db, DbError, Lane, Tx};
use crate::settings::{Overrides, Settings};
use crate::telemetry;

/// From cart to commission: store webhooks in, distributor commissions and a balanced ledger out.
#[derive(Parser)]
#[command(
    name = "upline",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "A whole set-up:
  upline serve &
  upline store add --platform woocommerce --slug main --secret 'the secret of its webhooks'
  upline import distributors distributors.csv
  upline import skus skus.csv
  upline plan publish plan.toml --from 2026-01-01

Exit codes: 0 done, 1 error, 2 wrong command line, 3 a difference was found.
To see it all at work with sample data: upline demo"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EVERYWHERE: &str = "Options of every command";

/// Where everything is; the same for all commands.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Directory of the embedded database and of the key of the stored secrets
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR", env = "UPLINE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// A PostgreSQL 14 or later of your own instead of the embedded one
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Settings file (TOML); the environment (UPLINE_*) and the command line go before it
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "UPLINE_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Doctor(doctor::Doctor),
    Store(store::StoreCommand),
    Pull(pull::PullCommand),
    Backfill(backfill::Backfill),
    Reconcile(reconcile::Reconcile),
    Token(token::TokenCommand),
    User(user::UserCommand),
    Import(import::Import),
    Distributor(distributor::DistributorCommand),
    Catalog(catalog::CatalogCommand),
    Customer(customer::CustomerCommand),
    Plan(plan::PlanCommand),
    Payee(payee::PayeeCommand),
    Period(period::PeriodCommand),
    Payout(payout::PayoutCommand),
    Balance(balance::Balance),
    Statement(statement::StatementCommand),
    Adjust(adjust::AdjustCommand),
    Market(market::MarketCommand),
    Rate(rate::RateCommand),
    Export(export::Export),
    Warehouse(warehouse::WarehouseCommand),
    Notices(notices::NoticesCommand),
    Scenario(scenario::ScenarioCommand),
    Inspect(inspect::Inspect),
    Explain(proof::Explain),
    Backup(backup::BackupCommand),
    Verify(verify::Verify),
    Ledger(ledger::LedgerCommand),
    Replay(proof::Replay),
}

/// How a command ended, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// What was asked for is not so: a check failed, a file has problems.
    Failed,
    /// What should be equal is not.
    Difference,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
            Outcome::Difference => Self::from(3),
        }
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    match run(&global, command) {
        Ok(outcome) => outcome.into(),
        // Whoever reads our output had enough of it.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let told = format!("error: {error:#}");
            let _nobody_listens = writeln!(io::stderr(), "{}", told.trim_end());
            ExitCode::from(1)
        }
    }
}

fn run(global: &Global, command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Demo(command) => command.run(global),
        Command::Serve(command) => command.run(global),
        Command::Migrate(command) => command.run(global),
        Command::Doctor(command) => command.run(global),
        Command::Store(command) => command.run(global),
        Command::Pull(command) => command.run(global),
        Command::Backfill(command) => command.run(global),
        Command::Reconcile(command) => command.run(global),
        Command::Token(command) => command.run(global),
        Command::User(command) => command.run(global),
        Command::Import(command) => command.run(global),
        Command::Distributor(command) => command.run(global),
        Command::Catalog(command) => command.run(global),
        Command::Customer(command) => command.run(global),
        Command::Plan(command) => command.run(global),
        Command::Payee(command) => command.run(global),
        Command::Period(command) => command.run(global),
        Command::Payout(command) => command.run(global),
        Command::Balance(command) => command.run(global),
        Command::Statement(command) => command.run(global),
        Command::Adjust(command) => command.run(global),
        Command::Market(command) => command.run(global),
        Command::Rate(command) => command.run(global),
        Command::Export(command) => command.run(global),
        Command::Warehouse(command) => command.run(global),
        Command::Notices(command) => command.run(global),
        Command::Scenario(command) => command.run(global),
        Command::Inspect(command) => command.run(global),
        Command::Explain(command) => command.run(global),
        Command::Verify(command) => command.run(global),
        Command::Backup(command) => command.run(global),
        Command::Ledger(command) => command.run(global),
        Command::Replay(command) => command.run(global),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl Global {
    pub fn settings(&self, listen: Option<String>) -> anyhow::Result<Settings> {
        let overrides =
            Overrides { listen, data_dir: self.data_dir.clone(), database_url: self.database_url.clone() };
        Ok(Settings::load(self.config.as_deref(), &overrides)?)
    }

    /// Opens the database for one command and closes it again, whatever came of it.
    pub fn with_backend<T>(
        &self,
        opening: Opening,
        work: impl FnOnce(&Backend, &Clock) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let settings = self.settings(None)?;
        // Why the pool has no connection is part of the error that ends the command.
        telemetry::init_logging(settings.log_format, "warn,r2d2=off");
        let backend = Backend::open(&settings, opening)?;
        let clock = Clock::system();
        let done = work(&backend, &clock);
        if opening == Opening::Ready {
            backend.chain_up(&settings.data_dir, &clock);
        }
        backend.close();
        done
    }
}

/// [`Db::transact_or`] for commands.
pub fn transact<T, E: From<DbError> + std::fmt::Display>(
    db: &Db,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    db.transact_or(Lane::Admin, work)
}

fn read_bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn read_text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn parse_instant(text: &str) -> Result<DateTime<Utc>, String> {
    let instant = crate::distributors::import::instant(text);
    instant.ok_or_else(|| format!("{text:?} is no date; write 2026-01-31 or 2026-01-31T08:00:00Z"))
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_with_an_example() {
        let mut without = vec![];
        leaves(&super::Cli::command(), "upline", &mut |path, command| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            if !help.contains("Example") || !help.contains(path) {
                without.push(path.to_owned());
            }
        });
        assert!(without.is_empty(), "no example of: {without:?}");
    }

    fn leaves(command: &Command, path: &str, look: &mut dyn FnMut(&str, &Command)) {
        if !command.has_subcommands() {
            look(path, command);
        }
        for below in command.get_subcommands() {
            leaves(below, &format!("{path} {}", below.get_name()), look);
        }
    }
}
