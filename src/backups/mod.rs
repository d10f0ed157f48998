//! Backups: one file that holds the whole database, proven by restoring it, and what has to happen after a restore.
//!
//! The dump is PostgreSQL's own. What is ours is the manifest beside it (what the ledger sums to, where the chain
//! stood, which key the secrets are sealed with), the proof (the file is restored into a scratch database and verified
//! there), and the recovery mode: a database that was set back does not know what left since, so nothing leaves until
//! a person has looked.
//!
//! The key of the secrets is never in a backup: whoever finds one file cannot read the other.

mod archive;
mod create;
mod programs;
mod repo;
mod restore;
mod scratch;

use std::path::PathBuf;

pub use archive::Manifest;
pub use create::{Source, before_migration, create};
pub use restore::{Restored, restore};
pub use scratch::{Proof, verify};

use crate::db::DbError;

#[derive(Debug, thiserror::Error)]
pub enum BackupProblem {
    #[error("{path} cannot be read or written")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} is no backup of ours: {why}")]
    NoBackup { path: PathBuf, why: String },
    #[error("{path} is damaged: {why}")]
    Damaged { path: PathBuf, why: String },
    #[error(
        "PostgreSQL's {0} is not there; install the client programs of PostgreSQL (Debian: postgresql-client) or name \
         their directory with UPLINE_PG_BIN"
    )]
    NoProgram(&'static str),
    #[error("{program} failed: {said}")]
    Failed { program: &'static str, said: String },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> BackupProblem {
    let path = path.to_owned();
    move |source| BackupProblem::File { path, source }
}
