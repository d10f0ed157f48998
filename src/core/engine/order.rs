//! One order through every bonus of its plan.

use rust_decimal::Decimal;

use super::settle::{Cell, settle};
use super::{
    Award, BonusWalk, Calculation, CommissionLine, CommissionOrder, EngineRefusal, LineVolumes, PoolShare,
    Reason, UplineMember,
};
use crate::core::bonus::{Bonus, OrderBonus, Pays, Place};
use crate::core::plan::{Plan, RoundingRule};

/// Below this every product that can come up fits a decimal.
const MOST: Decimal = Decimal::from_parts(1_316_134_912, 2_328, 0, false, 0);

pub(super) fn calculate(
    plan: &Plan,
    order: &CommissionOrder<'_>,
    upline: &[UplineMember],
) -> Result<Calculation, EngineRefusal> {
    let (lines, scale) = check(plan, order)?;
    let (mut awards, mut pools, mut walks) = (Vec::new(), Vec::new(), Vec::new());
    for bonus in plan.bonuses.iter().filter(|bonus| bonus.pays == Pays::Order) {
        let Some(rules) = bonus.order_rules() else { continue };
        let walk = bonus.walk(plan, upline, order.ordered_at);
        let enrolled_at = upline.first().and_then(|seller| seller.enrolled_at);
        let covers = |line: &LineVolumes| bonus.covers_line(&line.class, enrolled_at, order.ordered_at);
        let exact = Exact::of(bonus, rules, &walk.places, lines.iter().filter(|line| covers(line)).collect());
        let paid = exact.pay(bonus, upline, (plan.rounding, scale), &mut awards);
        pools.extend(exact.share(bonus, paid, (plan.rounding, scale)));
        walks.push(BonusWalk { bonus: bonus.id.clone(), ended: walk.ended, visited: walk.visited });
    }
    let (plan_hash, currency, ordered_at) = (plan.hash(), order.currency, order.ordered_at);
    Ok(Calculation { plan_hash, currency, ordered_at, lines, awards, pools, walks })
}

/// The lines with their volumes, by id, and the digits of the currency.
fn check(plan: &Plan, order: &CommissionOrder<'_>) -> Result<(Vec<LineVolumes>, u32), EngineRefusal> {
    let mut reasons = Vec::new();
    let scale = order.currency.exponent();
    if scale.is_none() {
        reasons.push(Reason::UnknownCurrency(order.currency));
    } else if order.currency != plan.currency() {
        reasons.push(Reason::OtherCurrency { order: order.currency, plan: plan.currency() });
    }
    let mut given: Vec<&CommissionLine> = order.lines.iter().collect();
    given.sort_by(|a, b| a.line.cmp(&b.line));
    let twice = given.windows(2).filter(|pair| matches!(pair, [a, b] if a.line == b.line));
    reasons.extend(
        twice.filter_map(|pair| pair.first().map(|line| Reason::TwoLines { line: line.line.clone() })),
    );
    let market = plan.market_of(order.store);
    let mut lines = Vec::with_capacity(given.len());
    for line in given {
        match check_line(plan, market, line) {
            Ok(line) => lines.push(line),
            Err(reason) => reasons.push(reason),
        }
    }
    match scale {
        Some(scale) if reasons.is_empty() => Ok((lines, scale)),
        _ => Err(EngineRefusal { reasons }),
    }
}

fn check_line(plan: &Plan, market: Option<&str>, line: &CommissionLine) -> Result<LineVolumes, Reason> {
    let Some(class) = plan.class(&line.class) else {
        return Err(Reason::UnknownClass { line: line.line.clone(), class: line.class.clone() });
    };
    let parts = [("net", line.net), ("sold net", line.sold), ("quantity", line.quantity)];
    if let Some((what, _)) = parts.iter().find(|(_, value)| *value < Decimal::ZERO) {
        return Err(Reason::Negative { line: line.line.clone(), what });
    }
    let too_large = || Reason::TooLarge { line: line.line.clone() };
    let volumes = class.volumes_in(market).of(line.net, line.sold, line.quantity).ok_or_else(too_large)?;
    let values = [line.net, volumes.pv, volumes.qv, volumes.cv];
    if values.iter().any(|value| *value > MOST) {
        return Err(too_large());
    }
    Ok(LineVolumes { line: line.line.clone(), class: line.class.clone(), net: line.net, volumes })
}

/// What a bonus pays before rounding: one row per earner, one column per line that it covers.
struct Exact<'a> {
    lines: Vec<&'a LineVolumes>,
    /// What rates are applied to, by line.
    bases: Vec<Decimal>,
    pools: Vec<Decimal>,
    earners: Vec<Earner>,
}

struct Earner {
    level: u16,
    member: usize,
    cells: Vec<Cell>,
}

impl<'a> Exact<'a> {
    fn of(bonus: &Bonus, rules: &dyn OrderBonus, places: &[Place], lines: Vec<&'a LineVolumes>) -> Self {
        let bases: Vec<Decimal> = lines.iter().map(|line| rate_base(bonus, rules, line)).collect();
        let earner = |place: &Place| {
            let rate = |line: &&LineVolumes| rules.rate(place, &line.class);
            let cell = |(line, base): (&&LineVolumes, &Decimal)| Cell::new(*base, rate(line));
            let cells = lines.iter().zip(&bases).map(cell).collect();
            Earner { level: place.level, member: place.member, cells }
        };
        let earners: Vec<Earner> = places.iter().map(earner).collect();
        let pools = lines
            .iter()
            .zip(&bases)
            .enumerate()
            .map(|(at, (line, base))| match (bonus.pool, rules.most(&line.class)) {
                (Some(pool), _) => base_of(bonus, line) * pool,
                (None, Some(most)) => base * most,
                (None, None) => {
                    earners.iter().filter_map(|earner| earner.cells.get(at)).map(|c| c.exact).sum()
                }
            })
            .collect();
        Self { lines, bases, pools, earners }
    }

    /// Rounds what each earner gets and writes it down; answers what every line pays.
    fn pay(
        &self,
        bonus: &Bonus,
        upline: &[UplineMember],
        (rule, scale): (RoundingRule, u32),
        awards: &mut Vec<Award>,
    ) -> Vec<Decimal> {
        let mut paid = vec![Decimal::ZERO; self.lines.len()];
        for earner in &self.earners {
            let Some(member) = upline.get(earner.member) else { continue };
            let exact: Vec<Decimal> = earner.cells.iter().map(|cell| cell.exact).collect();
            let amounts = settle(&exact, rule, scale);
            let rows = self.lines.iter().zip(&self.bases).zip(&earner.cells).zip(&mut paid).zip(amounts);
            for ((((line, base), cell), paid), amount) in rows {
                *paid += amount;
                if amount.is_zero() {
                    continue;
                }
                awards.push(Award {
                    line: line.line.clone(),
                    bonus: bonus.id.clone(),
                    level: earner.level,
                    distributor: member.distributor.clone(),
                    amount,
                    rate: cell.rate,
                    base: *base,
                });
            }
        }
        paid
    }

    /// What each line gives to the bonus, and where all of it went.
    fn share(&self, bonus: &Bonus, paid: Vec<Decimal>, (rule, scale): (RoundingRule, u32)) -> Vec<PoolShare> {
        let mut left = self.pools.clone();
        for earner in &self.earners {
            for (left, cell) in left.iter_mut().zip(&earner.cells) {
                *left -= cell.exact;
            }
        }
        let pools = settle(&self.pools, rule, scale);
        let breakages = settle(&left, rule, scale);
        let shares =
            self.lines.iter().zip(pools).zip(breakages).zip(paid).map(|(((line, pool), breakage), paid)| {
                let rounding = pool - paid - breakage;
                PoolShare { line: line.line.clone(), bonus: bonus.id.clone(), pool, paid, breakage, rounding }
            });
        let empty =
            |share: &PoolShare| share.pool.is_zero() && share.paid.is_zero() && share.breakage.is_zero();
        shares.filter(|share| !empty(share)).collect()
    }
}

fn base_of(bonus: &Bonus, line: &LineVolumes) -> Decimal {
    line.volumes.of_kind(bonus.base, line.net)
}

fn rate_base(bonus: &Bonus, rules: &dyn OrderBonus, line: &LineVolumes) -> Decimal {
    let base = base_of(bonus, line);
    match bonus.pool {
        Some(pool) if rules.rates_are_of_pool() => (base * pool).normalize(),
        _ => base,
    }
}
