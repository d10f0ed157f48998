//! One commission event, rebuilt by hand: store, order, line, class, path, rate, rounding, posting.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::code::Code;
use super::desk::{Desk, nothing};
use super::explain_run;
use super::format::{self, Amount, Link, Pill, When};
use super::order::{Names, Rung, names, upline};
use super::shell::Shell;
use super::words;
use crate::core::attribution::PLACE_MANUAL;
use crate::core::engine::{Award, Visited};
use crate::distributors;
use crate::proof::{self, Explanation};
use crate::web::error::Refusal;
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/explain.html")]
pub struct ExplainPage {
    pub shell: Shell,
    pub event_id: String,
    pub amount: Amount,
    pub kind: Pill,
    pub at: When,
    pub distributor: Link,
    pub order: Link,
    /// One sentence that says it all.
    pub summary: String,
    pub steps: Vec<ExplainStep>,
    pub path: Vec<Rung>,
    /// Of a period's event: whose volume it is made of.
    pub parts: Vec<Part>,
    pub more_parts: String,
    /// Of a period's event: everybody that the volume of its greatest parts came to.
    pub ways: Vec<Way>,
    pub snapshot: Code,
}

pub struct Part {
    pub source: Link,
    /// The position that it was matched for; empty for most.
    pub place: String,
    pub level: String,
    /// The period that the volume is of.
    pub period: String,
    pub base: String,
    pub rate: String,
    pub exact: String,
    /// The source's orders, from the period's end back.
    pub orders: Option<String>,
}

pub struct Way {
    pub source: Link,
    pub rungs: Vec<Rung>,
}

pub struct ExplainStep {
    pub title: String,
    pub text: String,
    /// The arithmetic, as somebody would write it on paper.
    pub sum: String,
    pub link: Option<Link>,
}

/// An event of a run is explained by calculating the run again.
async fn of_run(viewer: &Viewer, desk: &Desk, id: Uuid) -> Result<HttpResponse, Denied> {
    let turn = desk.state.turns.take()?;
    let read = desk.read(viewer, "ledger", move |conn| {
        let _turn = turn;
        explain_run::read(conn, id)
    });
    let (shell, found) = read.await?;
    match found.ok_or_else(|| nothing("commission event"))? {
        Ok(found) => desk.show(&explain_run::page(shell, &found)),
        Err(problem) => {
            let unable = format!("the run cannot be calculated again: {problem}");
            Err(Refusal::new(StatusCode::CONFLICT, "not_explained", unable).into())
        }
    }
}

pub async fn page(viewer: Viewer, desk: Desk, id: Path<Uuid>) -> Result<HttpResponse, Denied> {
    let id = id.into_inner();
    let (shell, found) = desk
        .read(&viewer, "ledger", move |conn| {
            let Some(told) = proof::explain(conn, id)? else { return Ok(None) };
            let ids: Vec<String> = told.upline.iter().map(|member| member.distributor.0.clone()).collect();
            Ok(Some((names(distributors::profiles(conn, &ids)?), told)))
        })
        .await?;
    let Some((names, told)) = found else { return of_run(&viewer, &desk, id).await };
    let snapshot = serde_json::to_string(&told).unwrap_or_default();
    let page = ExplainPage {
        shell,
        event_id: told.event_id.to_string(),
        amount: words::amount(told.amount, &told.currency),
        kind: words::kind(&told.kind),
        at: When(told.created_at),
        distributor: upline::named(&told.distributor_id, &names),
        order: words::order_link(told.order_id, format!("Order {}", told.external_id)),
        summary: summary(&told),
        steps: steps(&told),
        path: path(&told, &names),
        parts: vec![],
        more_parts: String::new(),
        ways: vec![],
        snapshot: Code::json("Everything behind this event", &snapshot),
    };
    desk.show(&page)
}

fn summary(told: &Explanation) -> String {
    let money = |amount| words::amount(amount, &told.currency);
    match &told.award {
        Some(award) if told.posted_before.is_zero() => {
            format!(
                "{} on level {}: {} of {}.",
                told.bonus,
                told.level,
                format::percent(award.rate),
                money(award.base)
            )
        }
        Some(_) => format!(
            "{} on level {}: it should stand at {}, and {} was posted before.",
            told.bonus,
            told.level,
            money(told.target()),
            money(told.posted_before)
        ),
        None => format!(
            "{} on level {} pays nothing any more ({}); what was posted before is taken back.",
            told.bonus, told.level, told.order_status
        ),
    }
}

fn steps(told: &Explanation) -> Vec<ExplainStep> {
    let mut steps = vec![delivery_step(told), attribution_step(told)];
    steps.extend(line_step(told));
    steps.push(ExplainStep {
        title: format!("The plan {}", told.plan_name),
        text: format!("effective at the order's time, {}", When(told.ordered_at).utc()),
        sum: String::new(),
        link: Some(Link::new(format!("/admin/plans/{}", told.plan_hash), "read it")),
    });
    steps.extend(told.award.as_ref().map(|award| rate_step(told, award)));
    steps.push(difference_step(told));
    steps.push(ExplainStep {
        title: "Posted".to_owned(),
        text: format!("in the journal at {}", When(told.created_at).utc()),
        sum: String::new(),
        link: Some(Link::new(format!("/admin/ledger/entries/{}", told.journal_entry), "the entry")),
    });
    steps
}

fn delivery_step(told: &Explanation) -> ExplainStep {
    let last = told.deliveries.last().map(|id| words::delivery_link(*id, "the delivery"));
    let count = told.deliveries.len();
    let times = if count == 1 {
        "one delivery".to_owned()
    } else {
        format!("{count} deliveries, the latest decides")
    };
    ExplainStep {
        title: format!("The store {} told order {}", told.store, told.external_id),
        text: format!("{}, by {times}", told.platform),
        sum: String::new(),
        link: last,
    }
}

fn attribution_step(told: &Explanation) -> ExplainStep {
    let found = &told.attributed;
    let link = Some(words::distributor_link(found.distributor.as_str()));
    if found.place == PLACE_MANUAL {
        return ExplainStep {
            title: format!("A person decided for distributor {}", found.distributor),
            text: "whatever the store's places say".to_owned(),
            sum: String::new(),
            link,
        };
    }
    ExplainStep {
        title: format!("It names distributor {}", found.distributor),
        text: "the first of the store's places that names somebody".to_owned(),
        sum: format!("{} = {:?}", found.place, found.value),
        link,
    }
}

fn line_step(told: &Explanation) -> Option<ExplainStep> {
    let line = told.line.as_ref()?;
    let money = |amount: Decimal| words::amount(amount, &told.currency).number;
    let class = line.commission_class.as_deref().unwrap_or("none");
    let spread = if line.estimated { ", spread over the order" } else { "" };
    Some(ExplainStep {
        title: format!("Line {}: {}", line.line, line.title),
        text: format!("commission class {class}, SKU {}", line.sku_id.as_deref().unwrap_or("–")),
        sum: format!(
            "gross {} − discount {} − tax inside {} − taken back {}{spread} = net {}",
            money(line.gross),
            money(line.discount),
            money(line.included_tax),
            money(line.refunded),
            money(line.net)
        ),
        link: line.mapping_id.map(|id| Link::new(format!("/admin/skus/{id}"), "the mapping")),
    })
}

fn rate_step(told: &Explanation, award: &Award) -> ExplainStep {
    let exact = award.base.checked_mul(award.rate).map(format::plain).unwrap_or_default();
    let amount = words::amount(award.amount, &told.currency);
    let rounded = if exact == format::plain(award.amount) {
        String::new()
    } else {
        format!(" ≈ {amount}, rounded as the plan says")
    };
    ExplainStep {
        title: format!("{}, level {}", told.bonus, told.level),
        text: format!("pays {} on this level", format::percent(award.rate)),
        sum: format!("{} × {} = {exact}{rounded}", format::plain(award.base), format::plain(award.rate)),
        link: None,
    }
}

fn difference_step(told: &Explanation) -> ExplainStep {
    let money = |amount| words::amount(amount, &told.currency);
    ExplainStep {
        title: "The difference to what stood posted".to_owned(),
        text: "only a difference is ever posted".to_owned(),
        sum: format!(
            "{} − {} = {}",
            money(told.target()).number,
            money(told.posted_before).number,
            money(told.amount)
        ),
        link: None,
    }
}

/// Who was visited on the way up; the event's own rung shows its amount.
fn path(told: &Explanation, names: &Names) -> Vec<Rung> {
    let Some(walk) = &told.walk else { return vec![] };
    let rung = |visited: &Visited| {
        let member = told.upline.iter().find(|member| member.distributor == visited.distributor);
        let own = visited.distributor.as_str() == told.distributor_id
            && visited.level.is_some_and(|level| i32::from(level) == i32::from(told.level));
        Rung {
            level: visited.level.map_or_else(|| "–".to_owned(), |level| level.to_string()),
            distributor: upline::named(visited.distributor.as_str(), names),
            standing: member.map_or_else(|| words::status_named("?"), |member| words::status(member.status)),
            skipped: words::skipped(&visited.finding),
            rate: if own { "this event".to_owned() } else { String::new() },
            amount: own.then(|| words::amount(told.target(), &told.currency)),
        }
    };
    walk.visited.iter().map(rung).collect()
}
