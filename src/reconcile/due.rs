//! Which days are due: those that are over and have no report, those whose orders have changed since, and all of the
//! last weeks once a week.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::repo::days::{self, Changed, Reported};
use super::window::day_of;
use super::{Cause, Heal};
use crate::connections::{self, Connection};
use crate::db::{Conn, DbError};
use crate::ingest::{self, Store};
use crate::settings;

/// A day that is to be reconciled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Slug.
    pub store: String,
    pub day: NaiveDate,
    pub cause: Cause,
    pub heal: Heal,
    pub by: String,
}

/// All that is due, what was asked for first, then the oldest.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DueDays {
    pub days: Vec<Due>,
    /// A store could not be read lately: its days wait for a while.
    pub waits: bool,
}

/// How long a store that could not be read is left alone.
const AGAIN: TimeDelta = TimeDelta::hours(1);
const WEEK: TimeDelta = TimeDelta::days(7);
pub const SCHEDULE: &str = "schedule";

/// `since`: changes before that are known already.
pub fn due(
    conn: &mut Conn,
    settings: &settings::Reconcile,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<DueDays, DbError> {
    let requests = days::requests(conn)?.into_iter().map(|request| Due {
        store: request.slug,
        day: request.day,
        cause: Cause::Manual,
        heal: if request.healing { Heal::Yes } else { Heal::No },
        by: request.asked_by,
    });
    let mut all = DueDays { days: requests.collect(), waits: false };
    let connections = connections::list(conn)?;
    let changed = days::changed(conn, since)?;
    let mut scheduled = vec![];
    for store in ingest::list_stores(conn)?.into_iter().filter(|store| store.active) {
        let connection = connections.iter().find(|connection| connection.store_id == store.id.0);
        if connection.is_some_and(|connection| connection.paused) {
            continue;
        }
        if connection.is_none() && !days::has_orders(conn, store.id)? {
            continue;
        }
        let calendar = Calendar::of(&store, connection, &changed, days::reported(conn, store.id)?);
        match calendar.is_left_alone(now) {
            true => all.waits = true,
            false => scheduled.extend(calendar.due(settings, now)),
        }
    }
    scheduled
        .retain(|due: &Due| !all.days.iter().any(|asked| asked.store == due.store && asked.day == due.day));
    scheduled.sort_by(|one, other| (one.day, &one.store).cmp(&(other.day, &other.store)));
    all.days.extend(scheduled);
    Ok(all)
}

struct Calendar<'a> {
    store: &'a Store,
    zone: Tz,
    /// The first day that is reconciled without anybody asking.
    first: NaiveDate,
    reported: BTreeMap<NaiveDate, Reported>,
    changed: BTreeMap<NaiveDate, DateTime<Utc>>,
}

impl<'a> Calendar<'a> {
    fn of(
        store: &'a Store,
        connection: Option<&Connection>,
        changed: &[Changed],
        reported: Vec<Reported>,
    ) -> Self {
        let zone = connection.map_or(Tz::UTC, Connection::tz);
        let began = connection.map_or(store.created_at, |connection| connection.connected_at);
        let mut by_day: BTreeMap<NaiveDate, DateTime<Utc>> = BTreeMap::new();
        for change in changed.iter().filter(|change| change.store_id == store.id.0) {
            let known = by_day.entry(day_of(change.made_at, zone)).or_insert(change.changed_at);
            *known = change.changed_at.max(*known);
        }
        Self {
            store,
            zone,
            first: day_of(began, zone),
            reported: reported.into_iter().map(|reported| (reported.day, reported)).collect(),
            changed: by_day,
        }
    }

    fn is_left_alone(&self, now: DateTime<Utc>) -> bool {
        let last = self.reported.values().max_by_key(|reported| reported.started_at);
        last.is_some_and(|last| last.unread && last.started_at + AGAIN > now)
    }

    fn due(&self, settings: &settings::Reconcile, now: DateTime<Utc>) -> Vec<Due> {
        let after = TimeDelta::hours(i64::from(settings.after_hours));
        let Some(last) = day_of(now - after, self.zone).pred_opt() else { return vec![] };
        let back = last.checked_sub_days(Days::new(u64::from(settings.recheck_days.saturating_sub(1))));
        let recheck = back.unwrap_or(last);
        let known = self.reported.keys().chain(self.changed.keys()).copied();
        let expected = self.first.max(recheck).iter_days().take_while(|day| *day <= last);
        let days: std::collections::BTreeSet<NaiveDate> =
            known.filter(|day| *day <= last).chain(expected).collect();
        let due = |day: NaiveDate| {
            let cause = self.cause(day, day >= recheck, now)?;
            let (store, by) = (self.store.slug.clone(), SCHEDULE.to_owned());
            Some(Due { store, day, cause, heal: Heal::Yes, by })
        };
        days.into_iter().filter_map(due).collect()
    }

    fn cause(&self, day: NaiveDate, is_recent: bool, now: DateTime<Utc>) -> Option<Cause> {
        let Some(reported) = self.reported.get(&day) else {
            return (is_recent && day >= self.first).then_some(Cause::Schedule);
        };
        let changed = self.changed.get(&day).is_some_and(|at| *at > reported.started_at);
        let stale = is_recent && reported.started_at + WEEK <= now;
        match () {
            () if !reported.complete || stale => Some(Cause::Again),
            () if changed => Some(Cause::Changed),
            () => None,
        }
    }
}

/// Where to begin to look for changes when nothing is remembered: two days before the last report.
pub fn remembered(
    conn: &mut Conn,
    settings: &settings::Reconcile,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DbError> {
    let last = days::last_report(conn)?.unwrap_or(now).min(now);
    let oldest = now - TimeDelta::days(i64::from(settings.recheck_days));
    Ok((last - TimeDelta::days(2)).max(oldest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::StoreId;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn store() -> Store {
        Store {
            id: StoreId(1),
            slug: "main".into(),
            platform: "woocommerce".into(),
            name: "Main".into(),
            attribution: vec![],
            bindings: vec![],
            active: true,
            storefront: None,
            created_at: at("2026-11-17T12:00:00Z"),
            secrets: vec![],
        }
    }

    fn reported(day_of: &str, complete: bool, started_at: &str) -> Reported {
        Reported { day: day(day_of), complete, unread: !complete, started_at: at(started_at) }
    }

    fn changed(made: &str, changed: &str) -> Changed {
        Changed { store_id: 1, made_at: at(made), changed_at: at(changed) }
    }

    fn causes(calendar: &Calendar<'_>, now: &str) -> Vec<(String, Cause)> {
        let settings = settings::Reconcile { after_hours: 3, recheck_days: 35 };
        let due = calendar.due(&settings, at(now));
        due.into_iter().map(|due| (due.day.to_string(), due.cause)).collect()
    }

    #[test]
    fn a_day_is_due_hours_after_its_end() {
        let store = store();
        let calendar = Calendar::of(&store, None, &[], vec![]);
        let on = |now| causes(&calendar, now).into_iter().map(|(day, _)| day).collect::<Vec<_>>();
        assert!(on("2026-11-18T02:59:59Z").is_empty());
        assert_eq!(on("2026-11-18T03:00:00Z"), ["2026-11-17"]);
        assert_eq!(on("2026-11-20T09:00:00Z"), ["2026-11-17", "2026-11-18", "2026-11-19"]);
    }

    #[test]
    fn days_are_done_again_for_a_reason() {
        let store = store();
        let calendar = Calendar::of(
            &store,
            None,
            &[
                changed("2026-11-18T10:00:00Z", "2026-11-19T04:00:00Z"),
                changed("2026-11-17T10:00:00Z", "2026-11-18T02:00:00Z"),
                // Never reported, before anybody wanted reports: nobody asked.
                changed("2026-08-02T10:00:00Z", "2026-11-19T04:00:00Z"),
                changed("2026-07-02T10:00:00Z", "2026-11-19T04:00:00Z"),
            ],
            vec![
                reported("2026-11-17", true, "2026-11-18T03:00:00Z"),
                reported("2026-11-18", true, "2026-11-19T03:00:00Z"),
                reported("2026-07-02", true, "2026-07-03T03:00:00Z"),
            ],
        );
        assert_eq!(
            causes(&calendar, "2026-11-20T02:00:00Z"),
            [("2026-07-02".to_owned(), Cause::Changed), ("2026-11-18".to_owned(), Cause::Changed)]
        );
        assert!(causes(&calendar, "2026-11-25T03:00:00Z").contains(&("2026-11-17".to_owned(), Cause::Again)));
    }

    #[test]
    fn a_store_that_could_not_be_read_is_left_alone_for_an_hour() {
        let store = store();
        let calendar =
            Calendar::of(&store, None, &[], vec![reported("2026-11-18", false, "2026-11-19T03:00:00Z")]);
        assert!(calendar.is_left_alone(at("2026-11-19T03:59:00Z")));
        assert!(!calendar.is_left_alone(at("2026-11-19T04:00:00Z")));
        assert!(causes(&calendar, "2026-11-19T04:00:00Z").contains(&("2026-11-18".to_owned(), Cause::Again)));
    }
}
