//! `upline store list`.

use clap::Args;
use serde_json::json;

use crate::app::{Backend, Opening};
use crate::cli::{Global, Outcome, output};
use crate::connections::{self, Connection};
use crate::db::Lane;
use crate::ingest::{self, Store};

/// All stores, with how many secrets are live and whether their API is connected
#[derive(Args)]
#[command(after_help = "Example:\n  upline store list --json")]
pub struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, _| list(backend, self.json))
    }
}

fn list(backend: &Backend, json: bool) -> anyhow::Result<Outcome> {
    let (stores, connections) =
        backend.db.read(Lane::Admin, |conn| Ok((ingest::list_stores(conn)?, connections::list(conn)?)))?;
    let of = |store: &Store| connections.iter().find(|connection| connection.slug == store.slug);
    if json {
        output::json(&stores.iter().map(|store| as_json(store, of(store))).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let row = |store: &Store| {
        let active = if store.active { "yes" } else { "no" };
        let secrets = store.secrets.len().to_string();
        let attribution = store.attribution.join(",");
        let created = store.created_at.format("%Y-%m-%d").to_string();
        let api = api(of(store)).to_owned();
        vec![
            store.slug.clone(),
            store.platform.clone(),
            active.to_owned(),
            api,
            secrets,
            created,
            attribution,
        ]
    };
    let rows: Vec<_> = stores.iter().map(row).collect();
    let header = ["slug", "platform", "active", "api", "live secrets", "created", "attribution"];
    output::table(&header, &rows)?;
    Ok(Outcome::Done)
}

/// In a word.
fn api(connection: Option<&Connection>) -> &'static str {
    match connection {
        None => "not connected",
        Some(connection) if connection.paused => "paused",
        Some(connection) if connection.problem.is_some() => "in trouble",
        Some(_) => "connected",
    }
}

fn as_json(store: &Store, connection: Option<&Connection>) -> serde_json::Value {
    let connected = connection.map(|it| {
        json!({"state": api(Some(it)), "base_url": it.base_url, "zone": it.zone, "connected_at": it.connected_at,
               "answered_at": it.answered_at, "problem": it.problem, "problem_since": it.problem_since,
               "webhooks_checked_at": it.checked_at, "last_delivery_at": it.heard_at})
    });
    json!({"slug": store.slug, "platform": store.platform, "name": store.name, "active": store.active,
           "live_secrets": store.secrets.len(), "attribution": store.attribution, "created_at": store.created_at,
           "api": connected})
}
