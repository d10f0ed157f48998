//! `upline distributor code`: the names under which orders and links refer to a distributor.

use clap::Subcommand;
use serde_json::json;

use super::super::{Global, Outcome, output, transact};
use super::BY;
use crate::access::audit;
use crate::app::Opening;
use crate::core::assess::Hold;
use crate::core::ids::DistributorId;
use crate::db::Lane;
use crate::distributors::{self, CodeProblem};
use crate::orders;
use crate::reports::distributors::codes;

#[derive(Subcommand)]
pub enum Code {
    /// Make a code name a distributor; orders that wait because it named nobody are released
    #[command(after_help = "A code that is given for the first time counts for older orders too.

Example:
  upline distributor code add 11043 ANNA anna-2026")]
    Add {
        id: String,
        #[arg(required = true)]
        codes: Vec<String>,
    },
    /// A code names nobody from now on; orders from before keep whom it named
    #[command(after_help = "Example:\n  upline distributor code retire ANNA")]
    Retire { code: String },
    /// The codes of a distributor, with the links that carry them
    #[command(after_help = "Example:\n  upline distributor code list 11043 --json")]
    List {
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Code {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let base = global.settings(None)?.public_base();
        global.with_backend(Opening::Ready, |backend, clock| {
            let now = clock.now();
            match self {
                Self::Add { id, codes } => {
                    let to = DistributorId::new(id.as_str());
                    let bound: Vec<(&str, &DistributorId)> =
                        codes.iter().map(|code| (code.as_str(), &to)).collect();
                    let released = transact(&backend.db, |tx| {
                        distributors::bind_codes(tx, &bound, BY, now)?;
                        audit::record(tx, BY, "distributor.code.add", &id, json!({"codes": codes}), now)?;
                        Ok::<_, CodeProblem>(orders::review_all_of(tx, &[Hold::UnknownDistributor], now)?)
                    })?;
                    output::line(format_args!(
                        "{} name(s) {id}. {released} held order(s) are looked at again.",
                        codes.join(", ")
                    ))?;
                }
                Self::Retire { code } => {
                    let holder = transact(&backend.db, |tx| {
                        let holder = distributors::retire_code(tx, &code, BY, now)?;
                        audit::record(
                            tx,
                            BY,
                            "distributor.code.retire",
                            holder.as_str(),
                            json!({"code": code}),
                            now,
                        )?;
                        Ok::<_, CodeProblem>(holder)
                    })?;
                    output::line(format_args!("{code} named {holder} and names nobody from now on."))?;
                }
                Self::List { id, json } => {
                    let codes = backend.db.read(Lane::Admin, |conn| codes(conn, &id))?;
                    let link = |code: &String| distributors::link(&base, code);
                    if json {
                        let rows: Vec<_> =
                            codes.iter().map(|code| json!({"code": code, "link": link(code)})).collect();
                        output::json(&rows)?;
                    } else if codes.is_empty() {
                        output::line(format_args!(
                            "{id} has no code. upline distributor code add {id} CODE"
                        ))?;
                    } else {
                        let rows: Vec<Vec<String>> =
                            codes.iter().map(|code| vec![code.clone(), link(code)]).collect();
                        output::table(&["code", "link"], &rows)?;
                    }
                }
            }
            Ok(Outcome::Done)
        })
    }
}
