//! Tokens of programs: shown once, kept as a hash, revocable.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{AccessProblem, ApiToken, Scope, audit, fingerprint, fresh_secret, repo};
use crate::core::ids::StoreId;
use crate::db::{Cached, Conn, DbError, Tx, bump};

/// So that a token is recognised where it does not belong, such as in a repository.
const PREFIX: &str = "upl_";

#[derive(Clone, Debug)]
pub struct Token {
    pub id: i32,
    pub name: String,
    pub scope: Scope,
    /// Orders sent with it belong to this store.
    pub store: Option<StoreId>,
}

/// The live tokens by hash.
#[derive(Debug, Default)]
pub struct Tokens(HashMap<[u8; 32], Token>);

impl Tokens {
    pub fn get(&self, secret: &str) -> Option<&Token> {
        self.0.get(&fingerprint(secret))
    }
}

/// The live tokens in memory, as fresh as the asking connection.
pub struct TokenDirectory(Cached<Tokens>);

impl Default for TokenDirectory {
    fn default() -> Self {
        Self(Cached::new("tokens", load))
    }
}

impl TokenDirectory {
    pub fn get(&self, conn: &mut Conn) -> Result<Arc<Tokens>, DbError> {
        self.0.get(conn)
    }
}

fn load(conn: &mut Conn) -> Result<Tokens, DbError> {
    let live = repo::live_tokens(conn)?.into_iter().map(|row| {
        let damaged = || DbError::Damaged(format!("token {}", row.token_id));
        let hash = <[u8; 32]>::try_from(row.token_hash.as_slice()).map_err(|_| damaged())?;
        let scope = Scope::parse(&row.scope).ok_or_else(damaged)?;
        Ok((hash, Token { id: row.token_id, name: row.name, scope, store: row.store_id.map(StoreId) }))
    });
    live.collect::<Result<_, DbError>>().map(Tokens)
}

pub struct NewToken<'a> {
    pub name: &'a str,
    pub scope: Scope,
    /// Slug of the store that orders sent with it belong to.
    pub store: Option<&'a str>,
}

/// Returns the number of the token and its secret, which is not known afterwards.
pub fn add_token(
    tx: &mut Tx<'_>,
    new: &NewToken<'_>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(i32, String), AccessProblem> {
    let secret = format!("{PREFIX}{}", fresh_secret()?);
    let store_id = match new.store {
        None => None,
        Some(slug) => {
            let found = repo::store_id(tx.conn, slug)?;
            Some(found.ok_or_else(|| AccessProblem::UnknownStore(slug.to_owned()))?)
        }
    };
    let id = repo::insert_token(tx.conn, &fingerprint(&secret), new.name, new.scope.name(), store_id, now)?;
    bump(tx, "tokens")?;
    let detail = json!({"name": new.name, "scope": new.scope.name(), "store": new.store});
    audit::record(tx, by, "token.add", &id.to_string(), detail, now)?;
    Ok((id, secret))
}

pub fn list_tokens(conn: &mut Conn) -> Result<Vec<ApiToken>, DbError> {
    repo::tokens(conn)
}

pub fn revoke_token(tx: &mut Tx<'_>, id: i32, by: &str, now: DateTime<Utc>) -> Result<(), AccessProblem> {
    if repo::revoke_token(tx.conn, id, now)? == 0 {
        return Err(AccessProblem::UnknownToken(id));
    }
    bump(tx, "tokens")?;
    Ok(audit::record(tx, by, "token.revoke", &id.to_string(), json!({}), now)?)
}
