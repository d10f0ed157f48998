//! Fast start: the first days of a recruit pay the sponsors above.
//!
//! The recruit is the distributor to whom an order is attributed. Its orders of the first days can be withheld
//! from other bonuses, so that the same sale does not pay twice.

mod close;
mod read;

use rust_decimal::Decimal;

use super::unilevel::ladder::Ladder;
use super::{Bonus, Family, Finding, OrderBonus, Place, Terms, Visited, Walk, WalkEnd};
use crate::core::engine::UplineMember;
use crate::core::fixed::Fixed;
use crate::core::period::Window;
use crate::core::plan::{BonusDescription, Canonical};

#[derive(Clone, Debug)]
pub struct FastStart {
    days: u16,
    /// All classes when there is none.
    classes: Option<Vec<String>>,
    /// Level 1 is the recruit's sponsor.
    ladder: Ladder,
    /// The most that all together get from one recruit in a period.
    cap_per_recruit: Option<Fixed>,
    /// Ids of bonuses that do not see this volume.
    withholds: Vec<String>,
}

impl FastStart {
    pub(super) fn covers(&self, class: &str) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.iter().any(|known| known == class))
    }

    pub(super) fn window(&self) -> Window {
        Window::First(self.days)
    }

    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        out.number(&format!("{path}.days"), self.days.into());
        if let Some(classes) = &self.classes {
            out.texts(&format!("{path}.classes"), classes);
        }
        if let Some(cap) = self.cap_per_recruit {
            out.number(&format!("{path}.cap_per_recruit"), cap.decimal());
        }
        if !self.withholds.is_empty() {
            out.texts(&format!("{path}.withholds"), &self.withholds);
        }
        self.ladder.canonical(path, out);
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let last = self.ladder.end().saturating_sub(1);
        let mut sentences = vec![format!(
            "Pays {last} levels above a recruit on its orders of the first {} days after its enrolment.",
            self.days
        )];
        sentences.extend(self.ladder.sentences());
        if let Some(cap) = self.cap_per_recruit {
            sentences.push(format!("All together get at most {cap} from one recruit in a period."));
        }
        if !self.withholds.is_empty() {
            sentences.push(format!("These orders pay nothing to {}.", self.withholds.join(", ")));
        }
        if let Some(classes) = &self.classes {
            sentences.push(format!("Only for the classes {}.", classes.join(", ")));
        }
        let rates = self.ladder.grid("Level");
        BonusDescription { sentences, rates, ..BonusDescription::of(bonus, "fast start") }
    }
}

impl Bonus {
    /// Tells every bonus that volume is withheld from which, and for how long: the longest where several do.
    pub(crate) fn withhold(bonuses: &mut [Self], classes: &[String]) {
        let withholding = |bonus: &Self| match &bonus.family {
            Family::FastStart(fast_start) => Some(fast_start.clone()),
            _ => None,
        };
        let fast_starts: Vec<FastStart> = bonuses.iter().filter_map(withholding).collect();
        for bonus in bonuses {
            let longest = |class: &String| {
                let takes = |f: &&FastStart| f.withholds.contains(&bonus.id) && f.covers(class);
                let days = fast_starts.iter().filter(takes).map(|fast_start| fast_start.days).max()?;
                Some((class.clone(), days))
            };
            bonus.withheld = classes.iter().filter_map(longest).collect();
        }
    }

    /// Whether it matters when the attributed distributor enrolled.
    pub(crate) fn asks_enrolment(&self) -> bool {
        matches!(self.family, Family::FastStart(_)) || !self.withheld.is_empty()
    }
}

impl OrderBonus for FastStart {
    fn walk(&self, terms: &Terms<'_>, upline: &[UplineMember]) -> Walk {
        let recruit = upline.first();
        let late = |recruit: &&UplineMember| !self.window().holds(recruit.enrolled_at, terms.ordered_at);
        let Some(recruit) = recruit.filter(late) else { return self.ladder.walk(terms, upline) };
        let (distributor, finding) =
            (recruit.distributor.clone(), Finding::OutsideWindow { days: self.days });
        let visited = vec![Visited { distributor, distance: 0, level: None, finding }];
        Walk { visited, ended: WalkEnd::Depth, places: vec![] }
    }

    fn rate(&self, place: &Place, _class: &str) -> Decimal {
        place.rate
    }

    fn most(&self, _class: &str) -> Option<Decimal> {
        Some(self.ladder.most())
    }

    fn rates_are_of_pool(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
