//! Reading a store's API on a person's word: one order, or what changed; and how reading goes, as a panel.
//!
//! Reading takes as long as the store takes. It goes on a thread of its own; the page waits for it a while and
//! then leaves it to go on.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{self, Path};
use askama::Template;
use serde_json::json;
use tokio::sync::{Semaphore, oneshot};
use uuid::Uuid;

use super::desk::{Desk, Nothing, nothing};
use super::format::{self, Pill, Tone, When};
use super::notices::sentence;
use crate::access::{Role, Session, audit};
use crate::clients::WindowBy;
use crate::connections::{self, Connection};
use crate::db::{Conn, DbError, Lane};
use crate::ingest::{self, Store};
use crate::orders;
use crate::pulls::{self, Means, One, Pull, PullProblem, Round, State, Stop};
use crate::reports;
use crate::web::error::{Refusal, causes};
use crate::web::session::{Denied, Form, Operator};

/// How reading a store goes. Part of the store's page.
#[derive(Template, Default)]
#[template(path = "admin/store_pulls.html")]
pub struct Panel {
    pub slug: String,
    pub csrf: String,
    pub connected: bool,
    pub may_pull: bool,
    pub marks: Vec<Mark>,
    pub rows: Vec<Row>,
}

pub struct Mark {
    pub kind: String,
    pub until: Option<When>,
    /// Empty while all is well.
    pub trouble: String,
    pub next_try: Option<When>,
}

pub struct Row {
    pub at: When,
    pub by: String,
    pub what: String,
    pub from: Option<When>,
    pub to: When,
    /// By which time of the orders.
    pub window: &'static str,
    pub state: Pill,
    pub problem: String,
    pub seen: String,
    pub told: String,
    pub fresh: String,
}

/// What the panel shows, as it was read.
pub struct Found {
    connected: bool,
    marks: Vec<pulls::Mark>,
    newest: Vec<Pull>,
}

const SHOWN: i64 = 20;

pub fn find(conn: &mut Conn, store: &Store) -> Result<Found, DbError> {
    Ok(Found {
        connected: connections::connection(conn, &store.slug)?.is_some(),
        marks: pulls::marks(conn, Some(store.id))?,
        newest: pulls::newest(conn, Some(store.id), SHOWN)?,
    })
}

pub fn panel(slug: &str, found: &Found, session: &Session) -> Panel {
    Panel {
        slug: slug.to_owned(),
        csrf: session.csrf.clone(),
        connected: found.connected,
        may_pull: session.role >= Role::Operator,
        marks: found.marks.iter().map(mark).collect(),
        rows: found.newest.iter().map(row).collect(),
    }
}

fn mark(mark: &pulls::Mark) -> Mark {
    Mark {
        kind: sentence(mark.kind.name()).trim_end_matches('.').to_owned(),
        until: mark.pulled_until.map(When),
        trouble: match mark.failures {
            0 => String::new(),
            1 => "the last try failed".to_owned(),
            more => format!("the last {more} tries failed"),
        },
        next_try: mark.next_try_at.map(When),
    }
}

fn row(pull: &Pull) -> Row {
    let (tone, state) = match pull.state {
        State::Running => (Tone::Info, "at work"),
        State::Done => (Tone::Ok, "done"),
        State::Failed => (Tone::Bad, "failed"),
        State::Stopped => (Tone::Warn, "stopped"),
    };
    Row {
        at: When(pull.started_at),
        by: pull.started_by.clone(),
        what: format!("{}, {}", pull.kind, pull.cause),
        from: pull.span.from.map(When),
        to: When(pull.span.to),
        window: match pull.span.by {
            WindowBy::Changed => "changed",
            WindowBy::Ordered => "ordered",
        },
        state: Pill::new(tone, state),
        problem: pull.problem.clone().unwrap_or_default(),
        seen: format::count(pull.seen.into()),
        told: format::count(pull.told.into()),
        fresh: format::count(pull.fresh.into()),
    }
}

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/orders/{id}/pull", web::post().to(order))
        .route("/deliveries/{id}/pull", web::post().to(delivery))
        .route("/stores/{slug}/pull", web::post().to(store));
}

/// As many threads wait for stores at a time because a person pressed a button.
static TURNS: Semaphore = Semaphore::const_new(4);
/// How long a page waits for a store.
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs on a thread of its own. `None`: it still does.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Option<T>, Denied> {
    let busy = |_| Refusal::unavailable("reading", "several stores are being read; try again in a moment");
    let turn = TURNS.try_acquire().map_err(busy)?;
    let (tell, told) = oneshot::channel();
    let thread = std::thread::Builder::new().name("pull on demand".into()).spawn(move || {
        let _turn = turn;
        let _nobody_waits_any_more = tell.send(work());
    });
    thread.map_err(|error| {
        tracing::error!(%error, "no thread for a pull");
        Refusal::internal()
    })?;
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(done)) => Ok(Some(done)),
        Ok(Err(_)) => Err(Refusal::internal().into()),
        Err(_) => Ok(None),
    }
}

async fn order(
    operator: Operator,
    desk: Desk,
    id: Path<Uuid>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let id = id.into_inner();
    let found = desk.state.db.read_async(Lane::Admin, move |conn| {
        let Some(order) = reports::order::one(conn, id)? else { return Ok(None) };
        Ok(Some((pulls::connected(conn, &order.head.store)?, order.head.external_id)))
    });
    let (connected, external_id) = found.await.map_err(Refusal::from)?.ok_or_else(|| nothing("order"))?;
    let back = format!("/admin/orders/{id}");
    read_orders(&operator, &desk, connected, vec![external_id], &back).await
}

async fn delivery(
    operator: Operator,
    desk: Desk,
    id: Path<Uuid>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let id = id.into_inner();
    let found = desk.state.db.read_async(Lane::Admin, move |conn| {
        let Some(delivery) = ingest::load(conn, &[id])?.pop() else { return Ok(None) };
        let store = ingest::list_stores(conn)?.into_iter().find(|store| store.id == delivery.store);
        let Some(store) = store else { return Ok(None) };
        Ok(Some((pulls::connected(conn, &store.slug)?, orders_of(&store.platform, &delivery))))
    });
    let (connected, ids) = found.await.map_err(Refusal::from)?.ok_or_else(|| nothing("delivery"))?;
    let back = format!("/admin/deliveries/{id}");
    if ids.is_empty() {
        return Ok(desk.go(&back, Tone::Warn, "This delivery names no order that could be read."));
    }
    read_orders(&operator, &desk, connected, ids, &back).await
}

/// The store's own ids of the orders that a delivery is about, also of those that it only hints at.
pub fn orders_of(platform: &str, delivery: &ingest::StoredDelivery) -> Vec<String> {
    let reports = orders::parse_delivery(platform, delivery).unwrap_or_default();
    let mut ids: Vec<String> = reports.iter().filter_map(orders::order_of).map(str::to_owned).collect();
    ids.sort();
    ids.dedup();
    ids
}

async fn read_orders(
    operator: &Operator,
    desk: &Desk,
    connected: Option<(Connection, Store)>,
    ids: Vec<String>,
    back: &str,
) -> Result<HttpResponse, Denied> {
    let Some((connection, store)) = connected else { return Ok(not_connected(desk, back)) };
    let (state, by) = (desk.state.clone(), operator.email.clone());
    let came = aside(move || {
        let read = || -> Result<Vec<One>, PullProblem> {
            let api = connections::open(&connection, &state.vault, &state.clock)?;
            ids.iter().map(|id| pulls::one(&state.db, &state.clock, api.as_ref(), &store, id)).collect()
        };
        let came = read();
        let outcome: Vec<&str> = came.iter().flatten().map(|one| one.name()).collect();
        let problem = came.as_ref().err().map(ToString::to_string);
        let detail = json!({"orders": ids, "outcome": outcome, "problem": problem});
        let now = state.clock.now();
        let noted = state.db.transact(Lane::Admin, |tx| {
            audit::record(tx, &by, "order.pull", &store.slug, detail.clone(), now)
        });
        noted.map_err(PullProblem::from).and(came)
    });
    Ok(match came.await? {
        None => desk.go(back, Tone::Warn, SLOW),
        Some(Ok(came)) => {
            let (tone, text) = told(&came);
            desk.go(back, tone, text)
        }
        Some(Err(problem)) => desk.go(back, Tone::Bad, &failed(&problem)),
    })
}

const SLOW: &str = "The store is slow to answer; it is still being read. Look again in a moment.";

fn not_connected(desk: &Desk, back: &str) -> HttpResponse {
    desk.go(back, Tone::Warn, "The store is not connected to its API, so nothing can be read there.")
}

/// The strongest of what came.
fn told(came: &[One]) -> (Tone, &'static str) {
    let any = |one: One| came.contains(&one);
    match () {
        () if any(One::Gone) => {
            (Tone::Warn, "The store does not have the order any more; it counts as deleted from now on.")
        }
        () if any(One::Newer) => (Tone::Ok, "A newer state came from the store; it is being processed."),
        () if any(One::Found) => (Tone::Ok, "The order was not known here; it is being processed."),
        () if any(One::Same) => (Tone::Ok, "Nothing new: the order is known as it stands at the store."),
        () => (Tone::Warn, "The store does not have the order, and it was not known to be there."),
    }
}

fn failed(problem: &PullProblem) -> String {
    if let PullProblem::Db(error) = problem {
        tracing::error!(cause = causes(error), "a pull on demand failed");
    }
    sentence(&problem.to_string())
}

async fn store(
    operator: Operator,
    desk: Desk,
    slug: Path<String>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let slug = slug.into_inner();
    let (asked, back) = (slug.clone(), format!("/admin/stores/{}", super::words::encoded(&slug)));
    let found = desk.state.db.read_async(Lane::Admin, move |conn| pulls::connected(conn, &asked));
    let Some((connection, store)) = found.await.map_err(Refusal::from)? else {
        return Ok(not_connected(&desk, &back));
    };
    let (state, by) = (desk.state.clone(), operator.email.clone());
    let came = aside(move || {
        let read = || -> Result<Vec<Pull>, PullProblem> {
            let api = connections::open(&connection, &state.vault, &state.clock)?;
            let means = Means { db: &state.db, clock: &state.clock, stop: &Stop::default() };
            let asked = Round { by: &by, since: None };
            pulls::round(means, &state.pulls, api.as_ref(), (&connection, &store), &asked, &mut |_| {})
        };
        let came = read();
        let problem = came.as_ref().err().map(ToString::to_string);
        let now = state.clock.now();
        let noted = state.db.transact(Lane::Admin, |tx| {
            audit::record(tx, &by, "store.pull", &store.slug, json!({ "problem": problem }), now)
        });
        noted.map_err(PullProblem::from).and(came)
    });
    Ok(match came.await? {
        None => desk.go(&back, Tone::Warn, SLOW),
        Some(Ok(pulls)) => {
            let (seen, news): (i64, i64) = (
                pulls.iter().map(|p| i64::from(p.seen)).sum(),
                pulls.iter().map(|p| i64::from(p.told)).sum(),
            );
            let text = format!("{} read, {} of that was news.", format::count(seen), format::count(news));
            desk.done(&back, &text)
        }
        Some(Err(problem)) => desk.go(&back, Tone::Bad, &failed(&problem)),
    })
}
