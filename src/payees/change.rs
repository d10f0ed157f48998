//! Details change by another version; one that takes the place of another waits, or is released by somebody else.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Days, Utc};
use serde_json::json;

use super::given::Details;
use super::repo::keys as locks;
use super::{PayeeError, context, heads, keys, open, repo};
use crate::access::audit;
use crate::core::ids::DistributorId;
use crate::db::{Conn, Tx};
use crate::vault::Vault;

/// What became of one person's details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// They were known.
    Unchanged,
    /// Nothing was known of this person before: nothing to wait for.
    First,
    /// Nothing is paid until then, unless somebody else releases it.
    Held { version_no: i32, until: DateTime<Utc> },
    /// Another version, and the settings do not ask to wait.
    Changed { version_no: i32 },
}

/// Records one person's details, and that somebody did.
pub fn set(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (distributor, details): (&DistributorId, &Details),
    hold_days: u32,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Recorded, PayeeError> {
    let recorded = record(tx, vault, &[(distributor, details)], hold_days, by, now)?;
    let recorded = recorded.into_iter().next().unwrap_or(Recorded::Unchanged);
    if recorded != Recorded::Unchanged {
        let held_until = match recorded {
            Recorded::Held { until, .. } => Some(until),
            _ => None,
        };
        let detail = json!({"rail": details.rail, "currency": details.currency, "held_until": held_until});
        audit::record(tx, by, "payee.set", distributor.as_str(), detail, now)?;
    }
    Ok(recorded)
}

/// Records the details of several persons, each of them once, in their order. Who asks for it records that somebody
/// did.
pub(super) fn record(
    tx: &mut Tx<'_>,
    vault: &Vault,
    changes: &[(&DistributorId, &Details)],
    hold_days: u32,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Recorded>, PayeeError> {
    let ids: Vec<&DistributorId> = changes.iter().map(|(id, _)| *id).collect();
    hold_all(tx, &ids)?;
    let keys = keys::ensure(tx, vault, &ids, now)?;
    let known = known(tx.conn, vault, &ids)?;
    let last = repo::last_versions(tx.conn, &ids)?;
    let until = (hold_days > 0).then(|| now.checked_add_days(Days::new(u64::from(hold_days))));
    let until = until.map(|until| until.unwrap_or(DateTime::<Utc>::MAX_UTC));
    let (mut rows, mut recorded) = (vec![], vec![]);
    for (id, details) in changes {
        let Some(key) = keys.get(*id).filter(|_| known.get(*id) != Some(*details)) else {
            recorded.push(Recorded::Unchanged);
            continue;
        };
        let version_no = last.get(id.as_str()).copied().unwrap_or(0) + 1;
        let held_until = until.filter(|_| version_no > 1);
        recorded.push(match held_until {
            _ if version_no == 1 => Recorded::First,
            Some(until) => Recorded::Held { version_no, until },
            None => Recorded::Changed { version_no },
        });
        rows.push(row(id, version_no, (key, details), held_until)?);
    }
    repo::insert(tx.conn, &rows, by, now)?;
    Ok(recorded)
}

fn row(
    id: &DistributorId,
    version_no: i32,
    (key, details): (&keys::Key, &Details),
    held_until: Option<DateTime<Utc>>,
) -> Result<repo::NewVersion, PayeeError> {
    let (rail, currency) = (details.rail.name(), details.currency.code());
    let plain = super::plain(&details.payee)?;
    Ok(repo::NewVersion {
        distributor_id: id.0.clone(),
        version_no,
        key_no: key.no,
        rail,
        currency: currency.to_owned(),
        sealed: key.vault.seal_for(&context(id, version_no, rail, currency), &plain)?,
        masked: details.payee.pay_to.masked(),
        held_until,
    })
}

/// What stands now, opened.
pub(super) fn known(
    conn: &mut Conn,
    vault: &Vault,
    ids: &[&DistributorId],
) -> Result<HashMap<DistributorId, Details>, PayeeError> {
    let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let heads = heads(conn, &names)?;
    let wanted: Vec<(&DistributorId, i32)> = heads.iter().map(|(id, head)| (id, head.version_no)).collect();
    let opened = open(conn, vault, &wanted)?;
    let details = opened.into_iter().filter_map(|(id, payee)| {
        let head = heads.get(&id)?;
        Some((id, Details { rail: head.rail, currency: head.currency, payee }))
    });
    Ok(details.collect())
}

/// Holds all of them, or says who is not known.
pub(super) fn hold_all(tx: &mut Tx<'_>, ids: &[&DistributorId]) -> Result<(), PayeeError> {
    let held: HashSet<String> = locks::hold(tx.conn, ids)?.into_iter().collect();
    match ids.iter().find(|id| !held.contains(id.as_str())) {
        Some(unknown) => Err(PayeeError::Unknown((*unknown).clone())),
        None => Ok(()),
    }
}

/// Lets payouts to changed details go before their time. `version_no` is the one that was looked at.
pub fn release(
    tx: &mut Tx<'_>,
    distributor: &DistributorId,
    version_no: i32,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), PayeeError> {
    hold_all(tx, &[distributor])?;
    let head = heads(tx.conn, &[distributor.as_str()])?.remove(distributor);
    let head = head.ok_or_else(|| PayeeError::Nothing(distributor.clone()))?;
    if head.version_no != version_no {
        return Err(PayeeError::Stale { distributor: distributor.clone(), version_no: head.version_no });
    }
    if !head.is_held(now) {
        return Err(PayeeError::NotHeld(distributor.clone()));
    }
    if head.changed_by == by {
        return Err(PayeeError::OwnChange);
    }
    repo::release(tx.conn, distributor, version_no, by, now)?;
    let detail =
        json!({"version_no": version_no, "changed_by": head.changed_by, "held_until": head.held_until});
    audit::record(tx, by, "payee.release", distributor.as_str(), detail, now)?;
    Ok(())
}
