//! Where the cluster's files live, and the lock that says whose it is.
//!
//! Normally everything is in the state directory. Root is the exception: the server runs as another
//! account, which may not be able to enter a data directory under /root. Then the state directory keeps
//! the lock and a link `elsewhere`, and the rest goes to a directory of its own under /var/lib. A deleted
//! state directory therefore never finds old data again.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::{At, EmbeddedError};

/// A socket address holds 107 bytes, this name included.
const SOCKET: &str = ".s.PGSQL.5432";
const SOCKET_LIMIT: usize = 107;

/// The paths of one cluster, settled.
#[derive(Clone, Debug)]
pub struct Place {
    pub home: PathBuf,
    pub data: PathBuf,
    pub socket: PathBuf,
    pub log: PathBuf,
    pub account: Account,
}

impl Place {
    /// Decides where the cluster goes. Only under the lock.
    pub fn settle(state_dir: &Path) -> Result<Self, EmbeddedError> {
        let standard = Account::standard()?;
        let known = home_of(state_dir);
        if !known.join("data").exists() && !standard.reaches(&known) {
            move_elsewhere(state_dir, standard)?;
        }
        Self::at(home_of(state_dir), standard)
    }

    /// Where the process that holds the lock has put it.
    pub fn find(state_dir: &Path) -> Result<Self, EmbeddedError> {
        Self::at(home_of(state_dir), Account::standard()?)
    }

    /// Makes the socket's directory, before every start: cleaners of /tmp may have taken it.
    pub fn open_socket_dir(&self) -> Result<(), EmbeddedError> {
        make_private(&self.socket, &self.account)
    }

    /// Removes the socket's directory after the server: in /tmp it would be litter.
    pub fn remove_socket_dir(&self) {
        if let Err(error) = fs::remove_dir(&self.socket) {
            tracing::debug!(%error, socket = %self.socket.display(), "kept the socket's directory");
        }
    }

    /// The version the cluster was made by, when there is one.
    pub fn major(&self) -> Option<u32> {
        fs::read_to_string(self.data.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// What the server leaves behind when it is killed.
    pub fn stale_files(&self) -> [PathBuf; 3] {
        let mut lock = OsString::from(SOCKET);
        lock.push(".lock");
        [self.data.join("postmaster.pid"), self.socket.join(SOCKET), self.socket.join(lock)]
    }

    fn at(home: PathBuf, standard: Account) -> Result<Self, EmbeddedError> {
        let home = fs::canonicalize(&home).at("find", &home)?;
        let data = home.join("data");
        let account = if data.exists() { Account::of(&data)? } else { standard };
        Ok(Self { socket: socket_dir(&home), log: home.join("postgres.log"), data, home, account })
    }
}

/// Makes the state directory and opens its lock file, without taking the lock. Gives its real path too.
pub fn open_state(state_dir: &Path) -> Result<(PathBuf, File), EmbeddedError> {
    let exists = state_dir.exists();
    fs::create_dir_all(state_dir).at("create", state_dir)?;
    if !exists {
        // Root's server account must be able to walk through; `data` and `run` are closed to all others.
        let mode = if Account::standard()?.switch { 0o711 } else { 0o700 };
        fs::set_permissions(state_dir, Permissions::from_mode(mode)).at("protect", state_dir)?;
    }
    let state_dir = fs::canonicalize(state_dir).at("find", state_dir)?;
    let path = state_dir.join("lock");
    let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    match opened {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Account::of(&state_dir)?;
            Err(error).at("open", &path)
        }
        opened => opened.at("open", &path).map(|lock| (state_dir, lock)),
    }
}

/// Whether we are now the one process that runs the server.
pub fn take_lock(lock: &File, state_dir: &Path) -> Result<bool, EmbeddedError> {
    match lock.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).at("lock", state_dir),
    }
}

fn home_of(state_dir: &Path) -> PathBuf {
    fs::read_link(state_dir.join("elsewhere")).unwrap_or_else(|_| state_dir.to_path_buf())
}

fn move_elsewhere(state_dir: &Path, account: Account) -> Result<(), EmbeddedError> {
    let name = crate::clock::new_id().simple().to_string();
    let home = Path::new("/var/lib").join(format!("upline-{name}"));
    tracing::warn!(
        "account {} cannot enter {}; the database goes to {}",
        account.uid,
        state_dir.display(),
        home.display()
    );
    // The link comes first: a directory nothing points to would stay for ever.
    let link = state_dir.join("elsewhere");
    match fs::remove_file(&link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).at("replace", &link),
        _ => symlink(&home, &link).at("create", &link)?,
    }
    DirBuilder::new().mode(0o711).create(&home).at("create", &home)
}

/// `run` beside the data, or a short name in /tmp when the path is too long for a socket or holds
/// characters that a list of socket directories could take for something else.
fn socket_dir(home: &Path) -> PathBuf {
    let near = home.join("run");
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let fits = near.join(SOCKET).as_os_str().len() <= SOCKET_LIMIT;
    if fits && near.to_str().is_some_and(|path| path.chars().all(plain)) {
        return near;
    }
    let mut hash = DefaultHasher::new();
    home.hash(&mut hash);
    Path::new("/tmp").join(format!("upline-{:016x}", hash.finish()))
}

/// A directory only `account` can enter. One that is there already must be exactly that: anybody can
/// make a directory in /tmp.
fn make_private(dir: &Path, account: &Account) -> Result<(), EmbeddedError> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => return account.give(dir),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).at("create", dir),
    }
    let meta = fs::symlink_metadata(dir).at("look at", dir)?;
    if meta.is_dir() && meta.uid() == account.uid && meta.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(EmbeddedError::OtherAccount { path: dir.into(), owner: meta.uid(), us: account.uid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_near_when_its_path_fits() {
        assert_eq!(socket_dir(Path::new("/srv/upline")), Path::new("/srv/upline/run"));
        let longest = format!("/{}", "x".repeat(SOCKET_LIMIT - "//run/".len() - SOCKET.len()));
        assert_eq!(socket_dir(Path::new(&longest)), Path::new(&longest).join("run"));
        assert!(socket_dir(Path::new(&format!("{longest}x"))).starts_with("/tmp"));
    }

    #[test]
    fn a_list_separator_in_the_path_moves_the_socket() {
        assert!(socket_dir(Path::new("/srv/a,b")).starts_with("/tmp"));
        assert_ne!(socket_dir(Path::new("/srv/a,b")), socket_dir(Path::new("/srv/a,c")));
    }
}
