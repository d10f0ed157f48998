//! The journal as it stands: entries, one entry, balances of accounts.

use askama::Template;

use super::format::{Amount, Link, Pager, When};
use super::order::{Entry, Posting};
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/ledger.html")]
pub struct LedgerPage {
    pub shell: Shell,
    pub filter: Filter,
    /// Name and title.
    pub accounts: Vec<(String, String)>,
    pub entries: Vec<Entry>,
    pub pager: Pager,
}

/// What the URL says; empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub account: String,
    pub distributor: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.account.is_empty() && self.distributor.is_empty()
    }
}

#[derive(Template)]
#[template(path = "admin/accounts.html")]
pub struct AccountsPage {
    pub shell: Shell,
    pub rows: Vec<AccountRow>,
    /// Debits less credits over all accounts, by currency: anything but zero is damage.
    pub checks: Vec<Amount>,
}

pub struct AccountRow {
    pub number: i16,
    pub name: String,
    pub title: String,
    pub debit: Option<Amount>,
    pub credit: Option<Amount>,
}

#[derive(Template)]
#[template(path = "admin/entry.html")]
pub struct EntryPage {
    pub shell: Shell,
    pub reference: String,
    pub kind: String,
    pub at: When,
    pub order: Link,
    pub digest: String,
    pub postings: Vec<Posting>,
    pub total: Amount,
    pub events: Vec<Link>,
}
