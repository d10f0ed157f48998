//! The read API's view of orders, deliveries, the ledger and distributors.
//!
//! Lists are read in the order of their keys, a page after a key, so that a page costs the same wherever it is.
//! Money is text at its currency's scale; nothing here is ever a float.

mod deliveries;
mod distributors;
mod entries;
mod orders;
mod periods;
mod pulls;
mod reconciliation;
mod statement;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

pub use deliveries::{DeliveryFilter, DeliveryView, deliveries};
pub use distributors::{DistributorView, PersonalView, VersionView, distributor};
pub use entries::{EntryFilter, EntryView, PostingView, entries};
pub use orders::{
    AttributionView, EventView, HoldView, LineView, OrderFilter, OrderView, order, order_by_external_id,
    orders,
};
pub use periods::{AwardView, PeriodView, PoolView, RunView, awards, period, periods, run};
pub use pulls::{PullFilter, PullView, pulls};
pub use reconciliation::{
    DayView, DeliveriesView, DifferenceView, HeapView, ReasonView, ReportView, SideView, SumsView,
    reconciled_days, reconciliation,
};
pub use statement::{
    HeadView, PurseView, StatementLineView, StatementView, SumView, statement_key, statement_view,
};

use crate::core::money::Currency;
use crate::db::{Conn, DbError};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many orders wait for a person.
pub fn held_orders(conn: &mut Conn) -> Result<i64, DbError> {
    let held: Count = sql_query("select count(distinct order_id) as count from holds").get_result(conn)?;
    Ok(held.count)
}

/// At the currency's scale; digits that are finer than it stay, because they are true.
fn money(amount: Decimal, currency: Option<&str>) -> String {
    let scale = currency.and_then(Currency::parse).and_then(|currency| currency.exponent()).unwrap_or(0);
    let mut amount = amount.normalize();
    if amount.scale() < scale {
        amount.rescale(scale);
    }
    amount.to_string()
}

/// A number that is no money: no more digits than it needs.
fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_its_currencys_digits() {
        let text = |amount: &str, currency| money(amount.parse().unwrap(), currency);
        assert_eq!(text("96.920000", Some("USD")), "96.92");
        assert_eq!(text("99", Some("USD")), "99.00");
        assert_eq!(text("327.000000", Some("JPY")), "327");
        assert_eq!(text("0.1", Some("KWD")), "0.100");
        assert_eq!(text("0.125000", Some("USD")), "0.125");
        assert_eq!(text("0.000000", Some("USD")), "0.00");
        assert_eq!(text("5.50", None), "5.5");
        assert_eq!(plain("2.000".parse().unwrap()), "2");
    }
}
