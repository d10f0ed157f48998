//! `upline token`: what programs authenticate with.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, Outcome, output, transact};
use crate::access::{self, ApiToken, NewToken, Scope};
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::db::Lane;

/// Tokens for programs that use the API
#[derive(Args)]
pub struct TokenCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(Add),
    /// All tokens, without their secrets
    #[command(after_help = "Example:\n  upline token list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End a token; running servers follow within a second
    #[command(after_help = "Example:\n  upline token revoke 3")]
    Revoke {
        id: i32,
    },
}

/// Make a token and print it; it is not shown again
#[derive(Args)]
#[command(after_help = "Scopes:
  read     GET /api/v1/..., without personal data
  orders   POST /api/mlm/orders
  admin    both, with personal data

Examples:
  TOKEN=$(upline token add --scope read)
  curl -H \"Authorization: Bearer $TOKEN\" 'http://127.0.0.1:8080/api/v1/orders?limit=10'
  upline token add --scope orders --store erp --name 'order export'")]
struct Add {
    #[arg(long, value_name = "SCOPE", value_parser = parse_scope, help = "read, orders or admin")]
    scope: Scope,
    /// What it is for
    #[arg(long, default_value = "unnamed")]
    name: String,
    /// The store that orders sent with it belong to [default: direct]
    #[arg(long, value_name = "SLUG")]
    store: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| format!("{text:?} is no scope; use read, orders or admin"))
}

impl TokenCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| match self.action {
            Action::Add(add) => add.run(backend, clock),
            Action::List { json } => list(backend, json),
            Action::Revoke { id } => {
                let now = clock.now();
                transact(&backend.db, |tx| access::revoke_token(tx, id, "console", now))?;
                output::line(format_args!("Token {id} is revoked."))?;
                Ok(Outcome::Done)
            }
        })
    }
}

impl Add {
    fn run(self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let now = clock.now();
        let new = NewToken { name: &self.name, scope: self.scope, store: self.store.as_deref() };
        let (id, secret) = transact(&backend.db, |tx| access::add_token(tx, &new, "console", now))?;
        if self.json {
            output::json(
                &json!({"token_id": id, "token": secret, "scope": self.scope.name(), "name": self.name}),
            )?;
        } else {
            output::line(secret)?;
        }
        Ok(Outcome::Done)
    }
}

fn list(backend: &Backend, json: bool) -> anyhow::Result<Outcome> {
    let tokens = backend.db.read(Lane::Admin, access::list_tokens)?;
    if json {
        let as_json = |t: &ApiToken| {
            json!({"token_id": t.token_id, "name": t.name, "scope": t.scope, "store": t.store,
                   "created_at": t.created_at, "revoked_at": t.revoked_at})
        };
        output::json(&tokens.iter().map(as_json).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let row = |token: &ApiToken| {
        let state = if token.revoked_at.is_some() { "revoked" } else { "live" };
        let store = token.store.clone().unwrap_or_default();
        vec![token.token_id.to_string(), token.scope.clone(), state.to_owned(), store, token.name.clone()]
    };
    output::table(&["id", "scope", "state", "store", "name"], &tokens.iter().map(row).collect::<Vec<_>>())?;
    Ok(Outcome::Done)
}
