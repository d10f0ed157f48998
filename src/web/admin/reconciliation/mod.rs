//! Reconciled days: the calendar of each store, one day with all that was found, and the sheets of it.

pub mod calendar;
pub mod day;
mod sheets;
pub mod tile;
pub mod waterfall;

use actix_web::web::{self, get, post};
use chrono::NaiveDate;

use super::format::{Pill, Tone};
use super::words;

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/reconciliation", get().to(calendar::page))
        .route("/reconciliation/{store}/{day}", get().to(day::page))
        .route("/reconciliation/{store}/{day}", post().to(day::ask))
        .route("/reconciliation/{store}/{day}/sums.csv", get().to(sheets::sums))
        .route("/reconciliation/{store}/{day}/differences.csv", get().to(sheets::differences))
        .route("/reconciliation/{store}/{day}/report.json", get().to(sheets::json));
}

pub fn address(store: &str, day: NaiveDate) -> String {
    format!("/admin/reconciliation/{}/{day}", words::encoded(store))
}

/// The text alone says it; the colour only helps.
pub fn state(state: &str, is_complete: bool) -> Pill {
    match state {
        "ok" => Pill::new(Tone::Ok, "ok"),
        "explained" => Pill::new(Tone::Info, "explained"),
        _ if !is_complete => Pill::new(Tone::Warn, "incomplete"),
        _ => Pill::new(Tone::Bad, "not ok"),
    }
}

/// What a kind of difference is called, and what it means.
pub fn kind(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "missing_order" => ("Missing orders", "The store has them; nobody told us."),
        "unreadable_order" => ("Unreadable orders", "The store's own telling cannot be read."),
        "missing_refund" => ("Missing refunds", "Given back at the store, not taken back here."),
        "doubled_refund" => ("Doubled refunds", "Taken back here, not given back at the store."),
        "wrong_refund" => ("Wrong refunds", "The same refund with another amount or of other lines."),
        "edited_order" => ("Edited orders", "Lines, quantities or the total are others at the store."),
        "wrong_net" => ("Wrong nets", "A line or an order stands at another net than it should."),
        "other_state" => ("Other states", "Paid, cancelled, deleted or held differently."),
        "other_attribution" => ("Other earners", "Somebody else is named than stands here."),
        "other_currency" => ("Other currencies", "The store has the order in another currency."),
        "other_time" => ("Other times", "Made at another time: another plan, period or day may hold."),
        "deleted_at_store" => {
            ("Deleted at the store", "We hold them; the store does not know them any more.")
        }
        "unknown_to_store" => {
            ("Unknown to the store", "Posted to us over the API; the store never had them.")
        }
        "not_calculated" => ("Not calculated", "Orders that earn and stand in no ledger."),
        "wrong_ledger" => ("Wrong in the ledger", "Calculated on something else than the order stands at."),
        "wrong_events" => ("Wrong commission events", "Their sum is not what was calculated."),
        "missing_entry" => {
            ("Missing journal entries", "Calculations without their entry, or the other way round.")
        }
        "wrong_postings" => ("Wrong postings", "Accounts do not hold what was calculated."),
        _ => ("Differences", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reconcile::Kind;

    #[test]
    fn every_kind_has_words() {
        for known in Kind::ALL {
            assert_ne!(kind(known.name()).0, "Differences", "{known:?}");
        }
    }
}
