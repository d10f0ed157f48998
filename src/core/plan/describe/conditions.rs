//! What a condition asks, a sentence for each part, in the order of the reference.

use super::super::Plan;
use crate::core::period::Condition;

impl Condition {
    pub(crate) fn sentences(&self, plan: &Plan) -> Vec<String> {
        let gv = format!("{} of the group", super::kind(plan));
        let mut told = vec![];
        if self.active {
            told.push("active".to_owned());
        }
        told.extend(self.pv.map(|least| format!("at least {least} PV")));
        told.extend(self.customer_pv.map(|least| format!("at least {least} PV of customers")));
        if let Some(least) = self.gv {
            let share = self.max_per_leg.map(|share| super::percent(share.decimal()));
            let share = share.map(|share| format!(", of one leg at most {share} of it")).unwrap_or_default();
            told.push(format!("at least {least} {gv}{share}"));
        }
        told.extend(self.pgv.map(|least| format!("at least {least} {gv} without legs that broke away")));
        let outside = self.outside_strongest;
        told.extend(outside.map(|least| format!("at least {least} {gv} outside of the strongest leg")));
        let weaker = self.weaker_side;
        told.extend(weaker.map(|least| format!("at least {least} {} on the weaker side", super::kind(plan))));
        for rule in &self.legs {
            told.push(format!("{} with {} or higher", legs(rule.count), rank(plan, rule.rank)));
        }
        if let Some((count, least)) = self.leg_volume {
            told.push(format!("{} of at least {least} {}", legs(count), super::kind(plan)));
        }
        match self.recruits {
            None => {}
            Some(1) => told.push("1 active person sponsored".to_owned()),
            Some(count) => told.push(format!("{count} active people sponsored")),
        }
        for at in &self.qualified {
            let id = plan.qualifications.get(usize::from(*at)).map_or("", |one| one.id.as_str());
            told.push(format!("qualified as {id}"));
        }
        told.extend(self.rank.map(|at| format!("rank {} or higher", rank(plan, at))));
        told.extend(self.days.map(|days| format!("enrolled for at least {days} days")));
        if told.is_empty() {
            told.push("nothing".to_owned());
        }
        told
    }
}

fn legs(count: u16) -> String {
    if count == 1 { "1 leg".to_owned() } else { format!("{count} legs") }
}

fn rank(plan: &Plan, at: u16) -> &str {
    plan.ranks.get(usize::from(at)).map_or("", String::as_str)
}
