//! Answers as a table, for rails without a format of their own: `reference,status,code,reason`, and if they are known
//! `amount,currency,date`.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::core::money::Currency;
use crate::core::payout::{Answer, Reference, Says};
use crate::core::sheet::{Row, RowProblem, Sheet};

use super::super::{BankFile, BankFormat, ReadProblem, text};

const REQUIRED: [&str; 2] = ["reference", "status"];
const OPTIONAL: [&str; 5] = ["code", "reason", "amount", "currency", "date"];
/// Problems that are shown at once.
const SHOWN: usize = 5;

fn says(status: &str) -> Option<Says> {
    match status.to_ascii_lowercase().as_str() {
        "accepted" | "sent" => Some(Says::Accepted),
        "booked" | "confirmed" | "paid" => Some(Says::Booked),
        "returned" | "refused" | "rejected" | "failed" => Some(Says::Returned),
        "pending" | "unknown" | "unclaimed" => Some(Says::Pending),
        _ => None,
    }
}

pub(in crate::rails) fn read(bytes: &[u8]) -> Result<BankFile, ReadProblem> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first).to_ascii_lowercase();
    let names: Vec<&str> = first.split([',', ';']).map(|name| name.trim().trim_matches('"')).collect();
    if !REQUIRED.iter().all(|name| names.contains(name)) {
        return Err(ReadProblem::Unknown);
    }
    let sheet = Sheet::read(bytes, &REQUIRED, &OPTIONAL).map_err(|problems| broken(&problems))?;
    // The same table has the same name.
    let digest = Sha256::digest(bytes);
    let name = format!("sha256:{}", hex::encode(digest));
    let mut file = BankFile::of(BankFormat::Csv, name);
    let mut problems = vec![];
    for row in sheet.rows() {
        file.answers.push(answer(&row, &mut problems));
    }
    if problems.is_empty() { Ok(file) } else { Err(broken(&problems)) }
}

fn broken(problems: &[RowProblem]) -> ReadProblem {
    let mut what: Vec<String> = problems.iter().take(SHOWN).map(ToString::to_string).collect();
    if problems.len() > SHOWN {
        what.push(format!("and {} more", problems.len() - SHOWN));
    }
    ReadProblem::Broken { format: "CSV", what: what.join("; ") }
}

fn answer(row: &Row<'_>, problems: &mut Vec<RowProblem>) -> Answer {
    let reference = row.required("reference", problems);
    let status = row.required("status", problems);
    let says = says(status);
    if says.is_none() && !status.is_empty() {
        problems.push(row.problem("status", "has to be accepted, booked, returned or pending"));
    }
    let amount =
        row.get("amount").map(|text| Decimal::from_str_exact(text).map_err(|_| "is no amount such as 12.50"));
    let date = row
        .get("date")
        .map(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| "is no date such as 2026-11-30"));
    let currency = row.get("currency").map(|text| Currency::parse(text).ok_or("is no currency such as USD"));
    Answer {
        about: Reference::read(reference),
        says: says.unwrap_or(Says::Pending),
        amount: kept(row, "amount", amount, problems),
        currency: kept(row, "currency", currency, problems).map(|currency| currency.code().to_owned()),
        code: row.get("code").map(|code| text::line(code, 35)),
        reason: row.get("reason").map(|reason| text::line(reason, 140)),
        on: kept(row, "date", date, problems),
    }
}

fn kept<T>(
    row: &Row<'_>,
    column: &str,
    value: Option<Result<T, &'static str>>,
    problems: &mut Vec<RowProblem>,
) -> Option<T> {
    match value? {
        Ok(value) => Some(value),
        Err(what) => {
            problems.push(row.problem(column, what));
            None
        }
    }
}
