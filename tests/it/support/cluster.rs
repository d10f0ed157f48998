//! One PostgreSQL cluster for all tests of the process, and a fresh database for each of them.
//!
//! The first test that asks starts the cluster and prepares a template; every database is a copy of it.
//! The cluster is stopped and removed when the process ends; what a killed run left, the next one removes.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use upline::db::embedded::{Embedded, Options};

const PREFIX: &str = "upline-test-";
const TEMPLATE: &str = "template_of_tests";
/// A cluster takes about 140 MB; docker gives /dev/shm 64 MB in all.
const ENOUGH_MEMORY: u64 = 500 * 1024 * 1024;

/// A database of one test; it is dropped with the test.
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Only saves memory for the tests that follow; the whole cluster is removed at the end.
        if let Ok(mut admin) = PgConnection::establish(&shared().url_of("postgres")) {
            let _ = admin.batch_execute(&format!("drop database if exists {} with (force)", self.name));
        }
    }
}

/// A copy of the template, which `prepare` has filled (migrated) the first time anybody asked.
pub fn fresh_database(prepare: fn(&str)) -> Database {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let cluster = shared();
    cluster.template.get_or_init(|| prepare(&cluster.url_of(TEMPLATE)));
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::establish(&cluster.url_of("postgres")).expect("the cluster answers");
    let copy = format!("create database {name} template {TEMPLATE} {}", cluster.strategy);
    admin.batch_execute(&copy).expect("copy the template");
    Database { url: cluster.url_of(&name), name }
}

/// A directory for a cluster of its own, in memory when there is room. Removed when dropped.
pub struct StateDir(PathBuf);

impl StateDir {
    pub fn new(label: &str) -> Self {
        remove_leftovers();
        let dir = base().join(format!("{PREFIX}{}-{label}", std::process::id()));
        Self(dir)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for StateDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Shared {
    /// Every connection string of the cluster differs only in the database's name.
    url: String,
    strategy: &'static str,
    template: OnceLock<()>,
}

impl Shared {
    fn url_of(&self, database: &str) -> String {
        self.url.replace(&format!("dbname={TEMPLATE}"), &format!("dbname={database}"))
    }
}

static RUNNING: Mutex<Option<(Embedded, StateDir)>> = Mutex::new(None);

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let dir = StateDir::new("shared");
        let options = options(dir.path(), TEMPLATE);
        let embedded = Embedded::start(&options).expect("start the cluster of the tests");
        let url = embedded.url().to_string();
        let major = fs::read_to_string(dir.path().join("data/PG_VERSION")).expect("a cluster has a version");
        let copies_files = major.trim().parse::<u32>().expect("a number") >= 15;
        *RUNNING.lock().expect("nobody panicked here") = Some((embedded, dir));
        // SAFETY: `stop_shared` is a plain function that lives as long as the program.
        assert_eq!(unsafe { libc::atexit(stop_shared) }, 0, "register the end of the cluster");
        Shared {
            url,
            strategy: if copies_files { "strategy file_copy" } else { "" },
            template: OnceLock::new(),
        }
    })
}

extern "C" fn stop_shared() {
    if let Ok(mut running) = RUNNING.lock() {
        running.take();
    }
}

pub fn options(state_dir: &Path, database: &str) -> Options {
    Options { state_dir: state_dir.into(), bin_dir: None, durable: false, database: database.into() }
}

/// Memory when there is enough of it, else the system's temporary directory: `target` may sit in a home
/// that the account of a server started by root cannot enter.
fn base() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if free_bytes(memory) > ENOUGH_MEMORY { memory.into() } else { std::env::temp_dir() }
}

fn free_bytes(path: &Path) -> u64 {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).expect("no zero byte");
    // SAFETY: all zeroes is a valid value of this struct of integers.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `path` ends with a zero byte and `stat` is ours for the call.
    let failed = unsafe { libc::statvfs(path.as_ptr(), &mut stat) } != 0;
    if failed { 0 } else { stat.f_bavail * stat.f_frsize }
}

/// Directories whose process is no longer there.
fn remove_leftovers() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        for entry in fs::read_dir(base()).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    });
}
