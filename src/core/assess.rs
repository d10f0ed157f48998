//! What an order is worth to us: lines with net and commission class, who it is attributed to, and whether it
//! earns, earns nothing by rule, or is held for a person.
//!
//! A held order is value, not an error: it carries all its reasons at once.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::attribution::{self, Attributed, Attribution, Named, Refusal};
use super::ids::{DistributorId, StoreId};
use super::money::Currency;
use super::net;
use super::order::{LineKind, OrderLine, OrderSnapshot, OrderState, Payment, ProductKey};
use super::sku::{self, CLASS_NONE, Catalog};

/// What the store's settings say.
#[derive(Clone, Copy, Debug)]
pub struct StoreTerms<'a> {
    pub store: StoreId,
    pub platform: &'a str,
    /// Ordered places of attribution.
    pub places: &'a [String],
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
    /// Classes that earlier calculations of this order have used, by line: a later mapping does not reach them.
    pub locked: &'a [LockedClass],
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "reasons", rename_all = "snake_case")]
pub enum Verdict {
    /// Only a change is known; the order itself has not been told yet.
    Awaiting,
    Commissionable,
    /// Earns nothing by rule, and says why.
    Exempt(Vec<Exemption>),
    Held(Vec<HoldReason>),
}

impl Verdict {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Commissionable => "commissionable",
            Self::Exempt(_) => "exempt",
            Self::Held(_) => "held",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exemption {
    Test,
    Cancelled,
    Deleted,
    Voided,
    Unpaid,
    Unattributed,
    /// No line is goods of a class that earns.
    NothingCommissionable,
}

impl Exemption {
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Cancelled => "cancelled",
            Self::Deleted => "deleted",
            Self::Voided => "voided",
            Self::Unpaid => "unpaid",
            Self::Unattributed => "unattributed",
            Self::NothingCommissionable => "nothing_commissionable",
        }
    }
}

/// Why an order waits for a person. `cause` is what many orders can share, so that one fix releases them all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HoldReason {
    pub reason: Hold,
    pub cause: String,
    pub detail: String,
    pub line: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    UnmappedSku,
    UnknownDistributor,
    AmbiguousDistributor,
    TerminatedDistributor,
    SelfReferral,
    /// The payload's own sums do not add up.
    DoesNotClose,
    /// A field could not be taken as what it should be.
    Unreadable,
    NegativeLine,
    UnknownCurrency,
    /// The plan is in another currency.
    OtherCurrency,
    NoPlan,
    /// The mapped class is unknown to the plan.
    UnknownClass,
}

impl Hold {
    pub const ALL: [Self; 12] = [
        Self::UnmappedSku,
        Self::UnknownDistributor,
        Self::AmbiguousDistributor,
        Self::TerminatedDistributor,
        Self::SelfReferral,
        Self::DoesNotClose,
        Self::Unreadable,
        Self::NegativeLine,
        Self::UnknownCurrency,
        Self::OtherCurrency,
        Self::NoPlan,
        Self::UnknownClass,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::UnmappedSku => "unmapped_sku",
            Self::UnknownDistributor => "unknown_distributor",
            Self::AmbiguousDistributor => "ambiguous_distributor",
            Self::TerminatedDistributor => "terminated_distributor",
            Self::SelfReferral => "self_referral",
            Self::DoesNotClose => "does_not_close",
            Self::Unreadable => "unreadable",
            Self::NegativeLine => "negative_line",
            Self::UnknownCurrency => "unknown_currency",
            Self::OtherCurrency => "other_currency",
            Self::NoPlan => "no_plan",
            Self::UnknownClass => "unknown_class",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hold| hold.name() == name)
    }
}

/// Pure and total: whatever is known of the order, there is an assessment.
pub fn assess(state: &OrderState, known: &Knowledge<'_>) -> Assessment {
    let Some(order) = &state.snapshot else { return awaiting() };
    let nets = net::commissionable(order, &state.refunds());
    let lines: Vec<AssessedLine> =
        order.lines.iter().zip(&nets.lines).map(|(line, net)| assess_line(order, line, net, known)).collect();
    let buyer = order.customer_id.as_deref().and_then(|customer| buyer_of(customer, known));
    let attribution =
        attribution::attribute(order, known.store.places, known.manual, buyer.as_ref(), |reference| {
            (known.named)(reference, order.ordered_at)
        });
    let verdict = verdict(state, order, &lines, &attribution, known);
    let attributed = match attribution {
        Attribution::To(attributed) => Some(attributed),
        Attribution::Unattributed | Attribution::Refused(_) => None,
    };
    Assessment { sold: nets.sold(), refunded: nets.refunded(), net: nets.net(), lines, attributed, verdict }
}

fn awaiting() -> Assessment {
    Assessment {
        lines: vec![],
        sold: Decimal::ZERO,
        refunded: Decimal::ZERO,
        net: Decimal::ZERO,
        attributed: None,
        verdict: Verdict::Awaiting,
    }
}

/// On the direct API customers and distributors share one id space, so a buyer can be seen to refer himself.
fn buyer_of(customer: &str, known: &Knowledge<'_>) -> Option<DistributorId> {
    (known.store.platform == "direct").then(|| DistributorId::new(customer))
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

fn verdict(
    state: &OrderState,
    order: &OrderSnapshot,
    lines: &[AssessedLine],
    attribution: &Attribution,
    known: &Knowledge<'_>,
) -> Verdict {
    let exempt = exemptions(state, order);
    if !exempt.is_empty() {
        return Verdict::Exempt(exempt);
    }
    let mut reasons = payload_reasons(order);
    reasons.extend(refusal_reason(attribution));
    // An order that nobody earns on needs no mapping and no plan.
    if matches!(attribution, Attribution::Unattributed) && reasons.is_empty() {
        return Verdict::Exempt(vec![Exemption::Unattributed]);
    }
    reasons.extend(line_reasons(lines, known));
    reasons.extend(plan_reasons(order, known));
    reasons.sort();
    reasons.dedup();
    if !reasons.is_empty() {
        return Verdict::Held(reasons);
    }
    if !lines.iter().any(AssessedLine::earns) {
        return Verdict::Exempt(vec![Exemption::NothingCommissionable]);
    }
    Verdict::Commissionable
}

impl AssessedLine {
    /// Goods of a class that is not [`CLASS_NONE`].
    pub fn earns(&self) -> bool {
        self.kind == LineKind::Goods
            && self.commission_class.as_deref().is_some_and(|class| class != CLASS_NONE)
    }
}

fn exemptions(state: &OrderState, order: &OrderSnapshot) -> Vec<Exemption> {
    let told = [
        (order.test, Exemption::Test),
        (order.cancelled, Exemption::Cancelled),
        (state.is_deleted(), Exemption::Deleted),
        (order.payment == Payment::Voided, Exemption::Voided),
        (order.payment == Payment::Unpaid, Exemption::Unpaid),
    ];
    told.into_iter().filter_map(|(holds, why)| holds.then_some(why)).collect()
}

fn payload_reasons(order: &OrderSnapshot) -> Vec<HoldReason> {
    let problems = order.problems.iter().map(|problem| HoldReason {
        reason: Hold::Unreadable,
        cause: problem.field.clone(),
        detail: problem.message.clone(),
        line: None,
    });
    let closings =
        order.closings.iter().filter(|closing| !closing.difference().is_zero()).map(|closing| HoldReason {
            reason: Hold::DoesNotClose,
            cause: closing.field.clone(),
            detail: format!(
                "the store says {} {}, its parts add up to {}: a difference of {}",
                closing.field,
                closing.stated,
                closing.computed,
                closing.difference()
            ),
            line: None,
        });
    problems.chain(closings).collect()
}

fn refusal_reason(attribution: &Attribution) -> Option<HoldReason> {
    let Attribution::Refused(refusal) = attribution else { return None };
    let (reason, cause, detail) = match refusal {
        Refusal::Unknown(told) => (
            Hold::UnknownDistributor,
            told.value.clone(),
            format!("{} names {:?}, which was no distributor at the order's time", told.place, told.value),
        ),
        Refusal::Ambiguous { place, values } => (
            Hold::AmbiguousDistributor,
            values.join(", "),
            format!("{place} names several distributors: {}", values.join(", ")),
        ),
        Refusal::Terminated(told) => (
            Hold::TerminatedDistributor,
            told.value.clone(),
            format!("{} names {:?}, who was terminated at the order's time", told.place, told.value),
        ),
        Refusal::SelfReferral(told) => (
            Hold::SelfReferral,
            told.value.clone(),
            format!("{} names the buyer {:?}", told.place, told.value),
        ),
    };
    Some(HoldReason { reason, cause, detail, line: None })
}

fn line_reasons(lines: &[AssessedLine], known: &Knowledge<'_>) -> Vec<HoldReason> {
    lines.iter().filter_map(|line| line_reason(line, known)).collect()
}

fn line_reason(line: &AssessedLine, known: &Knowledge<'_>) -> Option<HoldReason> {
    if line.kind != LineKind::Goods {
        return None;
    }
    let reason = |reason, cause: String, detail: String| {
        Some(HoldReason { reason, cause, detail, line: Some(line.line.clone()) })
    };
    if line.sold.is_sign_negative() && !line.sold.is_zero() {
        let detail = format!("line {} nets {}, below zero", line.line, line.sold);
        return reason(Hold::NegativeLine, line.line.clone(), detail);
    }
    let Some(class) = &line.commission_class else {
        return reason(Hold::UnmappedSku, sku::cause(&line.product), line.title.clone());
    };
    let plan = known.plan?;
    if class == CLASS_NONE || plan.classes.contains(class) {
        return None;
    }
    reason(Hold::UnknownClass, class.clone(), format!("commission class {class:?} is not in the plan"))
}

fn plan_reasons(order: &OrderSnapshot, known: &Knowledge<'_>) -> Option<HoldReason> {
    let (reason, cause, detail) = if order.currency.exponent().is_none() {
        (
            Hold::UnknownCurrency,
            order.currency.to_string(),
            format!("{} is not a currency of ISO 4217", order.currency),
        )
    } else {
        match known.plan {
            None => {
                (Hold::NoPlan, "no plan".to_owned(), format!("no plan is effective at {}", order.ordered_at))
            }
            Some(plan) if plan.currency != order.currency => (
                Hold::OtherCurrency,
                order.currency.to_string(),
                format!("the order is in {}, the plan in {}", order.currency, plan.currency),
            ),
            Some(_) => return None,
        }
    };
    Some(HoldReason { reason, cause, detail, line: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::net::tests::{line, order};
    use crate::core::order::{Closing, PlaceValue, Problem};
    use crate::core::sku::{KeyKind, SkuMapping};

    fn mapped(sku: &str, class: &str) -> SkuMapping {
        SkuMapping {
            mapping_id: 7,
            store: None,
            platform: "woocommerce".into(),
            kind: KeyKind::Sku,
            key: sku.into(),
            sku_id: sku.into(),
            commission_class: class.into(),
            from: None,
        }
    }

    fn named(reference: &str, _: DateTime<Utc>) -> Named {
        match reference {
            "11043" => Named::Distributor(DistributorId::new("11043")),
            _ => Named::Nobody,
        }
    }

    fn ask(order: OrderSnapshot, catalog: &Catalog) -> Assessment {
        let classes = vec!["supplement".to_owned()];
        let places = vec!["order_meta:ref".to_owned()];
        let known = Knowledge {
            store: StoreTerms { store: StoreId(1), platform: "woocommerce", places: &places },
            catalog,
            plan: Some(PlanTerms { currency: Currency::parse("USD").unwrap(), classes: &classes }),
            named: &named,
            manual: None,
            locked: &[],
        };
        assess(&OrderState { snapshot: Some(order), ..OrderState::default() }, &known)
    }

    fn referred(by: &str) -> OrderSnapshot {
        let mut order = order(vec![line("1", "99", "0", "0"), line("2", "10", "0", "0")], "109");
        order.places = vec![PlaceValue { place: "order_meta:ref".into(), value: by.into() }];
        order
    }

    #[test]
    fn a_clean_order_earns() {
        let catalog = Catalog::new([mapped("SKU-1", "supplement"), mapped("SKU-2", "none")]);
        let assessment = ask(referred("11043"), &catalog);
        assert_eq!(assessment.verdict, Verdict::Commissionable);
        assert_eq!(assessment.lines.iter().filter(|l| l.earns()).count(), 1);
        assert_eq!(assessment.attributed.unwrap().place, "order_meta:ref");
    }

    #[test]
    fn all_reasons_are_told_at_once() {
        let mut order = referred("nobody");
        order.currency = Currency::parse("EUR").unwrap();
        order.closings.push(Closing { field: "total".into(), stated: 5.into(), computed: 4.into() });
        order
            .problems
            .push(Problem { field: "lines[0].quantity".into(), message: "\"x\" is not a number".into() });
        let catalog = Catalog::new([mapped("SKU-1", "gold")]);
        let Verdict::Held(reasons) = ask(order, &catalog).verdict else { panic!() };
        let names: Vec<Hold> = reasons.iter().map(|r| r.reason).collect();
        assert_eq!(
            names,
            [
                Hold::UnmappedSku,
                Hold::UnknownDistributor,
                Hold::DoesNotClose,
                Hold::Unreadable,
                Hold::OtherCurrency,
                Hold::UnknownClass
            ]
        );
    }

    #[test]
    fn what_earns_nothing_by_rule_is_not_held() {
        let mut order = referred("nobody");
        order.test = true;
        order.payment = Payment::Unpaid;
        let assessment = ask(order, &Catalog::default());
        assert_eq!(assessment.verdict, Verdict::Exempt(vec![Exemption::Test, Exemption::Unpaid]));
        let mut house = referred("x");
        house.places.clear();
        assert_eq!(ask(house, &Catalog::default()).verdict, Verdict::Exempt(vec![Exemption::Unattributed]));
    }
}
