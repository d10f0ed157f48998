//! The single checks.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use chrono::TimeDelta;

use super::Check;
use crate::access;
use crate::app::Backend;
use crate::clock::Clock;
use crate::db::{self, DbError, Lane, OLDEST_MAJOR, ServerFacts};
use crate::events::{self, Backlog};
use crate::ingest::{self, Store, StoreDirectory};
use crate::plans::Plans;
use crate::reports;
use crate::settings::Settings;
use crate::stores::Platform;

/// Less than this is not enough for the next day.
const LITTLE_DISK: u64 = 1024 * 1024 * 1024;
const CLOCK_LIMIT: TimeDelta = TimeDelta::seconds(5);
/// Work that waits longer has nobody who does it.
const STALE: TimeDelta = TimeDelta::minutes(1);

pub fn disk(dir: &Path) -> Check {
    match free_bytes(dir) {
        None => Check::note("disk", format!("the space in {} is not known", dir.display()), "look yourself"),
        Some(free) => {
            let detail = format!("{} MiB free in {}", free / (1024 * 1024), dir.display());
            match free {
                0..LITTLE_DISK => Check::wrong("disk", detail, "make room, or move the data directory"),
                _ => Check::ok("disk", detail),
            }
        }
    }
}

fn free_bytes(dir: &Path) -> Option<u64> {
    let there = dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("."));
    let path = CString::new(there.as_os_str().as_bytes()).ok()?;
    // SAFETY: all zeroes is a valid value of this struct of integers.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `path` ends with a zero byte and `stat` is ours for the call.
    let failed = unsafe { libc::statvfs(path.as_ptr(), &mut stat) } != 0;
    (!failed).then(|| stat.f_bavail.saturating_mul(stat.f_frsize))
}

pub fn database(backend: &Backend, settings: &Settings, clock: &Clock) -> Vec<Check> {
    let facts = match backend.db.read(Lane::Admin, db::server_facts) {
        Ok(facts) => facts,
        Err(error) => {
            let fix = "start the database, or correct --database-url or --data-dir";
            return vec![Check::wrong("database", crate::web::error::causes(&error), fix)];
        }
    };
    let mut checks =
        vec![server(&facts, backend.is_embedded()), durability(&facts, settings), times(&facts, clock)];
    let schema = schema(backend);
    let current = schema.verdict == super::Verdict::Ok;
    checks.push(schema);
    if !current {
        return checks;
    }
    let rest = [secrets(backend), work(backend, clock), plan(backend, clock), people(backend)];
    checks.extend(rest.into_iter().map(|check| {
        check.unwrap_or_else(|error| {
            Check::wrong("database", crate::web::error::causes(&error), "look into the database's log")
        })
    }));
    checks
}

fn server(facts: &ServerFacts, embedded: bool) -> Check {
    let place = if embedded { "embedded" } else { "of your own" };
    let detail = format!("PostgreSQL {}, {place}, {}", facts.version, facts.encoding);
    if facts.is_too_old() {
        return Check::wrong("database", detail, format!("use PostgreSQL {OLDEST_MAJOR} or later"));
    }
    if facts.read_only {
        return Check::wrong("database", format!("{detail}, read-only"), "give the address of the primary");
    }
    if facts.encoding != "UTF8" {
        return Check::wrong("database", detail, "make the database with encoding UTF8");
    }
    Check::ok("database", detail)
}

fn durability(facts: &ServerFacts, settings: &Settings) -> Check {
    let unsafe_settings = facts.unsafe_settings();
    if unsafe_settings.is_empty() {
        return Check::ok("durability", "what is confirmed is on disk");
    }
    let detail = format!("the database may forget what it has confirmed: {}", unsafe_settings.join(", "));
    if settings.allow_unsafe_database {
        return Check::note(
            "durability",
            detail,
            "allowed by allow_unsafe_database, which is for tests only",
        );
    }
    Check::wrong("durability", detail, "turn it on in the database's configuration; `serve` refuses to start")
}

fn times(facts: &ServerFacts, clock: &Clock) -> Check {
    let apart = (clock.now() - facts.now).abs();
    let detail = format!("{} ms apart from the database's", apart.num_milliseconds());
    if apart > CLOCK_LIMIT {
        return Check::wrong("clock", detail, "synchronise both clocks (NTP)");
    }
    Check::ok("clock", detail)
}

fn schema(backend: &Backend) -> Check {
    match db::pending(backend.db.url()) {
        Ok(pending) if pending.is_empty() => Check::ok("schema", "up to date"),
        Ok(pending) => {
            let detail = format!("{} migration(s) to apply: {}", pending.len(), pending.join(", "));
            Check::wrong("schema", detail, "run `upline migrate`, or start `upline serve`")
        }
        Err(error) => {
            Check::wrong("schema", crate::web::error::causes(&error), "look into the database's log")
        }
    }
}

fn secrets(backend: &Backend) -> Result<Check, DbError> {
    let directory = StoreDirectory::new(backend.vault.clone());
    let (stores, receivers) =
        backend.db.read(Lane::Admin, |conn| Ok((ingest::list_stores(conn)?, directory.receivers(conn)?)))?;
    let signs = |store: &&Store| store.active && store.platform != Platform::Direct.as_str();
    let opened = |store: &Store| receivers.get(&store.slug).map_or(0, |receiver| receiver.secrets.len());
    let names = |stores: Vec<&Store>| stores.iter().map(|s| s.slug.as_str()).collect::<Vec<_>>().join(", ");
    let sealed: Vec<&Store> =
        stores.iter().filter(|store| store.active && opened(store) < store.secrets.len()).collect();
    if !sealed.is_empty() {
        let detail = format!("secrets of {} cannot be opened", names(sealed));
        return Ok(Check::wrong(
            "stores",
            detail,
            "put back the secret.key of the data directory, or add new secrets",
        ));
    }
    let without: Vec<&Store> = stores.iter().filter(signs).filter(|store| store.secrets.is_empty()).collect();
    if !without.is_empty() {
        let fix = "upline store secret add SLUG --secret SECRET";
        return Ok(Check::wrong("stores", format!("no secret for {}", names(without)), fix));
    }
    Ok(match stores.iter().filter(signs).count() {
        0 => Check::note("stores", "none connected", "upline store add --help"),
        count => Check::ok("stores", format!("{count} connected, each with a secret")),
    })
}

fn work(backend: &Backend, clock: &Clock) -> Result<Check, DbError> {
    let (backlog, held) = backend
        .db
        .read(Lane::Admin, |conn| Ok((events::backlog(conn)?, reports::api::held_orders(conn)?)))?;
    let sum = |of: fn(&Backlog) -> i64| backlog.iter().map(of).sum::<i64>();
    let (waiting, parked) = (sum(|topic| topic.waiting), sum(|topic| topic.parked));
    let detail = format!("{waiting} event(s) waiting, {parked} parked, {held} order(s) held");
    let oldest = backlog.iter().filter_map(|topic| topic.oldest).min();
    if parked > 0 {
        return Ok(Check::wrong(
            "work",
            detail,
            "open the parked deliveries in the admin pages; they failed 5 times",
        ));
    }
    if let Some(age) = oldest.map(|oldest| clock.now() - oldest).filter(|age| *age > STALE) {
        let detail = format!("{detail}; the oldest waits {} s", age.num_seconds());
        return Ok(Check::wrong("work", detail, "is `upline serve` running? its log says what it waits for"));
    }
    Ok(Check::ok("work", detail))
}

fn plan(backend: &Backend, clock: &Clock) -> Result<Check, DbError> {
    let (published, stores) =
        backend.db.read(Lane::Admin, |conn| Ok((Plans::default().get(conn)?, ingest::list_stores(conn)?)))?;
    let fix = "upline plan publish FILE --from DATE";
    let receiving = stores.iter().any(|store| store.active && store.platform != Platform::Direct.as_str());
    Ok(match published.at(clock.now()) {
        Some(plan) => Check::ok("plan", format!("{} ({})", plan.name(), hex::encode(plan.hash().0))),
        None if receiving => Check::wrong("plan", "none holds now: every order is held", fix),
        None => Check::note("plan", "none holds now; every order will be held", fix),
    })
}

fn people(backend: &Backend) -> Result<Check, DbError> {
    let users = backend.db.read(Lane::Admin, access::list_users)?;
    let active = users.iter().filter(|user| user.disabled_at.is_none());
    let (count, with_password) =
        active.fold((0, 0), |(all, with), user| (all + 1, with + i32::from(user.has_password)));
    let detail = format!("{count} user(s), {with_password} with a password");
    Ok(if with_password == 0 {
        Check::note(
            "users",
            detail,
            "sign in with the link that `upline serve` prints, or `upline user link EMAIL`",
        )
    } else {
        Check::ok("users", detail)
    })
}
