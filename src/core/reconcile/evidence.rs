//! The first seam: what the store says against what we were told.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::difference::Found;
use super::{Kind, Ours, Part, Says, Seam};
use crate::core::assess::{Assessment, Verdict};
use crate::core::net;
use crate::core::order::{LineKind, OrderLine, OrderSnapshot, OrderState, Payment, ProductKey, Refund};

/// Whether the store has to be asked once more: we hold a later change than it showed.
pub(super) fn compare(found: &mut Found, says: Says<'_>, ours: Option<&Ours<'_>>) -> bool {
    match (says, ours) {
        (Says::Nothing, _) | (Says::Gone, None) => false,
        (Says::Unreadable(why), _) => {
            let what = format!("what the store says of {} cannot be read: {why}", found.name());
            found.add((Seam::Evidence, Kind::UnreadableOrder), None, (None, None), what);
            false
        }
        (Says::Gone, Some(ours)) => {
            gone(found, ours);
            false
        }
        (Says::Shown { state, assessed }, ours) => shown(found, state, assessed, ours),
    }
}

fn gone(found: &mut Found, ours: &Ours<'_>) {
    if ours.state.is_deleted() {
        return;
    }
    let net = ours.assessed.net;
    let (kind, what) = match (&ours.state.snapshot, ours.only_posted) {
        (None, _) => (Kind::UnknownToStore, "we were told a change of an order that the store does not know"),
        (Some(_), true) => (Kind::UnknownToStore, "was posted to us; the store does not know it"),
        (Some(_), false) => (Kind::DeletedAtStore, "is here; the store does not know it any more"),
    };
    let what = format!("{} of {} {what}", found.name(), found.told(net));
    found.add((Seam::Evidence, kind), None, (None, Some(net)), what);
}

fn shown(found: &mut Found, state: &OrderState, assessed: &Assessment, ours: Option<&Ours<'_>>) -> bool {
    let Some(theirs) = &state.snapshot else { return false };
    let held = ours.and_then(|ours| Some((ours, ours.state.snapshot.as_ref()?)));
    let Some((ours, mine)) = held else {
        let but = if ours.is_some() { "only a change of it was told here" } else { "it is not here" };
        let what = format!(
            "the store has {} of {} net, made at {}; {but}",
            found.name(),
            found.told(assessed.net),
            theirs.ordered_at.format("%Y-%m-%d %H:%M:%S UTC"),
        );
        found.add((Seam::Evidence, Kind::MissingOrder), None, (Some(assessed.net), None), what);
        return false;
    };
    found.newer = mine.updated_at > theirs.updated_at;
    let before = found.differences.len();
    compare_state(found, theirs, mine, ours.state.is_deleted());
    compare_lines(found, theirs, mine);
    compare_refunds(found, theirs, &state.refunds(), &ours.state.refunds());
    compare_outcome(found, assessed, ours.assessed, found.differences.len() > before);
    found.newer && found.differences.len() > before
}

fn compare_state(found: &mut Found, theirs: &OrderSnapshot, mine: &OrderSnapshot, deleted: bool) {
    if theirs.currency != mine.currency {
        let what =
            format!("{} is in {} at the store, here in {}", found.name(), theirs.currency, mine.currency);
        found.add((Seam::Evidence, Kind::OtherCurrency), None, (Some(theirs.total), Some(mine.total)), what);
    }
    if theirs.ordered_at.timestamp() != mine.ordered_at.timestamp() {
        let at = |order: &OrderSnapshot| order.ordered_at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        let what = format!("{} was made at {} by the store, here at {}", found.name(), at(theirs), at(mine));
        found.add((Seam::Evidence, Kind::OtherTime), None, (None, None), what);
    }
    let (theirs_is, mine_is) = (condition(theirs, false), condition(mine, deleted));
    if theirs_is != mine_is {
        let what = format!("{} is {theirs_is} at the store, here {mine_is}", found.name());
        found.add((Seam::Evidence, Kind::OtherState), None, (None, None), what);
    }
}

fn condition(order: &OrderSnapshot, deleted: bool) -> String {
    let payment = match order.payment {
        Payment::Paid => "paid",
        Payment::Unpaid => "unpaid",
        Payment::Voided => "voided",
    };
    let also = [(order.cancelled, "cancelled"), (order.test, "a test"), (deleted, "deleted")];
    let also = also.into_iter().filter_map(|(is, word)| is.then_some(word));
    std::iter::once(payment).chain(also).collect::<Vec<_>>().join(", ")
}

/// By the line's id, and by how often that id stood before it: some payloads name a line twice.
fn lines(order: &OrderSnapshot) -> BTreeMap<(&str, usize), &OrderLine> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = BTreeMap::new();
    for line in &order.lines {
        let times = seen.entry(line.external_id.as_str()).or_default();
        *times += 1;
        lines.insert((line.external_id.as_str(), *times), line);
    }
    lines
}

fn sold(line: &OrderLine) -> Decimal {
    if line.kind == LineKind::Goods { line.gross - line.discount - line.included_tax } else { Decimal::ZERO }
}

fn compare_lines(found: &mut Found, theirs: &OrderSnapshot, mine: &OrderSnapshot) {
    let (at_store, here) = (lines(theirs), lines(mine));
    let before = found.differences.len();
    for key in at_store.keys().chain(here.keys()).collect::<BTreeSet<_>>() {
        let part = Some(Part::Line(key.0.to_owned()));
        match (at_store.get(key), here.get(key)) {
            (Some(line), None) => {
                let what = format!(
                    "line {} ({} of {}, {}) is in {} at the store and not here",
                    key.0,
                    line.quantity.normalize(),
                    line.title,
                    found.told(sold(line)),
                    found.name()
                );
                found.add((Seam::Evidence, Kind::EditedOrder), part, (Some(sold(line)), None), what);
            }
            (None, Some(line)) => {
                let what = format!(
                    "line {} ({} of {}, {}) is in {} here and not at the store",
                    key.0,
                    line.quantity.normalize(),
                    line.title,
                    found.told(sold(line)),
                    found.name()
                );
                found.add((Seam::Evidence, Kind::EditedOrder), part, (None, Some(sold(line))), what);
            }
            (Some(line), Some(mine)) => compare_line(found, part, line, mine),
            (None, None) => {}
        }
    }
    if theirs.total != mine.total && found.differences.len() == before {
        let what = format!(
            "{} comes to {} at the store, here to {}",
            found.name(),
            found.told(theirs.total),
            found.told(mine.total)
        );
        found.add((Seam::Evidence, Kind::EditedOrder), None, (Some(theirs.total), Some(mine.total)), what);
    }
}

fn compare_line(found: &mut Found, part: Option<Part>, theirs: &OrderLine, mine: &OrderLine) {
    let (at_store, here) = (sold(theirs), sold(mine));
    let amounts = (Some(at_store), Some(here));
    let id = &theirs.external_id;
    let name = found.name();
    if theirs.quantity != mine.quantity {
        let (many, few) = (theirs.quantity.normalize(), mine.quantity.normalize());
        let what = format!(
            "line {id} of {name} has quantity {many} ({}) at the store, here {few} ({})",
            found.told(at_store),
            found.told(here)
        );
        found.add((Seam::Evidence, Kind::EditedOrder), part, amounts, what);
    } else if theirs.kind != mine.kind || !is_same_product(&theirs.product, &mine.product) {
        let what = format!("line {id} of {name} is another product at the store: {}", theirs.title);
        found.add((Seam::Evidence, Kind::EditedOrder), part, amounts, what);
    } else if at_store != here {
        let what = format!(
            "line {id} of {name} nets {} at the store, here {}",
            found.told(at_store),
            found.told(here)
        );
        found.add((Seam::Evidence, Kind::WrongNet), part, amounts, what);
    }
}

/// A webhook may leave out a name that the API tells: only names that both tell are compared.
fn is_same_product(theirs: &ProductKey, mine: &ProductKey) -> bool {
    let pairs = [
        (&theirs.product_id, &mine.product_id),
        (&theirs.variant_id, &mine.variant_id),
        (&theirs.sku, &mine.sku),
    ];
    pairs.iter().all(|pair| match pair {
        (Some(one), Some(other)) => one == other,
        _ => true,
    })
}

fn compare_refunds(found: &mut Found, order: &OrderSnapshot, theirs: &[&Refund], mine: &[&Refund]) {
    let by_id = |refunds: &[&Refund]| -> BTreeMap<String, Refund> {
        refunds.iter().map(|refund| (refund.external_id.clone(), (*refund).clone())).collect()
    };
    let (at_store, here) = (by_id(theirs), by_id(mine));
    for id in at_store.keys().chain(here.keys()).collect::<BTreeSet<_>>() {
        let part = Some(Part::Refund(id.clone()));
        let name = found.name();
        match (at_store.get(id), here.get(id)) {
            (Some(refund), None) => {
                let what = format!(
                    "refund {id} of {} on {name} is at the store and not here",
                    found.told(refund.amount)
                );
                let amounts = (Some(refund.amount), None);
                found.add((Seam::Evidence, Kind::MissingRefund), part, amounts, what);
            }
            (None, Some(refund)) => {
                let what = format!(
                    "refund {id} of {} on {name} is counted here and not at the store",
                    found.told(refund.amount)
                );
                let amounts = (None, Some(refund.amount));
                found.add((Seam::Evidence, Kind::DoubledRefund), part, amounts, what);
            }
            (Some(refund), Some(mine)) if refund.amount != mine.amount => {
                let what = format!(
                    "refund {id} on {name} is {} at the store, here {}",
                    found.told(refund.amount),
                    found.told(mine.amount)
                );
                let amounts = (Some(refund.amount), Some(mine.amount));
                found.add((Seam::Evidence, Kind::WrongRefund), part, amounts, what);
            }
            (Some(refund), Some(mine)) if !takes_the_same(order, refund, mine) => {
                let taken = |refund: &Refund| net::commissionable(order, &[refund]).refunded();
                let what = format!("refund {id} on {name} takes other lines back at the store than here");
                let amounts = (Some(taken(refund)), Some(taken(mine)));
                found.add((Seam::Evidence, Kind::WrongRefund), part, amounts, what);
            }
            _ => {}
        }
    }
}

/// The same lines lose the same, however the refund was told.
fn takes_the_same(order: &OrderSnapshot, one: &Refund, other: &Refund) -> bool {
    let taken = |refund: &Refund| -> Vec<Decimal> {
        net::commissionable(order, &[refund]).lines.iter().map(|line| line.refunded).collect()
    };
    one == other || taken(one) == taken(other)
}

/// What is left when every part is the same and the outcome is not, and who earns.
fn compare_outcome(found: &mut Found, theirs: &Assessment, mine: &Assessment, named: bool) {
    let who = |assessed: &Assessment| assessed.attributed.as_ref().map(|to| to.distributor.0.clone());
    let (at_store, here) = (who(theirs), who(mine));
    let name = found.name();
    if at_store != here {
        let told = |who: Option<String>| who.unwrap_or_else(|| "nobody".to_owned());
        let what = format!("{name} names {} at the store, here {}", told(at_store), told(here));
        found.add((Seam::Evidence, Kind::OtherAttribution), None, (None, None), what);
        return;
    }
    if named {
        return;
    }
    let amounts = (Some(theirs.net), Some(mine.net));
    if reasons(&theirs.verdict) != reasons(&mine.verdict) {
        let told =
            |assessed: &Assessment| reasons(&assessed.verdict).into_iter().collect::<Vec<_>>().join(", ");
        let what =
            format!("{name} is {} by what the store says, {} by what we were told", told(theirs), told(mine));
        found.add((Seam::Evidence, Kind::OtherState), None, amounts, what);
    } else if theirs.net != mine.net {
        let what = format!(
            "{name} nets {} by what the store says, {} by what we were told",
            found.told(theirs.net),
            found.told(mine.net)
        );
        found.add((Seam::Evidence, Kind::WrongNet), None, amounts, what);
    }
}

/// The verdict with its reasons, without the sentences about them.
fn reasons(verdict: &Verdict) -> BTreeSet<String> {
    let name = verdict.name();
    match verdict {
        Verdict::Awaiting | Verdict::Commissionable => [name.to_owned()].into(),
        Verdict::Exempt(why) => why.iter().map(|why| format!("{name} ({})", why.name())).collect(),
        Verdict::Held(why) => {
            why.iter().map(|why| format!("{name} ({} {})", why.reason.name(), why.cause)).collect()
        }
    }
}
