//! The composition root: builds everything from settings, runs it, and stops it in order.
//!
//! [`Backend`] is the part that commands need too: the database and what opens its secrets. [`App`] adds the
//! intake, the relays and the web server. Nothing else in the program makes its own parts.

mod backend;
mod parts;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::web::Data;
use anyhow::{Context, anyhow};
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tracing_actix_web::TracingLogger;
use url::Url;

pub use backend::{Backend, Opening};
pub use parts::Parts;

use crate::access::{self, AccessProblem};
use crate::clients::http::Http;
use crate::clock::Clock;
use crate::db::{DbError, Lane};
use crate::notices::{Channel, Sender};
use crate::settings::Settings;
use crate::web::limits::Limits;
use crate::web::trace::Quiet;
use crate::web::{self, AppState};

/// How long requests that have begun may take to end when the program stops.
const GRACE_SECONDS: u64 = 10;

/// Everything, bound to its address but not yet answering.
pub struct App {
    addr: SocketAddr,
    state: Data<AppState>,
    server: Server,
    parts: Parts,
    notices: Arc<Sender>,
}

impl App {
    pub async fn build(settings: Settings, clock: Clock) -> anyhow::Result<Self> {
        let settings_of_parts = settings.clone();
        let opened = tokio::task::spawn_blocking(move || Parts::open(settings_of_parts, clock)).await;
        let parts = opened.context("the start panicked")??;
        let (listen, workers) = (settings.listen.clone(), settings.workers);
        // The server is told its address before anybody can ask for a page: links and cookies depend on it.
        let listener = bind(&listen).await.with_context(|| {
            format!("cannot listen on {listen}; is another program using it? choose another with --listen")
        })?;
        let addr = listener.local_addr()?;
        let public_url = public_url(&settings, addr)?;
        if let Err(error) = std::fs::write(settings.address_file(), public_url.as_str()) {
            tracing::warn!(%error, "commands beside this server will not know its address");
        }
        let state = Data::new(parts.state(&settings, public_url));
        let server = serve(state.clone(), listener, workers)?;
        let channels = Channel::of(&settings.notices, &Http::network(true, state.clock.clone()))?;
        let page = state.link("/admin/notices");
        let notices = Sender::new(state.db.clone(), state.clock.clone(), channels, page);
        Ok(Self { addr, state, server, parts, notices })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn state(&self) -> &Data<AppState> {
        &self.state
    }

    /// Serves until `stop` is ready, then ends in order: requests, intake, relays, pools, database.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { state, server, parts, notices, .. } = self;
        let (stopping, stopped) = watch::channel(false);
        let mut background = parts.spawn_background(&state, &stopped);
        background.push(tokio::spawn(notices.run(stopped.clone())));
        let handle = server.handle();
        let mut serving = tokio::spawn(server);
        let ended = tokio::select! {
            ended = &mut serving => Some(ended),
            () = stop => None,
        };
        tracing::info!("stopping");
        let ended = match ended {
            Some(early) => early,
            None => {
                handle.stop(true).await;
                serving.await
            }
        };
        drop(state);
        stopping.send_replace(true);
        for task in background {
            task.await.context("a background task panicked")?;
        }
        tokio::task::spawn_blocking(move || parts.close()).await.context("the end panicked")?;
        ended.context("the web server panicked")?.context("the web server failed")
    }

    /// A link that signs the first admin in once; made when there is no user yet.
    pub async fn first_login_link(&self) -> anyhow::Result<String> {
        let now = self.state.clock.now();
        let made = self.state.db.transact_async(Lane::Admin, move |tx| {
            access::first_admin(tx, now)
                .and_then(|email| access::login_link(tx, &email, now))
                .map_err(database)
        });
        Ok(self.state.link(&format!("/login/once?token={}", made.await?)))
    }

    /// Whether nobody could sign in without a link.
    pub async fn needs_first_login(&self) -> anyhow::Result<bool> {
        Ok(!self.state.db.read_async(Lane::Admin, access::anybody_has_a_password).await?)
    }
}

fn database(problem: AccessProblem) -> DbError {
    match problem {
        AccessProblem::Db(error) => error,
        other => DbError::Invariant(other.to_string()),
    }
}

/// Connections that may wait to be taken while all threads are busy; the system's own limit may be lower.
const WAITING_CONNECTIONS: u32 = 4096;

async fn bind(address: &str) -> std::io::Result<std::net::TcpListener> {
    let unknown = || std::io::Error::new(std::io::ErrorKind::NotFound, "the host name is not known");
    let address = tokio::net::lookup_host(address).await?.next().ok_or_else(unknown)?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_CONNECTIONS)?.into_std()
}

fn serve(state: Data<AppState>, listener: std::net::TcpListener, workers: usize) -> anyhow::Result<Server> {
    let https = state.is_https();
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(state.clone())
            .app_data(web::form_limit())
            .wrap(web::headers::security(https))
            .wrap(TracingLogger::<Quiet>::new())
            .configure(web::routes)
    });
    let server = if workers > 0 { server.workers(workers) } else { server };
    let server = server
        .disable_signals()
        .shutdown_timeout(GRACE_SECONDS)
        .client_request_timeout(Duration::from_secs(10))
        .listen(listener)?;
    Ok(server.run())
}

/// How we are called from outside; without a setting, as we listen.
fn public_url(settings: &Settings, addr: SocketAddr) -> anyhow::Result<Url> {
    if let Some(given) = &settings.public_url {
        let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let url = Url::parse(given).ok().filter(usable);
        return url.ok_or_else(|| anyhow!("public_url {given:?} is no http or https address"));
    }
    let host = match addr.ip() {
        ip if ip.is_unspecified() => "localhost".to_owned(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        std::net::IpAddr::V4(ip) => ip.to_string(),
    };
    Ok(Url::parse(&format!("http://{host}:{}/", addr.port()))?)
}

impl Parts {
    fn state(&self, settings: &Settings, public_url: Url) -> AppState {
        AppState {
            db: self.backend.db.clone(),
            clock: self.clock.clone(),
            intake: self.intake.clone(),
            vault: self.backend.vault.clone(),
            stores: self.books.stores.clone(),
            networks: self.books.networks.clone(),
            placements: std::sync::Arc::default(),
            mappings: self.books.mappings.clone(),
            plans: self.books.plans.clone(),
            receivers: self.receivers.clone(),
            tokens: self.tokens.clone(),
            published: self.published.clone(),
            referrals: self.referrals.clone(),
            payees: settings.payees.clone(),
            cookies: settings.referrals.clone(),
            default_currency: self.default_currency,
            stop_loss: settings.periods.stop_loss,
            payouts: settings.payouts.clone(),
            pulls: settings.pulls.clone(),
            backoff: access::backoff::Backoff::default(),
            limits: Limits::new(settings.store_rate, settings.store_burst),
            turns: web::turn::Turns::default(),
            schema: web::health::Schema::default(),
            metrics: self.metrics.clone(),
            public_url,
        }
    }
}
