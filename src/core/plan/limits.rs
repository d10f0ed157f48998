//! Gates, caps and deductions: the last phase of a period.

mod read;
#[cfg(test)]
mod tests;

use super::{Canonical, Plan, quoted, word};
use crate::core::bonus::Pays;
use crate::core::fixed::{Fixed, Rate};
use crate::core::money::Rounding;
use crate::core::period::{Buyers, Condition, Measure};
use crate::core::plan::parse::ROUNDING_MODES;
use crate::core::volume::VolumeKind;
pub(super) use read::read;
pub(crate) use read::read_amount;

/// Each in the order of the ids, which is the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub gates: Vec<Gate>,
    pub caps: Vec<Cap>,
    pub deductions: Vec<Deduction>,
}

/// What an earner has to meet so that some bonuses are paid at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    pub id: String,
    /// Places in the plan's bonuses, in their order.
    pub of: Vec<u16>,
    /// Least share of customers in the volume of the earner's own orders or of its group's.
    pub customer_share: Option<CustomerShare>,
    pub requires: Option<Condition>,
    /// What stays of an award behind a closed gate.
    pub else_pays: Rate,
}

/// The share has a rounding of its own, because it is compared and not paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomerShare {
    pub least: Rate,
    pub digits: u32,
    pub mode: Rounding,
    /// Of which volume.
    pub volume: VolumeKind,
    /// Of the earner's whole group and not only of its own orders.
    pub group: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    pub id: String,
    /// Places in the plan's bonuses, in their order.
    pub of: Vec<u16>,
    pub per: CapPer,
    pub most: Most,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CapPer {
    Position,
    /// Over all positions; what is above is taken from its awards in proportion.
    Earner,
    /// Everybody together, in proportion; after all other caps.
    Company,
}

const PERS: [(&str, CapPer); 3] =
    [("position", CapPer::Position), ("earner", CapPer::Earner), ("company", CapPer::Company)];

/// Which volumes a share of customers can be of.
const SHARE_OF: [(&str, VolumeKind); 4] =
    [("pv", VolumeKind::Pv), ("qv", VolumeKind::Qv), ("cv", VolumeKind::Cv), ("net", VolumeKind::Net)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    Amount(Fixed),
    /// A share of the company's CV in the period.
    ShareOfCv(Rate),
}

/// Taken from what an earner is paid, such as a fee for the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deduction {
    pub id: String,
    /// Of everything that the period pays the earner.
    pub rate: Rate,
    pub amount: Fixed,
}

impl CustomerShare {
    /// Volume of customers, and of everybody.
    pub(crate) fn measures(&self) -> [Measure; 2] {
        let all = Measure::of(self.volume);
        [Measure { buyers: Buyers::Customers, ..all.clone() }, all]
    }
}

impl Limits {
    pub fn is_empty(&self) -> bool {
        self.gates.is_empty() && self.caps.is_empty() && self.deductions.is_empty()
    }

    /// The sums that gates and caps ask for.
    pub(crate) fn measures(&self) -> Vec<Measure> {
        let shares = self.gates.iter().filter_map(|gate| gate.customer_share);
        shares.flat_map(|share| share.measures()).collect()
    }

    /// Sentences, in the order in which they are applied.
    pub fn describe(&self, plan: &Plan) -> Vec<String> {
        let gates = self.gates.iter().map(|gate| gate.describe(plan));
        let caps = CAPS_IN_ORDER.iter().flat_map(|per| self.caps.iter().filter(move |cap| cap.per == *per));
        let caps = caps.map(|cap| cap.describe(plan));
        gates.chain(caps).chain(self.deductions.iter().map(Deduction::describe)).collect()
    }
}

/// What is capped later can only be less by then.
pub(crate) const CAPS_IN_ORDER: [CapPer; 3] = [CapPer::Position, CapPer::Earner, CapPer::Company];

impl Plan {
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where `Standings::eligible` notes who meets a gate: after the bonuses and the deductions.
    pub(crate) fn gate_place(&self, gate: usize) -> u16 {
        let place = self.bonuses.len().saturating_add(self.limits.deductions.len()).saturating_add(gate);
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}

impl Gate {
    fn describe(&self, plan: &Plan) -> String {
        let mut asks = vec![];
        if let Some(share) = &self.customer_share {
            let whose = if share.group { "its group's" } else { "its own" };
            let volume = word(&SHARE_OF, &share.volume).to_uppercase();
            asks.push(format!("at least {} of {whose} {volume} is of customers", share.least.decimal()));
        }
        if let Some(condition) = &self.requires {
            asks.extend(condition.sentences(plan));
        }
        let kept = match self.else_pays.is_zero() {
            true => "nothing".to_owned(),
            false => format!("{} of it", self.else_pays.decimal()),
        };
        let of = names(plan, &self.reached(plan));
        format!("Gate {}: {of} pays an earner {kept} unless {}.", self.id, asks.join(" and "))
    }

    /// What is paid with the order for good, the gate comes too late for.
    fn reached(&self, plan: &Plan) -> Vec<u16> {
        let is_reached = |at: &u16| {
            let bonus = plan.bonuses.get(usize::from(*at));
            bonus.is_some_and(|bonus| bonus.pays == Pays::Period || bonus.provisional)
        };
        self.of.iter().copied().filter(is_reached).collect()
    }

    fn canonical(&self, plan: &Plan, out: &mut Canonical) {
        let path = format!("gate.{}", quoted(&self.id));
        write_of(plan, &path, &self.of, out);
        if let Some(share) = &self.customer_share {
            let path = format!("{path}.customer_share");
            out.number(&format!("{path}.least"), share.least.decimal());
            out.number(&format!("{path}.digits"), share.digits.into());
            out.text(&format!("{path}.mode"), word(&ROUNDING_MODES, &share.mode));
            if share.volume != VolumeKind::Pv {
                out.text(&format!("{path}.volume"), word(&SHARE_OF, &share.volume));
            }
            if share.group {
                out.text(&format!("{path}.group"), "true");
            }
        }
        if let Some(condition) = &self.requires {
            // It can be met by standing alone, so that it is there is said for itself.
            out.text(&format!("{path}.requires"), "own");
            out.condition(&format!("{path}.requires"), condition);
        }
        if !self.else_pays.is_zero() {
            out.number(&format!("{path}.else_pays"), self.else_pays.decimal());
        }
    }
}

impl Cap {
    fn describe(&self, plan: &Plan) -> String {
        let most = match self.most {
            Most::Amount(amount) => amount.to_string(),
            Most::ShareOfCv(share) => format!("{} of the company's CV", share.decimal()),
        };
        let whom = match self.per {
            CapPer::Position => "a position",
            CapPer::Earner => "an earner over all positions",
            CapPer::Company => "everybody together",
        };
        format!("Cap {}: {} pays {whom} at most {most} for a period.", self.id, names(plan, &self.of))
    }

    fn canonical(&self, plan: &Plan, out: &mut Canonical) {
        let path = format!("cap.{}", quoted(&self.id));
        write_of(plan, &path, &self.of, out);
        out.text(&format!("{path}.per"), word(&PERS, &self.per));
        match self.most {
            Most::Amount(amount) => out.number(&format!("{path}.amount"), amount.decimal()),
            Most::ShareOfCv(share) => out.number(&format!("{path}.share_of_cv"), share.decimal()),
        }
    }
}

impl Deduction {
    fn describe(&self) -> String {
        let rate =
            (!self.rate.is_zero()).then(|| format!("{} of what an earner is paid", self.rate.decimal()));
        let amount = (!self.amount.is_zero()).then(|| format!("{} for a period", self.amount));
        let parts: Vec<String> = rate.into_iter().chain(amount).collect();
        format!("Deduction {}: {}, never more than there is.", self.id, parts.join(" and "))
    }

    fn canonical(&self, out: &mut Canonical) {
        let path = format!("deduction.{}", quoted(&self.id));
        if !self.rate.is_zero() {
            out.number(&format!("{path}.rate"), self.rate.decimal());
        }
        if !self.amount.is_zero() {
            out.number(&format!("{path}.amount"), self.amount.decimal());
        }
    }
}

pub(super) fn canonical(plan: &Plan, out: &mut Canonical) {
    plan.limits.gates.iter().for_each(|gate| gate.canonical(plan, out));
    plan.limits.caps.iter().for_each(|cap| cap.canonical(plan, out));
    plan.limits.deductions.iter().for_each(|deduction| deduction.canonical(out));
}

/// All bonuses are the default.
fn write_of(plan: &Plan, path: &str, of: &[u16], out: &mut Canonical) {
    if of.len() < plan.bonuses.len() {
        let ids: Vec<String> = of.iter().map(|at| plan.award_name(*at).to_owned()).collect();
        out.texts(&format!("{path}.of"), &ids);
    }
}

fn names(plan: &Plan, of: &[u16]) -> String {
    if of.len() == plan.bonuses.len() {
        return "every bonus".to_owned();
    }
    of.iter().map(|at| plan.award_name(*at)).collect::<Vec<_>>().join(", ")
}
