//! Stores: connect one step by step, see how its connection is, change its secrets without losing a delivery.

pub mod act;
pub mod attribution;
pub mod connect;
pub mod guide;
pub mod health;
pub mod list;
pub mod one;

use std::time::Duration;

use actix_web::web::{self, get, post};
use tokio::sync::oneshot;

use super::desk::Desk;
use super::format::{Pill, Tone, When};
use super::notices::sentence;
use crate::access::{Session, audit};
use crate::clients::ApiError;
use crate::connections::{Connection, ConnectionProblem, Keeper};
use crate::db::{DbError, Tx};
use crate::ingest::{Store, StoreProblem};
use crate::reports::set_up::Heard;
use crate::stores::Platform;
use crate::vault::random;
use crate::web::error::{Refusal, causes};
use crate::web::session::Denied;

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/stores", get().to(list::page))
        .route("/stores", post().to(list::add))
        .route("/stores/new", get().to(connect::first))
        .route("/stores/new", post().to(connect::make))
        .route("/stores/{slug}", get().to(one::page))
        .route("/stores/{slug}/connect", get().to(connect::page))
        .route("/stores/{slug}/connect", post().to(connect::connect))
        .route("/stores/{slug}/test", post().to(act::test))
        .route("/stores/{slug}/webhooks", post().to(act::mend))
        .route("/stores/{slug}/rotate", post().to(act::rotate))
        .route("/stores/{slug}/pause", post().to(act::pause))
        .route("/stores/{slug}/disconnect", post().to(act::disconnect))
        .route("/stores/{slug}/attribution", post().to(attribution::change))
        .route("/stores/{slug}/secrets", post().to(one::add_secret))
        .route("/stores/{slug}/secrets/retire", post().to(one::retire));
}

const PLATFORMS: [(Platform, &str); 4] = [
    (Platform::Shopify, "Shopify"),
    (Platform::WooCommerce, "WooCommerce"),
    (Platform::Magento, "Magento / Adobe Commerce"),
    (Platform::Direct, "Own systems, over the API"),
];

fn platform_name(platform: &str) -> String {
    let known = PLATFORMS.iter().find(|(known, _)| known.as_str() == platform);
    known.map_or(platform, |(_, name)| name).to_owned()
}

/// When a store was last heard of.
#[derive(Clone, Copy, Debug)]
pub enum Last {
    At(When),
    NotLately,
    Never,
}

fn last(store: &Store, heard: &[Heard]) -> Last {
    match heard.iter().find(|heard| heard.store_id == store.id.0) {
        Some(Heard { last: Some(at), .. }) => Last::At(When(*at)),
        Some(Heard { ever: true, .. }) => Last::NotLately,
        _ => Last::Never,
    }
}

fn state(store: &Store, connection: Option<&Connection>, last: Last) -> Pill {
    let by_token = store.platform == Platform::Direct.as_str();
    match (connection, last) {
        _ if !store.active => Pill::new(Tone::Muted, "off"),
        (Some(connection), _) if connection.paused => Pill::new(Tone::Warn, "paused"),
        (Some(connection), _) if connection.problem.is_some() => Pill::new(Tone::Bad, "in trouble"),
        (Some(_), _) => Pill::new(Tone::Ok, "connected"),
        _ if store.secrets.is_empty() && !by_token => Pill::new(Tone::Warn, "not connected"),
        (None, Last::Never) => Pill::new(Tone::Info, "waits for the first delivery"),
        (None, Last::At(_) | Last::NotLately) => Pill::new(Tone::Ok, "delivers"),
    }
}

/// What is wrong and what to do about it.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub problem: String,
    /// Empty where the problem says so itself.
    pub fix: String,
}

impl Trouble {
    fn of(problem: &ConnectionProblem, platform: Platform) -> Self {
        if problem.is_ours() {
            tracing::error!(problem = causes(problem), "a connection failed on our side");
        }
        let fix = problem.fix(platform).unwrap_or_default().to_owned();
        Self { problem: problem.to_string(), fix }
    }

    fn sentence(&self) -> String {
        sentence(&self.problem)
    }

    fn line(&self) -> String {
        format!("{} {}", self.sentence(), self.fix).trim_end().to_owned()
    }
}

/// How long a page waits for a store.
const PATIENCE: Duration = Duration::from_secs(45);

/// Work that asks a store. It goes on when nobody waits any more, on a thread that no end of the program waits for.
async fn asked<T: Send + 'static>(
    desk: &Desk,
    work: impl FnOnce(&Keeper) -> Result<T, ConnectionProblem> + Send + 'static,
) -> Result<Result<T, ConnectionProblem>, Denied> {
    let keeper = desk.state.keeper();
    let (done, waited) = oneshot::channel();
    let started = std::thread::Builder::new().name("asks a store".to_owned()).spawn(move || {
        let _nobody_waits = done.send(work(&keeper));
    });
    started.map_err(|_| Refusal::internal())?;
    match tokio::time::timeout(PATIENCE, waited).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(Refusal::internal().into()),
        Err(_) => {
            let slow = "it has not answered for a while; the work goes on, look again in a minute".to_owned();
            Ok(Err(ApiError::Unavailable(slow).into()))
        }
    }
}

/// The audit log of what somebody does on these pages.
fn witness(
    session: &Session,
    slug: &str,
    keeper: &Keeper,
) -> impl Fn(&mut Tx<'_>, &str, serde_json::Value) -> Result<(), DbError> + use<> {
    let (by, slug, now) = (session.email.clone(), slug.to_owned(), keeper.now());
    move |tx, action, detail| audit::record(tx, &by, action, &slug, detail, now)
}

/// Without the white space around it that copying brings; a PEM key keeps its lines.
fn as_pasted(secret: &str) -> String {
    secret.trim().replace("\r\n", "\n")
}

/// Digits and a to f only: some shops change other characters before they sign with them.
fn fresh_secret() -> Result<String, Denied> {
    Ok(hex::encode(random::<32>().map_err(|_| Refusal::internal())?))
}

/// Whether a secret of ours can be told to the platform. Shopify tells one instead.
fn makes_secrets(platform: Platform) -> bool {
    matches!(platform, Platform::WooCommerce | Platform::Magento)
}

/// The database's problems apart from those that a person can mend.
fn told<T>(result: Result<T, StoreProblem>) -> Result<Result<T, StoreProblem>, DbError> {
    match result {
        Err(StoreProblem::Db(error)) => Err(error),
        Err(StoreProblem::Vault(error)) => Err(DbError::Invariant(error.to_string())),
        other => Ok(other),
    }
}
