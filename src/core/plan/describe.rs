//! A plan in words and tables, for a page or a terminal.

use rust_decimal::Decimal;
use serde::Serialize;

use super::canonical::word;
use super::parse::{CADENCES, ROUNDING_MODES, STAGES};
use super::{ActiveRule, Plan};
use crate::core::bonus::{Base, Bonus};
use crate::core::volume::VolumeRule;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanDescription {
    pub id: String,
    pub name: String,
    pub hash: String,
    /// What and how, in the order of the document.
    pub facts: Vec<(String, String)>,
    pub ranks: Vec<String>,
    /// Class, PV, QV, CV.
    pub classes: Vec<(String, String, String, String)>,
    pub bonuses: Vec<BonusDescription>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BonusDescription {
    pub id: String,
    pub family: String,
    pub base: String,
    pub pool: Option<Decimal>,
    /// Where it differs from the plan.
    pub active: Option<String>,
    pub sentences: Vec<String>,
    pub rates: Grid,
}

/// Rates as shares: `0.05` is five of a hundred. `None`: not paid.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Grid {
    pub corner: String,
    pub columns: Vec<String>,
    pub rows: Vec<(String, Vec<Option<Decimal>>)>,
}

impl BonusDescription {
    pub(crate) fn of(bonus: &Bonus, family: &str) -> Self {
        Self {
            id: bonus.id.clone(),
            family: family.to_owned(),
            base: match bonus.base {
                Base::Net => "net",
                Base::Cv => "CV",
                Base::Pv => "PV",
                Base::Qv => "QV",
                Base::Margin => "margin",
            }
            .to_owned(),
            pool: bonus.pool,
            active: bonus.active.as_ref().map(active),
            sentences: Vec::new(),
            rates: Grid::default(),
        }
    }
}

pub(super) fn describe(plan: &Plan) -> PlanDescription {
    let fact = |what: &str, how: String| (what.to_owned(), how);
    let mut facts = vec![
        fact("Currency", plan.currency.to_string()),
        fact(
            "Rounding",
            format!(
                "{}, once per {}",
                word(&ROUNDING_MODES, &plan.rounding.mode),
                word(&STAGES, &plan.rounding.stage)
            ),
        ),
        fact("Period", format!("{}, {}", word(&CADENCES, &plan.period.cadence), plan.period.zone.name())),
        fact("Active", active(&plan.active)),
    ];
    if let Some(rank) = &plan.default_rank {
        facts.push(fact("Rank of who has none", rank.clone()));
    }
    let class = |class: &super::Class| {
        let rules = &class.volumes;
        (class.id.clone(), volume(&rules.pv), volume(&rules.qv), volume(&rules.cv))
    };
    PlanDescription {
        id: plan.id.clone(),
        name: plan.name.clone(),
        hash: plan.hash.to_string(),
        facts,
        ranks: plan.ranks.clone(),
        classes: plan.classes.iter().map(class).collect(),
        bonuses: plan.bonuses.iter().map(Bonus::describe).collect(),
    }
}

fn active(rule: &ActiveRule) -> String {
    let statuses: Vec<&str> = rule.statuses.iter().map(|status| status.name()).collect();
    let who = format!("status {}", statuses.join(" or "));
    match rule.min_pv {
        Some(pv) => format!("{who}, with at least {pv} PV in the period so far"),
        None => who,
    }
}

fn volume(rule: &VolumeRule) -> String {
    match rule {
        rule if rule.is_none() => "none".to_owned(),
        VolumeRule::OfNet(share) => format!("{share} of net"),
        VolumeRule::PerUnit(volume) => format!("{volume} per unit"),
    }
}
