//! The whole app inside the test's own process, on a database of its own, answering on a port of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use upline::app::App;
use upline::clock::Clock;
use upline::db::{Db, DbError, Lane, Tx};
use upline::events;
use upline::orders::Books;
use upline::settings::{Overrides, Settings};
use upline::vault::Vault;

use super::cluster::{Database, fresh_database};
use super::wait;

pub struct RunningApp {
    pub db: Db,
    pub vault: Vault,
    pub books: Books,
    addr: SocketAddr,
    agent: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
    data_dir: PathBuf,
    _database: Database,
}

impl RunningApp {
    pub fn start() -> Self {
        let database = fresh_database(|url| {
            upline::db::migrate(url).expect("migrate the template");
        });
        let settings = settings(database.url());
        let data_dir = settings.data_dir.clone();
        let (built, parts) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let running = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let app = App::build(settings, Clock::system()).await.expect("build the app");
                let state = app.state();
                let books = Books {
                    stores: state.stores.clone(),
                    mappings: state.mappings.clone(),
                    networks: state.networks.clone(),
                    plans: state.plans.clone(),
                };
                built
                    .send((app.addr(), state.db.clone(), state.vault.clone(), books))
                    .expect("the test waits");
                let stop = async { stopped.await.expect("the test says when") };
                app.run_until(stop).await.expect("run and stop in order");
            });
        });
        let (addr, db, vault, books) = parts.recv().expect("the app is built");
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        let config = config.timeout_global(Some(Duration::from_secs(30))).build();
        let agent = ureq::Agent::new_with_config(config);
        let (stop, running) = (Some(stop), Some(running));
        Self { db, vault, books, addr, agent, stop, running, data_dir, _database: database }
    }

    /// Status and text of the answer.
    pub fn post(&self, path: &str, headers: &[(String, String)], body: &[u8]) -> (u16, String) {
        let request = self.agent.post(format!("http://{}{path}", self.addr));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let mut answer = request.send(body).expect("an answer");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("its text"))
    }

    /// What a person or a command writes beside the app.
    pub fn write<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, DbError>) -> T {
        self.db.transact(Lane::Admin, work).expect("write")
    }

    /// Until the last consequence is committed; nothing may have been parked.
    pub fn drain(&self) {
        wait::until("an empty outbox", Duration::from_secs(60), || {
            let backlog = self.db.read(Lane::Admin, events::backlog).expect("the backlog");
            assert!(backlog.iter().all(|topic| topic.parked == 0), "parked: {backlog:?}");
            backlog.iter().all(|topic| topic.waiting == 0).then_some(())
        });
    }
}

impl Drop for RunningApp {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let ended = self.running.take().map(JoinHandle::join);
        let _ = std::fs::remove_dir_all(&self.data_dir);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the app did not end in order");
        }
    }
}

fn settings(url: &str) -> Settings {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("upline-test-hosted-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let data_dir = std::env::temp_dir().join(name);
    let overrides = Overrides {
        listen: Some("127.0.0.1:0".to_owned()),
        data_dir: Some(data_dir),
        database_url: Some(url.to_owned()),
    };
    let mut settings = Settings::load(None, &overrides).expect("settings");
    settings.workers = 1;
    settings.allow_unsafe_database = true;
    settings.secret_key = Some("5e".repeat(32).into());
    settings
}
