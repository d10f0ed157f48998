//! Whether an order earns, earns nothing by rule, or is held, and why.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{AssessedLine, Knowledge};
use crate::core::attribution::{Attribution, Refusal};
use crate::core::order::{LineKind, OrderSnapshot, OrderState, Payment};
use crate::core::sku::{self, CLASS_NONE};

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

pub(super) fn verdict(
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

pub(super) fn exemptions(state: &OrderState, order: &OrderSnapshot) -> Vec<Exemption> {
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
    lines.iter().filter_map(|line| line_reason(line, known)).chain(impossible_reasons(lines)).collect()
}

/// Beyond this a rate times an amount could leave the range of a decimal.
const MOST: Decimal = Decimal::from_parts(1_316_134_912, 2_328, 0, false, 0);

/// What no calculation can take: two lines of one id, or an amount out of all bounds.
fn impossible_reasons(lines: &[AssessedLine]) -> Vec<HoldReason> {
    let mut seen = BTreeSet::new();
    let reason = |line: &AssessedLine, what: &str| HoldReason {
        reason: Hold::Unreadable,
        cause: format!("line {}", line.line),
        detail: format!("line {} {what}", line.line),
        line: Some(line.line.clone()),
    };
    let mut reasons = vec![];
    for line in lines {
        if !seen.insert(line.line.as_str()) {
            reasons.push(reason(line, "is in the order twice"));
        }
        if line.sold.abs() > MOST || line.quantity.abs() > MOST {
            reasons.push(reason(line, "has an amount out of all bounds"));
        }
    }
    reasons
}

fn line_reason(line: &AssessedLine, known: &Knowledge<'_>) -> Option<HoldReason> {
    if line.kind != LineKind::Goods {
        return None;
    }
    let reason = |reason, cause: String, detail: String| {
        Some(HoldReason { reason, cause, detail, line: Some(line.line.clone()) })
    };
    if line.sold < Decimal::ZERO || line.quantity < Decimal::ZERO {
        let detail =
            format!("line {} nets {} for a quantity of {}, below zero", line.line, line.sold, line.quantity);
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
