//! The whole app on a free port over a database of its own, driven over real HTTP; and the real program beside
//! it, on the same database and data directory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::connection::SimpleConnection;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use tokio::sync::oneshot;
use upline::app::App;
use upline::clock::Clock;
use upline::db::{Db, Lane, migrate};
use upline::events::backlog;
use upline::settings::{Overrides, Settings};

use super::cluster::{Database, fresh_database};
use super::wait;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct TestApp {
    pub base: String,
    pub db: Db,
    /// What `serve` would print.
    pub login_link: String,
    site: Site,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

/// A database and a data directory, and commands that run on them.
pub struct Site {
    database: Database,
    dir: PathBuf,
}

impl Site {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let database = fresh_database(|url| drop(migrate(url).expect("migrate the template")));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("upline-test-app-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("make the data directory");
        Self { database, dir }
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Self::end(self.command(arguments).env("UPLINE_ALLOW_UNSAFE_DATABASE", "true"))
    }

    /// A command that is still at work.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.env("UPLINE_ALLOW_UNSAFE_DATABASE", "true").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start upline")
    }

    /// As on a machine of somebody who has not said that the database may forget.
    pub fn command_without_leave(&self, arguments: &[&str]) -> Ran {
        Self::end(&mut self.command(arguments))
    }

    fn end(command: &mut Command) -> Ran {
        Ran::of(command.output().expect("run upline"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_upline"));
        let ours =
            |name: &String| name.starts_with("UPLINE_") || name == "DATABASE_URL" || name == "RUST_LOG";
        for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        command.env("DATABASE_URL", self.database.url()).env("UPLINE_DATA_DIR", &self.dir);
        command.env("RUST_LOG", "error").args(arguments);
        command
    }

    /// A file in the data directory.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.dir.join(name);
        std::fs::write(&path, content).expect("write a file");
        path.to_string_lossy().into_owned()
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn url(&self) -> &str {
        self.database.url()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// What it printed, if all went well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self.out.trim_end().to_owned()
    }

    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.ok()).expect("JSON")
    }
}

impl TestApp {
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let site = Site::new();
        let overrides = Overrides {
            listen: Some("127.0.0.1:0".to_owned()),
            data_dir: Some(site.dir.clone()),
            database_url: Some(site.database.url().to_owned()),
        };
        let mut settings = Settings::load(None, &overrides).expect("settings");
        settings.allow_unsafe_database = true;
        settings.workers = 2;
        change(&mut settings);
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::channel();
        let serving = std::thread::spawn(move || serve(settings, ready, stopped));
        let (base, db, login_link) = started.recv().expect("the app starts");
        Self { base, db, login_link, site, stop: Some(stop), serving: Some(serving) }
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.site.run(arguments)
    }

    pub fn file(&self, name: &str, content: &str) -> String {
        self.site.file(name, content)
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        self.site.dir()
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.call("GET", path, headers, None)
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        self.call("POST", path, headers, Some(body.as_ref()))
    }

    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        call(&format!("{}{path}", self.base), method, headers, body)
    }

    /// A token of the scope, made on the command line.
    pub fn token(&self, scope: &str) -> String {
        self.run(&["token", "add", "--scope", scope]).ok()
    }

    /// Reads the API with a token; the answer has to be 200.
    #[track_caller]
    pub fn read(&self, token: &str, path: &str) -> Value {
        let answer = self.get(path, &[("Authorization", &format!("Bearer {token}"))]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Until nothing waits for a consumer.
    pub fn drain(&self) {
        wait::until("the consumers to be done", PATIENCE, || {
            let backlog = self.db.read(Lane::Admin, backlog).expect("read the backlog");
            assert!(backlog.iter().all(|topic| topic.parked == 0), "parked: {backlog:?}");
            backlog.iter().all(|topic| topic.waiting == 0).then_some(())
        });
    }

    pub fn sql(&self, sql: &str) {
        self.db.read(Lane::Admin, |conn| Ok(conn.batch_execute(sql)?)).expect(sql);
    }

    /// A WooCommerce store with a plan of 10, 2 and 1 percent, the SKU `A1`, and the distributors 4 -> 2 -> 1.
    pub fn with_company() -> Self {
        Self::with_plan(&std::fs::read_to_string(PLAN).expect("the sample plan"))
    }

    /// The same with another plan.
    pub fn with_plan(plan: &str) -> Self {
        let app = Self::start();
        app.run(&[
            "store",
            "add",
            "--platform",
            "woocommerce",
            "--slug",
            "main",
            "--secret",
            SECRET,
            "--attribution",
            "order_meta:distributor",
        ])
        .ok();
        app.run(&["import", "distributors", &app.file("distributors.csv", DISTRIBUTORS)]).ok();
        app.run(&["import", "skus", &app.file("skus.csv", SKUS)]).ok();
        app.run(&["plan", "publish", &app.file("plan.toml", plan), "--from", "2020-01-01"]).ok();
        app
    }

    /// Posts a body as the store `main` would.
    pub fn deliver(&self, topic: &str, body: &str) -> Answer {
        self.deliver_to("main", SECRET, topic, body)
    }

    pub fn deliver_to(&self, store: &str, secret: &str, topic: &str, body: &str) -> Answer {
        let headers = woo_headers(secret, topic, body);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.post(&format!("/webhooks/{store}"), &headers, body)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.drain();
        }
        drop(self.stop.take());
        let ended = self.serving.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.expect("it was serving").expect("the app ends without a panic");
        }
    }
}

pub const SECRET: &str = "s3cret{;~<&";
pub const PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/plans/affiliate.toml");
pub const DISTRIBUTORS: &str = "distributor_id,sponsor_id,status,country,tax_id,created_at,name,email,rank
4,2,active,US,T-4,2022-01-01,Dora,dora@example.com,
2,1,active,US,T-2,2021-01-01,Bob,bob@example.com,
1,,active,US,,2020-01-01,Ann,ann@example.com,
";
pub const SKUS: &str = "sku_id,platform,platform_sku,name,category,commission_class
A-1,woocommerce,A1,Thing,things,standard
K-1,direct,KIT-STARTER-001,Kit,kits,standard
K-2,direct,A1123,Single,kits,standard
";

pub fn woo_headers(secret: &str, topic: &str, body: &str) -> Vec<(&'static str, String)> {
    vec![
        ("Content-Type", "application/json".to_owned()),
        ("X-WC-Webhook-Topic", topic.to_owned()),
        ("X-WC-Webhook-Delivery-ID", "f00d".to_owned()),
        ("X-WC-Webhook-Signature", signature(secret, body)),
    ]
}

pub fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(body.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn serve(settings: Settings, ready: mpsc::Sender<(String, Db, String)>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let app = App::build(settings, Clock::system()).await.expect("the app is built");
        let link = app.first_login_link().await.expect("a link");
        let base = format!("http://{}", app.addr());
        let _gone = ready.send((base, app.state().db.clone(), link));
        let stop = async {
            let _dropped = stopped.await;
        };
        app.run_until(stop).await.expect("the app serves");
    });
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The code of an error.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// One request; no redirect is followed, and no status is an error.
pub fn call(url: &str, method: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
    let config = ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .build();
    let agent: ureq::Agent = config.into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answered = match body {
        Some(body) => agent.run(request.body(body).expect("a request")),
        None => agent.run(request.body(()).expect("a request")),
    };
    let mut answer = answered.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let status = answer.status().as_u16();
    Answer { status, headers, body: answer.body_mut().read_to_vec().expect("a body") }
}
