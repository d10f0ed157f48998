//! A plan in words and tables, for a page or a terminal.

mod conditions;

use rust_decimal::Decimal;
use serde::Serialize;

use super::canonical::word;
use super::parse::{CADENCES, ROUNDING_MODES, STAGES};
use super::{
    ActiveRule, Class, PlacementRule, Plan, Promotion, Qualification, RefundPolicy, Spillover, TreeKind,
};
use crate::core::bonus::{Base, Bonus, Pays};
use crate::core::period::Condition;
use crate::core::volume::{VolumeRule, VolumeRules};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanDescription {
    pub id: String,
    pub name: String,
    pub hash: String,
    /// What and how, in the order of the document.
    pub facts: Vec<(String, String)>,
    pub ranks: Vec<String>,
    /// What each rank asks, lowest first; empty where no rank asks for anything.
    pub rank_rules: Vec<RankDescription>,
    pub qualifications: Vec<QualificationDescription>,
    pub classes: Vec<ClassDescription>,
    pub bonuses: Vec<BonusDescription>,
    /// Gates, caps and deductions, in the order in which they are applied.
    pub limits: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankDescription {
    pub rank: String,
    /// Empty: given by hand.
    pub achieve: Vec<String>,
    pub maintain: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualificationDescription {
    pub id: String,
    pub asks: Vec<String>,
    /// For how many periods after it was met it still holds.
    pub carried: u16,
}

/// The volumes of a class, everywhere or in a market that has others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassDescription {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    pub pv: String,
    pub qv: String,
    pub cv: String,
    pub wholesale: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BonusDescription {
    pub id: String,
    pub family: String,
    /// Empty where it is not paid on a volume of orders.
    pub base: String,
    /// When it is paid.
    pub pays: String,
    pub pool: Option<Decimal>,
    /// Where it differs from the plan.
    pub active: Option<String>,
    /// What it asks of earners besides being active.
    pub requires: Vec<String>,
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
        let base = match bonus.base {
            _ if !bonus.has_base() => "",
            Base::Net => "net",
            Base::Cv => "CV",
            Base::Pv => "PV",
            Base::Qv => "QV",
            Base::Margin => "margin",
        };
        let pays = match (bonus.pays, bonus.provisional) {
            (Pays::Period, _) => "at the close of the period",
            (Pays::Order, false) => "with the order",
            (Pays::Order, true) => "with the order, provisionally until the close of the period",
        };
        Self {
            id: bonus.id.clone(),
            family: family.to_owned(),
            base: base.to_owned(),
            pays: pays.to_owned(),
            pool: bonus.pool,
            active: bonus.active.as_ref().map(active),
            requires: vec![],
            sentences: Vec::new(),
            rates: Grid::default(),
        }
    }
}

pub(super) fn describe(plan: &Plan) -> PlanDescription {
    let bonus = |bonus: &Bonus| BonusDescription {
        requires: bonus.requires.as_ref().map(|condition| condition.sentences(plan)).unwrap_or_default(),
        ..bonus.describe()
    };
    PlanDescription {
        id: plan.id.clone(),
        name: plan.name.clone(),
        hash: plan.hash.to_string(),
        facts: facts(plan),
        ranks: plan.ranks.clone(),
        rank_rules: rank_rules(plan),
        qualifications: plan.qualifications.iter().map(|one| qualification(one, plan)).collect(),
        classes: plan.classes.iter().flat_map(class).collect(),
        bonuses: plan.bonuses.iter().map(bonus).collect(),
        limits: plan.limits.describe(plan),
    }
}

fn facts(plan: &Plan) -> Vec<(String, String)> {
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
        fact("Refunds after the close", refunds(plan.refunds).to_owned()),
    ];
    if let Some(rank) = &plan.default_rank {
        facts.push(fact("Rank of who has none", rank.clone()));
    }
    if plan.rank_rules.decide() {
        let when = match plan.rank_rules.promotion {
            Promotion::SamePeriod => "paid in the period that gives the rank",
            Promotion::NextPeriod => "paid from the period after the one that gives the rank",
        };
        facts.push(fact("Promotions", when.to_owned()));
    }
    if plan.has_period_bonuses() {
        facts.push(fact("Group volume", group(plan)));
    }
    facts.extend(plan.placement.as_ref().map(|rule| fact("Placement tree", placement(rule))));
    let market = |market: &super::Market| fact(&format!("Market {}", market.id), market.stores.join(", "));
    facts.extend(plan.markets.iter().map(market));
    facts
}

fn refunds(policy: RefundPolicy) -> &'static str {
    match policy {
        RefundPolicy::Now => "what the goods paid is taken back in the open period; ranks stand",
        RefundPolicy::SamePeriod => {
            "the closed period is calculated again, ranks too; the difference is posted in the open period"
        }
        RefundPolicy::AverageRate => {
            "taken back in the open period, at the average that each award was paid at; ranks stand"
        }
    }
}

fn group(plan: &Plan) -> String {
    let own = if plan.group.own { "the own included" } else { "without the own" };
    let mut text = format!("{} of everybody below, {own}", kind(plan));
    if let Some(rank) = plan.group.breakaway.and_then(|at| plan.ranks.get(usize::from(at))) {
        text.push_str(&format!("; a leg breaks away from {rank} on"));
    }
    text
}

/// The volume that group volume is the sum of.
fn kind(plan: &Plan) -> String {
    word(&super::volumes::GROUP_VOLUMES, &plan.group.volume).to_uppercase()
}

fn placement(rule: &PlacementRule) -> String {
    let tree = match rule.tree {
        TreeKind::Binary => "binary".to_owned(),
        TreeKind::Matrix { width, depth: Some(depth) } => format!("matrix {width} wide, {depth} deep"),
        TreeKind::Matrix { width, depth: None } => format!("matrix {width} wide"),
    };
    let spillover = match rule.spillover {
        Spillover::BreadthFirst => "newcomers go to the uppermost free place, from left to right",
        Spillover::DepthFirst => "newcomers go down the first child to a free place",
        Spillover::Left => "newcomers go to the outer left edge",
        Spillover::Right => "newcomers go to the outer right edge",
        Spillover::Weaker => "newcomers go to the outer edge of the side with fewer people",
    };
    format!("{tree}; {spillover}")
}

fn rank_rules(plan: &Plan) -> Vec<RankDescription> {
    if !plan.rank_rules.decide() {
        return vec![];
    }
    let sentences = |condition: &Condition| condition.sentences(plan);
    let rules = plan.ranks.iter().zip(&plan.rank_rules.rules);
    let described = rules.map(|(rank, rule)| RankDescription {
        rank: rank.clone(),
        achieve: rule.achieve.as_ref().map(sentences).unwrap_or_default(),
        maintain: rule.to_maintain().map(sentences).unwrap_or_default(),
    });
    described.collect()
}

fn qualification(one: &Qualification, plan: &Plan) -> QualificationDescription {
    let asks = one.condition.sentences(plan);
    QualificationDescription { id: one.id.clone(), asks, carried: one.carried }
}

fn class(class: &Class) -> Vec<ClassDescription> {
    let described = |market: Option<&String>, rules: &VolumeRules| ClassDescription {
        id: class.id.clone(),
        market: market.cloned(),
        pv: volume(&rules.pv),
        qv: volume(&rules.qv),
        cv: volume(&rules.cv),
        wholesale: volume(&rules.wholesale),
    };
    let everywhere = std::iter::once(described(None, &class.volumes));
    everywhere.chain(class.markets.iter().map(|(market, rules)| described(Some(market), rules))).collect()
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

/// `0.05` as `5 %`.
fn percent(share: Decimal) -> String {
    format!("{} %", (share * Decimal::ONE_HUNDRED).normalize())
}
