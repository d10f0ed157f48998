//! A ladder on the upline of an order: what is paid as soon as the order is known.

use rust_decimal::Decimal;

use super::ladder::{Height, Ladder, Met, Who};
use crate::core::bonus::{Finding, Place, Terms, Visited, Walk, WalkEnd};
use crate::core::engine::UplineMember;

impl Ladder {
    pub fn walk(&self, terms: &Terms<'_>, upline: &[UplineMember]) -> Walk {
        let mut walk = Walk { visited: Vec::new(), ended: WalkEnd::Top, places: Vec::new() };
        let mut next = Some(Height::default());
        for (at, member) in upline.iter().enumerate() {
            let distance = u32::try_from(at).unwrap_or(u32::MAX);
            let mut visit = |level, finding| {
                let distributor = member.distributor.clone();
                walk.visited.push(Visited { distributor, distance, level, finding });
            };
            let Some(here) = next else {
                visit(None, Finding::BeyondStop);
                walk.ended = WalkEnd::Depth;
                break;
            };
            let who = terms.who(member);
            let rung = self.meet(who, here);
            let rank = member.rank.as_deref().or(terms.default_rank);
            // Whoever is not active has a reason for it.
            let inactive = || terms.inactive(member).unwrap_or(Finding::NotEnrolled);
            visit(rung.takes.then_some(here.level), self.told(rung.met, (who, here), rank, inactive));
            if rung.met == Met::Earns {
                let rate = self.share(who, here).unwrap_or(Decimal::ZERO);
                walk.places.push(Place { level: here.level, member: at, rate });
            }
            if rung.next.is_none() && !rung.stopped {
                walk.ended = WalkEnd::Depth;
                break;
            }
            next = rung.next;
        }
        walk
    }
}

impl Terms<'_> {
    /// What a bonus asks besides is known at the close only.
    fn who(&self, member: &UplineMember) -> Who {
        let rank = member.rank.as_deref().or(self.default_rank);
        let place = rank.and_then(|rank| self.ranks.iter().position(|known| known == rank));
        Who {
            active: self.inactive(member).is_none(),
            eligible: true,
            rank: place.and_then(|place| u16::try_from(place).ok()),
        }
    }
}
