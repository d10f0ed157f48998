//! The journal as it stands: entries, one entry, balances of accounts.

use std::collections::{BTreeMap, HashMap};

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use super::desk::{Desk, nothing};
use super::format::{Amount, Link, Pager, When};
use super::order::{self, Posting};
use super::shell::Shell;
use super::words;
use crate::ledger::{self, StoredEntry};
use crate::reports::journal::{self as report, Filter, Source};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/ledger.html")]
pub struct LedgerPage {
    pub shell: Shell,
    pub filter: Filter,
    /// Name and title.
    pub accounts: Vec<(String, String)>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

/// One entry: what it is for, and how much stands on each side.
pub struct Row {
    pub link: Link,
    pub at: When,
    pub order: Link,
    pub distributors: Vec<Link>,
    /// Distributors beyond those that are named.
    pub more: usize,
    pub total: Amount,
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

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    account: String,
    #[serde(default)]
    distributor: String,
    source: Option<Uuid>,
    number: Option<i32>,
}

pub async fn entries(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let Asked { account, distributor, source, number } = asked.into_inner();
    let filter = Filter { account, distributor };
    let (wanted, before) = (filter.clone(), source.zip(number));
    let (shell, (accounts, sources, found)) = desk
        .read(&viewer, "ledger", move |conn| {
            let found = report::entries(conn, &wanted, before)?;
            let sources: Vec<Uuid> = found.rows.iter().map(|entry| entry.source).collect();
            Ok((report::accounts(conn)?, report::sources(conn, &sources)?, found))
        })
        .await?;
    let here = |source: &str, number: &str| {
        let pairs = [
            ("account", filter.account.as_str()),
            ("distributor", &filter.distributor),
            ("source", source),
            ("number", number),
        ];
        words::address("/admin/ledger", &pairs)
    };
    let page = LedgerPage {
        shell,
        accounts: accounts.into_iter().map(|account| (account.name, account.title)).collect(),
        pager: Pager {
            shown: found.rows.len(),
            first: before.map(|_| here("", "")),
            next: found.next.map(|(source, number)| here(&source.to_string(), &number.to_string())),
        },
        rows: found.rows.iter().map(|entry| row(entry, &sources)).collect(),
        filter,
    };
    desk.show(&page)
}

/// Names that fit into a row.
const NAMED: usize = 4;

fn row(entry: &StoredEntry, sources: &HashMap<Uuid, Source>) -> Row {
    let mut ids: Vec<&str> = entry
        .postings
        .iter()
        .filter_map(|posting| posting.distributor.as_ref())
        .map(|id| id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let href = format!("/admin/ledger/entries/{}/{}", entry.source, entry.number);
    let nothing = Source::Settlement;
    Row {
        link: Link::new(href, format!("{} {}", entry.kind, entry.number)),
        at: When(entry.posted_at),
        order: words::source_link(entry.source, sources.get(&entry.source).unwrap_or(&nothing)),
        more: ids.len().saturating_sub(NAMED),
        distributors: ids.into_iter().take(NAMED).map(words::distributor_link).collect(),
        total: words::amount(one_side(entry), &entry.currency),
    }
}

/// What the debits add up to, and so the credits.
fn one_side(entry: &StoredEntry) -> Decimal {
    entry.postings.iter().map(|posting| posting.amount).filter(|amount| amount.is_sign_positive()).sum()
}

pub async fn accounts(viewer: Viewer, desk: Desk) -> Result<HttpResponse, Denied> {
    let (shell, balances) = desk.read(&viewer, "ledger", ledger::balances).await?;
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for balance in &balances {
        *sums.entry(&balance.currency).or_default() += balance.amount;
    }
    let checks = sums.into_iter().map(|(currency, sum)| words::amount(sum, currency)).collect();
    let rows = balances.iter().map(|balance| {
        let amount = words::amount(balance.amount.abs(), &balance.currency);
        let credit = balance.amount.is_sign_negative();
        AccountRow {
            number: balance.account,
            name: balance.name.clone(),
            title: balance.title.clone(),
            debit: (!credit).then(|| amount.clone()),
            credit: credit.then_some(amount),
        }
    });
    desk.show(&AccountsPage { shell, rows: rows.collect(), checks })
}

pub async fn entry(viewer: Viewer, desk: Desk, key: Path<(Uuid, i32)>) -> Result<HttpResponse, Denied> {
    let key = key.into_inner();
    let (shell, (found, source)) = desk
        .read(&viewer, "ledger", move |conn| {
            Ok((report::one(conn, key)?, report::sources(conn, &[key.0])?.remove(&key.0)))
        })
        .await?;
    let stored = found.ok_or_else(|| nothing("journal entry"))?;
    let page = EntryPage {
        shell,
        reference: ledger::reference(stored.source, stored.number),
        kind: stored.kind.clone(),
        at: When(stored.posted_at),
        order: words::source_titled(stored.source, &source.unwrap_or(Source::Settlement)),
        digest: hex::encode(&stored.digest),
        total: words::amount(one_side(&stored), &stored.currency),
        events: events(&stored),
        postings: order::entry(&stored).postings,
    };
    desk.show(&page)
}

fn events(stored: &StoredEntry) -> Vec<Link> {
    let link = |posting: &crate::core::journal::Posting| {
        let (event, to) = (posting.event?, posting.distributor.as_ref()?);
        let amount = words::amount(-posting.amount, &stored.currency);
        Some(Link::new(format!("/admin/events/{event}"), format!("{amount} to {to}")))
    };
    stored.postings.iter().filter_map(link).collect()
}
