//! Publishing a plan: first the page that says what it would change and release, then, confirmed, the deed.
//!
//! What is published is what the page showed: another date, or another publication in the meantime, shows the
//! page again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::desk::Desk;
use super::field::Wrong;
use super::format::{Amount, Link, When, count};
use super::plans::{Change, Section, as_written, checked};
use super::shell::Shell;
use super::{plan_words, words};
use crate::access::audit;
use crate::core::assess::Hold;
use crate::core::plan::Plan;
use crate::db::DbError;
use crate::orders::{self, Waiting};
use crate::plans::{self, Publication, PublishProblem, Published};
use crate::web::session::{Admin, Denied, Form};

#[derive(Template)]
#[template(path = "admin/plan_publish.html")]
pub struct PublishPage {
    pub shell: Shell,
    pub document: String,
    pub name: String,
    pub hash: String,
    pub zone: String,
    pub date: String,
    pub time: String,
    pub wrong: Wrong,
    /// What the page shows; sent back with the confirmation.
    pub previewed: String,
    pub preview: Option<Preview>,
}

/// What publishing from that instant would do.
pub struct Preview {
    pub from: When,
    /// When a plan that is published already takes over again.
    pub until: Option<When>,
    /// The plan that decides at that instant until now.
    pub before: Option<Link>,
    pub changes: Vec<Change>,
    /// In words, where there is nothing to compare with.
    pub sections: Vec<Section>,
    pub is_past: bool,
    pub releases: Vec<Release>,
}

/// Held orders that are looked at again.
pub struct Release {
    pub reason: &'static str,
    pub orders: String,
    pub amounts: Vec<Amount>,
}

#[derive(Deserialize)]
pub struct Wish {
    document: String,
    /// As the clocks of the plan's zone show it; empty on the way to the page.
    #[serde(default)]
    date: String,
    #[serde(default)]
    time: String,
    #[serde(default)]
    confirm: String,
    #[serde(default)]
    previewed: String,
    /// The button.
    #[serde(default)]
    step: String,
}

/// What a plan can be the remedy for.
const WAITED: [Hold; 3] = [Hold::NoPlan, Hold::OtherCurrency, Hold::UnknownClass];

pub async fn publish(admin: Admin, desk: Desk, form: Form<Wish>) -> Result<HttpResponse, Denied> {
    let mut wish = form.0;
    wish.document = as_written(&wish.document);
    let Ok(plan) = Plan::parse(&wish.document) else { return checked(&admin, &desk, wish.document).await };
    let known = desk.state.plans.clone();
    let read = desk.read(&admin, "plans", move |conn| {
        let waiting = WAITED.map(|hold| orders::waiting(conn, hold, "").map(|waiting| (hold, waiting)));
        let waiting = waiting.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok((plans::publications(conn)?, known.get(conn)?, waiting))
    });
    let (mut shell, (publications, published, waiting)) = read.await?;
    shell.here = "/admin/plans".to_owned();
    if wish.date.is_empty() && wish.step.is_empty() {
        (wish.date, wish.time) = usual_start(&plan, publications.is_empty(), desk.now());
    }
    let from = instant(&plan, &wish.date, &wish.time);
    let token = from.as_ref().map_or_else(|_| String::new(), |from| shown(&plan, *from, &publications));
    let wrong = wrong(&wish, &plan, from.as_ref().err(), &token);
    if let (Ok(from), "publish", true) = (&from, wish.step.as_str(), wrong.is_empty()) {
        return deed(&admin, &desk, wish.document, *from).await;
    }
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let preview = from.ok().map(|from| preview(&plan, from, desk.now(), &publications, &published, &waiting));
    let page = PublishPage {
        shell,
        document: wish.document,
        name: plan.name().to_owned(),
        hash: plan.hash().to_string(),
        zone: plan.period().zone.name().to_owned(),
        date: wish.date,
        time: wish.time,
        wrong,
        previewed: token,
        preview,
    };
    desk.show_as(status, &page)
}

/// The next period's begin; the running one's for the very first plan, because orders wait for it.
fn usual_start(plan: &Plan, first: bool, now: DateTime<Utc>) -> (String, String) {
    let Some((start, next)) = plan.period().bounds(now) else { return (String::new(), String::new()) };
    let local = if first { start } else { next }.with_timezone(&plan.period().zone);
    (local.format("%Y-%m-%d").to_string(), local.format("%H:%M").to_string())
}

fn instant(plan: &Plan, date: &str, time: &str) -> Result<DateTime<Utc>, (&'static str, String)> {
    let day = NaiveDate::parse_from_str(date.trim(), "%Y-%m-%d").ok();
    let day = day.filter(|day| (2000..2200).contains(&day.year()));
    let day = day.ok_or_else(|| ("date", "Choose a day, such as 2026-12-01.".to_owned()))?;
    let time = match time.trim() {
        "" => Some(NaiveTime::MIN),
        text => ["%H:%M", "%H:%M:%S"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok()),
    };
    let time = time.ok_or_else(|| ("time", "Write it as 00:00 or leave it empty.".to_owned()))?;
    let instant = plan.period().instant(day.and_time(time));
    instant.ok_or_else(|| ("time", "The clocks of the plan's zone never show this time.".to_owned()))
}

/// Names what a page was about: the plan, the instant, and what had been published then.
fn shown(plan: &Plan, from: DateTime<Utc>, publications: &[Publication]) -> String {
    let last = publications.iter().map(|publication| publication.publication_no).max().unwrap_or(0);
    format!("{} {} {last}", plan.hash(), When(from).iso())
}

fn wrong(wish: &Wish, plan: &Plan, date: Option<&(&'static str, String)>, token: &str) -> Wrong {
    let mut wrong = Wrong::default();
    if let Some((field, text)) = date {
        wrong.add(field, text.clone());
    }
    if wish.step != "publish" || !wrong.is_empty() {
        return wrong;
    }
    if wish.previewed != token {
        wrong.add(
            "confirm",
            "This page is about another date, or another plan was published meanwhile. Look again.",
        );
    } else if wish.confirm.trim() != plan.name().trim() {
        wrong.add("confirm", format!("Type {} to confirm.", plan.name()));
    }
    wrong
}

fn preview(
    plan: &Plan,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
    publications: &[Publication],
    published: &Published,
    waiting: &[(Hold, Vec<Waiting>)],
) -> Preview {
    let after = plan.describe();
    let before = published.at(from).map(|plan| plan.describe());
    let changes = before.as_ref().map_or_else(Vec::new, |before| plan_words::changes(before, &after));
    let later = publications.iter().find(|publication| publication.effective_from > from);
    Preview {
        from: When(from),
        until: later.map(|publication| When(publication.effective_from)),
        sections: if before.is_none() { plan_words::sections(&after) } else { vec![] },
        before: before.map(|before| Link::new(format!("/admin/plans/{}", before.hash), before.name)),
        changes,
        is_past: from < now,
        releases: waiting.iter().filter(|(_, waiting)| !waiting.is_empty()).map(release).collect(),
    }
}

fn release((hold, waiting): &(Hold, Vec<Waiting>)) -> Release {
    let amount = |part: &Waiting| Some(words::amount(part.net, part.currency.as_deref()?));
    Release {
        reason: words::hold(hold.name()).0,
        orders: count(waiting.iter().map(|part| part.orders).sum()),
        amounts: waiting.iter().filter_map(amount).collect(),
    }
}

async fn deed(
    admin: &Admin,
    desk: &Desk,
    document: String,
    from: DateTime<Utc>,
) -> Result<HttpResponse, Denied> {
    let (by, now) = (admin.email.clone(), desk.now());
    let written = desk.write(move |tx| {
        let plan = plans::publish(tx, &document, from, &by, now).map_err(|problem| match problem {
            PublishProblem::Db(error) => error,
            invalid => DbError::Invariant(invalid.to_string()),
        })?;
        let detail = json!({"hash": plan.hash().to_string(), "from": from});
        audit::record(tx, &by, "plan.publish", plan.id(), detail, now)?;
        Ok((orders::review_all_of(tx, &WAITED, now)?, plan))
    });
    let (reviewed, plan) = written.await?;
    let local = from.with_timezone(&plan.period().zone).format("%Y-%m-%d %H:%M");
    let mut text = format!("{} decides from {local} ({}) on.", plan.name(), plan.period().zone.name());
    match reviewed {
        0 => {}
        1 => text.push_str(" One held order is looked at again."),
        more => text.push_str(&format!(" {more} held orders are looked at again.")),
    }
    Ok(desk.done(&format!("/admin/plans/{}", plan.hash()), &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let text = include_str!("../../../config/plans/affiliate.toml");
        Plan::parse(&text.replace("zone = \"UTC\"", "zone = \"America/New_York\"")).unwrap()
    }

    #[test]
    fn days_begin_where_the_plan_lives() {
        let at = |date, time| instant(&plan(), date, time).map(|at| at.to_rfc3339());
        assert_eq!(at("2026-12-01", ""), Ok("2026-12-01T05:00:00+00:00".to_owned()));
        assert_eq!(at("2026-07-01", "06:30"), Ok("2026-07-01T10:30:00+00:00".to_owned()));
        for (date, time, field) in [("", "", "date"), ("1-1-1", "", "date"), ("2026-01-01", "noon", "time")] {
            assert_eq!(at(date, time).unwrap_err().0, field, "{date} {time}");
        }
    }

    #[test]
    fn the_usual_start_is_a_periods_begin() {
        let now = "2026-11-21T15:00:00Z".parse().unwrap();
        assert_eq!(usual_start(&plan(), false, now), ("2026-12-01".to_owned(), "00:00".to_owned()));
        assert_eq!(usual_start(&plan(), true, now), ("2026-11-01".to_owned(), "00:00".to_owned()));
    }
}
