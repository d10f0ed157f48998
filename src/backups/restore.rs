//! Restoring: an empty database becomes what it was, and knows that it was set back.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::archive::{self, Manifest};
use super::scratch::{self, Dir};
use super::{BackupProblem, Source, file, programs, repo};
use crate::chain::{self, recovery};
use crate::db::{self, Lane};
use crate::proof::{self, Verified};

#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    pub manifest: Manifest,
    pub verified: Verified,
}

/// Into the database of `into`, which has to be empty. Nothing leaves afterwards until [`recovery::end`].
pub fn restore(
    backup: &Path,
    into: &Source<'_>,
    by: &str,
    now: DateTime<Utc>,
    progress: impl FnMut(u64),
) -> Result<Restored, BackupProblem> {
    let manifest = archive::manifest(backup)?;
    let (ours, sealed_with) = (into.vault.fingerprint(), &manifest.key_fingerprint);
    if ours != *sealed_with {
        return Err(BackupProblem::Refused(format!(
            "the secrets of this backup are sealed with the key {sealed_with}, and {} has the key {ours}; put the \
             secret.key of the backed-up data directory there first (UPLINE_SECRET_KEY when it came from there)",
            into.data_dir.display()
        )));
    }
    if !into.db.read(Lane::Admin, repo::is_empty)? {
        return Err(BackupProblem::Refused(
            "the database is not empty; a backup is restored into an empty one: another --data-dir, or a \
             DATABASE_URL of a database that was just made"
                .into(),
        ));
    }
    let dir = Dir::new()?;
    let unpacked = archive::unpack(backup, &manifest, &dir.0)?;
    // Whatever happens from here on: the database may be there and not know that it was set back.
    recovery::mark(into.data_dir, manifest.created_at).map_err(file(into.data_dir))?;
    programs::fill(into.pg_bin, into.db.url(), &unpacked.dump)?;
    db::migrate(into.db.url())?;
    // Heads that are here already may be younger than the backup, and say so: they stay.
    let heads = chain::heads_file(into.data_dir);
    if let Some(from) = unpacked.heads.as_ref().filter(|_| !heads.exists()) {
        fs::copy(from, &heads).map_err(file(&heads))?;
    }
    let reason = format!("restored from {}", backup.display());
    into.db.transact(Lane::Admin, |tx| recovery::begin(tx, manifest.created_at, &reason, by, now))?;
    recovery::unmark(into.data_dir).map_err(file(into.data_dir))?;
    scratch::chain_rest(into.db)?;
    let known = scratch::heads(unpacked.heads.as_deref())?;
    let verified = proof::verify(&mut db::connect(into.db.url())?, &known, progress)?;
    Ok(Restored { manifest, verified })
}
