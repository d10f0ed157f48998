//! Distributors: the list and one person's page, with both trees around the person.

pub mod codes;
pub mod effect;
pub mod moving;
pub mod payee;
pub mod statement;
pub mod tree;

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::desk::{Desk, nothing};
use super::format::{Amount, Link, Pager, Pill, When};
use super::shell::Shell;
use super::words;
use crate::access::Role;
use crate::core::genealogy::Status;
use crate::core::journal::Account;
use crate::distributors::{self, Profile};
use crate::ledger;
use crate::reports::distributors::{self as report, Filter};
use crate::web::session::{Denied, Viewer};
pub use codes::Code;
pub use tree::{Branch, Node, Place, Places, Position};
use tree::{Grown, sponsor_tree, tree_kind};

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
    /// Where it is paid, and what keeps it from being paid.
    pub payee: (String, Pill),
    pub codes: Vec<Code>,
    /// What stands to be paid, by currency.
    pub payable: Vec<Amount>,
    pub standing: Vec<Standing>,
    pub statement: Vec<StatementRow>,
    pub pager: Pager,
    /// `2026-11-21`, empty for now.
    pub as_of: String,
    pub upline: Vec<Node>,
    pub downline: Branch,
    /// Whether anybody has a position.
    pub has_placement: bool,
    pub positions: Vec<Position>,
    pub can_move: bool,
    pub may_change: bool,
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
    /// Of the placement tree: the one that is shown of several, or whose branch opens.
    #[serde(default)]
    position: String,
    before: Option<Uuid>,
}

pub async fn one(
    viewer: Viewer,
    desk: Desk,
    id: Path<String>,
    at: Query<At>,
) -> Result<HttpResponse, Denied> {
    let (id, At { as_of, position, before }) = (id.into_inner(), at.into_inner());
    let (state, now, day) = (desk.state.clone(), desk.now(), as_of.clone());
    let wanted = id.clone();
    let (shell, found) = desk
        .read(&viewer, "distributors", move |conn| {
            let Some(profile) = distributors::profiles(conn, std::slice::from_ref(&wanted))?.pop() else {
                return Ok(None);
            };
            let network = state.networks.get(conn)?;
            let sponsors = sponsor_tree(conn, &network.genealogy, &wanted, &day, now)?;
            let placement = state.placements.get(conn)?;
            let tree = tree_kind(&*state.plans.get(conn)?, now);
            let grown = Grown { placement: &placement, tree, day: &day, now };
            let placed = (!placement.is_empty(), grown.around(conn, &wanted, &position)?);
            let money = (ledger::payable(conn, &wanted)?, payee::Summary::of(conn, &wanted)?);
            let versions = report::versions(conn, &wanted)?;
            let codes = report::codes(conn, &wanted)?;
            let statement = report::statement(conn, &wanted, before)?;
            Ok(Some((profile, (sponsors, placed), money, versions, codes, statement)))
        })
        .await?;
    let (
        profile,
        ((upline, downline), (has_placement, positions)),
        (money, payee),
        versions,
        codes,
        statement,
    ) = found.ok_or_else(|| nothing("distributor"))?;
    let can_move = viewer.role >= Role::Admin;
    let path = format!("/admin/distributors/{}", words::encoded(&id));
    let older = |before: &str| words::address(&path, &[("as_of", &as_of), ("before", before)]);
    let payable = money.iter().filter(|balance| balance.account == Account::CommissionPayable.number());
    let page = DistributorPage {
        shell,
        name: profile.name.clone().unwrap_or_default(),
        status: words::status_named(&profile.status),
        facts: facts(&profile, &payee),
        payee: payee.told(now),
        codes: codes
            .into_iter()
            .map(|code| Code { link: desk.state.link(&distributors::link("", &code)), code })
            .collect(),
        may_change: viewer.role >= Role::Operator,
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
        has_placement,
        positions,
        can_move,
        as_of,
        id,
    };
    desk.show(&page)
}

fn facts(profile: &Profile, payee: &payee::Summary) -> Vec<(String, String)> {
    let told = [
        ("Sponsor", profile.sponsor_id.clone()),
        ("Rank", profile.rank.clone()),
        ("Country", profile.country.clone()),
        ("E-mail", profile.email.clone()),
        ("Tax id", payee.tax_id()),
        ("Enrolled", Some(When(profile.created_at).minute())),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
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
