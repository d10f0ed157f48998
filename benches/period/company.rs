//! A company that grew: everybody sponsored by somebody who was there before, more often somebody of late, so that
//! a million are about 24 levels deep on average. The same seed gives the same company on every machine.

use chrono::{DateTime, TimeDelta, Utc};
use upline::core::fixed::Fixed;
use upline::core::genealogy::{DistributorVersion, Genealogy, Status};
use upline::core::ids::DistributorId;
use upline::core::period::{Gathered, LineVolume, People, PositionAt, SoldLine, Span};
use upline::core::plan::Plan;

pub struct Company {
    pub people: People,
    pub span: Span,
}

#[derive(Clone, Copy)]
pub enum Shape {
    Grown,
    Chain,
    Star,
}

impl Company {
    pub fn of(shape: Shape, size: usize, plan: &Plan) -> Self {
        let span = super::span();
        let mut dice = fastrand::Rng::with_seed(20_260_101);
        let sponsor = |nth: usize, dice: &mut fastrand::Rng| match shape {
            Shape::Chain => nth - 1,
            Shape::Star => 0,
            Shape::Grown => {
                let (a, b) = (dice.usize(0..nth), dice.usize(0..nth));
                if dice.u8(0..100) < 85 { a.max(b) } else { a }
            }
        };
        let versions = (0..size).map(|nth| DistributorVersion {
            id: id(nth),
            sponsor: (nth > 0).then(|| id(sponsor(nth, &mut dice))),
            status: if nth % 5 == 4 { Status::Suspended } else { Status::Active },
            rank: None,
            from: None,
            enrolled_at: None,
        });
        let genealogy = Genealogy::build(versions).expect("a tree");
        // The binary fills up from the top: the two places under the n-th are those of 2n+1 and 2n+2.
        let positions = (0..size).map(|nth| PositionAt {
            position: id(nth).0,
            owner: id(nth),
            parent: (nth > 0).then(|| id((nth - 1) / 2).0),
            side: u16::from(nth % 2 == 0),
        });
        let at: DateTime<Utc> = span.end - TimeDelta::microseconds(1);
        Self { people: People::at(&genealogy, at, plan.ranks(), positions), span }
    }

    /// `lines` order lines in an order that the seed decides: 35 of 100 distributors have 70 of 100 lines.
    pub fn gather(&self, plan: &Plan, lines: usize, seed: usize) -> Gathered {
        let mut sold = Gathered::new(plan, &self.people);
        let size = self.people.len();
        let busy = (size * 35 / 100).max(1);
        for nth in 0..lines {
            // A walk through all of them that starts elsewhere for another seed.
            let line = (nth + seed * 7_919) % lines;
            let mixed = (line as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11;
            let mixed = mixed as usize;
            let person = if mixed % 10 < 7 { mixed / 10 % busy } else { mixed / 10 % size };
            let net = Fixed(((mixed >> 7) % 2_000_000 + 10_000) as i64);
            let class = if mixed % 16 < 12 { "goods" } else { "kit" };
            let half = Fixed(net.0 / 2);
            let cv = if class == "goods" { net } else { half };
            sold.line(&SoldLine {
                person: person as u32,
                class,
                own: mixed.is_multiple_of(9),
                ordered_at: self.span.start,
                net,
                volumes: LineVolume { pv: net, qv: net, cv, margin: Fixed::ZERO },
            })
            .expect("a volume that fits");
        }
        sold
    }
}

fn id(nth: usize) -> DistributorId {
    DistributorId::new(format!("D{nth:07}"))
}
