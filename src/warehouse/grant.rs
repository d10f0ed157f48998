//! The role of the analysts: it may read the schema `report`, for a limited time at once, and nothing else.
//!
//! Roles belong to a whole cluster and need a right of their own to be made, so no migration makes one.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;

use super::problem::WarehouseProblem;
use super::{repo, scram};
use crate::access::audit;
use crate::clock::Clock;
use crate::db::{Db, Lane};

/// Who may read, and for how long.
pub struct Grants<'a> {
    pub role: &'a str,
    /// After so many seconds a statement is ended.
    pub statement_seconds: u32,
    /// Without one the role signs in as the server lets it: by a certificate, or by its name on the machine.
    pub password: Option<SecretString>,
    pub by: &'a str,
}

#[derive(Debug, Serialize)]
pub struct Granted {
    pub role: String,
    pub database: String,
    /// It was there before.
    pub existed: bool,
    pub statements: Vec<String>,
    /// What it can read now; of a dry run, nothing.
    pub views: Vec<String>,
}

/// Gives the role its rights, in one database transaction: with any right too many nothing is granted.
pub fn grant(
    db: &Db,
    clock: &Clock,
    grants: &Grants<'_>,
    dry_run: bool,
) -> Result<Granted, WarehouseProblem> {
    check(grants)?;
    let secret = grants.password.as_ref().map(|password| scram::verifier(password.expose_secret()));
    let secret = secret.transpose()?;
    let now = clock.now();
    db.transact_or(Lane::Admin, |tx| {
        let facts = repo::role_facts(tx.conn, grants.role)?;
        let mut statements = statements(grants, &facts.database, facts.exists);
        let granted = |statements, views| Granted {
            role: grants.role.to_owned(),
            database: facts.database.clone(),
            existed: facts.exists,
            statements,
            views,
        };
        if dry_run {
            statements.extend(secret.iter().map(|_| set_password(grants.role, "...")));
            return Ok(granted(statements, vec![]));
        }
        if !facts.may_create {
            return refused("this database user may not make roles; let an administrator of the server run what \
                            `upline warehouse grant --dry-run` prints");
        }
        if facts.is_mighty {
            return refused(&format!(
                "the role {} is an administrator or a member of other roles; name one that is neither: --role NAME",
                grants.role
            ));
        }
        for statement in &statements {
            repo::run(tx.conn, statement)?;
        }
        if let Some(secret) = &secret {
            repo::run(tx.conn, &set_password(grants.role, secret))?;
        }
        let reaches = repo::reaches(tx.conn, grants.role)?;
        if !reaches.is_empty() {
            return refused(&format!(
                "{} could also get at {}; revoke that, also from PUBLIC, and grant again",
                grants.role,
                reaches.join(", ")
            ));
        }
        let views = repo::readable(tx.conn, grants.role)?;
        let detail = json!({"database": facts.database, "statement_seconds": grants.statement_seconds,
                            "password": secret.is_some()});
        audit::record(tx, grants.by, "warehouse.grant", grants.role, detail, now)?;
        Ok(granted(statements, views))
    })
}

fn refused<T>(why: &str) -> Result<T, WarehouseProblem> {
    Err(WarehouseProblem::Refused(why.to_owned()))
}

fn check(grants: &Grants<'_>) -> Result<(), WarehouseProblem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins = grants.role.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if !begins || grants.role.len() > 63 || !grants.role.chars().all(plain) || grants.role.starts_with("pg_")
    {
        return refused(&format!(
            "{:?} is no name of a role; use lower case letters, digits and _, such as report_ro",
            grants.role
        ));
    }
    if grants.statement_seconds == 0 {
        return refused("a statement timeout of 0 is none at all; give it a second or more");
    }
    Ok(())
}

/// In the order in which they run. All names are plain, see [`check`], but the one of the database.
fn statements(grants: &Grants<'_>, database: &str, exists: bool) -> Vec<String> {
    let role = grants.role;
    let database = format!("\"{}\"", database.replace('"', "\"\""));
    let here = format!("alter role {role} in database {database} set");
    let create = (!exists).then(|| format!("create role {role} login connection limit 10"));
    let rights = [
        format!("{here} statement_timeout = '{}s'", grants.statement_seconds),
        format!("{here} idle_in_transaction_session_timeout = '{}s'", grants.statement_seconds),
        format!("{here} default_transaction_read_only = on"),
        format!("{here} search_path = report"),
        format!("grant connect on database {database} to {role}"),
        format!("grant usage on schema report to {role}"),
        format!("grant select on all tables in schema report to {role}"),
        format!("alter default privileges in schema report grant select on tables to {role}"),
    ];
    create.into_iter().chain(rights).collect()
}

fn set_password(role: &str, verifier: &str) -> String {
    format!("alter role {role} password '{verifier}'")
}
