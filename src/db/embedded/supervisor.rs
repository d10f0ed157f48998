//! Keeps the server running: one thread for the life of the process, which starts a server that died again.
//!
//! The thread is also what ties the two lives together. The kernel interrupts the server when the thread
//! that spawned it ends, and this one ends only with `stop` or with the process.

use std::fs::File;
use std::io;
use std::process::Child;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::error::{At, EmbeddedError};
use super::server::{Server, asked, ended, shut_down};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The pause before a new start doubles from the first to the longest, until one server was steady.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const STEADY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Supervisor {
    stop: Sender<()>,
    thread: JoinHandle<Result<(), EmbeddedError>>,
}

impl Supervisor {
    /// Returns when the server answers. A first start that fails is told to the caller and not repeated.
    /// The lock is held until the server has ended.
    pub fn start(server: Server, lock: File) -> Result<Self, EmbeddedError> {
        let data = server.place.data.clone();
        let (stop, orders) = mpsc::channel();
        let (up, answers) = mpsc::channel();
        let run = move || {
            let _held = lock;
            let outcome = server.launch(&orders).map(|child| {
                // The caller waits for this; were it gone, `orders` would say so at once.
                let _ = up.send(());
                child.into_iter().for_each(|child| supervise(&server, child, &orders));
            });
            server.place.remove_socket_dir();
            outcome
        };
        let thread = thread::Builder::new().name("postgres".into()).spawn(run);
        let thread = thread.at("start a thread for", &data)?;
        if answers.recv().is_ok() {
            return Ok(Self { stop, thread });
        }
        match thread.join() {
            Ok(Err(error)) => Err(error),
            _ => Err(io::Error::other("the supervisor panicked")).at("supervise", &data),
        }
    }

    /// Stops the server and waits for its end; the lock is free afterwards.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the supervisor of PostgreSQL panicked; the server has been interrupted");
        }
    }
}

fn supervise(server: &Server, mut child: Child, stop: &Receiver<()>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        let Some(status) = wait_for_end(&mut child, stop) else {
            return shut_down(&mut child);
        };
        tracing::error!(%status, "PostgreSQL ended by itself; starting it again");
        if began.elapsed() > STEADY {
            pause = FIRST_PAUSE;
        }
        match start_again(server, stop, &mut pause) {
            Some(fresh) => child = fresh,
            None => return,
        }
        tracing::info!(after = ?began.elapsed(), "PostgreSQL runs again");
    }
}

/// How the server ended, or nothing when we were asked to stop it.
fn wait_for_end(child: &mut Child, stop: &Receiver<()>) -> Option<String> {
    loop {
        if asked(stop, LOOK_EVERY) {
            return None;
        }
        if let Some(status) = ended(child) {
            return Some(status);
        }
    }
}

fn start_again(server: &Server, stop: &Receiver<()>, pause: &mut Duration) -> Option<Child> {
    loop {
        if asked(stop, *pause) {
            return None;
        }
        *pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        match server.launch(stop) {
            Ok(child) => return child,
            Err(error) => tracing::error!(%error, next_in = ?*pause, "PostgreSQL does not start"),
        }
    }
}
