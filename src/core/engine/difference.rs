//! What has to be posted so that the posted awards become the wanted ones.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Award;
use crate::core::ids::DistributorId;

/// One commission event of the order as it was posted. Of one place there may be many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedAward {
    pub line: String,
    pub bonus: String,
    pub level: u16,
    pub distributor: DistributorId,
    pub amount: Decimal,
}

/// A commission event to be posted. `amount` is signed: what it adds to the distributor's earnings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDraft {
    pub line: String,
    pub bonus: String,
    pub level: u16,
    pub distributor: DistributorId,
    pub amount: Decimal,
    pub kind: EventKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The first on its line, bonus, level and distributor.
    Earn,
    /// More than was posted before.
    Adjust,
    /// Less than was posted before; never takes more than that.
    Clawback,
    /// What was paid provisionally and is not earned at the close.
    Forfeit,
}

impl EventKind {
    pub const ALL: [Self; 4] = [Self::Earn, Self::Adjust, Self::Clawback, Self::Forfeit];

    pub fn name(self) -> &'static str {
        match self {
            Self::Earn => "earn",
            Self::Adjust => "adjust",
            Self::Clawback => "clawback",
            Self::Forfeit => "forfeit",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

type Key<'a> = (&'a str, &'a str, u16, &'a DistributorId);

#[derive(Default)]
struct Sums {
    was_posted: bool,
    posted: Decimal,
    wanted: Decimal,
}

/// In a fixed order, whatever the order of the arguments: by line, bonus, level and distributor.
pub fn difference(posted: &[PostedAward], wanted: &[Award]) -> Vec<EventDraft> {
    let mut sums: BTreeMap<Key<'_>, Sums> = BTreeMap::new();
    for award in posted {
        let sum = sums.entry((&award.line, &award.bonus, award.level, &award.distributor)).or_default();
        sum.was_posted = true;
        sum.posted += award.amount;
    }
    for award in wanted {
        let sum = sums.entry((&award.line, &award.bonus, award.level, &award.distributor)).or_default();
        sum.wanted += award.amount;
    }
    sums.into_iter().filter_map(|(key, sum)| draft(key, &sum)).collect()
}

fn draft((line, bonus, level, distributor): Key<'_>, sum: &Sums) -> Option<EventDraft> {
    let amount = sum.wanted - sum.posted;
    let kind = match (amount.is_zero(), sum.was_posted) {
        (true, _) => return None,
        (false, _) if amount < Decimal::ZERO => EventKind::Clawback,
        (false, false) => EventKind::Earn,
        (false, true) => EventKind::Adjust,
    };
    let (line, bonus) = (line.to_owned(), bonus.to_owned());
    Some(EventDraft { line, bonus, level, distributor: distributor.clone(), amount, kind })
}
