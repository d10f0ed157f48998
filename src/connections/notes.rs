//! What people are told about connections without asking.

use chrono::{DateTime, TimeDelta, Utc};

use super::webhooks::plan::Why;
use super::webhooks::{Done, Ensured};
use super::{Connection, repo};
use crate::core::ids::StoreId;
use crate::db::{DbError, Tx};
use crate::notices::{self, Notice, Severity};

/// Shorter troubles are not worth an alarm: the next call is a quarter of an hour away.
const BEARABLE: TimeDelta = TimeDelta::minutes(15);
/// How long it stays in sight that something was mended.
const IN_SIGHT: TimeDelta = TimeDelta::days(1);

/// A call of the store's API succeeded, or failed for good. A failure that lasts is an alarm.
pub fn note_outcome(
    tx: &mut Tx<'_>,
    store: StoreId,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let Some(trouble) = repo::note_outcome(tx.conn, store, problem, now)? else { return Ok(()) };
    let key = key("store-unreachable", &trouble.slug);
    let Some((problem, since)) = problem.zip(trouble.since) else {
        notices::resolve(tx, &key, now)?;
        return Ok(());
    };
    if now - since < BEARABLE {
        return Ok(());
    }
    let slug = &trouble.slug;
    let subject = format!("The API of {slug} cannot be used");
    let since = since.format("%Y-%m-%d %H:%M UTC");
    let body = format!(
        "Since {since}: {problem}\n\nUntil this is mended, orders that no webhook told stay unknown. See for yourself: \
         upline store test {slug}"
    );
    alarm(tx, &key, &subject, &body, store, now)
}

/// After the webhooks were looked at: what was mended, what cannot be.
pub fn note_ensured(
    tx: &mut Tx<'_>,
    connection: &Connection,
    ensured: &Ensured,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let damaged: Vec<&Done> = ensured.done.iter().filter(|done| done.is_repair()).collect();
    let mended = key("webhooks-mended", &connection.slug);
    if damaged.is_empty() {
        let rows = repo::subscriptions(tx.conn, connection.store())?;
        if rows.iter().all(|row| row.mended_at.is_none_or(|at| now - at > IN_SIGHT)) {
            notices::resolve(tx, &mended, now)?;
        }
    } else {
        let subject = format!("{} webhook(s) of {} were mended", damaged.len(), connection.slug);
        let lines: Vec<String> =
            damaged.iter().map(|done| format!("- {}: {}", done.topic, done.told())).collect();
        let body = format!(
            "{}\n\nWhat happened while they were off is found by the next pull. When it happens again, see what \
             refuses the deliveries: the store's own log of webhooks says so.",
            lines.join("\n")
        );
        let notice = Notice {
            key: &mended,
            severity: Severity::Info,
            subject: &subject,
            body: &body,
            store: Some(connection.store()),
        };
        notices::raise(tx, &notice, now)?;
    }
    let broken: Vec<String> = ensured.broken().map(|(topic, why)| format!("- {topic}: {why}")).collect();
    let problem = (!broken.is_empty()).then(|| broken.join("\n"));
    note_broken(tx, connection, problem.as_deref(), now)
}

/// The webhooks cannot be as they should be, or can again.
pub fn note_broken(
    tx: &mut Tx<'_>,
    connection: &Connection,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (slug, key) = (&connection.slug, key("webhooks-broken", &connection.slug));
    let Some(problem) = problem else {
        notices::resolve(tx, &key, now)?;
        return Ok(());
    };
    let subject = format!("{slug} does not deliver all that it should");
    let body = format!(
        "{problem}\n\nUntil this is mended, changes are only found by pulls. Afterwards: upline store webhooks {slug} \
         --ensure"
    );
    alarm(tx, &key, &subject, &body, connection.store(), now)
}

/// The app is gone from the store: nothing of ours works there any more.
pub fn note_uninstalled(
    tx: &mut Tx<'_>,
    connection: &Connection,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let slug = &connection.slug;
    let subject = format!("Our app was uninstalled from {slug}");
    let body = format!(
        "The store told so at {}. Its token and its webhooks ended with the app, so the connection is paused. If that \
         was not meant: install the app again and connect the store anew: upline store connect {slug}",
        at.format("%Y-%m-%d %H:%M UTC")
    );
    alarm(tx, &key("store-uninstalled", slug), &subject, &body, connection.store(), now)
}

/// A secret should end, and the store goes on signing with it.
pub fn note_old_secret(
    tx: &mut Tx<'_>,
    connection: &Connection,
    used: bool,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (slug, key) = (&connection.slug, key("old-secret-used", &connection.slug));
    if !used {
        notices::resolve(tx, &key, now)?;
        return Ok(());
    }
    let subject = format!("{slug} still signs with its old secret");
    let body = format!(
        "The secret was exchanged more than a day ago, and deliveries still come that only the old one fits. It stays \
         valid until they end. Shopify goes on using it until the old client secret is revoked in the Dev Dashboard; \
         elsewhere look for a webhook that was made by hand. To end it at once: upline store secret retire {slug}"
    );
    let notice = Notice {
        key: &key,
        severity: Severity::Warning,
        subject: &subject,
        body: &body,
        store: Some(connection.store()),
    };
    notices::raise(tx, &notice, now)?;
    Ok(())
}

/// `told`: how many orders the store's API showed that no delivery had told.
pub fn note_silence(
    tx: &mut Tx<'_>,
    connection: &Connection,
    silent: Option<usize>,
    hours: i64,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (slug, key) = (&connection.slug, key("store-silent", &connection.slug));
    let Some(orders) = silent else {
        notices::resolve(tx, &key, now)?;
        return Ok(());
    };
    let last = match connection.heard_at {
        Some(at) => format!("The last delivery came at {}.", at.format("%Y-%m-%d %H:%M UTC")),
        None => "It has never delivered anything.".to_owned(),
    };
    let subject = format!("{slug} is silent");
    let body = format!(
        "No webhook came for {hours} hours, although the store's API showed {orders} order(s) that changed in that time. \
         {last} Pulls have found those orders, so nothing is lost, only late. See whether the store can reach us and \
         whether something in between refuses its deliveries: upline store test {slug}"
    );
    alarm(tx, &key, &subject, &body, connection.store(), now)
}

/// Of a store that is disconnected or connected anew.
pub fn resolve_all(tx: &mut Tx<'_>, slug: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    let about = [
        "store-unreachable",
        "webhooks-mended",
        "webhooks-broken",
        "store-uninstalled",
        "old-secret-used",
        "store-silent",
    ];
    for about in about {
        notices::resolve(tx, &key(about, slug), now)?;
    }
    Ok(())
}

fn key(about: &str, slug: &str) -> String {
    format!("{about}:{slug}")
}

fn alarm(
    tx: &mut Tx<'_>,
    key: &str,
    subject: &str,
    body: &str,
    store: StoreId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let notice = Notice { key, severity: Severity::Alarm, subject, body, store: Some(store) };
    notices::raise(tx, &notice, now)?;
    Ok(())
}

impl Why {
    pub(super) fn told(&self) -> String {
        match self {
            Self::First => "made".to_owned(),
            Self::Gone => "it was gone, and was made again".to_owned(),
            Self::Disabled => "the store had switched it off; it is on again".to_owned(),
            Self::Moved { from } => format!("it led to {from}, and leads to us again"),
            Self::Secret => "it signs with the newest secret".to_owned(),
            Self::Adopted => "it was made by hand, and is ours now".to_owned(),
        }
    }
}
