//! Distributors: the list, one person's page, and the sponsor tree that opens branch by branch.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::desk::{Desk, nothing};
use super::format::{Amount, Link, Pager, Pill, When};
use super::held::mend::date;
use super::order::{Names, names};
use super::shell::Shell;
use super::words;
use crate::core::genealogy::{Genealogy, Node as Place, Status};
use crate::core::ids::DistributorId;
use crate::core::journal::Account;
use crate::db::DbError;
use crate::distributors::{self, Profile};
use crate::ledger;
use crate::reports::Conn;
use crate::reports::distributors::{self as report, Filter};
use crate::web::session::{Denied, Viewer};

/// Children of one distributor that are shown before the rest is only counted.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "admin/distributors.html")]
pub struct DistributorsPage {
    pub shell: Shell,
    pub filter: Filter,
    pub statuses: Vec<&'static str>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub struct Row {
    pub id: String,
    pub name: String,
    pub status: Pill,
    pub sponsor: Option<Link>,
    pub rank: String,
    pub country: String,
    pub joined: When,
}

#[derive(Template)]
#[template(path = "admin/distributor.html")]
pub struct DistributorPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub status: Pill,
    pub facts: Vec<(String, String)>,
    pub codes: Vec<String>,
    /// What stands to be paid, by currency.
    pub payable: Vec<Amount>,
    pub standing: Vec<Standing>,
    pub statement: Vec<StatementRow>,
    pub pager: Pager,
    /// `2026-11-21`, empty for now.
    pub as_of: String,
    pub upline: Vec<Node>,
    pub downline: Branch,
}

/// What was true from an instant on.
pub struct Standing {
    pub from: Option<When>,
    pub status: Pill,
    pub sponsor: Option<Link>,
    pub rank: String,
    pub recorded_at: When,
    pub recorded_by: String,
}

pub struct StatementRow {
    pub event_id: String,
    pub at: When,
    pub order: Link,
    pub kind: Pill,
    pub bonus: String,
    pub level: String,
    pub amount: Amount,
}

/// The children of one distributor; also the answer to the request that opens a branch.
#[derive(Template)]
#[template(path = "admin/branch.html")]
pub struct Branch {
    pub as_of: String,
    pub nodes: Vec<Node>,
    /// Children beyond those that are shown.
    pub more: usize,
    pub parent: String,
}

pub struct Node {
    pub id: String,
    pub name: String,
    pub status: Pill,
    pub rank: String,
    pub children: usize,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    after: String,
}

pub async fn list(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let Asked { q, status, after } = asked.into_inner();
    let filter = Filter { q, status };
    let (wanted, key) = (filter.clone(), after.clone());
    let (shell, found) =
        desk.read(&viewer, "distributors", move |conn| report::list(conn, &wanted, &key)).await?;
    let here = |after: &str| {
        let pairs = [("q", filter.q.as_str()), ("status", &filter.status), ("after", after)];
        words::address("/admin/distributors", &pairs)
    };
    let page = DistributorsPage {
        shell,
        statuses: Status::ALL.iter().map(|status| status.name()).collect(),
        pager: Pager {
            shown: found.rows.len(),
            first: (!after.is_empty()).then(|| here("")),
            next: found.next.map(|id| here(&id)),
        },
        rows: found.rows.into_iter().map(row).collect(),
        filter,
    };
    desk.show(&page)
}

fn row(profile: Profile) -> Row {
    Row {
        status: words::status_named(&profile.status),
        sponsor: profile.sponsor_id.as_deref().map(words::distributor_link),
        joined: When(profile.created_at),
        id: profile.distributor_id,
        name: profile.name.unwrap_or_default(),
        rank: profile.rank.unwrap_or_default(),
        country: profile.country.unwrap_or_default(),
    }
}

#[derive(Deserialize)]
pub struct At {
    /// A day; the tree is shown as it stood at its end.
    #[serde(default)]
    as_of: String,
    before: Option<Uuid>,
}

pub async fn one(
    viewer: Viewer,
    desk: Desk,
    id: Path<String>,
    at: Query<At>,
) -> Result<HttpResponse, Denied> {
    let (id, At { as_of, before }) = (id.into_inner(), at.into_inner());
    let (networks, now, day) = (desk.state.networks.clone(), desk.now(), as_of.clone());
    let wanted = id.clone();
    let (shell, found) = desk
        .read(&viewer, "distributors", move |conn| {
            let Some(profile) = distributors::profiles(conn, std::slice::from_ref(&wanted))?.pop() else {
                return Ok(None);
            };
            let network = networks.get(conn)?;
            let tree = tree(conn, &network.genealogy, &wanted, &day, now)?;
            let money = ledger::payable(conn, &wanted)?;
            let versions = report::versions(conn, &wanted)?;
            let codes = report::codes(conn, &wanted)?;
            Ok(Some((profile, tree, money, versions, codes, report::statement(conn, &wanted, before)?)))
        })
        .await?;
    let (profile, (upline, downline), money, versions, codes, statement) =
        found.ok_or_else(|| nothing("distributor"))?;
    let path = format!("/admin/distributors/{}", words::encoded(&id));
    let older = |before: &str| words::address(&path, &[("as_of", &as_of), ("before", before)]);
    let payable = money.iter().filter(|balance| balance.account == Account::CommissionPayable.number());
    let page = DistributorPage {
        shell,
        name: profile.name.clone().unwrap_or_default(),
        status: words::status_named(&profile.status),
        facts: facts(&profile),
        codes,
        // A credit balance is what we owe.
        payable: payable.map(|balance| words::amount(-balance.amount, &balance.currency)).collect(),
        standing: versions.into_iter().map(standing).collect(),
        pager: Pager {
            shown: statement.rows.len(),
            first: before.map(|_| older("")),
            next: statement.next.map(|id| older(&id.to_string())),
        },
        statement: statement.rows.into_iter().map(earned).collect(),
        upline,
        downline,
        as_of,
        id,
    };
    desk.show(&page)
}

fn facts(profile: &Profile) -> Vec<(String, String)> {
    let told = [
        ("Sponsor", profile.sponsor_id.clone()),
        ("Rank", profile.rank.clone()),
        ("Country", profile.country.clone()),
        ("E-mail", profile.email.clone()),
        ("Tax id", profile.tax_id.as_deref().map(masked)),
        ("Enrolled", Some(When(profile.created_at).minute())),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The last digits are enough to recognise it.
fn masked(tax_id: &str) -> String {
    let letters: Vec<char> = tax_id.chars().collect();
    let shown = letters.len().saturating_sub(1).min(3);
    let end: String = letters.iter().skip(letters.len() - shown).collect();
    format!("••• {end}")
}

fn standing(version: report::Version) -> Standing {
    Standing {
        from: version.effective_from.map(When),
        status: words::status_named(&version.status),
        sponsor: version.sponsor_id.as_deref().map(words::distributor_link),
        rank: version.rank.unwrap_or_default(),
        recorded_at: When(version.recorded_at),
        recorded_by: version.recorded_by,
    }
}

fn earned(found: report::Earned) -> StatementRow {
    StatementRow {
        event_id: found.event_id.to_string(),
        at: When(found.created_at),
        order: words::source_link(found.order_id, &found.source()),
        kind: words::kind(&found.kind),
        level: found.level.to_string(),
        amount: words::amount(found.amount, &found.currency),
        bonus: found.bonus,
    }
}

/// The branch that opens below a distributor.
pub async fn children(
    _viewer: Viewer,
    desk: Desk,
    id: Path<String>,
    at: Query<At>,
) -> Result<HttpResponse, Denied> {
    let (id, day, now) = (id.into_inner(), at.into_inner().as_of, desk.now());
    let networks = desk.state.networks.clone();
    let read = desk.state.db.read_async(crate::db::Lane::Admin, move |conn| {
        let network = networks.get(conn)?;
        Ok(tree(conn, &network.genealogy, &id, &day, now)?.1)
    });
    let branch = read.await.map_err(crate::web::error::Refusal::from)?;
    desk.show(&branch)
}

/// The upline from the top down, and the children, as of the end of a day.
fn tree(
    conn: &mut Conn,
    genealogy: &Genealogy,
    id: &str,
    day: &str,
    now: DateTime<Utc>,
) -> Result<(Vec<Node>, Branch), DbError> {
    let asked = date(day).ok().flatten().map(|start| start + TimeDelta::days(1));
    let at = asked.unwrap_or(now);
    let empty = Branch { as_of: day.to_owned(), nodes: vec![], more: 0, parent: id.to_owned() };
    let Some(place) = genealogy.node(&DistributorId::new(id)) else { return Ok((vec![], empty)) };
    let mut upline: Vec<Place> = genealogy.upline_at(place, at).map(|(place, _)| place).skip(1).collect();
    upline.reverse();
    let mut below: Vec<Place> = genealogy.children_at(place, at).collect();
    let more = below.len().saturating_sub(SHOWN);
    below.truncate(SHOWN);
    let ids: Vec<String> = upline.iter().chain(&below).map(|place| genealogy.id(*place).to_owned()).collect();
    let names = names(distributors::profiles(conn, &ids)?);
    let node = |place: Place| node(genealogy, place, at, &names);
    let nodes = below.into_iter().map(node).collect();
    Ok((upline.into_iter().map(node).collect(), Branch { nodes, more, ..empty }))
}

fn node(genealogy: &Genealogy, place: Place, at: DateTime<Utc>, names: &Names) -> Node {
    let id = genealogy.id(place).to_owned();
    let standing = genealogy.standing_at(place, at);
    Node {
        name: names.get(&id).cloned().unwrap_or_default(),
        status: standing.map_or_else(|| words::status_named("?"), |standing| words::status(standing.status)),
        rank: standing.and_then(|standing| standing.rank).unwrap_or_default().to_owned(),
        children: genealogy.children_at(place, at).count(),
        id,
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_tax_id_is_never_shown_whole() {
        assert_eq!(masked("123-45-6789"), "••• 789");
        assert_eq!(masked("7"), "••• ");
        assert_eq!(masked(""), "••• ");
    }
}
