//! The column `codes` of a file: `ANNA; anna-2026`, all of them names of the row's distributor.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::super::codes::usable;
use super::super::{Codes, Network};
use crate::core::ids::DistributorId;
use crate::core::sheet::{Row, RowProblem};

#[derive(Debug)]
pub(super) struct Told {
    line: u64,
    code: String,
    to: DistributorId,
}

pub(super) fn read(row: &Row<'_>, id: &str, problems: &mut Vec<RowProblem>) -> Vec<Told> {
    let mut told = vec![];
    for code in row.get("codes").unwrap_or_default().split(';').filter(|code| !code.trim().is_empty()) {
        match usable(code) {
            Ok(code) => told.push(Told { line: row.line, code, to: DistributorId::new(id) }),
            Err(problem) => problems.push(row.problem("codes", problem.to_string())),
        }
    }
    told
}

/// The codes that do not name their distributor yet, and what keeps a code from doing so.
pub(super) fn changes(
    told: &[Told],
    network: &Network,
    problems: &mut Vec<RowProblem>,
) -> Vec<(String, DistributorId)> {
    let mut first: HashMap<&str, &Told> = HashMap::new();
    let mut bindings = vec![];
    for one in told {
        let problem = |message: String| RowProblem { line: one.line, column: "codes".to_owned(), message };
        match first.get(one.code.as_str()) {
            Some(known) if known.to == one.to => continue,
            Some(known) => {
                problems
                    .push(problem(format!("{} names {} in line {} already", one.code, known.to, known.line)));
                continue;
            }
            None => _ = first.insert(&one.code, one),
        }
        match newest_holder(&network.codes, &one.code) {
            Some(holder) if *holder == one.to => {}
            Some(holder) => problems.push(problem(format!(
                "{} names {holder} already; retire it first: upline distributor code retire {}",
                one.code, one.code
            ))),
            None => bindings.push((one.code.clone(), one.to.clone())),
        }
    }
    bindings
}

fn newest_holder<'a>(codes: &'a Codes, code: &str) -> Option<&'a DistributorId> {
    codes.holder(code, DateTime::<Utc>::MAX_UTC)
}
