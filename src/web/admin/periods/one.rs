//! The page of one period: where it is in its life, the one next step, its runs, and who did what.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use serde_json::Value;

use super::super::desk::{Desk, nothing};
use super::super::format::{self, Amount, Link, Pill, When};
use super::super::shell::Shell;
use super::super::words;
use super::life::{self, Onlooker, Step};
use super::{Told, kind, plural, run_address, run_status, status};
use crate::access::Role;
use crate::reports::periods::{self as report, Change, Period, Placed, Run};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/period.html")]
pub struct PeriodPage {
    pub shell: Shell,
    pub name: String,
    pub address: String,
    pub status: Pill,
    pub starts: When,
    pub ends: When,
    pub steps: Vec<Step>,
    pub figures: Vec<Figure>,
    pub facts: Vec<(String, String)>,
    pub plan: Option<Link>,
    pub runs: Vec<RunRow>,
    pub history: Vec<Done>,
    pub is_admin: bool,
    /// A frozen period without an approved run can be opened up again.
    pub can_unfreeze: bool,
    pub adjustment: Option<Adjustment>,
    /// What a soft close would not wait for; empty for nothing.
    pub backlog: String,
}

pub struct Figure {
    pub label: String,
    pub value: String,
    pub under: String,
    pub href: String,
}

pub struct RunRow {
    pub link: Link,
    pub kind: Pill,
    pub status: Pill,
    pub paid: Option<Amount>,
    pub share: String,
    /// The first digits of the result's hash: equal ones are equal results.
    pub hash: String,
    pub by: String,
    pub at: When,
    /// Another run to lay beside it.
    pub compare: Option<String>,
}

pub struct Done {
    pub text: String,
    pub detail: String,
    pub by: String,
    pub at: When,
}

/// Closed periods that stand otherwise by now.
pub struct Adjustment {
    pub periods: Vec<Link>,
    pub text: String,
}

struct Found {
    period: Period,
    runs: Vec<Run>,
    changes: Vec<Change>,
    placed: Placed,
    changed: Vec<String>,
    before: Vec<(String, String)>,
    backlog: i64,
}

pub async fn page(viewer: Viewer, desk: Desk, name: Path<String>) -> Result<HttpResponse, Denied> {
    let (name, plans) = (name.into_inner(), desk.state.plans.clone());
    let (shell, found) = desk
        .read(&viewer, "periods", move |conn| {
            let Some(period) = report::named(conn, &name)? else { return Ok(None) };
            let runs = report::runs(conn, period.period_id)?;
            let changes = report::changes(conn, period.period_id)?;
            let placed = report::placed(conn, period.starts_at, period.ends_at)?;
            let changed = match period.status.as_str() {
                "open" | "soft_closed" => crate::periods::changed_since(conn)?,
                _ => vec![],
            };
            let before = report::unfinished(conn, period.starts_at)?;
            let backlog = match period.status.as_str() {
                "open" => crate::periods::backlog(conn)?,
                _ => 0,
            };
            let found = Found { period, runs, changes, placed, changed, before, backlog };
            Ok(Some((found, plans.get(conn)?)))
        })
        .await?;
    let (found, plans) = found.ok_or_else(|| nothing("period"))?;
    let hash = found.period.plan_hash.as_deref();
    let money = report::currency(&plans, hash, found.period.ends_at);
    let plan = match hash.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(crate::core::plan::PlanHash)
    {
        Some(hash) => plans.by_hash(hash),
        None => plans.at(found.period.ends_at - chrono::TimeDelta::microseconds(1)),
    };
    let plan = plan.map(|plan| Link::new(format!("/admin/plans/{}", plan.hash()), plan.name()));
    let is_admin = viewer.role >= Role::Admin;
    let who = Onlooker { email: &viewer.email, is_admin, now: desk.now(), before: &found.before };
    let decided = found
        .runs
        .iter()
        .any(|run| run.kind == "official" && matches!(run.status.as_str(), "approved" | "posted"));
    let page = PeriodPage {
        shell,
        address: super::address(&found.period.name),
        status: status(&found.period.status),
        starts: When(found.period.starts_at),
        ends: When(found.period.ends_at),
        steps: life::steps(&found.period, &found.runs, &found.changes, &who),
        figures: figures(&found, &money),
        facts: facts(&found.period),
        plan,
        runs: rows(&found.runs, &money),
        history: found.changes.iter().map(done).collect(),
        can_unfreeze: is_admin && found.period.status == "frozen" && !decided,
        adjustment: adjustment(&found.changed),
        backlog: match found.backlog {
            0 => String::new(),
            waiting => format!("{} not processed yet may count in the next period", plural(waiting, "event")),
        },
        name: found.period.name,
        is_admin,
    };
    desk.show(&page)
}

fn figures(found: &Found, currency: &str) -> Vec<Figure> {
    let figure = |label: &str, value: String, under: String, href: &str| Figure {
        label: label.to_owned(),
        value,
        under,
        href: href.to_owned(),
    };
    let told = Told::of(found.period.summary.as_ref());
    let placed = &found.placed;
    let mut figures = vec![match &told {
        Some(told) => figure("Orders", format::count(told.orders), "up to the cut-off".to_owned(), ""),
        None => figure(
            "Orders so far",
            format::count_up_to(placed.orders, report::ENOUGH),
            "placed in its time and known by now".to_owned(),
            "",
        ),
    }];
    if let Some(told) = &told {
        let share = told.share.map_or_else(String::new, |share| format!("{} of CV", format::percent(share)));
        figures.push(figure("CV", format::grouped(&format::plain(told.cv)), String::new(), ""));
        figures.push(figure("Commissions", words::amount(told.paid, currency).to_string(), share, ""));
    }
    figures.push(figure(
        "Held value",
        words::amount(placed.held_net, currency).to_string(),
        match placed.held {
            0 => "no order of its time waits".to_owned(),
            held => format!("{} of its time; released later they count later", plural(held, "order")),
        },
        "/admin/held",
    ));
    figures
}

fn facts(period: &Period) -> Vec<(String, String)> {
    let told = [
        ("From", Some(When(period.starts_at).utc())),
        ("Until", Some(When(period.ends_at).utc())),
        ("Cut-off", period.cutoff_seq.map(|seq| format!("fact {}", format::count(seq)))),
        ("People as known at", period.known_at.map(|at| When(at).utc())),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Each run can be laid beside the newest other one that has a result.
fn rows(runs: &[Run], currency: &str) -> Vec<RunRow> {
    let has_result = |run: &&Run| run.result_hash.is_some() && run.kind != "adjustment";
    let row = |run: &Run| {
        let told = Told::of(run.summary.as_ref());
        let other = runs.iter().filter(has_result).find(|other| other.run_id != run.run_id);
        let hash = run.result_hash.as_deref().map(hex::encode).unwrap_or_default();
        RunRow {
            link: Link::new(run_address(run.run_id), When(run.created_at).minute()),
            kind: kind(&run.kind),
            status: run_status(&run.status),
            paid: told.as_ref().map(|told| words::amount(told.paid, currency)),
            share: told.as_ref().and_then(|told| told.share).map_or_else(String::new, format::percent),
            compare: other
                .filter(|_| has_result(&run))
                .map(|other| format!("{}/compare?with={}", run_address(run.run_id), other.run_id)),
            hash: hash.chars().take(12).collect(),
            by: run.created_by.clone(),
            at: When(run.created_at),
        }
    };
    runs.iter().map(row).collect()
}

fn done(change: &Change) -> Done {
    Done {
        text: words_of(&change.change),
        detail: detail(&change.detail),
        by: change.changed_by.clone(),
        at: When(change.changed_at),
    }
}

/// `soft_close` becomes `Soft close`.
fn words_of(change: &str) -> String {
    let text = change.replace(['_', '.'], " ");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn detail(detail: &Value) -> String {
    let Value::Object(fields) = detail else { return String::new() };
    let told = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        format!("{} {text}", name.replace('_', " "))
    };
    fields.iter().filter(|(_, value)| !value.is_null()).map(told).collect::<Vec<_>>().join(", ")
}

fn adjustment(changed: &[String]) -> Option<Adjustment> {
    if changed.is_empty() {
        return None;
    }
    Some(Adjustment {
        periods: changed.iter().map(|name| Link::new(super::address(name), name.as_str())).collect(),
        text: format!(
            "Orders of {} changed after the close. An adjustment run says what that takes back or adds, and posts it \
             here.",
            plural(i64::try_from(changed.len()).unwrap_or(i64::MAX), "closed period")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::run;
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn a_run_is_compared_with_another_one_that_has_a_result() {
        let other = Run { run_id: Uuid::from_u128(7), ..run("discarded") };
        let empty = Run { run_id: Uuid::from_u128(8), result_hash: None, ..run("running") };
        let rows = rows(&[empty, run("review"), other], "USD");
        let links: Vec<bool> = rows.iter().map(|row| row.compare.is_some()).collect();
        assert_eq!(links, [false, true, true]);
        assert!(rows[1].compare.as_ref().unwrap().ends_with(&Uuid::from_u128(7).to_string()));
        assert_eq!(super::super::testing::ana(), rows[1].by);
    }

    #[test]
    fn history_is_told_in_words() {
        assert_eq!(words_of("soft_close"), "Soft close");
        assert_eq!(detail(&json!({"cutoff_seq": 41, "run_id": null})), "cutoff seq 41");
    }
}
