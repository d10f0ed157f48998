//! Ranks and qualifications: what they ask, and when a promotion counts.

use super::read::Table;
use super::{Canonical, Plan, quoted, read_condition, word};
use crate::core::bonus::Names;
use crate::core::period::Condition;

mod check;

pub(super) use check::check;
pub(crate) use check::{asking_for_rank, in_order};

/// By the places of `Plan::ranks`. Where no rank asks for anything, everybody has the rank that was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankRules {
    pub rules: Vec<RankRule>,
    pub promotion: Promotion,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankRule {
    /// To reach the rank for the first time. Without it the rank is only given by hand.
    pub achieve: Option<Condition>,
    /// To be paid as it by whoever reached it before; the same as `achieve` where it is not given.
    pub maintain: Option<Condition>,
}

/// From when on bonuses pay by a rank that a period's volumes gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Promotion {
    #[default]
    SamePeriod,
    NextPeriod,
}

pub(super) const PROMOTIONS: [(&str, Promotion); 2] =
    [("same_period", Promotion::SamePeriod), ("next_period", Promotion::NextPeriod)];

/// A condition with a name; it can hold on for some periods after it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualification {
    pub id: String,
    pub condition: Condition,
    /// For how many periods after it was met it still holds.
    pub carried: u16,
}

impl RankRules {
    /// Whether periods decide ranks at all.
    pub fn decide(&self) -> bool {
        self.rules.iter().any(|rule| rule.achieve.is_some() || rule.maintain.is_some())
    }
}

impl RankRule {
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.achieve.iter().chain(&self.maintain)
    }

    /// What whoever reached the rank before has to meet.
    pub fn to_maintain(&self) -> Option<&Condition> {
        self.maintain.as_ref().or(self.achieve.as_ref())
    }
}

/// What one `[[rank]]` asks besides its id.
pub(super) fn read_rule(table: &Table<'_>, names: &Names<'_>) -> RankRule {
    let condition = |key| table.optional(key).and_then(|item| read_condition(&item, names));
    RankRule { achieve: condition("achieve"), maintain: condition("maintain") }
}

pub(super) fn read_qualification(table: &Table<'_>, id: &str, names: &Names<'_>) -> Option<Qualification> {
    let condition = table
        .required("condition", "condition = { pv = \"100\" }")
        .and_then(|item| read_condition(&item, names));
    let carried = table.optional("carried").map_or(Some(0), |item| item.whole(0, 1_000));
    Some(Qualification { id: id.to_owned(), condition: condition?, carried: carried? })
}

/// `[ranks]`, for all of them together.
pub(super) fn read_promotion(root: &Table<'_>, rules: &[RankRule]) -> Promotion {
    let Some(item) = root.optional("ranks") else { return Promotion::default() };
    let Some(table) = item.table() else { return Promotion::default() };
    let promotion =
        table.required("promotion", "promotion = \"same_period\"").and_then(|i| i.word(&PROMOTIONS));
    table.finish();
    if !rules.iter().any(|rule| rule.achieve.is_some() || rule.maintain.is_some()) {
        item.problem(
            "no rank asks for anything, so nobody is promoted",
            "give a rank [rank.achieve], or remove [ranks]",
        );
    }
    promotion.unwrap_or_default()
}

pub(super) fn canonical(plan: &Plan, out: &mut Canonical) {
    if plan.rank_rules.promotion != Promotion::default() {
        out.text("ranks.promotion", word(&PROMOTIONS, &plan.rank_rules.promotion));
    }
    for (rank, rule) in plan.ranks.iter().zip(&plan.rank_rules.rules) {
        let path = format!("rank.{}", quoted(rank));
        if let Some(condition) = &rule.achieve {
            out.condition(&format!("{path}.achieve"), condition);
        }
        // Written out although it is the same as `achieve`, it means nothing more.
        if let Some(condition) = rule.maintain.as_ref().filter(|_| rule.maintain != rule.achieve) {
            out.condition(&format!("{path}.maintain"), condition);
        }
    }
    for qualification in &plan.qualifications {
        let path = format!("qualification.{}", quoted(&qualification.id));
        if qualification.carried > 0 {
            out.number(&format!("{path}.carried"), qualification.carried.into());
        }
        out.condition(&format!("{path}.condition"), &qualification.condition);
    }
}
