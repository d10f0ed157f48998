//! Files for banks and from banks.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;

use super::{Doing, Room};
use crate::access::Role;
use crate::cli::{Outcome, output, read_bytes};
use crate::payouts;
use crate::rails;

/// The bytes are written once it is durable that they have left; after a failure the same ones are written again.
pub fn export(room: &Room<'_>, batch: i32, out: &Path, by: &Doing) -> anyhow::Result<Outcome> {
    let ((who, _), now) = (room.person(by, Role::may_prepare_payouts)?, room.clock.now());
    let exported =
        room.transact(by.dry_run, |tx| payouts::export(tx, &room.backend.vault, batch, &who, now))?;
    let path = out.join(&exported.file.name);
    if !by.dry_run {
        write(&path, &exported.file.bytes)?;
    }
    let told = json!({"batch": exported.batch.batch_no, "file": path, "sha256": exported.sha256,
                      "bytes": exported.file.bytes.len(), "again": exported.again});
    let again = if exported.again { ", the same as before" } else { "" };
    super::tell(by, &told, &format!("{}\nsha256 {}{again}", path.display(), exported.sha256))
}

/// For its owner only, since it has numbers of accounts; and never over another file.
fn write(path: &PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    }
    let failed =
        || format!("{} cannot be written; export the batch again, it gives the same file", path.display());
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => file.write_all(bytes).and_then(|()| file.sync_all()).with_context(failed),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match read_bytes(path)? == bytes {
            true => Ok(()),
            false => bail!(
                "{} is another file, or only a part of it; move it away and export again",
                path.display()
            ),
        },
        Err(error) => Err(error).with_context(failed),
    }
}

pub fn import(room: &Room<'_>, file: &Path, by: &Doing) -> anyhow::Result<Outcome> {
    let bytes = read_bytes(file)?;
    let read = rails::read(&bytes).with_context(|| format!("{} cannot be taken", file.display()))?;
    let hash = payouts::file_hash(&bytes);
    let ((who, _), now) = (room.person(by, Role::may_prepare_payouts)?, room.clock.now());
    let import = room.transact(by.dry_run, |tx| payouts::take_answers(tx, &read, &hash, &who, now))?;
    if by.person.json {
        output::json(&import)?;
    } else {
        tell(&import)?;
    }
    if by.dry_run {
        output::note("Only tried: nothing was written.")?;
    }
    Ok(if import.person.is_empty() { Outcome::Done } else { Outcome::Difference })
}

fn tell(import: &payouts::Import) -> anyhow::Result<()> {
    if import.again {
        return Ok(output::line("This file was taken before; nothing was done.")?);
    }
    output::line(format_args!("{} {}: {} answers", import.format, import.message_id, import.answers))?;
    for (status, count) in &import.moved {
        output::line(format_args!("  {count} {status}"))?;
    }
    if import.known > 0 {
        output::line(format_args!("  {} known before", import.known))?;
    }
    for note in &import.notes {
        output::line(format_args!("  to be read: {note}"))?;
    }
    for person in &import.person {
        output::line(format_args!("  for a person: {person}"))?;
    }
    if !import.person.is_empty() {
        output::note("`upline payout waiting` shows what waits for a person.")?;
    }
    Ok(())
}
