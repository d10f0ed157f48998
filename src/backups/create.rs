//! Making a backup.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::archive::{self, Balance, ChainHead, Manifest};
use super::{BackupProblem, file, programs, repo};
use crate::chain;
use crate::db::{self, Db, DbError, Lane};
use crate::ledger;
use crate::vault::Vault;

/// Everything that a backup is made of.
pub struct Source<'a> {
    pub db: &'a Db,
    pub vault: &'a Vault,
    pub data_dir: &'a Path,
    /// Directory of PostgreSQL's programs, when it is no usual one.
    pub pg_bin: Option<&'a Path>,
}

/// Where backups go that nobody has named.
fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("backups")
}

/// Writes a backup, to a file of its own name when none is named. Blocking; takes as long as reading the database.
pub fn create(
    source: &Source<'_>,
    to: Option<&Path>,
    now: DateTime<Utc>,
) -> Result<(PathBuf, Manifest), BackupProblem> {
    let to = match to {
        Some(to) => to.to_owned(),
        None => {
            let dir = directory(source.data_dir);
            fs::create_dir_all(&dir).map_err(file(&dir))?;
            dir.join(format!("upline-{}.backup", now.format("%Y%m%dT%H%M%SZ")))
        }
    };
    if to.exists() {
        return Err(BackupProblem::Refused(format!(
            "{} is there already; a backup replaces nothing",
            to.display()
        )));
    }
    let (dump, heads) = (to.with_extension("dump"), to.with_extension("heads"));
    // Before the dump: a head that was given out later is not in it.
    let given = chain::heads_file(source.data_dir);
    if given.exists() {
        fs::copy(&given, &heads).map_err(file(&heads))?;
    }
    let made = dumped(source, &dump, now).and_then(|manifest| {
        archive::write(&to, &manifest, &dump, Some(&heads))?;
        Ok(manifest)
    });
    for left in [&dump, &heads] {
        let _gone_already = fs::remove_file(left);
    }
    Ok((to, made?))
}

fn dumped(source: &Source<'_>, dump: &Path, now: DateTime<Utc>) -> Result<Manifest, BackupProblem> {
    let facts = source.db.read(Lane::Admin, |conn| {
        let balances = ledger::balances(conn)?;
        let head = chain::standing(conn)?.head;
        Ok::<_, DbError>((db::server_facts(conn)?, repo::counts(conn)?, balances, head))
    });
    let (server, counts, balances, head) = facts?;
    programs::dump(source.pg_bin, source.db.url(), dump)?;
    let (dump_bytes, dump_sha256) = archive::sha256_of(dump)?;
    let balances = balances.into_iter().map(|balance| Balance {
        account: balance.name,
        currency: balance.currency,
        amount: balance.amount.normalize(),
    });
    Ok(Manifest {
        format: Manifest::FORMAT,
        made_by: concat!("upline ", env!("CARGO_PKG_VERSION")).to_owned(),
        created_at: now,
        server: server.version,
        schema: counts.schema,
        entries: counts.entries,
        deliveries: counts.deliveries,
        balances: balances.collect(),
        chain_head: head.map(|head| ChainHead { seq: head.seq, hash: head.hash }),
        key_fingerprint: source.vault.fingerprint().to_owned(),
        dump_bytes,
        dump_sha256,
    })
}

/// The database as it is, before its schema changes. A database without anything in it needs none. Its schema is
/// older than this program: nothing of ours can be asked of it, so that only the dump is taken.
pub fn before_migration(
    url: &str,
    data_dir: &Path,
    pg_bin: Option<&Path>,
    now: DateTime<Utc>,
) -> Result<Option<PathBuf>, BackupProblem> {
    let mut conn = db::connect(url)?;
    if !repo::holds_anything(&mut conn)? || db::pending(url)?.is_empty() {
        return Ok(None);
    }
    let dir = directory(data_dir);
    fs::create_dir_all(&dir).map_err(file(&dir))?;
    let to = dir.join(format!("before-migration-{}.dump", now.format("%Y%m%dT%H%M%S%3fZ")));
    programs::dump(pg_bin, url, &to)?;
    Ok(Some(to))
}
