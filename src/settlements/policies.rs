//! How markets hold back and give up, by country.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;

use super::{SettlementProblem, refused, repo};
use crate::access::audit;
use crate::core::settlement::{EVERY_COUNTRY, MarketPolicy};
use crate::db::{Conn, DbError, Tx};

#[derive(Clone, Debug)]
pub struct NewPolicy {
    pub country: String,
    pub holdback_percent: Decimal,
    pub holdback_days: u32,
    pub carry_floor: Option<Decimal>,
    pub write_off_days: Option<u32>,
    pub effective_from: DateTime<Utc>,
}

/// Every version, by country and time.
pub fn policies(conn: &mut Conn) -> Result<Vec<MarketPolicy>, DbError> {
    repo::policies::all(conn)
}

/// From its time on; what is held back already stays as it is.
pub fn add_policy(
    tx: &mut Tx<'_>,
    mut new: NewPolicy,
    by: &str,
    now: DateTime<Utc>,
) -> Result<i32, SettlementProblem> {
    new.country = new.country.trim().to_uppercase();
    let is_country = new.country.len() == 2 && new.country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_country && new.country != EVERY_COUNTRY {
        return refused(format!(
            "{:?} is no country: two letters such as DE, or * for every other",
            new.country
        ));
    }
    if !(Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&new.holdback_percent) {
        return refused("a holdback is between 0 and 100 percent");
    }
    if new.holdback_days > 3650 || new.write_off_days.is_some_and(|days| !(1..=3650).contains(&days)) {
        return refused("days are at most 3650, and a write-off is after one day at least");
    }
    if new.carry_floor.is_some_and(|floor| floor < Decimal::ZERO) {
        return refused("the floor is the most that may be owed: zero or more");
    }
    let no = repo::policies::insert(tx.conn, &new, by, now)?;
    let detail = json!({"policy": no, "holdback_percent": new.holdback_percent, "holdback_days": new.holdback_days,
        "carry_floor": new.carry_floor, "write_off_days": new.write_off_days, "from": new.effective_from});
    audit::record(tx, by, "market.policy", &new.country, detail, now)?;
    Ok(no)
}
