//! Volume that waits on a side of a position: the oldest first, what this period brought last.

use crate::core::fixed::{Fixed, TooLarge};
use crate::core::period::Lot;

#[derive(Clone, Debug, Default)]
pub(super) struct Queue<'a> {
    chunks: Vec<Chunk<'a>>,
}

/// Volume of one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk<'a> {
    /// The lot that it was carried in as; none for what this period brought.
    pub lot: Option<&'a Lot>,
    pub volume: Fixed,
}

impl<'a> Queue<'a> {
    /// `lots` are of this position and side, in any order.
    pub fn new(lots: impl Iterator<Item = &'a Lot>, brought: Fixed) -> Self {
        let mut lots: Vec<&Lot> = lots.collect();
        lots.sort_by(|a, b| b.age.cmp(&a.age).then_with(|| a.period.cmp(&b.period)));
        let carried = lots.into_iter().map(|lot| Chunk { lot: Some(lot), volume: lot.volume });
        let brought = Chunk { lot: None, volume: brought };
        let chunks = carried.chain([brought]).filter(|chunk| chunk.volume > Fixed::ZERO).collect();
        Self { chunks }
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub fn total(&self) -> Result<Fixed, TooLarge> {
        Fixed::sum(self.chunks.iter().map(|chunk| chunk.volume))
    }

    /// The part of it that earlier periods left.
    pub fn carried(&self) -> Result<Fixed, TooLarge> {
        Fixed::sum(self.chunks.iter().filter(|chunk| chunk.lot.is_some()).map(|chunk| chunk.volume))
    }

    /// The first `volume` of it, which is there.
    pub fn take(&mut self, volume: Fixed) -> Result<Vec<Chunk<'a>>, TooLarge> {
        let mut missing = volume;
        let mut taken = vec![];
        for chunk in &mut self.chunks {
            let part = chunk.volume.min(missing);
            if part.is_zero() {
                break;
            }
            taken.push(Chunk { volume: part, ..*chunk });
            chunk.volume = chunk.volume.sub(part)?;
            missing = missing.sub(part)?;
        }
        self.chunks.retain(|chunk| !chunk.volume.is_zero());
        Ok(taken)
    }

    /// Drops what was carried in at this age or an older one, and says how much that was.
    pub fn expire(&mut self, age: u16) -> Result<Fixed, TooLarge> {
        let before = self.total()?;
        self.chunks.retain(|chunk| chunk.lot.is_none_or(|lot| lot.age < age));
        before.sub(self.total()?)
    }

    /// What goes to the next period, each a period older.
    pub fn lots(&self, like: &Lot) -> impl Iterator<Item = Lot> {
        self.chunks.iter().map(|chunk| {
            let (age, period) = match chunk.lot {
                Some(lot) => (lot.age.saturating_add(1), &lot.period),
                None => (0, &like.period),
            };
            Lot { age, period: period.clone(), volume: chunk.volume, ..like.clone() }
        })
    }
}
