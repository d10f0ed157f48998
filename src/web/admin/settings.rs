//! Users, API tokens, the own password and the audit log.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Path, Query};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::desk::{Desk, Nothing, nothing};
use super::field::Wrong;
use super::format::{Pager, Pill, Tone, When};
use super::once::{self, Once, Shown};
use super::shell::Shell;
use super::words;
use crate::access::{self, AccessProblem, ApiToken, NewToken, Role, Scope, Session, audit};
use crate::db::{DbError, Tx};
use crate::ingest;
use crate::reports::set_up::{self as report, Act, Seen};
use crate::web::error::Refusal;
use crate::web::session::{Admin, Denied, Form, Viewer};

#[derive(Template)]
#[template(path = "admin/settings.html")]
pub struct SettingsPage {
    pub shell: Shell,
    pub users: Vec<User>,
    pub tokens: Vec<Token>,
    pub stores: Vec<String>,
    pub audit: Vec<AuditRow>,
    pub pager: Pager,
    pub shown: Option<Shown>,
    pub form: Typed,
    pub wrong: Wrong,
    pub has_password: bool,
    pub may_change: bool,
}

pub struct User {
    pub id: i32,
    pub email: String,
    pub role: Pill,
    pub has_password: bool,
    /// Where there is a session: when it was last used.
    pub seen_at: Option<When>,
    pub disabled: bool,
}

pub struct Token {
    pub id: i32,
    pub name: String,
    pub scope: Pill,
    pub store: String,
    pub created_at: When,
    pub revoked_at: Option<When>,
}

pub struct AuditRow {
    pub at: When,
    pub actor: String,
    pub action: String,
    pub object: String,
    pub detail: String,
}

/// What a form that was refused had in it.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub email: String,
    pub role: String,
    pub token: String,
    pub scope: String,
    pub store: String,
}

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/settings", web::get().to(show))
        .route("/settings/users", web::post().to(add_user))
        .route("/settings/users/{id}/link", web::post().to(make_link))
        .route("/settings/users/{id}/disable", web::post().to(disable))
        .route("/settings/tokens", web::post().to(add_token))
        .route("/settings/tokens/{id}/revoke", web::post().to(revoke));
}

#[derive(Deserialize)]
struct Asked {
    before: Option<Uuid>,
}

async fn show(viewer: Viewer, desk: Desk, asked: Query<Asked>, once: Once) -> Result<HttpResponse, Denied> {
    let shown = once.open(&desk, &viewer);
    let page = page(&viewer, &desk, asked.before, shown, Refused::default()).await?;
    once.gone(&desk, page)
}

/// What a form said that could not be done, and why.
#[derive(Default)]
struct Refused {
    form: Typed,
    wrong: Wrong,
}

async fn page(
    session: &Session,
    desk: &Desk,
    before: Option<Uuid>,
    shown: Option<Shown>,
    Refused { form, wrong }: Refused,
) -> Result<HttpResponse, Denied> {
    let read = desk.read(session, "settings", move |conn| {
        let people = (access::list_users(conn)?, report::last_seen(conn)?);
        Ok((people, access::list_tokens(conn)?, ingest::list_stores(conn)?, report::audit(conn, before)?))
    });
    let (mut shell, ((users, seen), tokens, stores, acts)) = read.await?;
    shell.here = "/admin/settings".to_owned();
    let next = |id: Uuid| words::address("/admin/settings", &[("before", &id.to_string())]) + "#audit";
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = SettingsPage {
        shell,
        users: users.into_iter().map(|user| self::user(user, &seen)).collect(),
        tokens: tokens.into_iter().map(token).collect(),
        stores: stores.into_iter().map(|store| store.slug).collect(),
        pager: Pager {
            shown: acts.rows.len(),
            first: before.map(|_| "/admin/settings#audit".to_owned()),
            next: acts.next.map(next),
        },
        audit: acts.rows.into_iter().map(act).collect(),
        shown,
        form,
        wrong,
        has_password: session.has_password,
        may_change: session.role >= Role::Admin,
    };
    desk.show_as(status, &page)
}

fn user(user: access::User, seen: &[Seen]) -> User {
    let tone = match Role::parse(&user.role) {
        Some(Role::Admin) => Tone::Violet,
        Some(Role::Operator) => Tone::Info,
        _ => Tone::Muted,
    };
    User {
        id: user.user_id,
        role: Pill::new(tone, user.role),
        has_password: user.has_password,
        seen_at: seen.iter().find(|seen| seen.user_id == user.user_id).map(|seen| When(seen.seen_at)),
        disabled: user.disabled_at.is_some(),
        email: user.email,
    }
}

fn token(token: ApiToken) -> Token {
    let tone = if token.scope == Scope::Admin.name() { Tone::Violet } else { Tone::Info };
    Token {
        id: token.token_id,
        name: token.name,
        scope: Pill::new(tone, token.scope),
        store: token.store.unwrap_or_default(),
        created_at: When(token.created_at),
        revoked_at: token.revoked_at.map(When),
    }
}

fn act(act: Act) -> AuditRow {
    AuditRow {
        at: When(act.at),
        actor: act.actor,
        action: act.action,
        object: act.object,
        detail: in_words(&act.detail),
    }
}

/// `role: viewer, store: shop-eu`
fn in_words(detail: &Value) -> String {
    let Value::Object(fields) = detail else { return detail.to_string() };
    let word = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    };
    let told = fields.iter().filter(|(_, value)| !value.is_null());
    told.map(|(name, value)| format!("{name}: {}", word(value))).collect::<Vec<_>>().join(", ")
}

#[derive(Deserialize)]
struct NewUser {
    email: String,
    role: String,
}

async fn add_user(admin: Admin, desk: Desk, form: Form<NewUser>) -> Result<HttpResponse, Denied> {
    let NewUser { email, role: role_name } = form.0;
    let typed = Typed { email: email.clone(), role: role_name.clone(), ..Typed::default() };
    let Some(role) = Role::parse(&role_name) else {
        let wrong = Wrong::default().with("role", "Choose a role.");
        return page(&admin, &desk, None, None, Refused { form: typed, wrong }).await;
    };
    let (by, now) = (admin.email.clone(), desk.now());
    let made = desk.write(move |tx| {
        told(access::add_user(tx, &email, role, &by, now).and_then(|user| {
            let secret = access::login_link(tx, &user.email, now)?;
            audit::record(tx, &by, "user.link", &user.email, Value::Object(Default::default()), now)?;
            Ok((user.email, secret))
        }))
    });
    match made.await? {
        Ok((email, secret)) => link(&admin, &desk, &email, &secret, &format!("{email} is added.")),
        Err(problem) => {
            let wrong = Wrong::default().with("email", problem.to_string());
            page(&admin, &desk, None, None, Refused { form: typed, wrong }).await
        }
    }
}

/// The one-time link, on to the page that shows it.
fn link(admin: &Admin, desk: &Desk, email: &str, secret: &str, done: &str) -> Result<HttpResponse, Denied> {
    let link = desk.state.link(&format!("/login/once?token={secret}"));
    let what = format!("The link that signs {email} in, within a day and once");
    once::keep(desk, admin, (&what, link), desk.done("/admin/settings", done))
}

/// The database's problems apart from those that a person can mend.
fn told<T>(result: Result<T, AccessProblem>) -> Result<Result<T, AccessProblem>, DbError> {
    match result {
        Err(AccessProblem::Db(error)) => Err(error),
        Err(AccessProblem::Vault(error)) => Err(DbError::Invariant(error.to_string())),
        other => Ok(other),
    }
}

fn email_of(tx: &mut Tx<'_>, id: i32) -> Result<Option<String>, DbError> {
    let users = access::list_users(tx.conn)?;
    Ok(users.into_iter().find(|user| user.user_id == id && user.disabled_at.is_none()).map(|user| user.email))
}

async fn make_link(
    admin: Admin,
    desk: Desk,
    id: Path<i32>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (by, now) = (admin.email.clone(), desk.now());
    let made = desk.write(move |tx| {
        let Some(email) = email_of(tx, *id)? else { return Ok(None) };
        let Ok(secret) = told(access::login_link(tx, &email, now))? else { return Ok(None) };
        audit::record(tx, &by, "user.link", &email, Value::Object(Default::default()), now)?;
        Ok(Some((email, secret)))
    });
    let (email, secret) = made.await?.ok_or_else(|| nothing("user"))?;
    link(&admin, &desk, &email, &secret, "Another link is made.")
}

/// Nobody ends the own account, so that there is always an admin left.
async fn disable(
    admin: Admin,
    desk: Desk,
    id: Path<i32>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    if *id == admin.user_id {
        let wrong = Wrong::default().with("users", "You cannot disable yourself; another admin can.");
        return page(&admin, &desk, None, None, Refused { wrong, ..Refused::default() }).await;
    }
    let (by, now) = (admin.email.clone(), desk.now());
    let done = desk.write(move |tx| {
        let Some(email) = email_of(tx, *id)? else { return Ok(None) };
        Ok(told(access::disable_user(tx, &email, &by, now))?.ok().map(|()| email))
    });
    let email = done.await?.ok_or_else(|| nothing("user"))?;
    Ok(desk.done("/admin/settings", &format!("{email} is disabled and signed out.")))
}

#[derive(Deserialize)]
struct TokenForm {
    name: String,
    scope: String,
    #[serde(default)]
    store: String,
}

async fn add_token(admin: Admin, desk: Desk, form: Form<TokenForm>) -> Result<HttpResponse, Denied> {
    let TokenForm { name, scope: scope_name, store } = form.0;
    let typed =
        Typed { token: name.clone(), scope: scope_name.clone(), store: store.clone(), ..Typed::default() };
    let mut wrong = Wrong::default();
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 100 {
        wrong.add("name", "Say in up to 100 letters what it is for.");
    }
    let scope = Scope::parse(&scope_name);
    if scope.is_none() {
        wrong.add("scope", "Choose a scope.");
    }
    let Some(scope) = scope.filter(|_| wrong.is_empty()) else {
        return page(&admin, &desk, None, None, Refused { form: typed, wrong }).await;
    };
    let (by, now) = (admin.email.clone(), desk.now());
    let what = format!("The token {name}");
    let made = desk.write(move |tx| {
        let store = Some(store.as_str()).filter(|slug| !slug.is_empty());
        told(access::add_token(tx, &NewToken { name: &name, scope, store }, &by, now))
    });
    match made.await? {
        Ok((_, secret)) => {
            once::keep(&desk, &admin, (&what, secret), desk.done("/admin/settings", "The token is made."))
        }
        Err(problem) => {
            let wrong = Wrong::default().with("store", problem.to_string());
            page(&admin, &desk, None, None, Refused { form: typed, wrong }).await
        }
    }
}

async fn revoke(
    admin: Admin,
    desk: Desk,
    id: Path<i32>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (by, now) = (admin.email.clone(), desk.now());
    let done = desk.write(move |tx| told(access::revoke_token(tx, *id, &by, now)));
    done.await?.map_err(|_| nothing("token that is not revoked"))?;
    // So that it opens nothing any more once the page says so.
    desk.state.tokens.renewed().await.map_err(Refusal::from)?;
    Ok(desk.done("/admin/settings", "The token is revoked."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn details_are_told_in_words() {
        let detail = json!({"scope": "orders", "store": null, "rows": 12, "places": ["a", "b:c"]});
        assert_eq!(in_words(&detail), "places: a b:c, rows: 12, scope: orders");
        assert_eq!(in_words(&json!({})), "");
    }
}
