//! What one order adds to the sums of its day.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::books::{each_line, earning};
use super::sums::Side;
use super::{Ours, Says, Waits, no_currency};
use crate::core::assess::{Assessment, Exemption, Verdict};
use crate::core::money::Currency;
use crate::core::order::OrderState;

#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub order: String,
    pub currency: Currency,
    pub ordered_at: Option<DateTime<Utc>>,
    /// As the store has it; as we were told, when it cannot be asked.
    pub store: Option<Side>,
    pub ours: Option<Side>,
    /// The store does not know it, and we hold it as deleted: it counts on no side.
    pub deleted: bool,
    /// By what the store says.
    pub verdict: Verdict,
    /// By our own head.
    pub earns_here: bool,
    /// Net of a commissionable order, of it that of lines that earn nothing by their class.
    pub due: Decimal,
    pub nothing: Decimal,
    /// What the newest calculation was made on, and what is posted for it.
    pub ledger: Decimal,
    pub in_closed_period: bool,
    pub expense: Decimal,
    pub payable: Decimal,
    pub breakage: Decimal,
    pub rounding: Decimal,
    /// What should earn less what does, and the same line by line without signs.
    pub drift: Decimal,
    pub off: Decimal,
    pub in_flight: bool,
    /// No difference was found at it.
    pub agrees: bool,
}

pub(super) fn items(order: &str, says: Says<'_>, ours: Option<&Ours<'_>>, waits: Waits) -> Vec<Item> {
    let truth = match (says, ours) {
        (Says::Shown { state, assessed }, _) => Some((state, assessed)),
        (Says::Nothing, Some(ours)) => Some((ours.state, ours.assessed)),
        (Says::Unreadable(_) | Says::Gone | Says::Nothing, _) => None,
    };
    let (gone, in_flight) = (matches!(says, Says::Gone), waits == Waits::InFlight);
    let currency = |state: &OrderState| state.snapshot.as_ref().map(|snapshot| snapshot.currency);
    let at_store = truth.and_then(|(state, _)| currency(state));
    let here = ours.and_then(|ours| currency(ours.state));
    match (at_store, here) {
        (Some(store), Some(here)) if store != here => {
            vec![
                item(order, store, truth, None, false, in_flight),
                item(order, here, None, ours, false, in_flight),
            ]
        }
        _ => {
            let currency = at_store.or(here).unwrap_or_else(no_currency);
            vec![item(order, currency, truth, ours, gone, in_flight)]
        }
    }
}

fn item(
    order: &str,
    currency: Currency,
    truth: Option<(&OrderState, &Assessment)>,
    ours: Option<&Ours<'_>>,
    gone: bool,
    in_flight: bool,
) -> Item {
    let assessed = truth.map(|(_, assessed)| assessed);
    let earns = assessed.filter(|assessed| assessed.is_commissionable());
    let ledger = ours.and_then(|ours| ours.ledger);
    let due = earns.map_or(Decimal::ZERO, |assessed| assessed.net);
    let should = earns.map_or(&[][..], |assessed| &assessed.lines);
    let posted = ledger.filter(|ledger| ledger.earns).map_or(&[][..], |ledger| &ledger.lines);
    let deleted = gone && ours.is_some_and(|ours| ours.state.is_deleted());
    let apart = each_line(should, posted, super::AssessedLine::earns);
    let made = |state: &OrderState| state.snapshot.as_ref().map(|snapshot| snapshot.ordered_at);
    Item {
        order: order.to_owned(),
        currency,
        ordered_at: truth.and_then(|(state, _)| made(state)).or(ours.and_then(|ours| made(ours.state))),
        store: truth.map(|(state, assessed)| Side::of(state, assessed)),
        ours: ours.filter(|_| !deleted).map(|ours| Side::of(ours.state, ours.assessed)),
        deleted,
        verdict: match assessed {
            Some(assessed) => assessed.verdict.clone(),
            None if gone => Verdict::Exempt(vec![Exemption::Deleted]),
            None => Verdict::Awaiting,
        },
        earns_here: ours.is_some_and(|ours| ours.head.status == "commissionable"),
        due,
        nothing: due - earning(should),
        ledger: ledger.map_or(Decimal::ZERO, |ledger| ledger.net()),
        in_closed_period: ledger.is_some_and(|ledger| ledger.in_closed_period),
        expense: ledger.map_or(Decimal::ZERO, |ledger| ledger.expense),
        payable: ledger.map_or(Decimal::ZERO, |ledger| ledger.payable),
        breakage: ledger.map_or(Decimal::ZERO, |ledger| ledger.posted_breakage),
        rounding: ledger.map_or(Decimal::ZERO, |ledger| ledger.posted_rounding),
        drift: apart.iter().map(|(_, should, is)| should - is).sum(),
        off: apart.iter().map(|(_, should, is)| (should - is).abs()).sum(),
        in_flight,
        agrees: true,
    }
}
