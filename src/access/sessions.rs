//! Sessions: a random secret in the browser, its hash here. They end idle, in the end, and by signing out.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::users::normal;
use super::{AccessProblem, Role, audit, fingerprint, fresh_secret, repo};
use crate::db::{Conn, DbError, Tx};

const IDLE: TimeDelta = TimeDelta::hours(12);
const LIFE: TimeDelta = TimeDelta::days(7);
/// How exactly the last use is known: not every page view is a write.
const SEEN_STEP: TimeDelta = TimeDelta::minutes(1);

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    pub user_id: i32,
    pub email: String,
    pub role: Role,
    /// Every form that changes something has to carry it.
    pub csrf: String,
    pub has_password: bool,
    pub fingerprint: [u8; 32],
}

/// What the browser gets.
pub struct NewSession {
    pub secret: String,
    pub life: TimeDelta,
}

/// What signing in with a password needs.
pub struct Account {
    pub user_id: i32,
    pub password_hash: Option<String>,
}

/// The account behind an address, unless it is disabled.
pub fn account(conn: &mut Conn, email: &str) -> Result<Option<Account>, DbError> {
    repo::account(conn, &normal(email))
}

/// Always a fresh secret: a session that was there before signing in is worth nothing afterwards.
pub fn open_session(tx: &mut Tx<'_>, user_id: i32, now: DateTime<Utc>) -> Result<NewSession, AccessProblem> {
    let (secret, csrf) = (fresh_secret()?, fresh_secret()?);
    repo::delete_expired(tx.conn, now, now - IDLE)?;
    repo::insert_session(tx.conn, &fingerprint(&secret), user_id, &csrf, now, now + LIFE)?;
    Ok(NewSession { secret, life: LIFE })
}

pub fn record_login(tx: &mut Tx<'_>, email: &str, how: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    let email = normal(email);
    audit::record(tx, &email, "session.open", &email, json!({"by": how}), now)
}

/// Uses up a one-time link. `None`: unknown, used, too old, or of a disabled user.
pub fn sign_in_once(
    tx: &mut Tx<'_>,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<Option<NewSession>, AccessProblem> {
    let Some(user) = repo::use_link(tx.conn, &fingerprint(secret), now)? else { return Ok(None) };
    let session = open_session(tx, user.user_id, now)?;
    record_login(tx, &user.email, "link", now)?;
    Ok(Some(session))
}

/// The live session of a secret. Remembers that it was used.
pub fn find_session(conn: &mut Conn, secret: &str, now: DateTime<Utc>) -> Result<Option<Session>, DbError> {
    let fingerprint = fingerprint(secret);
    let Some(row) = repo::session(conn, &fingerprint, now, now - IDLE)? else { return Ok(None) };
    let role =
        Role::parse(&row.role).ok_or_else(|| DbError::Damaged(format!("role of user {}", row.user_id)))?;
    if now - row.seen_at > SEEN_STEP {
        repo::touch_session(conn, &fingerprint, now)?;
    }
    let repo::SessionRow { user_id, email, csrf, has_password, .. } = row;
    Ok(Some(Session { user_id, email, role, csrf, has_password, fingerprint }))
}

pub fn close_session(tx: &mut Tx<'_>, session: &Session, now: DateTime<Utc>) -> Result<(), DbError> {
    repo::delete_session(tx.conn, &session.fingerprint)?;
    audit::record(tx, &session.email, "session.close", &session.email, json!({}), now)
}
