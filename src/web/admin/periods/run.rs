//! The page of one run: how far it is while it works, and its review afterwards.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::super::desk::{Desk, nothing};
use super::super::format::{self, Link, Pill, When};
use super::super::shell::Shell;
use super::review::{self, Review};
use super::{kind, run_address, run_status};
use crate::access::{Role, Session};
use crate::db::Lane;
use crate::reports::periods::{self as report, Run};
use crate::web::error::Refusal;
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/run.html")]
pub struct RunPage {
    pub shell: Shell,
    pub address: String,
    pub id: String,
    pub period: Link,
    pub kind: Pill,
    pub status: Pill,
    pub facts: Vec<(String, String)>,
    pub plan: Option<Link>,
    pub hash: String,
    pub progress: Option<Progress>,
    /// Why it ended without a result.
    pub problem: String,
    pub review: Option<Review>,
    pub next: Next,
    /// Whoever approves has to say that it is above the limit.
    pub over: bool,
    /// An adjustment that leaves orders out.
    pub left_out: bool,
}

/// How far a run is. Also the answer to the page's own question for it.
#[derive(Template)]
#[template(path = "admin/run_progress.html")]
pub struct Progress {
    pub address: String,
    pub stage: String,
    pub done: i64,
    pub total: i64,
    pub counted: String,
    pub percent: String,
    pub eta: String,
    pub since: Option<When>,
}

/// What the reader may do with the run, or why not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    pub approve: bool,
    pub post: bool,
    pub discard: bool,
    pub refused: String,
}

pub async fn page(viewer: Viewer, desk: Desk, id: Path<Uuid>) -> Result<HttpResponse, Denied> {
    let (id, plans, most) = (id.into_inner(), desk.state.plans.clone(), desk.state.stop_loss);
    let (shell, found) = desk
        .read(&viewer, "periods", move |conn| {
            let Some(run) = report::run(conn, id)? else { return Ok(None) };
            let plans = plans.get(conn)?;
            let review = review::read(conn, &run, most)?;
            Ok(Some((run, review, plans)))
        })
        .await?;
    let (run, review, plans) = found.ok_or_else(|| nothing("run"))?;
    let hash = run.plan_hash.as_deref().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let plan = hash.and_then(|hash| plans.by_hash(crate::core::plan::PlanHash(hash)));
    let page = RunPage {
        shell,
        address: run_address(run.run_id),
        id: run.run_id.to_string(),
        period: Link::new(super::address(&run.period), run.period.as_str()),
        kind: kind(&run.kind),
        status: run_status(&run.status),
        facts: facts(&run),
        plan: plan.map(|plan| Link::new(format!("/admin/plans/{}", plan.hash()), plan.name())),
        hash: run.result_hash.as_deref().map(hex::encode).unwrap_or_default(),
        progress: is_busy(&run).then(|| progress_of(&run, desk.now())),
        problem: run.problem.clone().unwrap_or_default(),
        left_out: leaves_out(&run),
        over: review.as_ref().and_then(|review| review.limit.as_ref()).is_some_and(|limit| limit.is_over),
        review,
        next: next(&run, &viewer),
    };
    desk.show(&page)
}

/// Orders that an adjustment does not count, which its approval has to know.
fn leaves_out(run: &Run) -> bool {
    let counts = super::told::summary(run.summary.as_ref()).map(|summary| summary.counts);
    run.kind == "adjustment" && counts.is_some_and(|counts| counts.unknown_distributor > 0)
}

/// Asked for by the page again and again; a run that has ended loads the whole page.
pub async fn progress(_viewer: Viewer, desk: Desk, id: Path<Uuid>) -> Result<HttpResponse, Denied> {
    let id = id.into_inner();
    let read = desk.state.db.read_async(Lane::Admin, move |conn| report::run(conn, id)).await;
    let run = read.map_err(Refusal::from)?.ok_or_else(|| nothing("run"))?;
    if !is_busy(&run) {
        return Ok(HttpResponse::NoContent().insert_header(("HX-Refresh", "true")).finish());
    }
    desk.show(&progress_of(&run, desk.now()))
}

fn is_busy(run: &Run) -> bool {
    matches!(run.status.as_str(), "queued" | "running")
        || (run.status == "approved" && run.stage == "posting")
}

fn progress_of(run: &Run, now: DateTime<Utc>) -> Progress {
    let counted = match run.total {
        0 => String::new(),
        total => format!("{} of {}", format::count(run.done), format::count(total)),
    };
    Progress {
        address: run_address(run.run_id),
        stage: match (run.status.as_str(), run.stage.as_str()) {
            ("queued", _) => "waits for its turn".to_owned(),
            (_, "") => "begins".to_owned(),
            (_, stage) => stage.to_owned(),
        },
        done: run.done,
        total: run.total,
        counted,
        percent: share_done(run).map_or_else(String::new, |percent| format!("{percent} %")),
        eta: eta(run, now).map_or_else(String::new, lasting),
        since: run.started_at.map(When),
    }
}

fn share_done(run: &Run) -> Option<i64> {
    run.done.checked_mul(100)?.checked_div(run.total).map(|percent| percent.clamp(0, 100))
}

/// What is left takes as long for each part as what is done took.
fn eta(run: &Run, now: DateTime<Utc>) -> Option<TimeDelta> {
    let took = (now - run.started_at?).num_milliseconds().max(0);
    let left = run.total.checked_sub(run.done).filter(|left| *left > 0)?;
    let millis = i128::from(took).checked_mul(i128::from(left))?.checked_div(i128::from(run.done))?;
    Some(TimeDelta::milliseconds(i64::try_from(millis).ok()?))
}

/// `about 2 min`
fn lasting(time: TimeDelta) -> String {
    match time.num_seconds() {
        seconds if seconds < 1 => "about a second".to_owned(),
        seconds if seconds < 100 => format!("about {seconds} s"),
        seconds if seconds < 5400 => format!("about {} min", (seconds + 30) / 60),
        seconds => format!("about {} h", (seconds + 1800) / 3600),
    }
}

fn facts(run: &Run) -> Vec<(String, String)> {
    let by = |who: &Option<String>, at: Option<DateTime<Utc>>| {
        who.as_ref().map(|who| at.map_or_else(|| who.clone(), |at| format!("{who}, {}", When(at).utc())))
    };
    let told = [
        ("Started by", by(&Some(run.created_by.clone()), Some(run.created_at))),
        ("Worked", took(run).map(lasting)),
        ("Cut-off", run.cutoff_seq.map(|seq| format!("fact {}", format::count(seq)))),
        ("People as known at", run.known_at.map(|at| When(at).utc())),
        ("Approved by", by(&run.approved_by, run.approved_at)),
        ("Posted by", by(&run.posted_by, run.posted_at)),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn took(run: &Run) -> Option<TimeDelta> {
    Some(run.finished_at? - run.started_at?)
}

/// The room refuses the same; here it is said before anybody presses.
fn next(run: &Run, session: &Session) -> Next {
    let status = run.status.as_str();
    let ended = matches!(status, "posted" | "discarded");
    if ended || is_busy(run) || status == "failed" {
        return Next::default();
    }
    if session.role < Role::Admin {
        return Next {
            refused: "Only an admin approves, posts or discards a run.".to_owned(),
            ..Next::default()
        };
    }
    let discard = matches!(status, "review" | "approved");
    if run.kind == "unofficial" {
        let refused = "An unofficial run is for looking at; it is never posted.".to_owned();
        return Next { discard, refused, ..Next::default() };
    }
    let own = run.created_by == session.email;
    match status {
        "review" if own => Next {
            discard,
            refused: "You started this run; somebody else has to approve it.".to_owned(),
            ..Next::default()
        },
        "review" => Next { approve: true, discard, ..Next::default() },
        "approved" => Next { post: true, discard, ..Next::default() },
        _ => Next::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ana, run};
    use super::*;

    fn session(email: &str, role: Role) -> Session {
        let (csrf, fingerprint) = (String::new(), [0; 32]);
        Session { user_id: 1, email: email.to_owned(), role, csrf, has_password: true, fingerprint }
    }

    #[test]
    fn what_is_left_takes_as_long_as_what_is_done_took() {
        let at = |text: &str| text.parse().unwrap();
        let running = run("running");
        // A quarter in twenty seconds.
        assert_eq!(eta(&running, at("2026-02-03T09:00:30Z")).map(|left| left.num_seconds()), Some(60));
        let none = Run { done: 0, ..running.clone() };
        assert_eq!(eta(&none, at("2026-02-03T09:00:30Z")), None);
        let done = Run { done: 1000, ..running.clone() };
        assert_eq!(eta(&done, at("2026-02-03T09:00:30Z")), None);
        assert_eq!(share_done(&running), Some(25));
        assert_eq!(share_done(&Run { total: 0, ..running }), None);
    }

    #[test]
    fn spans_are_told_roughly() {
        let text = |seconds| lasting(TimeDelta::seconds(seconds));
        assert_eq!(
            [0, 42, 150, 7200].map(text),
            ["about a second", "about 42 s", "about 3 min", "about 2 h"]
        );
    }

    #[test]
    fn two_people_are_needed() {
        let review = run("review");
        let mine = next(&review, &session(ana(), Role::Admin));
        assert!(!mine.approve && mine.discard && mine.refused.contains("somebody else"));
        let theirs = next(&review, &session("ben@example.test", Role::Admin));
        assert!(theirs.approve && !theirs.post && theirs.refused.is_empty());
        let reader = next(&review, &session("eve@example.test", Role::Operator));
        assert!(!reader.approve && !reader.discard && reader.refused.contains("admin"));
        assert!(next(&run("approved"), &session(ana(), Role::Admin)).post);
        assert_eq!(next(&run("posted"), &session(ana(), Role::Admin)), Next::default());
        let look = Run { kind: "unofficial".to_owned(), ..review };
        assert!(!next(&look, &session("ben@example.test", Role::Admin)).approve);
    }
}
