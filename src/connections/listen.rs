//! Listening to what the stores deliver by themselves: who speaks, who has sent us away, who is silent although
//! there was something to say.

use chrono::{DateTime, TimeDelta, Utc};

use super::repo::{self, Heard};
use super::{Connection, notes};
use crate::core::order::Report;
use crate::db::{Db, DbError, Lane};
use crate::ingest::{self, StoredDelivery};
use crate::stores::{self, DeliveryMeta, PULLED_ORDER, Platform};

/// A delivery may take its time: WordPress sends when somebody visits the shop.
const USUAL_DELAY: TimeDelta = TimeDelta::minutes(15);
/// Pulled orders that are looked at for one store.
const ENOUGH: i64 = 200;

/// Remembers who delivered since, and pauses the stores from which our app was uninstalled.
pub fn listen(db: &Db, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), DbError> {
    let heard = db.read(Lane::Pipeline, |conn| repo::heard(conn, since))?;
    if heard.is_empty() {
        return Ok(());
    }
    db.transact(Lane::Pipeline, |tx| {
        repo::note_heard(tx.conn, &heard)?;
        if heard.iter().all(|heard| heard.uninstalled_at.is_none()) {
            return Ok(());
        }
        for connection in repo::list(tx.conn)? {
            let Some(at) = uninstalled(&connection, &heard) else { continue };
            let problem = "our app was uninstalled there: install it again and connect the store anew";
            if repo::pause(tx.conn, connection.store(), true, Some(problem), now)? > 0 {
                tracing::warn!(store = connection.slug, "our app was uninstalled");
                notes::note_uninstalled(tx, &connection, at, now)?;
            }
        }
        Ok(())
    })
}

/// A store that was connected again afterwards is not sent away by an old word.
fn uninstalled(connection: &Connection, heard: &[Heard]) -> Option<DateTime<Utc>> {
    let of = heard.iter().find(|heard| heard.store_id == connection.store_id)?;
    of.uninstalled_at.filter(|at| *at > connection.connected_at)
}

/// How many orders changed at a store that has not delivered anything for so long, as its API showed them; `None`
/// while it speaks, had nothing to say, or never sends anything by itself.
pub fn silence(
    db: &Db,
    connection: &Connection,
    limit: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Option<usize>, DbError> {
    let since = now - limit;
    let speaks = connection.heard_at.is_some_and(|at| at >= since);
    if speaks || connection.paused || connection.connected_at > since {
        return Ok(None);
    }
    let platform = connection.platform()?;
    let (pulled, repeated) = db.read(Lane::Pipeline, |conn| {
        let store = connection.store();
        let subscriptions = repo::subscriptions(conn, store)?;
        let sends = connection.heard_at.is_some()
            || subscriptions.iter().any(|row| row.external_id.is_some() && row.created_at <= since);
        if !sends {
            return Ok((vec![], false));
        }
        let ids = repo::latest(conn, store, Some(PULLED_ORDER), since, None, ENOUGH)?;
        let pulled = ingest::load(conn, &ids)?;
        // Only asked when it matters: repeats are found the long way.
        let repeated = !pulled.is_empty() && repo::repeated(conn, store, since)?;
        Ok((pulled, repeated))
    })?;
    if repeated {
        return Ok(None);
    }
    let changed = pulled.iter().filter_map(|delivery| changed_at(platform, delivery));
    let told = changed.filter(|at| since < *at && *at <= now - USUAL_DELAY).count();
    Ok((told > 0).then_some(told))
}

fn changed_at(platform: Platform, delivery: &StoredDelivery) -> Option<DateTime<Utc>> {
    let meta = DeliveryMeta {
        topic: Some(delivery.topic.clone()),
        triggered_at: delivery.triggered_at,
        ..DeliveryMeta::default()
    };
    let reports = stores::parse(platform, &meta, &delivery.body).ok()?;
    reports.into_iter().find_map(|report| match report {
        Report::Snapshot(snapshot) => Some(snapshot.updated_at),
        _ => None,
    })
}
