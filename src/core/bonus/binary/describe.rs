//! A binary in words.

use super::{AboveCap, Binary, Carry, Inactive, Mode, Worth};
use crate::core::bonus::Bonus;
use crate::core::plan::{BonusDescription, Grid};

impl Binary {
    pub(in crate::core::bonus) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let mut sentences = vec![self.what_is_matched()];
        if let Worth::Cycle(pay) = &self.worth {
            sentences.push(format!("Every cycle pays {pay}."));
        }
        sentences.push(
            match self.carry {
                Carry::Forward => "What was not matched stays on both sides.",
                Carry::NetOff => "What was not matched is set off; only the stronger side's lead stays.",
                Carry::FullFlush => "What was not matched is lost at the end of the period.",
            }
            .to_owned(),
        );
        sentences.extend(self.max_carry.map(|most| format!("A side keeps at most {most}.")));
        if let Some(after) = self.expires_after {
            sentences.push(format!("Volume can be matched in its own period and the {after} after it."));
        }
        if self.inactive == Inactive::Flush {
            sentences.push("Where the owner does not earn in a period, both sides are lost.".to_owned());
        }
        if let Some(cap) = self.cap {
            let rest = match self.above_cap {
                AboveCap::Flush => "is used up",
                AboveCap::Keep => "stays",
            };
            let cap = format!("A position is paid at most {cap} for a period; volume matched beyond {rest}.");
            sentences.push(cap);
        }
        if let Some(classes) = &self.classes {
            sentences.push(format!("Only for the classes {}.", classes.join(", ")));
        }
        BonusDescription { sentences, rates: self.worth.grid(), ..BonusDescription::of(bonus, "binary") }
    }

    fn what_is_matched(&self) -> String {
        match self.mode {
            Mode::WeakLeg => "Pays every position on its weaker side.".to_owned(),
            Mode::Cycles { unit, first } => {
                let (small, large) = (unit.small, unit.large);
                let mut what = format!(
                    "Pays every position for cycles of {small} from the side that is weaker at that moment and {large} from the other."
                );
                if let Some(first) = first {
                    what.push_str(&format!(" The very first takes {} and {}.", first.small, first.large));
                }
                what
            }
        }
    }
}

impl Worth {
    fn grid(&self) -> Grid {
        let (corner, rows) = match self {
            Self::Cycle(_) => return Grid::default(),
            Self::Rate(rate) => ("", vec![("Everybody".to_owned(), vec![Some(rate.decimal())])]),
            Self::ByRank(rates) => {
                let row = |(rank, rate): &(String, crate::core::fixed::Rate)| {
                    (rank.clone(), vec![Some(rate.decimal()).filter(|rate| !rate.is_zero())])
                };
                ("Rank", rates.iter().map(row).collect())
            }
            Self::ByPv(brackets) => {
                let rows =
                    brackets.iter().map(|(from, rate)| (format!("{from} PV"), vec![Some(rate.decimal())]));
                ("From", rows.collect())
            }
        };
        Grid { corner: corner.to_owned(), columns: vec!["Rate".to_owned()], rows }
    }
}
