//! What a scenario expects, as a value.

mod of_period;

use rust_decimal::Decimal;

use super::ScenarioProblem;
use super::words::Words;
use crate::core::assess::Hold;
use crate::core::engine::EventKind;
use crate::core::ids::DistributorId;
pub use of_period::{Earner, OfPeriod, StandingVolume};

#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// `expect ORDER held unmapped_sku,no_plan`
    Verdict {
        order: String,
        verdict: VerdictWord,
        reasons: Vec<String>,
    },
    /// `expect ORDER net 99.00`
    Net {
        order: String,
        amount: Decimal,
    },
    /// `expect ORDER pays BONUS LEVEL DISTRIBUTOR AMOUNT [line=ID]`: what is posted in sum.
    Pays {
        order: String,
        bonus: String,
        level: u16,
        distributor: DistributorId,
        amount: Decimal,
        line: Option<String>,
    },
    /// `expect ORDER pays AMOUNT`: everything that is posted for it.
    PaysInAll {
        order: String,
        amount: Decimal,
    },
    /// `expect ORDER breakage BONUS AMOUNT`, likewise pool, paid and rounding.
    Share {
        order: String,
        part: Part,
        bonus: String,
        amount: Decimal,
    },
    /// `expect ORDER cv 80`, likewise pv and qv.
    Volume {
        order: String,
        volume: Volume,
        amount: Decimal,
    },
    /// `expect ORDER events earn=1 clawback=1`: how many of each kind were posted.
    Events {
        order: String,
        counts: Vec<(EventKind, usize)>,
    },
    /// `expect ORDER finds BONUS DISTRIBUTOR FINDING`: what a bonus saw of an ancestor.
    Finds {
        order: String,
        bonus: String,
        distributor: DistributorId,
        finding: String,
    },
    /// `expect earned DISTRIBUTOR AMOUNT`: over all orders and periods.
    Earned {
        distributor: DistributorId,
        amount: Decimal,
    },
    /// `expect held AMOUNT`: the net of all held orders.
    Held {
        amount: Decimal,
    },
    Period(OfPeriod),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictWord {
    Awaiting,
    Commissionable,
    Exempt,
    Held,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Pool,
    Paid,
    Breakage,
    Rounding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volume {
    Pv,
    Qv,
    Cv,
}

const VERDICTS: [(&str, VerdictWord); 4] = [
    ("awaiting", VerdictWord::Awaiting),
    ("commissionable", VerdictWord::Commissionable),
    ("exempt", VerdictWord::Exempt),
    ("held", VerdictWord::Held),
];
const PARTS: [(&str, Part); 4] =
    [("pool", Part::Pool), ("paid", Part::Paid), ("breakage", Part::Breakage), ("rounding", Part::Rounding)];
const VOLUMES: [(&str, Volume); 3] = [("pv", Volume::Pv), ("qv", Volume::Qv), ("cv", Volume::Cv)];

impl Expectation {
    pub(super) fn read(words: &mut Words) -> Result<Self, ScenarioProblem> {
        if words.next_if("earned") {
            let distributor = DistributorId::new(words.next("the distributor")?);
            return Ok(Self::Earned { distributor, amount: words.next_amount("the amount")? });
        }
        if words.next_if("held") {
            return Ok(Self::Held { amount: words.next_amount("the amount")? });
        }
        if let Some(expected) = OfPeriod::read(words)? {
            return Ok(Self::Period(expected));
        }
        let order = words.next("the order's id")?;
        let what = words.next("what is expected")?;
        if let Some(verdict) = find(&VERDICTS, &what) {
            return Self::verdict(words, order, verdict);
        }
        if let Some(part) = find(&PARTS, &what) {
            let bonus = words.next("the bonus")?;
            return Ok(Self::Share { order, part, bonus, amount: words.next_amount("the amount")? });
        }
        if let Some(volume) = find(&VOLUMES, &what) {
            return Ok(Self::Volume { order, volume, amount: words.next_amount("the volume")? });
        }
        match what.as_str() {
            "net" => Ok(Self::Net { order, amount: words.next_amount("the amount")? }),
            "pays" => Self::pays(words, order),
            "events" => Ok(Self::Events { order, counts: count_events(words)? }),
            "finds" => Ok(Self::Finds {
                order,
                bonus: words.next("the bonus")?,
                distributor: DistributorId::new(words.next("the distributor")?),
                finding: words.next("what was found")?,
            }),
            other => {
                Err(words.problem(format!("{other:?} cannot be expected of an order; see docs/scenarios.md")))
            }
        }
    }

    fn verdict(words: &mut Words, order: String, verdict: VerdictWord) -> Result<Self, ScenarioProblem> {
        let reasons: Vec<String> =
            words.rest().iter().flat_map(|word| word.split(',')).map(str::to_owned).collect();
        if verdict == VerdictWord::Held
            && let Some(wrong) = reasons.iter().find(|reason| Hold::parse(reason).is_none())
        {
            let known: Vec<&str> = Hold::ALL.iter().map(|hold| hold.name()).collect();
            return Err(words.problem(format!("{wrong:?} holds nothing; use one of {}", known.join(", "))));
        }
        Ok(Self::Verdict { order, verdict, reasons })
    }

    fn pays(words: &mut Words, order: String) -> Result<Self, ScenarioProblem> {
        let mut told = words.rest();
        let amount = told.pop().unwrap_or_default();
        let amount = Decimal::from_str_exact(&amount)
            .map_err(|_| words.problem(format!("{amount:?} is no amount")))?;
        match told.as_slice() {
            [] => Ok(Self::PaysInAll { order, amount }),
            [bonus, level, distributor] => Ok(Self::Pays {
                order,
                bonus: bonus.clone(),
                level: level.parse().map_err(|_| words.problem(format!("{level:?} is no level")))?,
                distributor: DistributorId::new(distributor.as_str()),
                amount,
                line: words.option("line"),
            }),
            _ => Err(words.problem("write pays AMOUNT, or pays BONUS LEVEL DISTRIBUTOR AMOUNT")),
        }
    }
}

/// `earn=1 clawback=0`: how many of each kind that is named.
fn count_events(words: &mut Words) -> Result<Vec<(EventKind, usize)>, ScenarioProblem> {
    let mut counts = Vec::new();
    for kind in EventKind::ALL {
        let Some(count) = words.option(kind.name()) else { continue };
        counts.push((kind, count.parse().map_err(|_| words.problem(format!("{count:?} is no count")))?));
    }
    if counts.is_empty() {
        return Err(words.problem("say how many: earn=1, adjust=0, clawback=1 or forfeit=1"));
    }
    Ok(counts)
}

fn find<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}
