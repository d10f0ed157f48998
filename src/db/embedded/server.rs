//! One start of the server: settings, log file, spawn, wait until it answers; and one stop.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{At, EmbeddedError};
use super::locate::Programs;
use super::place::Place;
use super::{client, leftovers, process};

/// Crash recovery may replay gigabytes; only a server that does nothing for so long is given up.
const START_LIMIT: Duration = Duration::from_secs(600);
const START_PAUSE: Duration = Duration::from_millis(15);
/// From when on a server that was asked to stop is pressed.
const FAST_UNTIL: Duration = Duration::from_secs(30);
const IMMEDIATE_UNTIL: Duration = Duration::from_secs(45);
const STOP_PAUSE: Duration = Duration::from_millis(10);
const LOG_LIMIT: u64 = 16 * 1024 * 1024;
const TAIL_LINES: usize = 8;
const SMALL_MACHINE_KIB: u64 = 2 * 1024 * 1024;

/// Nothing a statement carried may reach the log: it could be a customer's name.
const SETTINGS: [&str; 16] = [
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "wal_compression=on",
    "checkpoint_timeout=15min",
    "log_lock_waits=on",
    "log_min_duration_statement=1000",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "cluster_name=upline",
];
const DURABLE: [&str; 4] = ["fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_wal_size=2GB"];
/// A commit survives the death of any process, not that of the machine.
const THROWAWAY: [&str; 7] = [
    "dynamic_shared_memory_type=mmap",
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    "max_wal_size=256MB",
];

/// All that is needed to start the server, again and again.
#[derive(Debug)]
pub struct Server {
    pub programs: Programs,
    pub place: Place,
    pub durable: bool,
}

impl Server {
    /// Clears what was left, starts the server and waits until it answers. `None`: asked to stop meanwhile.
    ///
    /// The calling thread must live as long as the server: its end stops the child.
    pub fn launch(&self, stop: &Receiver<()>) -> Result<Option<Child>, EmbeddedError> {
        leftovers::clear(&self.place)?;
        self.place.open_socket_dir()?;
        let mut child = self.spawn()?;
        let began = Instant::now();
        while !client::answers(&self.place) {
            if let Some(status) = ended(&mut child) {
                return Err(self.did_not_start(status));
            }
            if began.elapsed() > START_LIMIT {
                shut_down(&mut child);
                return Err(self.did_not_start("no answer".into()));
            }
            if asked(stop, START_PAUSE) {
                shut_down(&mut child);
                return Ok(None);
            }
        }
        Ok(Some(child))
    }

    fn spawn(&self) -> Result<Child, EmbeddedError> {
        let log = self.open_log().at("open", &self.place.log)?;
        let errors = log.try_clone().at("open", &self.place.log)?;
        let mut command = self.place.account.command(&self.programs, "postgres");
        command.arg("-D").arg(&self.place.data);
        let socket = format!("unix_socket_directories={}", self.place.socket.display());
        let profile: &[&str] = if self.durable { &DURABLE } else { &THROWAWAY };
        for setting in [socket.as_str(), shared_buffers()].iter().chain(&SETTINGS).chain(profile) {
            command.arg("-c").arg(setting);
        }
        command.stdout(log).stderr(errors).spawn().at("run postgres of", &self.programs.bin)
    }

    /// Keeps one old log, so that the file cannot fill the disk over the years.
    fn open_log(&self) -> std::io::Result<File> {
        let path = &self.place.log;
        if fs::metadata(path).is_ok_and(|meta| meta.len() > LOG_LIMIT) {
            fs::rename(path, path.with_extension("log.1"))?;
        }
        OpenOptions::new().create(true).append(true).mode(0o600).open(path)
    }

    fn did_not_start(&self, status: String) -> EmbeddedError {
        let text = fs::read_to_string(&self.place.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default().join("\n");
        EmbeddedError::DidNotStart { status, log: self.place.log.clone(), tail }
    }
}

/// Waits `pause` for the order to stop. That nobody can give it any more is an order too.
pub fn asked(stop: &Receiver<()>, pause: Duration) -> bool {
    !matches!(stop.recv_timeout(pause), Err(RecvTimeoutError::Timeout))
}

/// How the child ended, or nothing while it runs.
pub fn ended(child: &mut Child) -> Option<String> {
    match child.try_wait() {
        Ok(None) => None,
        Ok(Some(status)) => Some(status.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// A fast shutdown with its checkpoint, pressed harder when it takes too long.
pub fn shut_down(child: &mut Child) {
    let began = Instant::now();
    let mut sent = None;
    while ended(child).is_none() {
        let signal = match began.elapsed() {
            passed if passed < FAST_UNTIL => libc::SIGINT,
            passed if passed < IMMEDIATE_UNTIL => libc::SIGQUIT,
            _ => libc::SIGKILL,
        };
        if sent != Some(signal)
            && let Ok(pid) = i32::try_from(child.id())
        {
            if let Err(error) = process::send(pid, signal) {
                tracing::error!(%error, "PostgreSQL cannot be stopped");
            }
            sent = Some(signal);
        }
        thread::sleep(STOP_PAUSE);
    }
}

fn shared_buffers() -> &'static str {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    if kib.is_some_and(|kib| kib < SMALL_MACHINE_KIB) {
        "shared_buffers=128MB"
    } else {
        "shared_buffers=256MB"
    }
}
