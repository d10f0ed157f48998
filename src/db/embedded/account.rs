//! Who runs the server. PostgreSQL refuses to run as root, so root hands it to an ordinary account.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::{At, EmbeddedError};
use super::locate::Programs;
use super::process;

/// The account that owns the cluster's files and runs its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    gid: u32,
    /// We are root and become this account for every child.
    pub switch: bool,
}

impl Account {
    /// Ourselves, or for root the first of `postgres` and `nobody`.
    pub fn standard() -> Result<Self, EmbeddedError> {
        let us = Self::ourselves()?;
        if us.uid != 0 {
            return Ok(us);
        }
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| accounts.lines().find_map(|line| named(line, name)))
            .ok_or(EmbeddedError::NoAccount)
    }

    /// The owner of a cluster that exists already.
    pub fn of(data: &Path) -> Result<Self, EmbeddedError> {
        let us = Self::ourselves()?;
        let meta = fs::metadata(data).at("look at", data)?;
        if us.uid == meta.uid() {
            return Ok(us);
        }
        if us.uid != 0 {
            return Err(EmbeddedError::OtherAccount { path: data.into(), owner: meta.uid(), us: us.uid });
        }
        Ok(Self { uid: meta.uid(), gid: meta.gid(), switch: true })
    }

    /// The kernel shows a process its own directory as owned by its effective account.
    fn ourselves() -> Result<Self, EmbeddedError> {
        let me = Path::new("/proc/self");
        let meta = fs::metadata(me).at("look at", me)?;
        Ok(Self { uid: meta.uid(), gid: meta.gid(), switch: false })
    }

    /// Whether the account can walk down to `path`: root's checkout often sits under /root, mode 0700.
    pub fn reaches(&self, path: &Path) -> bool {
        !self.switch
            || path.ancestors().all(|dir| match fs::metadata(dir) {
                Ok(meta) if meta.uid() == self.uid => meta.mode() & 0o100 != 0,
                Ok(meta) if meta.gid() == self.gid => meta.mode() & 0o010 != 0,
                Ok(meta) => meta.mode() & 0o001 != 0,
                Err(_) => false,
            })
    }

    pub fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.switch { chown(path, Some(self.uid), Some(self.gid)).at("hand over", path) } else { Ok(()) }
    }

    /// A child of this account: bare environment, own process group (so that Ctrl-C reaches only us),
    /// gone when we are.
    pub fn command(&self, programs: &Programs, name: &str) -> Command {
        let mut command = Command::new(programs.bin.join(name));
        command.env_clear().envs(programs.library_path()).env("PATH", "/usr/bin:/bin");
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        if self.switch {
            command.gid(self.gid).uid(self.uid);
        }
        process::die_with_parent(&mut command);
        command
    }
}

/// A line of the account file: `name:password:uid:gid:...`.
fn named(line: &str, name: &str) -> Option<Account> {
    let mut fields = line.split(':');
    if fields.next() != Some(name) {
        return None;
    }
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { uid, gid, switch: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_of_the_account_file() {
        let line = "postgres:x:101:104:administrator,,,:/var/lib/postgresql:/bin/bash";
        assert_eq!(named(line, "postgres"), Some(Account { uid: 101, gid: 104, switch: true }));
        assert_eq!(named(line, "post"), None);
        assert_eq!(named("postgres:x", "postgres"), None);
    }

    #[test]
    fn a_closed_directory_cannot_be_reached() {
        let stranger = Account { uid: 4_000_000, gid: 4_000_000, switch: true };
        assert!(stranger.reaches(Path::new("/usr/bin")));
        assert!(!stranger.reaches(Path::new("/proc/self/fd")));
        assert!(!stranger.reaches(Path::new("/not/there")));
    }
}
