//! The hash of a result: two runs that say the same have the same, on whatever machine and in whatever order
//! the input came.

use super::people::{NO_RANK, People, index};
use super::result::PeriodResult;
use crate::core::fixed::Fixed;
use crate::core::ids::DistributorId;
use crate::core::journal::Seal;
use crate::core::plan::Plan;

impl PeriodResult {
    /// SHA-256 over the plan's hash, awards, pools, cuts, ranks and everything carried, by names.
    pub fn hash(&self, plan: &Plan, people: &People) -> [u8; 32] {
        let mut seal = Seal::default();
        let name = |person: u32| people.id(person).map_or("", DistributorId::as_str);
        seal.bytes(&self.plan_hash.0);
        for award in &self.awards {
            seal.text(plan.award_name(award.bonus));
            seal.text(name(award.person));
            seal.text(award.position.and_then(|p| people.positions.id(p)).unwrap_or_default());
            [award.base, award.earned, award.amount]
                .into_iter()
                .for_each(|value: Fixed| seal.integer(value.0));
        }
        for pool in &self.pools {
            seal.text(plan.award_name(pool.bonus));
            [pool.pool, pool.paid, pool.breakage, pool.rounding]
                .iter()
                .for_each(|value| seal.integer(value.0));
        }
        for cut in &self.cuts {
            seal.integer(i64::from(cut.award));
            seal.text(&cut.by);
            seal.integer(cut.amount.0);
        }
        for person in people.sorted() {
            let rank = |ranks: &[u16]| i64::from(ranks.get(index(*person)).copied().unwrap_or(NO_RANK));
            seal.integer(rank(&self.standings.paid_as));
            seal.integer(rank(&self.standings.title));
            seal.integer(i64::from(self.standings.active.get(index(*person)).copied().unwrap_or(false)));
        }
        for (who, standing) in &self.next.standings {
            seal.text(who.as_str());
            seal.json(&serde_json::to_value(standing).unwrap_or_default());
        }
        for lot in &self.next.lots {
            [&lot.bonus, &lot.position, &lot.period].iter().for_each(|text| seal.text(text));
            seal.integer(i64::from(lot.side));
            seal.integer(i64::from(lot.age));
            seal.integer(lot.volume.0);
        }
        seal.finish()
    }
}
