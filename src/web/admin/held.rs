//! Orders that wait for a person, grouped by what has to be mended, and the form that mends it for all of them.

use askama::Template;

use super::format::{Amount, Link, Pager, When};
use super::shell::Shell;
use super::words;

#[derive(Template)]
#[template(path = "admin/held.html")]
pub struct HeldPage {
    pub shell: Shell,
    pub orders: String,
    pub amounts: Vec<Amount>,
    pub groups: Vec<Group>,
}

/// One kind of reason, with the causes under it.
pub struct Group {
    pub reason: String,
    pub title: String,
    pub about: String,
    pub causes: Vec<Cause>,
}

pub struct Cause {
    pub cause: String,
    pub detail: String,
    pub orders: String,
    pub amounts: Vec<Amount>,
    pub oldest: When,
    pub href: String,
    pub action: String,
}

#[derive(Template)]
#[template(path = "admin/held_cause.html")]
pub struct CausePage {
    pub shell: Shell,
    pub title: String,
    pub about: String,
    pub reason: String,
    pub cause: String,
    pub orders: String,
    pub amounts: Vec<Amount>,
    pub fix: Fix,
    /// Filled once the form is complete: what applying it would do.
    pub preview: Option<Preview>,
    pub problem: Option<String>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub enum Fix {
    /// A product without a mapping.
    Map(MapForm),
    /// A reference that names nobody, or the wrong one.
    Bind(BindForm),
    /// Nothing here mends it; the text says what does. The orders can be looked at again.
    Elsewhere { text: String, link: Option<Link> },
}

#[derive(Clone, Debug, Default)]
pub struct MapForm {
    pub sku_id: String,
    pub name: String,
    pub category: String,
    pub class: String,
    pub classes: Vec<String>,
    /// A date, or empty for "has always been so".
    pub from: String,
    pub everywhere: bool,
    pub platform: String,
}

#[derive(Clone, Debug, Default)]
pub struct BindForm {
    pub code: String,
    pub distributor: String,
}

/// What a fix does before it is done.
pub struct Preview {
    pub text: String,
    pub orders: String,
    pub amounts: Vec<Amount>,
    /// Orders of these that wait for something else too.
    pub still_held: String,
    /// The form's values, to be sent again with the confirmation.
    pub fields: Vec<(&'static str, String)>,
}

pub struct Row {
    pub order: Link,
    pub store: String,
    pub at: Option<When>,
    pub detail: String,
    pub others: String,
    pub net: Option<Amount>,
}

/// The page that mends a cause.
pub fn cause_address(reason: &str, cause: &str) -> String {
    words::address("/admin/held/cause", &[("reason", reason), ("cause", cause)])
}
