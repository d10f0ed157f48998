//! A report as text.

use std::collections::BTreeMap;
use std::io;

use rust_decimal::Decimal;

use super::super::output::{line, percent, table};
use crate::core::money::Currency;
use crate::core::reconcile::{Difference, Heap, Share, State, Sums};
use crate::reconcile::Report;

pub fn tell(report: &Report, details: bool) -> io::Result<()> {
    let state = match report.state {
        State::Ok => "ok",
        State::Explained => "explained",
        State::NotOk => "NOT OK",
    };
    let Report { store, day, zone, report_no, .. } = report;
    line(format_args!("{store} {day} ({zone}): {state}, report {report_no}"))?;
    if let Some(why) = &report.incomplete {
        line(format_args!("  incomplete: {why}"))?;
    }
    if !report.asked {
        line("  the store cannot be asked: only what we hold was compared (upline store connect)")?;
    }
    let came = &report.told.deliveries;
    line(format_args!(
        "  deliveries of the day: {} unique, {} repeats, {} read at the store, {} unreadable",
        came.unique, came.repeats, came.pulled, came.unreadable
    ))?;
    for (currency, sums) in &report.sums {
        tell_sums(*currency, sums)?;
    }
    tell_differences("left", &report.differences, details)?;
    if details {
        tell_differences("mended", &report.healed, false)?;
        tell_waiting(report)?;
    } else if !report.healed.is_empty() {
        line(format_args!("  mended: {}", counted(&report.healed)))?;
    }
    Ok(())
}

/// `2 missing order, 1 wrong net`
fn counted(differences: &[Difference]) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for found in differences {
        *kinds.entry(found.kind.name()).or_default() += 1;
    }
    let kinds = kinds.iter().map(|(kind, number)| format!("{number} {}", kind.replace('_', " ")));
    kinds.collect::<Vec<_>>().join(", ")
}

fn tell_sums(currency: Currency, sums: &Sums) -> io::Result<()> {
    let mut rows: Vec<Vec<String>> = vec![];
    let mut add = |what: &str, orders: Option<u64>, net: Decimal| {
        let orders = orders.map_or_else(String::new, |orders| orders.to_string());
        rows.push(vec![format!("  {what}"), orders, at_scale(net, currency)]);
    };
    let store = &sums.store;
    add("at the store, all that was asked", Some(store.orders), store.total);
    add("- what is no goods: tax, shipping, fees", None, store.sold - store.total);
    add("- refunds of goods", Some(store.refunds), -store.refunded);
    add("= net of the goods", Some(store.orders), store.net);
    add("  here", Some(sums.ours.orders), sums.ours.net);
    let mut minus = |what: &str, heap: &Heap| add(what, Some(heap.orders), -heap.net);
    minus("- earns nothing by rule", &sums.exempt);
    for (reason, heap) in &sums.exempt_by {
        minus(&format!("    {}", reason.replace('_', " ")), heap);
    }
    minus("- held for a person", &sums.held);
    for (reason, causes) in &sums.held_by {
        for (cause, held) in causes {
            let what = format!("    {} {cause}", reason.replace('_', " "));
            minus(&what, &Heap { orders: held.orders, net: held.net });
        }
    }
    add("= commissionable net", Some(sums.due.orders), sums.due.net);
    add("- lines that earn nothing by their class", None, -sums.nothing);
    add("- in flight", Some(sums.in_flight.orders), -sums.in_flight.net);
    add("- DRIFT", None, -sums.drift);
    add("= in the ledger", Some(sums.ledger.orders), sums.ledger.net);
    add("    in open periods", None, sums.in_open_periods);
    add("    in closed periods", None, sums.in_closed_periods);
    add("commission expense", None, sums.expense);
    add("    payable", None, sums.payable);
    add("    breakage and rounding", None, sums.breakage + sums.rounding);
    table(&[&format!("  {currency}"), "orders", "amount"], &rows)?;
    if !sums.off.is_zero() && sums.off != sums.drift.abs() {
        line(format_args!(
            "  line by line, without signs, the drift is {} {currency}",
            sums.off.normalize()
        ))?;
    }
    let share = Share { worth: sums.worth, explained: sums.explained };
    match share.ratio() {
        Some(ratio) => {
            line(format_args!("  explained by ledger entries: {} of what should earn", percent(ratio)))
        }
        None => line("  nothing should earn"),
    }
}

fn at_scale(amount: Decimal, currency: Currency) -> String {
    let mut amount = amount.normalize();
    let scale = currency.exponent().unwrap_or(2);
    if amount.scale() < scale {
        amount.rescale(scale);
    }
    // A negative nothing is nothing.
    if amount.is_zero() { amount.abs().to_string() } else { amount.to_string() }
}

fn tell_differences(what: &str, differences: &[Difference], fixes: bool) -> io::Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    line(format_args!("  {what}: {}", counted(differences)))?;
    for found in differences {
        line(format_args!("    {}: {}", found.kind.name().replace('_', " "), found.what))?;
        if fixes {
            line(format_args!("      {}", found.fix))?;
        }
    }
    Ok(())
}

fn tell_waiting(report: &Report) -> io::Result<()> {
    let flying = &report.told.in_flight;
    if flying.all > 0 {
        let first: Vec<&str> = flying.first.iter().map(String::as_str).collect();
        line(format_args!("  in flight: {} order(s): {}", flying.all, first.join(", ")))?;
    }
    for sums in report.sums.values() {
        for (reason, causes) in &sums.held_by {
            for (cause, held) in causes {
                let orders: Vec<&str> = held.examples.iter().map(String::as_str).collect();
                line(format_args!(
                    "  held: {reason} {cause}: {} order(s), such as {}",
                    held.orders,
                    orders.join(", ")
                ))?;
            }
        }
    }
    if let Some(at) = report.oldest_unexplained {
        line(format_args!("  oldest unexplained order: made at {}", at.format("%Y-%m-%d %H:%M UTC")))?;
    }
    Ok(())
}
