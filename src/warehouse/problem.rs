//! Why the warehouse does not do what it was asked for.

use std::path::{Path, PathBuf};

use rust_decimal::Decimal;

use crate::db::DbError;

#[derive(Debug, thiserror::Error)]
pub enum WarehouseProblem {
    #[error("there is no period {0}; `upline period list` shows all of them")]
    UnknownPeriod(String),
    #[error(
        "period {name} is {status}; only a closed period stays as it is: close it first, see `upline period --help`"
    )]
    NotClosed { name: String, status: &'static str },
    #[error(
        "{0} holds other bytes than this export; nothing was overwritten: move it away or export elsewhere"
    )]
    OtherBytes(PathBuf),
    #[error("another export works in {0}; wait for it")]
    Busy(PathBuf),
    #[error("the postings of the period sum to {sum} {currency} and not to zero; run `upline verify`")]
    Unbalanced { currency: String, sum: Decimal },
    #[error("column {column} of {dataset} is of the type {type_name}, which no file format is made for")]
    UnknownType { dataset: &'static str, column: String, type_name: String },
    #[error("{column}: {value:?} is no {kind}")]
    NoSuchValue { column: String, value: String, kind: &'static str },
    #[error("{path} cannot be written: {error}")]
    File { path: PathBuf, error: std::io::Error },
    #[error("a Parquet file cannot be written: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl WarehouseProblem {
    pub(super) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }
}
