//! What an order is worth to us: lines with net and commission class, who it is attributed to, and whether it
//! earns, earns nothing by rule, or is held for a person.
//!
//! A held order is value, not an error: it carries all its reasons at once.

mod verdict;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use verdict::{Exemption, Hold, HoldReason, Verdict};

use super::attribution::{self, Attributed, Attribution, Buyer, Named, PLACE_CUSTOMER};
use super::binding::Bound;
use super::ids::{DistributorId, StoreId};
use super::money::Currency;
use super::net;
use super::order::{LineKind, OrderLine, OrderSnapshot, OrderState, ProductKey};
use super::sku::{CLASS_NONE, Catalog};

/// What the store's settings say.
#[derive(Clone, Copy, Debug)]
pub struct StoreTerms<'a> {
    pub store: StoreId,
    pub platform: &'a str,
    /// Ordered places of attribution.
    pub places: &'a [String],
    /// The store's customers have the ids of the distributors that they are. Without it only decisions say who is.
    pub shares_ids: bool,
}

/// What has to be known of the plan that is effective at the order's time.
#[derive(Clone, Copy, Debug)]
pub struct PlanTerms<'a> {
    pub currency: Currency,
    pub classes: &'a [String],
}

/// Everything an assessment looks things up in.
pub struct Knowledge<'a> {
    pub store: StoreTerms<'a>,
    pub catalog: &'a Catalog,
    /// `None`: no plan is effective at the order's time.
    pub plan: Option<PlanTerms<'a>>,
    /// Who a reference names at an instant.
    pub named: &'a dyn Fn(&str, DateTime<Utc>) -> Named,
    /// An admin's decision for this very order.
    pub manual: Option<&'a DistributorId>,
    /// What is known of the order's customer at its time.
    pub customer: &'a Standing,
    /// Classes that earlier calculations of this order have used, by line: a later mapping does not reach them.
    pub locked: &'a [LockedClass],
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The distributor that the customer is.
    pub is: Option<DistributorId>,
    pub bound: Option<Bound>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedClass {
    pub line: String,
    pub product: ProductKey,
    pub mapping_id: i64,
    pub commission_class: String,
    pub sku_id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    pub lines: Vec<AssessedLine>,
    pub sold: Decimal,
    pub refunded: Decimal,
    pub net: Decimal,
    pub attributed: Option<Attributed>,
    /// Whom the order binds its customer to, see [`binds_to`].
    pub binds_to: Option<DistributorId>,
    pub verdict: Verdict,
}

impl Assessment {
    pub fn is_commissionable(&self) -> bool {
        self.verdict == Verdict::Commissionable
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssessedLine {
    pub line: String,
    pub product: ProductKey,
    pub title: String,
    pub kind: LineKind,
    pub quantity: Decimal,
    pub gross: Decimal,
    pub discount: Decimal,
    pub included_tax: Decimal,
    pub sold: Decimal,
    pub refunded: Decimal,
    pub net: Decimal,
    /// The refund was spread over the order, not told by line.
    pub estimated: bool,
    pub commission_class: Option<String>,
    pub sku_id: Option<String>,
    pub mapping_id: Option<i64>,
}

impl AssessedLine {
    /// Goods of a class that is not [`CLASS_NONE`].
    pub fn earns(&self) -> bool {
        self.kind == LineKind::Goods
            && self.commission_class.as_deref().is_some_and(|class| class != CLASS_NONE)
    }
}

/// Pure and total: whatever is known of the order, there is an assessment.
pub fn assess(state: &OrderState, known: &Knowledge<'_>) -> Assessment {
    let Some(order) = &state.snapshot else { return awaiting() };
    let nets = net::commissionable(order, &state.refunds());
    let lines: Vec<AssessedLine> =
        order.lines.iter().zip(&nets.lines).map(|(line, net)| assess_line(order, line, net, known)).collect();
    let attribution = attribute(order, known.store.places, known);
    let verdict = verdict::verdict(state, order, &lines, &attribution, known);
    let attributed = match attribution {
        Attribution::To(attributed) => Some(attributed),
        Attribution::Unattributed | Attribution::Refused(_) => None,
    };
    Assessment {
        sold: nets.sold(),
        refunded: nets.refunded(),
        net: nets.net(),
        lines,
        attributed,
        binds_to: binds_to(state, known),
        verdict,
    }
}

/// The distributor that the order names without asking whom its customer is bound to. An order that was not bought,
/// or not paid, binds nobody; one that is held for another reason does, so that its release changes no other order.
pub fn binds_to(state: &OrderState, known: &Knowledge<'_>) -> Option<DistributorId> {
    let order = state.snapshot.as_ref().filter(|order| order.customer_id.is_some())?;
    if !verdict::exemptions(state, order).is_empty() {
        return None;
    }
    let listed = known.store.places;
    let others: Vec<String>;
    let places = match listed.iter().any(|place| place == PLACE_CUSTOMER) {
        false => listed,
        true => {
            others = listed.iter().filter(|place| *place != PLACE_CUSTOMER).cloned().collect();
            &others
        }
    };
    match attribute(order, places, known) {
        Attribution::To(to) if !to.own => Some(to.distributor),
        _ => None,
    }
}

fn attribute(order: &OrderSnapshot, places: &[String], known: &Knowledge<'_>) -> Attribution {
    let shared = order.customer_id.as_deref().and_then(|customer| buyer_of(customer, known));
    let buyer = Buyer {
        is: known.customer.is.as_ref().or(shared.as_ref()),
        bound: known.customer.bound.as_ref().map(|bound| &bound.distributor),
        shares_ids: known.store.shares_ids,
    };
    attribution::attribute(order, places, known.manual, buyer, |reference| {
        (known.named)(reference, order.ordered_at)
    })
}

const DIRECT: &str = "direct";

fn awaiting() -> Assessment {
    Assessment {
        lines: vec![],
        sold: Decimal::ZERO,
        refunded: Decimal::ZERO,
        net: Decimal::ZERO,
        attributed: None,
        binds_to: None,
        verdict: Verdict::Awaiting,
    }
}

/// On the direct API customers and distributors share one id space, so a buyer can be seen to refer himself.
fn buyer_of(customer: &str, known: &Knowledge<'_>) -> Option<DistributorId> {
    (known.store.platform == DIRECT).then(|| DistributorId::new(customer))
}

fn assess_line(
    order: &OrderSnapshot,
    line: &OrderLine,
    net: &net::LineNet,
    known: &Knowledge<'_>,
) -> AssessedLine {
    let locked = known.locked.iter().find(|l| l.line == line.external_id && l.product == line.product);
    let mapped = match locked {
        Some(locked) => Some((locked.commission_class.clone(), locked.sku_id.clone(), locked.mapping_id)),
        None if line.kind != LineKind::Goods => None,
        None => known
            .catalog
            .resolve(known.store.store, known.store.platform, &line.product, order.ordered_at)
            .map(|m| (m.commission_class.clone(), m.sku_id.clone(), m.mapping_id)),
    };
    let (commission_class, sku_id, mapping_id) = match mapped {
        Some((class, sku, id)) => (Some(class), Some(sku), Some(id)),
        None => (None, None, None),
    };
    AssessedLine {
        line: line.external_id.clone(),
        product: line.product.clone(),
        title: line.title.clone(),
        kind: line.kind,
        quantity: line.quantity,
        gross: line.gross,
        discount: line.discount,
        included_tax: line.included_tax,
        sold: net.sold,
        refunded: net.refunded,
        net: net.net(),
        estimated: net.estimated,
        commission_class,
        sku_id,
        mapping_id,
    }
}

#[cfg(test)]
mod tests;
