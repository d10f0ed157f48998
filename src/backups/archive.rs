//! The one file: a tar of the manifest, the dump and the heads of the chain. Any tar reads it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BackupProblem, file};

pub const MANIFEST: &str = "manifest.json";
pub const DUMP: &str = "database.dump";
pub const HEADS: &str = "heads.jsonl";
const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub made_by: String,
    /// When the dump was begun: it holds everything that was committed before.
    pub created_at: DateTime<Utc>,
    pub server: String,
    /// The newest migration.
    pub schema: String,
    pub entries: i64,
    pub deliveries: i64,
    /// Sums of the ledger, so that a restored one can be compared at a glance. Debit positive.
    pub balances: Vec<Balance>,
    /// Where the chain stood.
    pub chain_head: Option<ChainHead>,
    /// Tells which key opens the secrets; it is not the key.
    pub key_fingerprint: String,
    pub dump_bytes: u64,
    pub dump_sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    pub seq: i64,
    /// 64 hexadecimal digits.
    pub hash: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    pub account: String,
    pub currency: String,
    pub amount: Decimal,
}

impl Manifest {
    pub const FORMAT: u32 = FORMAT;
}

/// Writes the file beside its name and puts it there when it is whole.
pub fn write(to: &Path, manifest: &Manifest, dump: &Path, heads: Option<&Path>) -> Result<(), BackupProblem> {
    let partial = to.with_extension("partial");
    let write = || -> io::Result<()> {
        let mut tar = tar::Builder::new(private(&partial)?);
        let text = serde_json::to_vec_pretty(manifest)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(text.len()).unwrap_or(0));
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(manifest.created_at.timestamp()).unwrap_or(0));
        header.set_cksum();
        tar.append_data(&mut header, MANIFEST, text.as_slice())?;
        if let Some(heads) = heads.filter(|heads| heads.exists()) {
            tar.append_path_with_name(heads, HEADS)?;
        }
        tar.append_path_with_name(dump, DUMP)?;
        tar.into_inner()?.sync_all()?;
        std::fs::rename(&partial, to)
    };
    let done = write().map_err(file(to));
    if done.is_err() {
        let _gone_already = std::fs::remove_file(&partial);
    }
    done
}

pub fn manifest(of: &Path) -> Result<Manifest, BackupProblem> {
    let no_backup = |why: String| BackupProblem::NoBackup { path: of.to_owned(), why };
    let mut tar = tar::Archive::new(File::open(of).map_err(file(of))?);
    let mut entries = tar.entries().map_err(|error| no_backup(error.to_string()))?;
    let first = entries.next().and_then(Result::ok).ok_or_else(|| no_backup("it is no tar file".into()))?;
    if first.path().ok().as_deref() != Some(Path::new(MANIFEST)) {
        return Err(no_backup(format!("it does not begin with {MANIFEST}")));
    }
    let manifest: Manifest = serde_json::from_reader(first).map_err(|error| no_backup(error.to_string()))?;
    match manifest.format {
        FORMAT => Ok(manifest),
        other => Err(no_backup(format!("it has the format {other}; this program reads {FORMAT}"))),
    }
}

/// For our own eyes only: it holds everything that the database holds.
pub fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// What was taken out of the file.
pub struct Unpacked {
    pub dump: PathBuf,
    pub heads: Option<PathBuf>,
}

/// Takes dump and heads out into a directory, and compares the dump with the manifest.
pub fn unpack(of: &Path, manifest: &Manifest, into: &Path) -> Result<Unpacked, BackupProblem> {
    let damaged = |why: String| BackupProblem::Damaged { path: of.to_owned(), why };
    let mut unpacked = Unpacked { dump: into.join(DUMP), heads: None };
    let mut tar = tar::Archive::new(File::open(of).map_err(file(of))?);
    let mut sha256 = None;
    for entry in tar.entries().map_err(|error| damaged(error.to_string()))? {
        let mut entry = entry.map_err(|error| damaged(error.to_string()))?;
        let name = entry.path().map_err(|error| damaged(error.to_string()))?.into_owned();
        // Only names that we write ourselves: a file from elsewhere cannot write anywhere else.
        if name == Path::new(DUMP) {
            sha256 = Some(copy(&mut entry, &unpacked.dump).map_err(|error| damaged(error.to_string()))?);
        } else if name == Path::new(HEADS) {
            let heads = into.join(HEADS);
            copy(&mut entry, &heads).map_err(|error| damaged(error.to_string()))?;
            unpacked.heads = Some(heads);
        }
    }
    match sha256 {
        Some(sha256) if sha256 == manifest.dump_sha256 => Ok(unpacked),
        Some(_) => Err(damaged("its dump is not the one that was written: the SHA-256 differs".into())),
        None => Err(damaged("it holds no dump".into())),
    }
}

fn copy(from: &mut impl Read, to: &Path) -> io::Result<String> {
    let mut out = Hashing { to: private(to)?, hash: Sha256::new() };
    io::copy(from, &mut out)?;
    out.to.sync_all()?;
    Ok(hex::encode(out.hash.finalize()))
}

/// Hashes what goes through it.
struct Hashing<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

pub fn sha256_of(path: &Path) -> Result<(u64, String), BackupProblem> {
    let mut hashing = Hashing { to: io::sink(), hash: Sha256::new() };
    let mut from = File::open(path).map_err(file(path))?;
    let bytes = io::copy(&mut from, &mut hashing).map_err(file(path))?;
    Ok((bytes, hex::encode(hashing.hash.finalize())))
}
