//! The real program as a process of its own, on a data directory of its own, and its commands beside it.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use upline::db::embedded::{Embedded, Options};
use upline::demo::Company;
use upline::demo::company::PLAN;

use super::wait;

/// A first start makes a cluster; a start after a kill recovers one.
const START: Duration = Duration::from_secs(90);

/// A data directory with the sample company in it. Removed when dropped.
pub struct Site {
    dir: PathBuf,
    port: u16,
}

impl Site {
    /// Readable for the account that an embedded server started by root runs as.
    pub fn new(label: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("upline-site-{}-{label}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("make the data directory");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its number").port();
        Self { dir, port }
    }

    /// Writes a file beside the data and gives back its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.dir.join(name);
        std::fs::write(&path, content).expect("write a file");
        path.to_string_lossy().into_owned()
    }

    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the key of the stored secrets lies.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.dir
    }

    /// Starts `upline serve` and waits until it is ready.
    pub fn serve(&self) -> Server {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.join("serve.log"));
        let log = log.expect("open the log");
        let child = self
            .command(&["serve", "--listen", &format!("127.0.0.1:{}", self.port)])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("start upline");
        let mut server = Server(child);
        let ready = format!("{}/readyz", self.base());
        wait::until("the server to be ready", START, || {
            if let Some(status) = server.0.try_wait().expect("ask for the process") {
                panic!("upline serve ended with {status}:\n{}", self.log());
            }
            let answer = ureq::get(&ready).config().proxy(None).http_status_as_error(false).build().call();
            answer.is_ok_and(|answer| answer.status() == 200).then_some(())
        });
        server
    }

    /// Runs a command that has to succeed, and gives back what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(arguments).output().expect("run upline");
        let printed = String::from_utf8_lossy(&stdout).into_owned();
        assert!(
            status.success(),
            "upline {arguments:?}: {status}\n{printed}\n{}",
            String::from_utf8_lossy(&stderr)
        );
        printed
    }

    /// Runs a command that has to fail with exit code 1, and gives back what it said.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let Output { status, stderr, .. } = self.command(arguments).output().expect("run upline");
        let said = String::from_utf8_lossy(&stderr).into_owned();
        assert_eq!(status.code(), Some(1), "upline {arguments:?}: {said}");
        said
    }

    /// Sets the sample company up as an operator would: commands and files, beside the running server.
    pub fn set_up(&self, company: &Company) {
        for store in &company.stores {
            let attribution = store.attribution.join(",");
            self.run(&[
                "store",
                "add",
                "--platform",
                store.platform.as_str(),
                "--slug",
                store.slug,
                "--name",
                store.name,
                "--secret",
                &store.secret,
                "--attribution",
                &attribution,
            ]);
        }
        let people = self.file("distributors.csv", company.distributors_csv().expect("a file"));
        self.run(&["import", "distributors", &people]);
        let skus = self.file("skus.csv", company.mappings_csv().expect("a file"));
        self.run(&["import", "skus", &skus]);
        self.run(&["plan", "publish", &self.file("plan.toml", PLAN), "--from", "2023-01-01"]);
    }

    /// The database, as a guest of the running server.
    pub fn database(&self) -> Embedded {
        let state_dir = self.dir.join("postgres");
        let options = Options { state_dir, bin_dir: None, durable: true, database: "upline".into() };
        let guest = Embedded::start(&options).expect("attach to the database");
        assert!(guest.attached(), "the server runs its own database");
        guest
    }

    /// The program with arguments, on this data directory and nothing else of the environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_upline"));
        let inherited = std::env::vars_os().map(|(name, _)| name);
        let ours = |name: &std::ffi::OsString| {
            name.to_str().is_some_and(|name| {
                name == "DATABASE_URL" || name.starts_with("UPLINE_") && name != "UPLINE_PG_BIN"
            })
        };
        inherited.filter(ours).for_each(|name| {
            command.env_remove(name);
        });
        command.env("UPLINE_STORE_RATE", "1000000").env("UPLINE_STORE_BURST", "1000000");
        command.env("UPLINE_DATA_DIR", self.data_dir()).args(arguments);
        command
    }

    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.dir.join("serve.log")).unwrap_or_default();
        let last = log.lines().rev().take(30).collect::<Vec<_>>();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of {}/serve.log ---\n{}", self.dir.display(), self.log());
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// `upline serve`. Asked to stop when dropped.
pub struct Server(Child);

impl Server {
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL: no goodbye, at whatever it was just doing.
    pub fn kill(mut self) {
        self.0.kill().expect("kill upline");
        self.0.wait().expect("wait for upline");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        if let Ok(pid) = i32::try_from(self.pid()) {
            // SAFETY: a signal to a child that we have not waited for, so that its id is still its own.
            unsafe { libc::kill(pid, libc::SIGTERM) };
        }
        let _ = self.0.wait();
    }
}
