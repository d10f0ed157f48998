//! Proving a backup: it is restored into a database that is thrown away, and the ledger in it is verified.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::archive::{self, Manifest};
use super::{BackupProblem, file, programs, repo};
use crate::chain::{self, GivenHead};
use crate::clock::new_id;
use crate::db::{self, Db, DbError};
use crate::events::Bus;
use crate::proof::{self, Verified};

#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    pub manifest: Manifest,
    pub verified: Verified,
    /// What the restored database has otherwise than the manifest says.
    pub differences: Vec<String>,
    pub verified_at: DateTime<Utc>,
}

impl Proof {
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty() && self.verified.is_clean()
    }
}

/// `server` is a database on the server that shall hold the scratch database; its user must be allowed to make one.
pub fn verify(
    backup: &Path,
    server: &str,
    pg_bin: Option<&Path>,
    now: DateTime<Utc>,
    progress: impl FnMut(u64),
) -> Result<Proof, BackupProblem> {
    let manifest = archive::manifest(backup)?;
    let dir = Dir::new()?;
    let unpacked = archive::unpack(backup, &manifest, &dir.0)?;
    let scratch = Scratch::make(server)?;
    programs::fill(pg_bin, &scratch.url, &unpacked.dump)?;
    // A backup of an older program has to pass the checks of this one.
    db::migrate(&scratch.url)?;
    let heads = heads(unpacked.heads.as_deref())?;
    chain_rest(&Db::new(&scratch.url, Arc::new(Bus::default())))?;
    let mut conn = db::connect(&scratch.url)?;
    let verified = proof::verify(&mut conn, &heads, progress)?;
    let differences = differences(&mut conn, &manifest)?;
    Ok(Proof { manifest, verified, differences, verified_at: now })
}

/// What had been posted and not chained when the dump was begun is chained now.
pub fn chain_rest(db: &Db) -> Result<(), DbError> {
    chain::catch_up(db, Duration::from_secs(60)).map(drop)
}

/// The heads of a backup, as they were kept beside its database.
pub fn heads(file: Option<&Path>) -> Result<Vec<GivenHead>, BackupProblem> {
    let read = file.map(|file| {
        chain::read_file(file)
            .map_err(|problem| BackupProblem::Damaged { path: file.to_owned(), why: problem.to_string() })
    });
    Ok(read.transpose()?.unwrap_or_default())
}

/// The dump is a little younger than the manifest's counts, so there may be more, never less.
fn differences(conn: &mut db::Conn, manifest: &Manifest) -> Result<Vec<String>, DbError> {
    let counts = repo::counts(conn)?;
    let mut found = vec![];
    for (what, before, restored) in [
        ("journal entries", manifest.entries, counts.entries),
        ("deliveries", manifest.deliveries, counts.deliveries),
    ] {
        if restored < before {
            found.push(format!("{what}: {before} were backed up and {restored} came back"));
        }
    }
    Ok(found)
}

/// A directory that is gone when it is not needed any more.
pub struct Dir(pub std::path::PathBuf);

impl Dir {
    pub fn new() -> Result<Self, BackupProblem> {
        let path = std::env::temp_dir().join(format!("upline-backup-{}", Uuid::simple(new_id())));
        std::fs::DirBuilder::new().mode(0o700).create(&path).map_err(file(&path))?;
        Ok(Self(path))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _nothing_to_do = std::fs::remove_dir_all(&self.0);
    }
}

/// A database of its own on the same server.
struct Scratch {
    server: String,
    name: String,
    url: String,
}

impl Scratch {
    fn make(server: &str) -> Result<Self, BackupProblem> {
        let name = format!("upline_scratch_{}", Uuid::simple(new_id()));
        let url = db::on_database(server, &name).map_err(BackupProblem::Refused)?;
        let mut conn = db::connect(server)?;
        repo::make_database(&mut conn, &name).map_err(|error| {
            BackupProblem::Refused(format!(
                "a scratch database cannot be made ({error}); name a server where this user may: --scratch URL"
            ))
        })?;
        Ok(Self { server: server.to_owned(), name, url })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let dropped =
            db::connect(&self.server).and_then(|mut conn| repo::drop_database(&mut conn, &self.name));
        if let Err(error) = dropped {
            tracing::warn!(name = self.name, %error, "a scratch database is left over; drop it by hand");
        }
    }
}
