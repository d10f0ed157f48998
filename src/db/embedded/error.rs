//! Why there is no database, and what the operator can do about it.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error(
        "no PostgreSQL server programs, version 14 or later, were found (looked in {looked_in}); \
         run ./start, install the package `postgresql`, name their directory in UPLINE_PG_BIN, \
         or set DATABASE_URL to a server of your own"
    )]
    NoPrograms { looked_in: String },
    #[error("{path} does not hold usable PostgreSQL server programs, version 14 or later: {problem}")]
    UnusablePrograms { path: PathBuf, problem: String },
    #[error("PostgreSQL does not run as root, and there is no account `postgres` or `nobody` to run it as")]
    NoAccount,
    #[error(
        "{path} belongs to account {owner} and this process runs as {us}; \
         run it as the same account or choose another data directory"
    )]
    OtherAccount { path: PathBuf, owner: u32, us: u32 },
    #[error("cannot {action} {path}")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("initdb could not make the cluster: {output}")]
    Initdb { output: String },
    #[error("{path} is there but holds no cluster; move it away or choose another data directory")]
    NotACluster { path: PathBuf },
    #[error(
        "the cluster in {path} was made by PostgreSQL {cluster}, and only the programs of {programs} were \
         found; install {cluster}, or name its directory in UPLINE_PG_BIN"
    )]
    OtherMajor { path: PathBuf, cluster: u32, programs: u32 },
    #[error("processes {pids:?} of an earlier PostgreSQL still use {path} and do not stop")]
    LeftOver { path: PathBuf, pids: Vec<i32> },
    #[error("PostgreSQL did not start ({status}); {log} ends:\n{tail}")]
    DidNotStart { status: String, log: PathBuf, tail: String },
    #[error("another process holds {state_dir} but its database does not answer")]
    Busy { state_dir: PathBuf, source: Box<EmbeddedError> },
    #[error("`{name}` cannot name a database; use lower-case letters, digits and `_`, a letter first")]
    Name { name: String },
    #[error("cannot connect to the database behind {socket}")]
    Connect { socket: PathBuf, source: diesel::ConnectionError },
    #[error("cannot make the database `{name}`")]
    Create { name: String, source: diesel::result::Error },
}

/// Gives an I/O error its verb and its path.
pub(super) trait At<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, EmbeddedError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, EmbeddedError> {
        self.map_err(|source| EmbeddedError::Io { action, path: path.to_path_buf(), source })
    }
}
