//! Every page rendered with sample values, and what must hold for all of them: forms carry the token,
//! nothing inline, labels for inputs, unique ids, assets that exist.
//!
//! With `UI_SAMPLES=DIR` the rendered pages are also written there, to be looked at.

mod catalogue;
mod dashboard;
mod flow;
mod payees;
mod payouts;
mod periods;
mod reconciliation;
mod rest;
mod set_up;
mod statement;
mod stores;

use askama::Template;
use chrono::{TimeZone, Utc};

use super::format::{Amount, Link, When};
use super::shell::{Badges, LastVerified, Shell};
use crate::core::money::Currency;

pub fn shell(nav: &'static str) -> Shell {
    Shell {
        user: "ada@example.test".into(),
        role: "admin".into(),
        csrf: "c5f0".into(),
        nav,
        here: "/admin".into(),
        badges: Badges { held: "41".into(), unmapped: "3".into(), parked: "1".into(), notices: "2".into() },
        verified: Some(LastVerified { at: when(5), ok: true }),
        ..Shell::default()
    }
}

pub fn when(minute: u32) -> When {
    When(Utc.with_ymd_and_hms(2026, 11, 21, 8 + minute / 60, minute % 60, 11).unwrap())
}

pub fn link(text: &str) -> Link {
    Link::new("/admin/somewhere", text)
}

pub fn usd(amount: &str) -> Amount {
    Amount::new(amount.parse().unwrap(), Currency::parse("USD").unwrap())
}

pub fn check(name: &str, page: &impl Template) {
    let html = page.render().unwrap();
    if let Ok(folder) = std::env::var("UI_SAMPLES") {
        std::fs::write(format!("{folder}/{name}.html"), &html).unwrap();
    }
    for form in html.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap();
        if form.contains("method=\"post\"") {
            assert!(form.contains("name=\"csrf\""), "{name}: a POST form without the token: {form}");
        }
    }
    for inline in [" style=", "<script>", " onclick=", " onchange=", "javascript:", "hx-on"] {
        assert!(!html.contains(inline), "{name}: {inline} breaks the content policy");
    }
    let values = |attribute: &str| -> Vec<String> {
        let marker = format!(" {attribute}=\"");
        html.split(&marker).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let ids = values("id");
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len(), "{name}: an id appears twice: {ids:?}");
    for attribute in ["for", "aria-labelledby", "popovertarget", "aria-describedby"] {
        for target in values(attribute) {
            assert!(ids.contains(&target), "{name}: {attribute}={target} points nowhere");
        }
    }
    assert_eq!(html.matches("<h1").count(), 1, "{name}: one h1");
    assert!(!html.contains("{{") && !html.contains("{%"), "{name}: unfilled template");
}
