//! Exporting a closed period: one snapshot of the database, one file for each dataset, a manifest last.
//!
//! The files of a closed period are the same bytes whenever they are written. What stands in their place already is
//! compared and never overwritten; the manifest comes last, so where there is one, all files are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;

use super::datasets::{DATASETS, Dataset, POSTINGS};
use super::files::{Aside, Sheet};
use super::manifest::{ChainHead, ColumnOf, FileOf, MANIFEST, Manifest, PeriodOf, Sum};
use super::problem::WarehouseProblem;
use super::repo;
use super::sums::Sums;
use super::values::Format;
use crate::access::audit;
use crate::clock::Clock;
use crate::db::{Conn, Db, Lane};
use crate::periods::{self, Period, Status};
use serde_json::json;

/// What is to be exported.
pub struct Asked<'a> {
    pub period: &'a str,
    /// The files come into `out/PERIOD/FORMAT`.
    pub out: &'a Path,
    pub format: Format,
    /// Where the ledger's chain stands; nothing where it is not chained.
    pub chain_head: Option<ChainHead>,
    pub by: &'a str,
}

pub struct Exported {
    pub dir: PathBuf,
    pub manifest: Manifest,
    /// Everything stood there already, the same to the byte.
    pub is_unchanged: bool,
}

/// What would be written.
pub struct Wanted {
    pub dir: PathBuf,
    pub files: Vec<String>,
}

impl Asked<'_> {
    fn dir(&self) -> PathBuf {
        self.out.join(self.period).join(self.format.name())
    }

    fn file(&self, dataset: &Dataset) -> String {
        format!("{}.{}", dataset.name, self.format.name())
    }

    /// Checks that it can be exported and says where it would be; writes nothing.
    pub fn look(&self, db: &Db) -> Result<Wanted, WarehouseProblem> {
        let periods = db.read(Lane::Admin, periods::periods)?;
        closed(&periods, self.period)?;
        let mut files: Vec<String> = DATASETS.iter().map(|dataset| self.file(dataset)).collect();
        files.push(MANIFEST.to_owned());
        Ok(Wanted { dir: self.dir(), files })
    }
}

/// Writes the files, or finds that they stand there already. `progress` hears the dataset and how many of its rows are
/// written.
pub fn export(
    db: &Db,
    clock: &Clock,
    asked: &Asked<'_>,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Exported, WarehouseProblem> {
    let mut done = None;
    db.read(Lane::Admin, |conn| {
        done = Some(repo::in_one_snapshot(conn, |conn| write(conn, asked, progress)));
        Ok(())
    })?;
    let exported = done.unwrap_or_else(|| Err(WarehouseProblem::Refused("nothing was exported".into())))?;
    let detail = json!({"format": asked.format.name(), "sha256": exported.manifest.sha256,
                        "rows": exported.manifest.files.iter().map(|file| file.rows).sum::<u64>()});
    db.transact(Lane::Admin, |tx| {
        audit::record(tx, asked.by, "warehouse.export", asked.period, detail.clone(), clock.now())
    })?;
    Ok(exported)
}

fn closed<'p>(periods: &'p [Period], name: &str) -> Result<&'p Period, WarehouseProblem> {
    let period = periods.iter().find(|period| period.name == name);
    let period = period.ok_or_else(|| WarehouseProblem::UnknownPeriod(name.to_owned()))?;
    if period.status != Status::Closed {
        return Err(WarehouseProblem::NotClosed { name: name.to_owned(), status: period.status.told() });
    }
    Ok(period)
}

fn write(
    conn: &mut Conn,
    asked: &Asked<'_>,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Exported, WarehouseProblem> {
    let periods = periods::periods(conn)?;
    let period = closed(&periods, asked.period)?;
    let schema_version = repo::schema_version(conn)?;
    let dir = asked.dir();
    let aside = Aside::new(&dir)?;
    let mut files = vec![];
    for dataset in &DATASETS {
        let file = write_file(conn, (asked, dataset, schema_version), &aside, progress)?;
        if dataset.name == POSTINGS {
            check_balance(&file.sums)?;
        }
        files.push(file);
    }
    let manifest = Manifest {
        schema_version,
        format: asked.format,
        period: PeriodOf::new(period),
        chain_head: asked.chain_head.clone(),
        sha256: Manifest::hash(&files),
        files,
    };
    settle(&aside, dir, manifest)
}

fn write_file(
    conn: &mut Conn,
    (asked, dataset, schema_version): (&Asked<'_>, &Dataset, i32),
    aside: &Aside,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<FileOf, WarehouseProblem> {
    let columns = repo::columns(conn, dataset)?;
    let name = asked.file(dataset);
    let mut sheet = Sheet::new(asked.format, aside.create(&name)?, dataset.name, schema_version, &columns)?;
    let mut sums = Sums::new(dataset, &columns);
    let mut rows = 0;
    progress(dataset.name, rows);
    repo::each_row(conn, dataset, &columns, asked.period, |row| {
        if let Some(sums) = &mut sums {
            sums.add(&row)?;
        }
        sheet.add(row)?;
        rows += 1;
        if rows % 1000 == 0 {
            progress(dataset.name, rows);
        }
        Ok(())
    })?;
    let (bytes, sha256) = sheet.finish()?;
    let columns = columns.into_iter().map(|column| ColumnOf { name: column.name, kind: column.kind.name() });
    let sums = sums.map(Sums::finish).unwrap_or_default();
    Ok(FileOf { name, rows, bytes, sha256, columns: columns.collect(), sums })
}

/// Debits equal credits in every entry, so they do in every period.
fn check_balance(sums: &[Sum]) -> Result<(), WarehouseProblem> {
    let mut by_currency: BTreeMap<&str, Decimal> = BTreeMap::new();
    for sum in sums {
        let currency = sum.by.get("currency").map(String::as_str).unwrap_or_default();
        *by_currency.entry(currency).or_default() += sum.sum;
    }
    match by_currency.into_iter().find(|(_, sum)| !sum.is_zero()) {
        Some((currency, sum)) => Err(WarehouseProblem::Unbalanced { currency: currency.to_owned(), sum }),
        None => Ok(()),
    }
}

/// Compares everything before anything is put into its place.
fn settle(aside: &Aside, dir: PathBuf, manifest: Manifest) -> Result<Exported, WarehouseProblem> {
    let mut missing = vec![];
    for file in &manifest.files {
        match aside.standing(&file.name)? {
            None => missing.push(file.name.as_str()),
            Some(hash) if hash == file.sha256 => {}
            Some(_) => return Err(WarehouseProblem::OtherBytes(aside.path(&file.name))),
        }
    }
    let standing = standing_manifest(&aside.path(MANIFEST))?;
    if let Some(standing) = &standing
        && !manifest.says_the_same_as(standing)
    {
        return Err(WarehouseProblem::OtherBytes(aside.path(MANIFEST)));
    }
    for name in &missing {
        aside.place(name)?;
    }
    let is_unchanged = missing.is_empty() && standing.is_some();
    if let Some(manifest) = standing {
        return Ok(Exported { dir, manifest, is_unchanged });
    }
    let path = aside.path(MANIFEST);
    let text = manifest.text().map_err(|error| WarehouseProblem::Refused(error.to_string()))?;
    let mut file = aside.create(MANIFEST)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(WarehouseProblem::file(&path))?;
    file.finish()?;
    aside.place(MANIFEST)?;
    Ok(Exported { dir, manifest, is_unchanged })
}

fn standing_manifest(path: &Path) -> Result<Option<Manifest>, WarehouseProblem> {
    match fs::read(path) {
        Ok(bytes) => {
            let manifest = serde_json::from_slice(&bytes);
            manifest.map(Some).map_err(|_| WarehouseProblem::OtherBytes(path.to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WarehouseProblem::File { path: path.to_owned(), error }),
    }
}
