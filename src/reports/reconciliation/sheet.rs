//! Reports as CSV. What could be read as a formula is made harmless; amounts are numbers.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Difference, Head};
use crate::core::reconcile::Sums;
use crate::core::sheet::harmless;

const SUMS: [&str; 33] = [
    "store",
    "day",
    "report",
    "state",
    "complete",
    "store_asked",
    "currency",
    "store_orders",
    "store_total",
    "store_sold",
    "store_refunds",
    "store_refunded",
    "store_net",
    "our_orders",
    "our_refunds",
    "our_refunded",
    "our_net",
    "exempt_orders",
    "exempt_net",
    "held_orders",
    "held_net",
    "commissionable_net",
    "earns_nothing_by_class",
    "in_flight",
    "drift",
    "drift_without_signs",
    "ledger_net",
    "in_open_periods",
    "in_closed_periods",
    "commission_expense",
    "payable",
    "breakage",
    "rounding",
];

/// One row for each day and currency.
pub fn sums_sheet(days: &[(Head, BTreeMap<String, Sums>)]) -> Result<Vec<u8>, csv::Error> {
    let mut sheet = csv::Writer::from_writer(vec![]);
    sheet.write_record(SUMS)?;
    for (head, currencies) in days {
        for (currency, sums) in currencies {
            let head = [
                harmless(&head.store).into_owned(),
                head.day.to_string(),
                head.report_no.to_string(),
                head.state.clone(),
                yes(head.incomplete.is_none()),
                yes(head.asked),
                currency.clone(),
            ];
            sheet.write_record(head.into_iter().chain(amounts(sums)))?;
        }
    }
    finish(sheet)
}

fn amounts(sums: &Sums) -> Vec<String> {
    let Sums { store, ours, exempt, held, .. } = sums;
    let money = |amount: Decimal| amount.normalize().to_string();
    vec![
        store.orders.to_string(),
        money(store.total),
        money(store.sold),
        store.refunds.to_string(),
        money(store.refunded),
        money(store.net),
        ours.orders.to_string(),
        ours.refunds.to_string(),
        money(ours.refunded),
        money(ours.net),
        exempt.orders.to_string(),
        money(exempt.net),
        held.orders.to_string(),
        money(held.net),
        money(sums.due.net),
        money(sums.nothing),
        money(sums.in_flight.net),
        money(sums.drift),
        money(sums.off),
        money(sums.ledger.net),
        money(sums.in_open_periods),
        money(sums.in_closed_periods),
        money(sums.expense),
        money(sums.payable),
        money(sums.breakage),
        money(sums.rounding),
    ]
}

/// One row for each difference.
pub fn differences_sheet(days: &[(Head, Vec<Difference>)]) -> Result<Vec<u8>, csv::Error> {
    let mut sheet = csv::Writer::from_writer(vec![]);
    sheet.write_record([
        "store",
        "day",
        "report",
        "healed",
        "kind",
        "seam",
        "order",
        "number",
        "line",
        "refund",
        "currency",
        "should_be",
        "is",
        "difference",
        "what",
        "what_to_do",
    ])?;
    for (head, differences) in days {
        for found in differences {
            let money =
                |amount: Option<Decimal>| amount.map_or_else(String::new, |it| it.normalize().to_string());
            let apart = found.should.unwrap_or_default() - found.is_now.unwrap_or_default();
            let text = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default()).into_owned();
            let told = found.should.or(found.is_now).is_some();
            sheet.write_record([
                harmless(&head.store).into_owned(),
                head.day.to_string(),
                head.report_no.to_string(),
                yes(found.healed),
                found.kind.clone(),
                found.seam.clone(),
                harmless(&found.external_id).into_owned(),
                text(&found.number),
                text(&found.line),
                text(&found.refund),
                found.currency.clone(),
                money(found.should),
                money(found.is_now),
                money(told.then_some(apart)),
                harmless(&found.what).into_owned(),
                harmless(&found.fix).into_owned(),
            ])?;
        }
    }
    finish(sheet)
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn finish(sheet: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, csv::Error> {
    sheet.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}
