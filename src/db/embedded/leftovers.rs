//! Clears what a killed server left, before the next one starts. Only under the lock: whoever holds it
//! knows that any process still in the cluster is an orphan and any pid file is stale.
//!
//! Both halves belong together. PostgreSQL's own protection against two servers on one cluster is the pid
//! file, and it fails us in a container: a dead postmaster that nobody reaps still has a process id.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::error::{At, EmbeddedError};
use super::place::Place;
use super::process;

/// From when on a left-over process gets which signal.
const FAST_UNTIL: Duration = Duration::from_secs(30);
const IMMEDIATE_UNTIL: Duration = Duration::from_secs(45);
const GIVE_UP: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

pub fn clear(place: &Place) -> Result<(), EmbeddedError> {
    stop_orphans(place)?;
    for file in place.stale_files() {
        match fs::remove_file(&file) {
            Ok(()) => tracing::info!(file = %file.display(), "removed what a killed PostgreSQL left"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).at("remove", &file),
        }
    }
    Ok(())
}

fn stop_orphans(place: &Place) -> Result<(), EmbeddedError> {
    let began = Instant::now();
    let mut sent = None;
    loop {
        let orphans = living_in(&place.data);
        if orphans.is_empty() {
            return Ok(());
        }
        let signal = match began.elapsed() {
            passed if passed < FAST_UNTIL => libc::SIGINT,
            passed if passed < IMMEDIATE_UNTIL => libc::SIGQUIT,
            passed if passed < GIVE_UP => libc::SIGKILL,
            _ => return Err(EmbeddedError::LeftOver { path: place.data.clone(), pids: orphans }),
        };
        if sent != Some(signal) {
            tracing::warn!(processes = orphans.len(), "stopping left-over PostgreSQL processes");
            interrupt(place, &orphans, signal)?;
            sent = Some(signal);
        }
        thread::sleep(PAUSE);
    }
}

/// A living postmaster ends its own backends. Without one, the backends are told themselves, and to them
/// SIGINT would only mean "cancel the query".
fn interrupt(place: &Place, orphans: &[i32], signal: libc::c_int) -> Result<(), EmbeddedError> {
    let postmaster = postmaster_of(&place.data).filter(|pid| orphans.contains(pid));
    if let Some(pid) = postmaster.filter(|_| signal != libc::SIGKILL) {
        return process::send(pid, signal).at("stop the server of", &place.data);
    }
    let signal = if signal == libc::SIGINT { libc::SIGQUIT } else { signal };
    orphans.iter().try_for_each(|pid| process::send(*pid, signal).at("stop a process of", &place.data))
}

/// The first line of the pid file.
fn postmaster_of(data: &Path) -> Option<i32> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// PostgreSQL processes whose working directory is the cluster. A zombie has none, so it does not count.
fn living_in(data: &Path) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let program = fs::read_link(entry.path().join("exe")).unwrap_or_default();
            let name = program.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("postgres")
                && fs::read_link(entry.path().join("cwd")).is_ok_and(|dir| dir.as_path() == data)
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}
