//! People: added by an admin or on the console, signed in the first time by a link that works once.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{AccessProblem, Role, User, audit, fingerprint, fresh_secret, repo};
use crate::db::{Conn, DbError, Tx};

/// The account that is made when there is nobody at all.
pub const FIRST_ADMIN: &str = "admin@localhost";
const LINK_LIFE: TimeDelta = TimeDelta::hours(24);

pub fn add_user(
    tx: &mut Tx<'_>,
    email: &str,
    role: Role,
    by: &str,
    now: DateTime<Utc>,
) -> Result<User, AccessProblem> {
    let email = normal(email);
    let (name, domain) = email.split_once('@').ok_or_else(|| AccessProblem::BadEmail(email.clone()))?;
    if name.is_empty() || domain.is_empty() || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(AccessProblem::BadEmail(email));
    }
    let user = repo::insert_user(tx.conn, &email, role.name(), now)?;
    let user = user.ok_or_else(|| AccessProblem::EmailTaken(email.clone()))?;
    audit::record(tx, by, "user.add", &email, json!({"role": role.name()}), now)?;
    Ok(user)
}

pub fn list_users(conn: &mut Conn) -> Result<Vec<User>, DbError> {
    repo::users(conn)
}

/// Ends the account and everything that is signed in with it.
pub fn disable_user(tx: &mut Tx<'_>, email: &str, by: &str, now: DateTime<Utc>) -> Result<(), AccessProblem> {
    let email = normal(email);
    if repo::disable_user(tx.conn, &email, now)? == 0 {
        return Err(AccessProblem::UnknownUser(email));
    }
    Ok(audit::record(tx, by, "user.disable", &email, json!({}), now)?)
}

/// The secret of a link that signs `email` in once. Only its hash is kept.
pub fn login_link(tx: &mut Tx<'_>, email: &str, now: DateTime<Utc>) -> Result<String, AccessProblem> {
    let email = normal(email);
    let secret = fresh_secret()?;
    let made = repo::insert_link(tx.conn, &email, &fingerprint(&secret), now + LINK_LIFE)?;
    if made == 0 { Err(AccessProblem::UnknownUser(email)) } else { Ok(secret) }
}

/// The address of an admin to sign in as, made when there is none at all.
pub fn first_admin(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<String, AccessProblem> {
    let users = repo::users(tx.conn)?;
    let admin = users.into_iter().find(|user| user.role == Role::Admin.name() && user.disabled_at.is_none());
    if let Some(admin) = admin {
        return Ok(admin.email);
    }
    match add_user(tx, FIRST_ADMIN, Role::Admin, "console", now) {
        // Another process that started at the same time was quicker.
        Ok(_) | Err(AccessProblem::EmailTaken(_)) => Ok(FIRST_ADMIN.to_owned()),
        Err(other) => Err(other),
    }
}

pub fn anybody_has_a_password(conn: &mut Conn) -> Result<bool, DbError> {
    Ok(repo::users(conn)?.iter().any(|user| user.has_password && user.disabled_at.is_none()))
}

/// `hashed` by [`super::password::hash`], which is slow on purpose and has no business in a database transaction.
/// Ends all sessions of the user but the one with the fingerprint `keep`.
pub fn set_password(
    tx: &mut Tx<'_>,
    user_id: i32,
    hashed: &str,
    keep: &[u8],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), AccessProblem> {
    repo::set_password(tx.conn, user_id, hashed)?;
    repo::delete_other_sessions(tx.conn, user_id, keep)?;
    Ok(audit::record(tx, by, "user.password", by, json!({}), now)?)
}

/// Addresses are compared in lower case.
pub(super) fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}
