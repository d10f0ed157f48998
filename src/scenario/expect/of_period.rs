//! What a scenario expects of closed periods and of how people stand in them.

use rust_decimal::Decimal;

use super::{PARTS, Part, count_events, find};
use crate::core::engine::EventKind;
use crate::core::ids::DistributorId;
use crate::scenario::ScenarioProblem;
use crate::scenario::opening::side;
use crate::scenario::words::Words;

#[derive(Clone, Debug, PartialEq)]
pub enum OfPeriod {
    /// `expect period P pays BONUS WHO AMOUNT`: posted by all runs for the period in sum.
    Pays { period: String, bonus: String, earner: Earner, amount: Decimal },
    /// `expect period P pays AMOUNT`: everything that runs posted for it.
    PaysInAll { period: String, amount: Decimal },
    /// `expect period P pool BONUS AMOUNT`, likewise paid, breakage and rounding: of the run that closed it.
    Share { period: String, part: Part, bonus: String, amount: Decimal },
    /// `expect period P cut BONUS WHO AMOUNT by=ID`: of the run that closed it.
    Cut { period: String, bonus: String, earner: Earner, amount: Decimal, by: String },
    /// `expect period P events earn=3 forfeit=1`: how many of each kind all runs posted for it.
    Events { period: String, counts: Vec<(EventKind, usize)> },
    /// `expect rank DISTRIBUTOR RANK [period=P]`: paid as; `none` for none.
    Rank { distributor: DistributorId, rank: Option<String>, period: Option<String> },
    /// `expect title DISTRIBUTOR RANK [period=P]`: the highest ever.
    Title { distributor: DistributorId, rank: Option<String>, period: Option<String> },
    /// `expect active DISTRIBUTOR yes [period=P]`
    Active { distributor: DistributorId, active: bool, period: Option<String> },
    /// `expect volume DISTRIBUTOR gv AMOUNT [period=P]`
    Standing { distributor: DistributorId, volume: StandingVolume, amount: Decimal, period: Option<String> },
    /// `expect carry BONUS POSITION AMOUNT side=left`: what the last closed period leaves to the next.
    Carry { bonus: String, position: String, side: u16, amount: Decimal },
    /// `expect advanced DISTRIBUTOR BONUS RANK COUNT`: how often an advancement was paid so far.
    Advanced { distributor: DistributorId, bonus: String, rank: String, count: u16 },
}

/// `DISTRIBUTOR`, over all positions, or `POSITION@DISTRIBUTOR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earner {
    pub distributor: DistributorId,
    pub position: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandingVolume {
    Pv,
    CustomerPv,
    Gv,
    Pgv,
    /// Of all periods so far.
    CumulativeGv,
}

pub(crate) const STANDING_VOLUMES: [(&str, StandingVolume); 5] = [
    ("pv", StandingVolume::Pv),
    ("customer_pv", StandingVolume::CustomerPv),
    ("gv", StandingVolume::Gv),
    ("pgv", StandingVolume::Pgv),
    ("cumulative_gv", StandingVolume::CumulativeGv),
];

impl StandingVolume {
    pub fn name(self) -> &'static str {
        STANDING_VOLUMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

impl Earner {
    pub fn of(word: &str) -> Self {
        match word.split_once('@') {
            Some((position, distributor)) => {
                Self { distributor: DistributorId::new(distributor), position: Some(position.to_owned()) }
            }
            None => Self { distributor: DistributorId::new(word), position: None },
        }
    }

    /// Whether an award is this one's; `position` is empty where none earned it.
    pub fn is(&self, distributor: &str, position: &str) -> bool {
        self.distributor.as_str() == distributor
            && self.position.as_ref().is_none_or(|known| known == position)
    }
}

impl std::fmt::Display for Earner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(position) = &self.position {
            write!(f, "{position}@")?;
        }
        write!(f, "{}", self.distributor)
    }
}

impl OfPeriod {
    /// `None` where the next word is an order's id.
    pub(super) fn read(words: &mut Words) -> Result<Option<Self>, ScenarioProblem> {
        let read = if words.next_if("period") {
            Self::of_run(words)?
        } else if words.next_if("rank") {
            let (distributor, rank) = ranked(words)?;
            Self::Rank { distributor, rank, period: words.option("period") }
        } else if words.next_if("title") {
            let (distributor, rank) = ranked(words)?;
            Self::Title { distributor, rank, period: words.option("period") }
        } else if words.next_if("active") {
            let distributor = distributor(words)?;
            let active = match words.next("yes or no")?.as_str() {
                "yes" => true,
                "no" => false,
                other => return Err(words.problem(format!("{other:?} is neither yes nor no"))),
            };
            Self::Active { distributor, active, period: words.option("period") }
        } else if words.next_if("volume") {
            Self::standing(words)?
        } else if words.next_if("carry") {
            let (bonus, position) = (words.next("the bonus")?, words.next("the position")?);
            let Some(told) = words.option("side") else { return Err(words.problem("side= is missing")) };
            let side = side(words, &told)?;
            Self::Carry { bonus, position, side, amount: words.next_amount("the volume")? }
        } else if words.next_if("advanced") {
            let distributor = distributor(words)?;
            let (bonus, rank) = (words.next("the bonus")?, words.next("the rank")?);
            let told = words.next("how often")?;
            let count = told.parse().map_err(|_| words.problem(format!("{told:?} is no count")))?;
            Self::Advanced { distributor, bonus, rank, count }
        } else {
            return Ok(None);
        };
        Ok(Some(read))
    }

    fn of_run(words: &mut Words) -> Result<Self, ScenarioProblem> {
        let period = words.next("the period")?;
        let what = words.next("what is expected")?;
        if let Some(part) = find(&PARTS, &what) {
            let bonus = words.next("the bonus")?;
            return Ok(Self::Share { period, part, bonus, amount: words.next_amount("the amount")? });
        }
        match what.as_str() {
            "pays" => Self::pays(words, period),
            "cut" => {
                let bonus = words.next("the bonus")?;
                let earner = Earner::of(&words.next("the earner")?);
                let amount = words.next_amount("the amount")?;
                let Some(by) = words.option("by") else {
                    return Err(words.problem("by= is missing: the gate or cap that took it"));
                };
                Ok(Self::Cut { period, bonus, earner, amount, by })
            }
            "events" => Ok(Self::Events { period, counts: count_events(words)? }),
            other => {
                Err(words.problem(format!("{other:?} cannot be expected of a period; see docs/scenarios.md")))
            }
        }
    }

    fn pays(words: &mut Words, period: String) -> Result<Self, ScenarioProblem> {
        let mut told = words.rest();
        let amount = words.amount("the amount", &told.pop().unwrap_or_default())?;
        match told.as_slice() {
            [] => Ok(Self::PaysInAll { period, amount }),
            [bonus, earner] => {
                Ok(Self::Pays { period, bonus: bonus.clone(), earner: Earner::of(earner), amount })
            }
            _ => Err(words.problem("write pays AMOUNT, or pays BONUS DISTRIBUTOR AMOUNT")),
        }
    }

    fn standing(words: &mut Words) -> Result<Self, ScenarioProblem> {
        let distributor = distributor(words)?;
        let name = words.next("which volume")?;
        let Some(volume) = find(&STANDING_VOLUMES, &name) else {
            let known = STANDING_VOLUMES.map(|(name, _)| name).join(", ");
            return Err(words.problem(format!("{name:?} is no volume of a distributor; use one of {known}")));
        };
        let amount = words.next_amount("the volume")?;
        Ok(Self::Standing { distributor, volume, amount, period: words.option("period") })
    }
}

fn distributor(words: &mut Words) -> Result<DistributorId, ScenarioProblem> {
    words.next("the distributor").map(DistributorId::new)
}

fn ranked(words: &mut Words) -> Result<(DistributorId, Option<String>), ScenarioProblem> {
    let distributor = distributor(words)?;
    let rank = words.next("the rank, or none")?;
    Ok((distributor, Some(rank).filter(|rank| rank != "none")))
}
