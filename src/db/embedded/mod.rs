//! The default database: a private PostgreSQL that lives and dies with this process.
//!
//! Used whenever no `DATABASE_URL` is given. The first process on a state directory makes the cluster,
//! starts the server and keeps it running; a process that comes later (a command beside `serve`) finds
//! the lock taken and attaches as a client. The server listens on a Unix socket only, in a directory
//! nobody else may enter.
//!
//! It never downloads or installs anything, never listens on TCP, never stops a server it only attached
//! to, and never upgrades a cluster from one major version to another. Linux only (`/proc`, parent-death
//! signals).
//!
//! | state directory | what it holds |
//! |---|---|
//! | `lock` | held by the process that runs the server |
//! | `data` | the cluster |
//! | `run` | the socket; a too long path uses `/tmp/upline-<hash>` instead |
//! | `postgres.log` | what the server says |
//! | `elsewhere` | only for root: link to the directory that holds the three above, see [`place`] |

mod account;
mod client;
mod cluster;
mod error;
mod leftovers;
mod locate;
mod place;
mod process;
mod server;
mod supervisor;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

pub use error::EmbeddedError;
pub use locate::client_programs;
use place::Place;
use server::Server;
use supervisor::Supervisor;

/// How long a second process waits for the first one's server: making a cluster on a slow disk included.
const ATTACH_LIMIT: Duration = Duration::from_secs(60);
const ATTACH_PAUSE: Duration = Duration::from_millis(25);

/// What the caller decides about its cluster.
#[derive(Clone, Debug)]
pub struct Options {
    /// Belongs to the cluster alone. Usually `<data-dir>/postgres`.
    pub state_dir: PathBuf,
    /// The directory of `postgres` and `initdb`; `None` looks in `UPLINE_PG_BIN` and the usual places.
    pub bin_dir: Option<PathBuf>,
    /// `false` gives up every promise about power cuts for speed. Only for tests.
    pub durable: bool,
    /// Made when it is not there. Lower-case letters, digits and `_`.
    pub database: String,
}

/// A running database; dropping it stops the server, unless it was only attached to.
#[derive(Debug)]
pub struct Embedded {
    url: String,
    supervisor: Option<Supervisor>,
}

impl Embedded {
    /// Starts the server, or attaches to the one that runs already. Blocks until it answers queries.
    pub fn start(options: &Options) -> Result<Self, EmbeddedError> {
        client::check_name(&options.database)?;
        let (state_dir, lock) = place::open_state(&options.state_dir)?;
        let asked = Instant::now();
        loop {
            if place::take_lock(&lock, &state_dir)? {
                return Self::own(options, &state_dir, lock);
            }
            let trouble = match Self::attach(options, &state_dir) {
                Ok(attached) => return Ok(attached),
                Err(trouble) => trouble,
            };
            if asked.elapsed() > ATTACH_LIMIT {
                return Err(EmbeddedError::Busy { state_dir, source: Box::new(trouble) });
            }
            thread::sleep(ATTACH_PAUSE);
        }
    }

    /// Connection string for libpq. Stays valid when the server is started again.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether another process runs the server and this one is a guest.
    pub fn attached(&self) -> bool {
        self.supervisor.is_none()
    }

    /// Stops the server this process runs and waits for it; close the pools first. A guest just leaves.
    pub fn stop(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.stop();
        }
    }

    fn own(options: &Options, state_dir: &Path, lock: File) -> Result<Self, EmbeddedError> {
        let place = Place::settle(state_dir)?;
        let programs = locate::programs(options.bin_dir.as_deref(), &place)?;
        cluster::ensure(&programs, &place, options.durable)?;
        let url = client::conninfo(&place.socket, &options.database);
        let server = Server { programs, place: place.clone(), durable: options.durable };
        let supervisor = Supervisor::start(server, lock)?;
        let embedded = Self { url, supervisor: Some(supervisor) };
        client::ensure_database(&place, &options.database)?;
        Ok(embedded)
    }

    fn attach(options: &Options, state_dir: &Path) -> Result<Self, EmbeddedError> {
        let place = Place::find(state_dir)?;
        client::ensure_database(&place, &options.database)?;
        Ok(Self { url: client::conninfo(&place.socket, &options.database), supervisor: None })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop();
    }
}
