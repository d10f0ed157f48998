//! Files that are given out: never over another one.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};

use crate::cli::read_bytes;

/// A secret one is for its owner only. The same bytes once more are no other file.
pub fn write(path: &Path, bytes: &[u8], secret: bool) -> anyhow::Result<()> {
    let mode = if secret { 0o600 } else { 0o644 };
    match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Ok(mut file) => file
            .write_all(bytes)
            .and_then(|()| file.sync_all())
            .with_context(|| format!("{} cannot be written", path.display())),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match read_bytes(path)? == bytes {
            true => Ok(()),
            false => bail!("{} is there and has other rows; name another file", path.display()),
        },
        Err(error) => Err(error).with_context(|| format!("{} cannot be written", path.display())),
    }
}
