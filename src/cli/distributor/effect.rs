//! What a move does to the bonuses of periods, as figures.

use anyhow::Context;

use super::super::{output, simulate};
use crate::app::Backend;
use crate::db::Lane;
use crate::periods::{self, EarnerMoved, MovedTrees, PeriodMoved, RankMoved};

pub fn of(backend: &Backend, moved: MovedTrees<'_>) -> anyhow::Result<Vec<PeriodMoved>> {
    let bar = output::working("calculating periods");
    let found = backend.db.read(Lane::Admin, |conn| Ok(periods::move_effect(conn, moved)))?;
    bar.finish_and_clear();
    found.context("what the move does to the periods could not be calculated; it can be done all the same")
}

pub fn tell(found: &[PeriodMoved]) -> anyhow::Result<()> {
    if found.is_empty() {
        output::line("No period that is not frozen yet is reached.")?;
    }
    found.iter().try_for_each(tell_period)
}

fn tell_period(found: &PeriodMoved) -> anyhow::Result<()> {
    let PeriodMoved { period, currency, before, after, difference, .. } = found;
    let status = found.status.told();
    if found.earners.is_empty() && found.ranks.is_empty() {
        return Ok(output::line(format_args!(
            "Bonuses of period {period} ({status}): {before} {currency}, nothing changes."
        ))?);
    }
    output::line(format_args!(
        "Bonuses of period {period} ({status}), with what is known now: {before} {currency}, after the move {after}, \
         difference {difference}."
    ))?;
    let row = |earner: &EarnerMoved| {
        let EarnerMoved { distributor_id, before, after, difference } = earner;
        vec![distributor_id.to_string(), before.to_string(), after.to_string(), difference.to_string()]
    };
    let rows: Vec<_> = found.earners.iter().take(simulate::SHOWN).map(row).collect();
    if !rows.is_empty() {
        output::table(&["distributor", "as it stands", "after the move", "difference"], &rows)?;
    }
    simulate::more(found.earners.len(), "earners")?;
    for RankMoved { distributor_id, before, after } in found.ranks.iter().take(simulate::SHOWN) {
        let told = |rank: &Option<String>| rank.clone().unwrap_or_else(|| "none".to_owned());
        output::line(format_args!("rank of {distributor_id}: {} instead of {}", told(after), told(before)))?;
    }
    simulate::more(found.ranks.len(), "ranks")
}
