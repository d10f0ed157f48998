//! Self-billing: whoever tells a VAT number gets a document for each payout, numbered without a gap for each country
//! and year.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike, Utc};
use serde::Serialize;
use serde_json::json;

use super::TaxProblem;
use super::repo::invoices::{self as repo, Due, Invoice};
use crate::access::audit;
use crate::core::ids::DistributorId;
use crate::db::{DbError, Tx};
use crate::payees::{self, TaxHead, TinKind};

/// What came of giving numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Issued {
    pub invoices: Vec<Invoice>,
    /// Who has a VAT number and no country that a series could belong to.
    pub without_country: Vec<DistributorId>,
}

/// As many people as are asked for at a time.
const PAGE: usize = 1000;

/// Numbers for everything that was paid, or came back, since the last time. In the order of payment; the year is that
/// of today, so that numbers and dates of issue go the same way.
pub fn issue(tx: &mut Tx<'_>, by: &str, now: DateTime<Utc>) -> Result<Issued, TaxProblem> {
    repo::hold(tx.conn)?;
    let due = repo::due(tx.conn)?;
    let heads = heads(tx, &due)?;
    let mut issued = Issued::default();
    let mut by_country: BTreeMap<String, Vec<(Due, i32)>> = BTreeMap::new();
    for one in due {
        let Some(version) = tax_version(&one, &heads) else { continue };
        match one.country.clone().filter(|country| is_country(country)) {
            Some(country) => by_country.entry(country).or_default().push((one, version)),
            None => {
                let id = DistributorId::new(one.distributor_id);
                if !issued.without_country.contains(&id) {
                    issued.without_country.push(id);
                }
            }
        }
    }
    issued.invoices = numbered(tx, by_country, by, now)?;
    if !issued.invoices.is_empty() {
        repo::insert(tx.conn, &issued.invoices)?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        issued.invoices.iter().for_each(|one| *counts.entry(&one.country).or_default() += 1);
        let detail = json!({"year": now.year(), "documents": counts});
        audit::record(tx, by, "tax.invoices_issued", "self-billing", detail, now)?;
    }
    Ok(issued)
}

fn heads(tx: &mut Tx<'_>, due: &[Due]) -> Result<HashMap<DistributorId, TaxHead>, DbError> {
    let mut heads = HashMap::new();
    for page in due.chunks(PAGE) {
        let ids: Vec<&str> = page.iter().map(|one| one.distributor_id.as_str()).collect();
        heads.extend(payees::tax_heads(tx.conn, &ids)?);
    }
    Ok(heads)
}

/// Whose number is no VAT number any more gets no invoice; a credit note belongs to its invoice all the same.
fn tax_version(due: &Due, heads: &HashMap<DistributorId, TaxHead>) -> Option<i32> {
    let head = heads.get(&DistributorId::new(due.distributor_id.as_str()));
    due.tax_version.or(head.filter(|head| head.kind == TinKind::Vat).map(|head| head.version_no))
}

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn numbered(
    tx: &mut Tx<'_>,
    by_country: BTreeMap<String, Vec<(Due, i32)>>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Invoice>, TaxProblem> {
    let counts = by_country.iter().map(|(country, due)| Ok((country.as_str(), i32::try_from(due.len())?)));
    let counts: Result<Vec<(&str, i32)>, std::num::TryFromIntError> = counts.collect();
    let counts = counts.map_err(|_| DbError::Invariant("more documents than numbers".into()))?;
    let taken = repo::take_numbers(tx.conn, now.year(), &counts)?;
    let last: HashMap<&str, i32> = taken.iter().map(|one| (one.country.as_str(), one.last_no)).collect();
    let mut invoices = vec![];
    for (country, count) in &counts {
        let last = last.get(country).copied();
        let last = last.ok_or_else(|| DbError::Invariant(format!("no number for {country}")))?;
        let due = by_country.get(*country).into_iter().flatten();
        for (number, (due, tax_version)) in (last - count + 1..).zip(due) {
            invoices.push(Invoice {
                country: (*country).to_owned(),
                year: now.year(),
                invoice_no: number,
                kind: due.kind.clone(),
                item_id: due.item_id,
                distributor_id: due.distributor_id.clone(),
                currency: due.currency.clone(),
                amount: due.amount,
                paid_on: due.paid_on,
                tax_version: *tax_version,
                issued_at: now,
                issued_by: by.to_owned(),
            });
        }
    }
    Ok(invoices)
}
