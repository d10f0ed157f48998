//! A person at a real browser: headless Chromium through one chromedriver a test process.
//!
//! Everything is found by what a person sees (the text of a button, the label of a field) and awaited with a
//! deadline. `CHROMEDRIVER` and `CHROME_BIN` name other programs than those on the PATH.

use std::fs;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::app::call;

const PATIENCE: Duration = Duration::from_secs(20);
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// One browser with a profile of its own; both are gone with the test.
pub struct Chromium {
    runtime: Runtime,
    client: Option<Client>,
    session: String,
    profile: PathBuf,
}

impl Chromium {
    /// None only where somebody said that these tests shall not run.
    pub fn open() -> Option<Self> {
        if std::env::var("UPLINE_SKIP_BROWSER").is_ok_and(|value| value == "1") {
            // Past the harness, which keeps what a passing test prints to itself.
            let _ = writeln!(
                std::io::stderr(),
                "\n*** SKIPPED: UPLINE_SKIP_BROWSER=1, {} ***",
                std::thread::current().name().unwrap_or("a browser test")
            );
            return None;
        }
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let profile =
            std::env::temp_dir().join(format!("upline-test-chrome-{}-{number}", std::process::id()));
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let Value::Object(wanted) = capabilities(&profile) else { unreachable!("an object") };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = runtime.block_on(builder.capabilities(wanted).connect(driver()));
        let client = client.unwrap_or_else(|error| panic!("chromedriver starts no browser: {error}"));
        let session = runtime.block_on(client.session_id()).expect("the driver answers").expect("a session");
        Some(Self { runtime, client: Some(client), session, profile })
    }

    pub fn go(&self, address: &str) {
        self.wait(self.client().goto(address)).unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    pub fn address(&self) -> String {
        self.wait(self.client().current_url()).expect("an address").to_string()
    }

    /// Presses the button with this text.
    pub fn press(&self, text: &str) {
        self.click(&format!("//button[contains(normalize-space(.), '{text}')]"));
    }

    /// Follows the link of the page's content with this text.
    pub fn follow(&self, text: &str) {
        self.click(&format!("//main//a[contains(normalize-space(.), '{text}')]"));
    }

    /// Follows the entry of the main menu.
    pub fn open_menu(&self, text: &str) {
        self.click(&format!("//nav[@id='nav']//a[contains(normalize-space(.), '{text}')]"));
        self.see_heading(text);
    }

    /// Clicks what has this name for those who cannot see it.
    pub fn touch(&self, name: &str) {
        self.click(&format!("//*[@aria-label='{name}']"));
    }

    pub fn open_first_row(&self) {
        self.click("//main//tbody//a");
    }

    pub fn unfold(&self, summary: &str) {
        self.click(&format!("//summary[contains(normalize-space(.), '{summary}')]"));
    }

    fn click(&self, xpath: &str) {
        self.retry(xpath, || async move { self.shown(xpath).await?.click().await });
    }

    /// Types over what stands in the field with this label.
    pub fn fill(&self, label: &str, text: &str) {
        let xpath = field(label);
        self.retry(&xpath, || async {
            let found = self.shown(&xpath).await?;
            found.clear().await?;
            found.send_keys(text).await
        });
    }

    /// Pastes over what stands in the field: typing a document key by key takes seconds.
    pub fn paste(&self, label: &str, text: &str) {
        let xpath = field(label);
        self.retry(&xpath, || async {
            let found = serde_json::to_value(self.shown(&xpath).await?)?;
            self.client().execute("arguments[0].value = arguments[1]", vec![found, json!(text)]).await
        });
    }

    pub fn choose(&self, label: &str, option: &str) {
        let xpath = field(label);
        self.retry(&xpath, || async { self.shown(&xpath).await?.select_by_label(option).await });
    }

    /// A file for the field with this label.
    pub fn pick(&self, label: &str, path: &str) {
        self.fill_file(&field(label), path);
    }

    fn fill_file(&self, xpath: &str, path: &str) {
        self.retry(xpath, || async {
            self.client().find(Locator::XPath(xpath)).await?.send_keys(path).await
        });
    }

    /// Waits until the page shows the text.
    pub fn see(&self, text: &str) {
        self.await_true(text, "return document.body.innerText.includes(arguments[0])", json!(text));
    }

    pub fn see_heading(&self, text: &str) {
        let script =
            "return [...document.querySelectorAll('h1')].some((h) => h.innerText.includes(arguments[0]))";
        self.await_true(text, script, json!(text));
    }

    pub fn await_theme(&self, theme: &str) {
        let script = "return document.documentElement.dataset.theme === arguments[0].toLowerCase()";
        self.await_true(theme, script, json!(theme));
    }

    /// Waits until the field holds the text.
    pub fn see_in(&self, label: &str, text: &str) {
        let script = "const label = [...document.querySelectorAll('label')].find((l) => l.innerText.includes(arguments[0][0]));
            return !!label?.control?.value.includes(arguments[0][1])";
        self.await_true(text, script, json!([label, text]));
    }

    /// Loads the page again and again until it shows the text.
    pub fn reload_until(&self, text: &str) {
        let began = Instant::now();
        while !self.page_text().contains(text) {
            assert!(
                began.elapsed() < PATIENCE,
                "waited for {text:?} on {}\n{}",
                self.address(),
                self.page_text()
            );
            self.wait(self.client().refresh()).expect("load again");
        }
    }

    pub fn page_text(&self) -> String {
        self.run("return document.body.innerText", Value::Null).as_str().expect("text").to_owned()
    }

    /// What a script returns; `argument` is its `arguments[0]`.
    pub fn run(&self, script: &str, argument: Value) -> Value {
        self.wait(self.client().execute(script, vec![argument])).unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// The size of the window's inside, however small.
    pub fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.tell("goog/cdp/execute", &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": size}));
    }

    /// What the console complained about since the last time.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.tell("se/log", &json!({"type": "browser"}));
        let entries = log["value"].as_array().expect("a log");
        entries.iter().filter(|entry| entry["level"] != "INFO").map(Value::to_string).collect()
    }

    /// A command of chromedriver's own.
    fn tell(&self, command: &str, body: &Value) -> Value {
        let url = format!("{}/session/{}/{command}", driver(), self.session);
        let kind = [("Content-Type", "application/json")];
        let answer = call(&url, "POST", &kind, Some(body.to_string().as_bytes()));
        assert_eq!(answer.status, 200, "{command}: {}", answer.text());
        answer.json()
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("open until dropped")
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The first of these that a person could see.
    async fn shown(&self, xpath: &str) -> Result<Element, CmdError> {
        let mut found = self.client().find_all(Locator::XPath(xpath)).await?;
        for index in 0..found.len() {
            if found[index].is_displayed().await? {
                return Ok(found.swap_remove(index));
            }
        }
        // The driver's own words for what is not there.
        self.client().find(Locator::XPath("//nothing-to-see")).await
    }

    /// While a page is on its way, what is looked for is not there yet, or belongs to the page before.
    #[track_caller]
    fn retry<T, F: Future<Output = Result<T, CmdError>>>(&self, what: &str, act: impl Fn() -> F) {
        let began = Instant::now();
        while let Err(error) = self.wait(act()) {
            assert!(
                began.elapsed() < PATIENCE,
                "{what} on {}: {error}\n{}",
                self.address(),
                self.page_text()
            );
        }
    }

    #[track_caller]
    fn await_true(&self, what: &str, script: &str, argument: Value) {
        let began = Instant::now();
        let shows = || self.wait(self.client().execute(script, vec![argument.clone()]));
        while !matches!(shows(), Ok(Value::Bool(true))) {
            assert!(began.elapsed() < PATIENCE, "no {what:?} on {}\n{}", self.address(), self.page_text());
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(client.close());
        }
        let _ = fs::remove_dir_all(&self.profile);
    }
}

fn field(label: &str) -> String {
    format!("//*[@id=//label[contains(normalize-space(.), '{label}')]/@for]")
}

fn capabilities(profile: &std::path::Path) -> Value {
    let mut flags: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
    flags.push(format!("--user-data-dir={}", profile.display()));
    flags.push("--window-size=1440,1000".to_owned());
    let mut chrome = json!({"args": flags});
    if let Ok(program) = std::env::var("CHROME_BIN") {
        chrome["binary"] = json!(program);
    }
    json!({"browserName": "chrome", "goog:chromeOptions": chrome, "goog:loggingPrefs": {"browser": "ALL"}})
}

static RUNNING: Mutex<Option<Child>> = Mutex::new(None);

/// The driver's address.
fn driver() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let mut command = Command::new(&program);
        // A group of its own: whatever browser is left ends with it.
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let started = command.process_group(0).spawn();
        let mut child = started.unwrap_or_else(|error| {
            panic!(
                "the browser tests need chromedriver and {program:?} does not start: {error}. Install chromium and \
                 chromium-driver, or name them in CHROMEDRIVER and CHROME_BIN, or set UPLINE_SKIP_BROWSER=1"
            )
        });
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        *RUNNING.lock().expect("nobody panicked here") = Some(child);
        // SAFETY: `stop_driver` is a plain function that lives as long as the program.
        assert_eq!(unsafe { libc::atexit(stop_driver) }, 0, "register the end of the driver");
        let told = lines.find_map(|line| {
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = told.expect("chromedriver says on which port it listens");
        // Nobody else reads what it says, and it must not wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        format!("http://127.0.0.1:{port}")
    })
}

extern "C" fn stop_driver() {
    let running = RUNNING.lock().ok().and_then(|mut running| running.take());
    if let Some(mut child) = running {
        let group = libc::pid_t::try_from(child.id()).expect("a process id");
        // SAFETY: sends a signal to the group that was made for this child, which is not waited for yet.
        unsafe { libc::kill(-group, libc::SIGKILL) };
        let _ = child.wait();
    }
}
