//! What is known of the orders, in the order in which it was learned: what a period is calculated from.

use chrono::{DateTime, Utc};

use crate::core::engine::{Award, CommissionLine};
use crate::core::fixed::Fixed;
use crate::core::ids::DistributorId;
use crate::core::period::{Gathered, LineVolume, People, SoldLine, Span};
use crate::core::plan::Plan;

/// What one calculation of an order says of volume. Of an order the last one counts.
pub(super) struct Fact {
    /// Number of the order's first fact.
    pub first: u64,
    pub ordered_at: DateTime<Utc>,
    pub distributor: DistributorId,
    pub own: bool,
    pub store: String,
    /// None when the order earns nothing any more.
    pub lines: Vec<CommissionLine>,
    /// What the order is paid at once.
    pub awards: Vec<Award>,
}

/// Which orders a period has. One that came when its own period was closed counts in the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// The number up to which the period before has everything; zero when there is none.
    pub after: u64,
    pub cutoff: u64,
}

impl Window {
    pub fn has(self, fact: &Fact, span: &Span) -> bool {
        let came_in_time = fact.ordered_at < span.start && fact.first <= self.after;
        fact.ordered_at < span.end && fact.first <= self.cutoff && !came_in_time
    }
}

/// Everything that `facts` sold, by the people of a period. Whoever was not there sold nothing.
pub(super) fn gather<'f>(
    plan: &Plan,
    people: &People,
    facts: impl IntoIterator<Item = &'f Fact>,
) -> Result<Gathered, String> {
    let mut sold = Gathered::new(plan, people);
    for fact in facts {
        add(plan, people, fact, &mut sold)?;
    }
    Ok(sold)
}

fn add(plan: &Plan, people: &People, fact: &Fact, sold: &mut Gathered) -> Result<(), String> {
    let too_large = |error: crate::core::fixed::TooLarge| error.to_string();
    for award in &fact.awards {
        let Some(person) = people.find(&award.distributor) else { continue };
        let amount = Fixed::of(award.amount).map_err(too_large)?;
        sold.emitted(&award.bonus, person, amount).map_err(too_large)?;
    }
    let Some(person) = people.find(&fact.distributor) else { return Ok(()) };
    for line in &fact.lines {
        let Some(class) = plan.class(&line.class) else { continue };
        let rules = class.volumes_in(plan.market_of(&fact.store));
        let volumes = rules.of(line.net, line.sold, line.quantity).ok_or("a volume is too large")?;
        let told = SoldLine {
            person,
            class: &line.class,
            own: fact.own,
            ordered_at: fact.ordered_at,
            net: Fixed::of(line.net).map_err(too_large)?,
            volumes: LineVolume::of(&volumes).map_err(too_large)?,
        };
        sold.line(&told).map_err(too_large)?;
    }
    Ok(())
}
