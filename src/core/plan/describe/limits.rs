//! Gates, caps and deductions in words.

use super::super::limits::Most;
use super::super::{Cap, CapPer, Deduction, Gate, Plan};
use super::{LimitDescription, conditions, percent};

pub(super) fn limits(plan: &Plan) -> Vec<LimitDescription> {
    let gates = plan.limits.gates.iter().map(|gate| gate_told(gate, plan));
    let caps = plan.limits.caps.iter().map(|cap| cap_told(cap, plan));
    gates.chain(caps).chain(plan.limits.deductions.iter().map(deduction_told)).collect()
}

fn gate_told(gate: &Gate, plan: &Plan) -> LimitDescription {
    let mut asked = vec![];
    if let Some(share) = &gate.customer_share {
        let whose = if share.group { "of the group's volume" } else { "of the own orders' volume" };
        asked.push(format!("at least {} {whose} from customers", percent(share.least.decimal())));
    }
    if let Some(condition) = &gate.requires {
        asked.extend(conditions::sentences(condition, plan));
    }
    let otherwise = match gate.else_pays.is_zero() {
        true => "nothing".to_owned(),
        false => percent(gate.else_pays.decimal()),
    };
    let text =
        format!("{} asks for {}; otherwise it pays {otherwise}", bonuses(&gate.of, plan), asked.join(", "));
    LimitDescription { kind: "Gate", id: gate.id.clone(), text }
}

fn cap_told(cap: &Cap, plan: &Plan) -> LimitDescription {
    let most = match &cap.most {
        Most::Amount(amount) => format!("{amount} {}", plan.currency),
        Most::ShareOfCv(share) => format!("{} of the company's CV", percent(share.decimal())),
    };
    let whom = match cap.per {
        CapPer::Earner => "each earner",
        CapPer::Position => "each position",
        CapPer::Company => "everybody together",
    };
    let text = format!("{} pays {whom} at most {most} in a period", bonuses(&cap.of, plan));
    LimitDescription { kind: "Cap", id: cap.id.clone(), text }
}

fn deduction_told(deduction: &Deduction) -> LimitDescription {
    let rate = (!deduction.rate.is_zero()).then(|| format!("{} of what is paid", percent(deduction.rate)));
    let amount = (!deduction.amount.is_zero()).then(|| format!("{} in a period", deduction.amount));
    let text = [rate, amount].into_iter().flatten().collect::<Vec<_>>().join(" and ");
    LimitDescription { kind: "Deduction", id: deduction.id.clone(), text }
}

fn bonuses(of: &[u16], plan: &Plan) -> String {
    if of.len() == plan.bonuses.len() {
        return "every bonus".to_owned();
    }
    let ids = of.iter().filter_map(|at| plan.bonuses.get(usize::from(*at))).map(|bonus| bonus.id.as_str());
    ids.collect::<Vec<_>>().join(", ")
}
