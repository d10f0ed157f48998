//! Matching: a share of what others have earned, by level or by generation.
//!
//! It reads the earnings of base bonuses, which are all known before it begins, and never its own or another
//! match's: so it cannot feed itself.

mod close;
mod read;

use super::Bonus;
use super::unilevel::ladder::Ladder;
use crate::core::plan::{BonusDescription, Canonical};

#[derive(Clone, Debug)]
pub struct Matching {
    /// Ids of the bonuses whose earnings are matched.
    of: Vec<String>,
    /// Level 1 is the sponsor of the one who earned. With a boundary levels are generations.
    ladder: Ladder,
}

impl Matching {
    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        out.texts(&format!("{path}.of"), &self.of);
        self.ladder.canonical(path, out);
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let last = self.ladder.end().saturating_sub(1);
        let mut sentences = vec![];
        let of = self.of.join(", ");
        let column = match &self.ladder.boundary {
            None => {
                sentences
                    .push(format!("Pays levels 1 to {last} up the sponsors on what was earned of {of}."));
                "Level"
            }
            Some(boundary) => {
                let rank = &boundary.id;
                sentences.push(format!("Pays generations 1 to {last} on what was earned of {of}."));
                sentences.push(format!(
                    "A generation ends with the first of at least the rank {rank}; only such are paid."
                ));
                "Generation"
            }
        };
        sentences.extend(self.ladder.sentences());
        let rates = self.ladder.grid(column);
        BonusDescription {
            base: "earnings".to_owned(),
            sentences,
            rates,
            ..BonusDescription::of(bonus, "matching")
        }
    }
}

#[cfg(test)]
mod tests;
