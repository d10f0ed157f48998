//! What the tax office asks for: the number, sealed, and how far its owner has certified it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::change::hold_all;
use super::repo::tax as repo;
use super::tin::{TaxStatus, TinKind, checked, shown, withholds};
use super::{PayeeError, keys, unsealed};
use crate::access::audit;
use crate::core::ids::DistributorId;
use crate::core::payee::PayeeProblem;
use crate::db::{Conn, Db, DbError, Lane, Tx};
use crate::vault::Vault;

/// What is sealed. No `Debug`: it is somebody's number and address.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxData {
    #[serde(default)]
    pub kind: TinKind,
    #[serde(default)]
    pub number: Option<String>,
    /// As on the form, where it is another than the payee's.
    #[serde(default)]
    pub legal_name: Option<String>,
    #[serde(default)]
    pub address: Option<Address>,
}

/// Where a form is sent.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub street: String,
    pub city: String,
    /// State or province.
    #[serde(default)]
    pub region: String,
    #[serde(default)]
    pub postal_code: String,
    /// Two letters of ISO 3166.
    pub country: String,
}

/// What is known without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxHead {
    /// 0: nothing is recorded, or it was forgotten.
    pub version_no: i32,
    pub kind: TinKind,
    pub status: TaxStatus,
    /// Empty: there is no number.
    pub masked: String,
    pub changed_at: Option<DateTime<Utc>>,
    pub changed_by: Option<String>,
    /// Backup withholding of the United States applies: nobody has certified a number.
    pub withhold: bool,
}

/// Of every distributor that there is, also of those who have told nothing.
pub fn tax_heads(conn: &mut Conn, ids: &[&str]) -> Result<HashMap<DistributorId, TaxHead>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let head = |row: repo::HeadRow| {
        let (kind, status) = read(&row.kind, &row.status, &row.distributor_id)?;
        let head = TaxHead {
            version_no: row.version_no,
            kind,
            status,
            masked: row.masked,
            changed_at: row.recorded_at,
            changed_by: row.recorded_by,
            withhold: withholds(kind, status, row.country.as_deref()),
        };
        Ok((DistributorId::new(row.distributor_id), head))
    };
    repo::heads(conn, ids)?.into_iter().map(head).collect()
}

fn read(kind: &str, status: &str, of: &str) -> Result<(TinKind, TaxStatus), DbError> {
    let damaged = || DbError::Damaged(format!("tax data of {of}"));
    Ok((TinKind::parse(kind).ok_or_else(damaged)?, TaxStatus::parse(status).ok_or_else(damaged)?))
}

/// Opens what forms are made of; who has told nothing is not among them. Who asks for it has to record that.
pub fn open_tax(
    conn: &mut Conn,
    vault: &Vault,
    ids: &[&str],
) -> Result<HashMap<DistributorId, TaxData>, PayeeError> {
    Ok(opened(conn, vault, ids)?.into_iter().map(|(id, (data, _))| (id, data)).collect())
}

fn opened(
    conn: &mut Conn,
    vault: &Vault,
    ids: &[&str],
) -> Result<HashMap<DistributorId, (TaxData, TaxStatus)>, PayeeError> {
    let mut all = HashMap::new();
    for row in repo::sealed(conn, ids)? {
        let (kind, status) = read(&row.kind, &row.status, &row.distributor_id)?;
        let id = DistributorId::new(row.distributor_id);
        let key = keys::open(vault, &id, row.key_no, &row.sealed_key)?;
        let context = context(&id, row.version_no, kind, status);
        all.insert(id.clone(), (unsealed(&key, &id, &context, &row.sealed)?, status));
    }
    Ok(all)
}

fn context(distributor: &DistributorId, version_no: i32, kind: TinKind, status: TaxStatus) -> String {
    format!("payee tax {version_no} {} {} {distributor}", kind.name(), status.name())
}

/// What changes; `None` stays as it is.
#[derive(Clone, Default)]
pub struct TaxChange {
    /// Of the number that is given, or of the one that is known.
    pub kind: Option<TinKind>,
    pub number: Option<String>,
    pub status: Option<TaxStatus>,
    pub legal_name: Option<String>,
    pub address: Option<Address>,
}

impl TaxChange {
    /// Another number was not certified by what its owner signed before.
    fn applied(&self, known: &(TaxData, TaxStatus)) -> Result<(TaxData, TaxStatus), PayeeProblem> {
        let (mut data, mut status) = known.clone();
        let told = self.number.as_deref();
        let kind = self.kind.or_else(|| Some(guessed(told?, data.kind))).unwrap_or(data.kind);
        let number = told.or(data.number.as_deref()).map(|number| checked(kind, number)).transpose()?;
        if number != data.number {
            status = TaxStatus::None;
        }
        status = self.status.unwrap_or(status);
        if status == TaxStatus::W9 && (number.is_none() || !kind.is_american()) {
            let what = "is needed for a W-9, with its kind: ssn, ein or itin";
            return Err(PayeeProblem::Wrong { field: "tax_id", what: what.to_owned() });
        }
        (data.kind, data.number) = (kind, number);
        data.legal_name = text("legal_name", self.legal_name.as_ref())?.or(data.legal_name);
        data.address = self.address.clone().or(data.address);
        Ok((data, status))
    }
}

/// The kind of a number that came without one: what it looks like, else the kind that is known, if it can be that.
fn guessed(number: &str, known: TinKind) -> TinKind {
    let looks_like = Some(TinKind::of(number)).filter(|kind| *kind != TinKind::Unknown);
    let fits = looks_like.into_iter().chain([known]).find(|kind| checked(*kind, number).is_ok());
    fits.unwrap_or_default()
}

fn text(field: &'static str, told: Option<&String>) -> Result<Option<String>, PayeeProblem> {
    let told = told.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    match told.filter(|text| !text.is_empty()) {
        Some(text) if text.chars().count() > 140 || text.chars().any(char::is_control) => {
            Err(PayeeProblem::Wrong { field, what: "has to have 1 to 140 signs".to_owned() })
        }
        told => Ok(told),
    }
}

/// Records one person's tax data, and that somebody did. Returns whether anything was news.
pub fn set_tax(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (distributor, change): (&DistributorId, &TaxChange),
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, PayeeError> {
    let news = record(tx, vault, &[(distributor, change)], by, now)?;
    if news > 0 {
        let head = tax_heads(tx.conn, &[distributor.as_str()])?.remove(distributor);
        let detail =
            head.map(|head| json!({"kind": head.kind, "status": head.status, "withhold": head.withhold}));
        audit::record(tx, by, "payee.tax", distributor.as_str(), detail.unwrap_or_default(), now)?;
    }
    Ok(news > 0)
}

/// As many as are read and sealed at a time.
const PAGE: usize = 1000;

/// Numbers as an import tells them, of any kind. Each distributor once. Returns how many were news.
pub fn record_numbers(
    tx: &mut Tx<'_>,
    vault: &Vault,
    numbers: &[(DistributorId, String)],
    by: &str,
    now: DateTime<Utc>,
) -> Result<usize, PayeeError> {
    let change = |number: &String| TaxChange { number: Some(number.clone()), ..TaxChange::default() };
    let changes: Vec<(&DistributorId, TaxChange)> = numbers.iter().map(|(id, it)| (id, change(it))).collect();
    let mut news = 0;
    for page in changes.chunks(PAGE) {
        let page: Vec<_> = page.iter().map(|(id, change)| (*id, change)).collect();
        news += record(tx, vault, &page, by, now)?;
    }
    Ok(news)
}

pub(super) fn record(
    tx: &mut Tx<'_>,
    vault: &Vault,
    changes: &[(&DistributorId, &TaxChange)],
    by: &str,
    now: DateTime<Utc>,
) -> Result<usize, PayeeError> {
    let ids: Vec<&DistributorId> = changes.iter().map(|(id, _)| *id).collect();
    let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    hold_all(tx, &ids)?;
    let keys = keys::ensure(tx, vault, &ids, now)?;
    let known = opened(tx.conn, vault, &names)?;
    let last = repo::last_versions(tx.conn, &ids)?;
    let last: HashMap<String, i32> =
        last.into_iter().map(|row| (row.distributor_id, row.version_no)).collect();
    let (nothing, mut rows) = (Default::default(), vec![]);
    for (id, change) in changes {
        let before = known.get(*id).unwrap_or(&nothing);
        let wrong = |problem| PayeeError::Given { distributor: (*id).clone(), problem };
        let (data, status) = change.applied(before).map_err(wrong)?;
        let Some(key) = keys.get(*id).filter(|_| (&data, &status) != (&before.0, &before.1)) else {
            continue;
        };
        let version_no = last.get(id.as_str()).copied().unwrap_or(0) + 1;
        let context = context(id, version_no, data.kind, status);
        rows.push(repo::NewVersion {
            distributor_id: id.0.clone(),
            version_no,
            key_no: key.no,
            kind: data.kind.name(),
            status: status.name(),
            sealed: key.vault.seal_for(&context, &super::plain(&data)?)?,
            masked: data.number.as_deref().map(shown).unwrap_or_default(),
        });
    }
    repo::insert(tx.conn, &rows, by, now)?;
    Ok(rows.len())
}

/// Seals the numbers that lie in the clear from before there was a place for them. Returns how many; costs one look at
/// an index where there are none.
pub fn seal_clear_numbers(db: &Db, vault: &Vault, now: DateTime<Utc>) -> Result<usize, PayeeError> {
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    if !db.read(Lane::Admin, repo::has_clear)? {
        return Ok(0);
    }
    let mut sealed = 0;
    loop {
        let page = db.transact_or(Lane::Admin, |tx| {
            let found = repo::clear(tx.conn, limit)?;
            let ids: Vec<&str> = found.iter().map(|row| row.distributor_id.as_str()).collect();
            let numbers: Vec<(DistributorId, String)> = found
                .iter()
                .filter(|row| !row.tax_id.trim().is_empty())
                .map(|row| (DistributorId::new(row.distributor_id.as_str()), row.tax_id.clone()))
                .collect();
            record_numbers(tx, vault, &numbers, "import", now)?;
            repo::forget_clear(tx.conn, &ids)?;
            Ok::<_, PayeeError>(found.len())
        })?;
        sealed += page;
        if page < PAGE {
            return Ok(sealed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: &str) -> TaxChange {
        TaxChange { number: Some(number.into()), ..TaxChange::default() }
    }

    #[test]
    fn another_number_is_not_certified_by_the_signature_before() {
        let told = number("123-45-6789").applied(&Default::default()).unwrap();
        assert_eq!((told.0.kind, told.1), (TinKind::Ssn, TaxStatus::None));
        let signed = TaxChange { status: Some(TaxStatus::W9), ..TaxChange::default() };
        let certified = signed.applied(&told).unwrap();
        assert_eq!(certified.1, TaxStatus::W9);
        let again = number("123456789").applied(&certified).unwrap();
        assert_eq!(again.1, TaxStatus::W9, "the same number, written otherwise");
        assert_eq!(number("123-45-6780").applied(&certified).unwrap().1, TaxStatus::None);
        assert!(signed.applied(&Default::default()).is_err(), "a W-9 without a number");
        let vat = number("DE123456789").applied(&certified).unwrap();
        assert_eq!((vat.0.kind, vat.1), (TinKind::Unknown, TaxStatus::None), "no kind that fits");
        let foreign = TaxChange { kind: Some(TinKind::Vat), ..number("DE123456789") };
        assert!(TaxChange { status: Some(TaxStatus::W9), ..foreign }.applied(&told).is_err());
    }
}
