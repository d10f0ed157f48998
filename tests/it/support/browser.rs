//! A person at the admin pages: a browser that keeps its cookies and sends forms as the pages have them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::app::{Answer, TestApp};

/// Follows nothing by itself.
pub struct Browser<'a> {
    app: &'a TestApp,
    cookies: RefCell<BTreeMap<String, String>>,
}

pub struct Page {
    pub status: u16,
    pub location: String,
    pub text: String,
}

impl<'a> Browser<'a> {
    /// The first admin, by the link on the console.
    pub fn of_admin(app: &'a TestApp) -> Self {
        Self::by_link(app, &app.login_link)
    }

    /// Whoever a one-time link is for.
    pub fn by_link(app: &'a TestApp, link: &str) -> Self {
        let browser = Self { app, cookies: RefCell::default() };
        let path = link.strip_prefix(&app.base).expect("a link of ours");
        assert_eq!(browser.get(path).status, 303, "{path}");
        browser
    }

    pub fn get(&self, path: &str) -> Page {
        self.read(&self.app.get(path, &[("Cookie", &self.sent())]))
    }

    /// Sends a form with the session's own token, which every page carries.
    pub fn send(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.get("/admin/settings").field("csrf");
        let own = [("csrf", csrf.as_str())];
        self.send_bare(path, &[&own, fields].concat())
    }

    /// Sends a form without the token.
    pub fn send_bare(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        self.read(&self.app.post(path, &[("Cookie", &self.sent()), kind], body))
    }

    /// Sends a form that has to be done, and shows the page that it leads to.
    pub fn done(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.send(path, fields);
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        let page = self.get(&answer.location);
        assert_eq!(page.status, 200, "{}", answer.location);
        page
    }

    fn sent(&self) -> String {
        let cookies = self.cookies.borrow();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn read(&self, answer: &Answer) -> Page {
        let set = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        for (_, cookie) in set {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie");
            let mut cookies = self.cookies.borrow_mut();
            match cookie.contains("Max-Age=0") {
                true => cookies.remove(name),
                false => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let location = answer.header("location").unwrap_or_default().to_owned();
        Page { status: answer.status, location, text: answer.text() }
    }
}

impl Page {
    /// The value of the page's first field of that name.
    pub fn field(&self, name: &str) -> String {
        let after = self.text.split(&format!("name=\"{name}\"")).nth(1);
        let after = after.unwrap_or_else(|| panic!("no field {name} in\n{}", self.text));
        after.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a value").to_owned()
    }

    /// What the page shows this once.
    pub fn secret(&self) -> String {
        let after = self.text.split("shown this once").nth(1).expect("a secret");
        let shown = after.split("data-copy=\"").nth(1).and_then(|rest| rest.split('"').next());
        shown.expect("something to copy").to_owned()
    }
}
