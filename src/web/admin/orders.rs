//! Orders, and the one page that tells an order's whole way: deliveries, revisions, net, who earns, ledger.

use askama::Template;

use super::format::{Amount, Link, Pager, Pill, When};
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/orders.html")]
pub struct OrdersPage {
    pub shell: Shell,
    pub filter: Filter,
    pub stores: Vec<String>,
    pub states: Vec<(&'static str, &'static str)>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

/// What the URL says; empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub store: String,
    pub state: String,
    pub q: String,
    pub distributor: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        [&self.store, &self.state, &self.q, &self.distributor].iter().all(|field| field.is_empty())
    }
}

pub struct Row {
    pub id: String,
    pub number: String,
    pub store: String,
    pub at: When,
    pub state: Pill,
    pub why: String,
    pub distributor: Option<Link>,
    pub net: Option<Amount>,
    pub commissions: Option<Amount>,
}

#[derive(Template)]
#[template(path = "admin/order.html")]
pub struct OrderPage {
    pub shell: Shell,
    pub id: String,
    pub number: String,
    pub external_id: String,
    pub store: Link,
    pub at: When,
    pub state: Pill,
    pub net: Option<Amount>,
    pub total: Option<Amount>,
    pub commissions: Option<Amount>,
    /// Commissions as a share of net.
    pub share: String,
    pub held: Vec<Reason>,
    pub timeline: Vec<Step>,
    pub lines: Vec<Line>,
    pub closings: Vec<Closing>,
    pub revisions: Vec<Revision>,
    pub diff: Option<Diff>,
    pub attribution: Option<Attribution>,
    pub calculation: Option<Calculation>,
    pub events: Vec<Event>,
    pub entries: Vec<Entry>,
}

/// Why the order waits, and where that is mended.
pub struct Reason {
    pub text: String,
    pub detail: String,
    pub fix: Link,
}

pub struct Step {
    pub pill: Pill,
    pub icon: &'static str,
    pub at: When,
    pub text: String,
    pub detail: String,
    pub link: Option<Link>,
}

/// One line of the order and how its commissionable net was made.
pub struct Line {
    pub title: String,
    pub product: String,
    pub class: Option<Pill>,
    pub mapping: Option<Link>,
    pub quantity: String,
    pub gross: Amount,
    pub discount: Amount,
    pub tax: Amount,
    pub refunded: Amount,
    pub net: Amount,
    /// Why a line that is not goods, or not mapped, earns nothing.
    pub note: String,
}

pub struct Closing {
    pub field: String,
    pub stated: Amount,
    pub computed: Amount,
    pub closes: bool,
}

pub struct Revision {
    pub number: String,
    pub at: When,
    pub seen: When,
    pub delivery: Option<Link>,
    pub text: String,
    pub compare: String,
    pub current: bool,
}

/// Two revisions side by side; only what differs.
pub struct Diff {
    pub was: String,
    pub is: String,
    pub rows: Vec<DiffRow>,
}

pub struct DiffRow {
    pub field: String,
    pub was: String,
    pub is: String,
}

pub struct Attribution {
    pub distributor: Link,
    pub place: String,
    pub value: String,
    /// Every place that was looked at, in the store's order, and what was found there.
    pub looked: Vec<Looked>,
}

pub struct Looked {
    pub place: String,
    pub value: String,
    pub verdict: Pill,
}

/// The order bonuses of the newest calculation, as the upline sees them.
pub struct Calculation {
    pub plan: Link,
    pub hash: String,
    pub at: When,
    pub buyer: String,
    pub bonuses: Vec<Bonus>,
    pub breakage: Option<Amount>,
}

pub struct Bonus {
    pub name: String,
    pub about: String,
    pub rungs: Vec<Rung>,
}

/// One ancestor: either paid at a level or skipped, and why.
pub struct Rung {
    pub level: String,
    pub distributor: Link,
    pub standing: Pill,
    pub skipped: String,
    pub rate: String,
    pub amount: Option<Amount>,
}

pub struct Event {
    pub id: String,
    pub at: When,
    pub kind: Pill,
    pub distributor: Link,
    pub bonus: String,
    pub level: String,
    pub line: String,
    pub amount: Amount,
}

pub struct Entry {
    pub link: Link,
    pub at: When,
    pub text: String,
    pub postings: Vec<Posting>,
}

#[derive(Clone, Debug)]
pub struct Posting {
    pub account: String,
    pub distributor: Option<Link>,
    pub debit: Option<Amount>,
    pub credit: Option<Amount>,
}
