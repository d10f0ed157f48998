//! Details of many distributors from a CSV file: read, compared with what is there, then all or nothing.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

use super::change::{known, record};
use super::tin::checked;
use super::{Details, Given, PayeeError, Recorded, TaxChange, TaxStatus, TinKind, tax, tax_heads};
use crate::access::audit;
use crate::core::ids::DistributorId;
use crate::core::payee::PayeeProblem;
use crate::core::sheet::{Row, RowProblem, Sheet};
use crate::db::{Conn, Tx};
use crate::vault::Vault;

pub const REQUIRED: [&str; 3] = ["distributor_id", "rail", "name"];
pub const OPTIONAL: [&str; 13] = [
    "currency",
    "holder",
    "country",
    "routing_number",
    "account_number",
    "account",
    "iban",
    "bic",
    "email",
    "instruction",
    "tax_id",
    "tax_kind",
    "tax_status",
];

/// What a file would do.
#[derive(Default, Serialize)]
pub struct Import {
    /// Of whom nothing is known.
    pub new: usize,
    /// Payouts to them are held.
    pub changed: usize,
    pub unchanged: usize,
    /// Distributors whose tax data the file tells.
    pub with_tax: usize,
    /// Any of them keeps the whole file out.
    pub problems: Vec<RowProblem>,
    pub ignored_columns: Vec<String>,
    #[serde(skip)]
    told: Vec<Told>,
}

struct Told {
    line: u64,
    id: DistributorId,
    details: Details,
    tax: Option<TaxChange>,
}

/// As many as are read and sealed at a time.
const PAGE: usize = 1000;

pub fn preview(conn: &mut Conn, vault: &Vault, csv: &[u8]) -> Result<Import, PayeeError> {
    let sheet = match Sheet::read(csv, &REQUIRED, &OPTIONAL) {
        Ok(sheet) => sheet,
        Err(problems) => return Ok(Import { problems, ..Import::default() }),
    };
    let mut import = Import { ignored_columns: sheet.ignored.clone(), ..Import::default() };
    let mut lines: HashMap<&str, u64> = HashMap::new();
    for row in sheet.rows() {
        let id = row.required("distributor_id", &mut import.problems);
        match lines.insert(id, row.line).filter(|_| !id.is_empty()) {
            Some(first) => import.problems.push(
                row.problem("distributor_id", format!("{id} is in line {first} already; keep one of them")),
            ),
            None => import.told.extend(read(&row, id, &mut import.problems)),
        }
    }
    import.with_tax = import.told.iter().filter(|told| told.tax.is_some()).count();
    import.compare(conn, vault)?;
    import.problems.sort_by_key(|problem| problem.line);
    Ok(import)
}

fn read(row: &Row<'_>, id: &str, problems: &mut Vec<RowProblem>) -> Option<Told> {
    let field = |column: &str| row.get(column).unwrap_or_default().to_owned();
    let given = Given {
        rail: field("rail").to_ascii_lowercase(),
        currency: field("currency"),
        name: field("name"),
        holder: field("holder").to_ascii_lowercase(),
        country: field("country"),
        routing_number: field("routing_number"),
        account_number: field("account_number"),
        account: field("account").to_ascii_lowercase(),
        iban: field("iban"),
        bic: field("bic"),
        email: field("email"),
        instruction: field("instruction"),
    };
    let before = problems.len();
    let tax = tax_change(row, problems);
    match given.read() {
        Ok(details) if problems.len() == before => {
            Some(Told { line: row.line, id: DistributorId::new(id), details, tax })
        }
        Ok(_) => None,
        Err(wrong) => {
            problems.extend(
                wrong.into_iter().map(|PayeeProblem::Wrong { field, what }| row.problem(field, what)),
            );
            None
        }
    }
}

fn tax_change(row: &Row<'_>, problems: &mut Vec<RowProblem>) -> Option<TaxChange> {
    let number = row.get("tax_id").map(str::to_owned);
    let kind = row.get("tax_kind").map(|name| (name, TinKind::parse(&name.to_ascii_lowercase())));
    let status = row.get("tax_status").map(|name| (name, TaxStatus::parse(&name.to_ascii_lowercase())));
    if let Some((name, None)) = kind {
        let known = TinKind::ALL.map(TinKind::name).join(", ");
        problems.push(row.problem("tax_kind", format!("{name:?} is no kind; use one of {known}")));
    }
    if let Some((name, None)) = status {
        let known = TaxStatus::ALL.map(TaxStatus::name).join(", ");
        problems.push(row.problem("tax_status", format!("{name:?} is no status; use one of {known}")));
    }
    let told = kind.and_then(|(_, kind)| kind);
    if let Some(number) = &number {
        let wrong = checked(told.unwrap_or_default(), number).err();
        problems.extend(wrong.map(|PayeeProblem::Wrong { field, what }| row.problem(field, what)));
    }
    let change = TaxChange {
        number,
        kind: told,
        status: status.and_then(|(_, status)| status),
        ..TaxChange::default()
    };
    let says = change.number.is_some() || change.kind.is_some() || change.status.is_some();
    says.then_some(change)
}

impl Import {
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    fn compare(&mut self, conn: &mut Conn, vault: &Vault) -> Result<(), PayeeError> {
        for page in self.told.chunks(PAGE) {
            let ids: Vec<&DistributorId> = page.iter().map(|told| &told.id).collect();
            let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
            let there: HashSet<DistributorId> = tax_heads(conn, &names)?.into_keys().collect();
            let known = known(conn, vault, &ids)?;
            for told in page {
                match known.get(&told.id) {
                    _ if !there.contains(&told.id) => self.problems.push(RowProblem {
                        line: told.line,
                        column: "distributor_id".to_owned(),
                        message: format!("there is no distributor {}", told.id),
                    }),
                    None => self.new += 1,
                    Some(details) if *details == told.details => self.unchanged += 1,
                    Some(_) => self.changed += 1,
                }
            }
        }
        Ok(())
    }

    /// Writes what [`preview`] has found, compared again under lock. Returns how many are held.
    pub fn record(
        &self,
        tx: &mut Tx<'_>,
        vault: &Vault,
        hold_days: u32,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<usize, PayeeError> {
        let (mut held, mut news, mut taxed) = (0, 0, 0);
        for page in self.told.chunks(PAGE) {
            let changes: Vec<_> = page.iter().map(|told| (&told.id, &told.details)).collect();
            for recorded in record(tx, vault, &changes, hold_days, by, now)? {
                held += usize::from(matches!(recorded, Recorded::Held { .. }));
                news += usize::from(recorded != Recorded::Unchanged);
            }
            let taxes: Vec<_> = page.iter().filter_map(|told| Some((&told.id, told.tax.as_ref()?))).collect();
            taxed += tax::record(tx, vault, &taxes, by, now)?;
        }
        let detail = json!({"recorded": news, "held": held, "tax": taxed});
        audit::record(tx, by, "payees.import", "payees", detail, now)?;
        Ok(held)
    }
}
