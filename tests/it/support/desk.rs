//! The whole program in the test's own process, reached over HTTP as a browser and as a shop reach it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use upline::app::App;
use upline::clock::Clock;
use upline::settings::{Overrides, Settings};

use super::cluster::{Database, fresh_database};

/// `upline serve` on a database of its own. Ends in order when dropped.
pub struct Desk {
    base: String,
    first_link: String,
    runtime: Option<Runtime>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    data_dir: PathBuf,
    _database: Database,
}

impl Desk {
    pub fn open(label: &str) -> Self {
        let database = fresh_database(|url| {
            upline::db::migrate(url).expect("migrate the template");
        });
        let data_dir = std::env::temp_dir().join(format!("upline-desk-{}-{label}", std::process::id()));
        let overrides = Overrides {
            listen: Some("127.0.0.1:0".to_owned()),
            data_dir: Some(data_dir.clone()),
            database_url: Some(database.url().to_owned()),
        };
        let mut settings = Settings::load(None, &overrides).expect("settings");
        settings.allow_unsafe_database = true;
        settings.public_url = None;
        settings.workers = 1;
        let runtime = Runtime::new().expect("a runtime");
        let app = runtime.block_on(App::build(settings, Clock::system())).expect("build the program");
        let first_link = runtime.block_on(app.first_login_link()).expect("a link");
        let base = format!("http://{}", app.addr());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = runtime.spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            app.run_until(stopped).await.expect("serve to the end");
        });
        Self {
            base,
            first_link,
            runtime: Some(runtime),
            stop: Some(stop),
            serving: Some(serving),
            data_dir,
            _database: database,
        }
    }

    /// A browser in which the first admin is signed in.
    pub fn admin(&self) -> Browser {
        self.signed_in(&self.first_link)
    }

    /// A browser that has followed a one-time link.
    pub fn signed_in(&self, link: &str) -> Browser {
        let browser = Browser { agent: agent(), base: self.base.clone(), cookies: RefCell::default() };
        let path = link.strip_prefix(&self.base).expect("a link of ours");
        assert_eq!(browser.get(path).status, 303, "{path}");
        browser
    }

    /// Whatever is no browser: a shop, or a program with a token.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Page {
        let mut request = agent().post(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Page::of(request.send(body))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let (Some(runtime), Some(serving)) = (self.runtime.take(), self.serving.take()) {
            let ended = runtime.block_on(serving);
            assert!(ended.is_ok() || std::thread::panicking(), "the program did not end in order");
        }
        let _ = std::fs::remove_dir_all(&self.data_dir);
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).max_redirects(0);
    config.build().into()
}

/// Keeps cookies and follows nothing by itself.
pub struct Browser {
    agent: ureq::Agent,
    base: String,
    cookies: RefCell<BTreeMap<String, String>>,
}

type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

pub struct Page {
    pub status: u16,
    pub location: String,
    pub text: String,
}

impl Page {
    fn of(answer: Answer) -> Self {
        let mut answer = answer.expect("an answer");
        let location = answer.headers().get("location").map(|value| value.to_str().expect("text").to_owned());
        let text = answer.body_mut().read_to_string().expect("a body");
        Self { status: answer.status().as_u16(), location: location.unwrap_or_default(), text }
    }

    /// The value of the page's first hidden or typed field of that name.
    pub fn field(&self, name: &str) -> String {
        let after = self.text.split(&format!("name=\"{name}\"")).nth(1).unwrap_or_else(|| {
            panic!("no field {name} in\n{}", self.text);
        });
        let value = after.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a value");
        value.replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
    }

    /// What the page shows this once.
    pub fn secret(&self) -> String {
        let after = self.text.split("shown this once").nth(1).expect("a secret");
        let shown = after.split("data-copy=\"").nth(1).and_then(|rest| rest.split('"').next());
        shown.expect("something to copy").to_owned()
    }
}

impl Browser {
    pub fn get(&self, path: &str) -> Page {
        let request = self.agent.get(format!("{}{path}", self.base)).header("cookie", self.sent());
        self.answered(request.call())
    }

    fn sent(&self) -> String {
        let cookies = self.cookies.borrow();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn answered(&self, answer: Answer) -> Page {
        let answer = answer.expect("an answer");
        for set in answer.headers().get_all("set-cookie") {
            let set = set.to_str().expect("text");
            let (name, value) =
                set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            let mut cookies = self.cookies.borrow_mut();
            match set.contains("Max-Age=0") {
                true => cookies.remove(name),
                false => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        Page::of(Ok(answer))
    }

    /// Sends a form with the session's own token, which any page of ours carries.
    pub fn send(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.get("/admin/settings").field("csrf");
        let own = [("csrf", csrf.as_str())];
        self.send_bare(path, &[&own, fields].concat())
    }

    pub fn send_bare(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.agent.post(format!("{}{path}", self.base)).header("cookie", self.sent());
        self.answered(request.send_form(fields.iter().copied()))
    }

    /// Sends a form that has to be done, and shows the page that it leads to.
    pub fn done(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.send(path, fields);
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        let page = self.get(&answer.location);
        assert_eq!(page.status, 200, "{}", answer.location);
        page
    }
}
