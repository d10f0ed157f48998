//! `upline distributor show`: both trees around one person.

use anyhow::bail;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::output;
use crate::app::Backend;
use crate::core::genealogy::Genealogy;
use crate::core::ids::DistributorId;
use crate::core::placement::Placement;
use crate::db::Lane;
use crate::distributors::{Networks, Placements};

/// Of those directly below; the rest is only counted.
const SHOWN: usize = 50;

pub fn run(backend: &Backend, id: &str, at: DateTime<Utc>, as_json: bool) -> anyhow::Result<()> {
    let (network, placement) = backend
        .db
        .read(Lane::Admin, |conn| Ok((Networks::default().get(conn)?, Placements::default().get(conn)?)))?;
    let id = DistributorId::new(id);
    let Some(person) = Person::of(&network.genealogy, &id, at) else {
        bail!("there is no distributor {id} at that time; check the id and the date");
    };
    let positions = positions(&placement, &id, at);
    if as_json {
        let positions: Vec<Value> = positions.iter().map(Position::json).collect();
        return output::json(&json!({"distributor": id.as_str(), "as_of": at, "status": person.status,
            "rank": person.rank, "enrolled": person.enrolled, "upline": person.upline,
            "sponsored": person.sponsored, "positions": positions}));
    }
    person.tell(&id, at)?;
    if positions.is_empty() {
        output::line("  has no position in the placement tree")?;
    }
    positions.iter().try_for_each(Position::tell)
}

struct Person {
    status: &'static str,
    rank: Option<String>,
    enrolled: bool,
    upline: Vec<String>,
    sponsored: Vec<String>,
}

impl Person {
    fn of(genealogy: &Genealogy, id: &DistributorId, at: DateTime<Utc>) -> Option<Self> {
        let node = genealogy.node(id)?;
        let standing = genealogy.standing_at(node, at)?;
        let name = |node| genealogy.id(node).to_owned();
        Some(Self {
            status: standing.status.name(),
            rank: standing.rank.map(str::to_owned),
            enrolled: standing.enrolled,
            upline: genealogy.upline_at(node, at).skip(1).map(|(node, _)| name(node)).collect(),
            sponsored: genealogy.children_at(node, at).map(name).collect(),
        })
    }

    fn tell(&self, id: &DistributorId, at: DateTime<Utc>) -> anyhow::Result<()> {
        let rank = self.rank.as_ref().map(|rank| format!(", {rank}")).unwrap_or_default();
        let enrolled = if self.enrolled { "" } else { ", not enrolled yet" };
        output::line(format_args!(
            "Distributor {id} as of {}: {}{rank}{enrolled}",
            at.to_rfc3339(),
            self.status
        ))?;
        output::line(format_args!("  upline: {}", way(&self.upline)))?;
        Ok(output::line(format_args!("  sponsors: {}", listed(&self.sponsored)))?)
    }
}

struct Position {
    id: String,
    side: u16,
    upline: Vec<String>,
    /// With the place of each.
    below: Vec<(u16, String)>,
    count: usize,
}

fn positions(placement: &Placement, owner: &DistributorId, at: DateTime<Utc>) -> Vec<Position> {
    let position = |node| {
        let name = |node| placement.id(node).to_owned();
        let side = |node| placement.standing_at(node, at).map_or(0, |standing| standing.side);
        Position {
            id: name(node),
            side: side(node),
            upline: placement.upline_at(node, at).skip(1).map(name).collect(),
            below: placement.children_at(node, at).into_iter().map(|node| (side(node), name(node))).collect(),
            count: placement.count_below_at(node, at),
        }
    };
    placement.of_owner_at(owner, at).into_iter().map(position).collect()
}

impl Position {
    fn json(&self) -> Value {
        let below = |(side, position): &(u16, String)| json!({"side": side, "position": position});
        json!({"position": self.id, "side": self.side, "upline": self.upline, "below_in_all": self.count,
               "below": self.below.iter().map(below).collect::<Vec<_>>()})
    }

    fn tell(&self) -> anyhow::Result<()> {
        let place = if self.upline.is_empty() { String::new() } else { format!(", place {}", self.side) };
        output::line(format_args!("  position {}{place}: {}", self.id, way(&self.upline)))?;
        let below: Vec<String> = self.below.iter().map(|(side, id)| format!("{side}: {id}")).collect();
        Ok(output::line(format_args!("    below: {}; {} in all", listed(&below), self.count))?)
    }
}

fn way(upline: &[String]) -> String {
    if upline.is_empty() { "at the top".to_owned() } else { upline.join(" > ") }
}

fn listed(ids: &[String]) -> String {
    let shown = ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match (ids.len(), ids.len().checked_sub(SHOWN)) {
        (0, _) => "nobody".to_owned(),
        (_, Some(more @ 1..)) => format!("{shown} and {more} more"),
        _ => shown,
    }
}
