//! What was sold in a period, summed up by distributor: one array for each measure that the plan asks for.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::people::{People, index};
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::plan::Plan;
use crate::core::volume::{VolumeKind, Volumes};

/// A sum that somebody asks for: of which volume, on which classes, whose orders, when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Measure {
    pub kind: VolumeKind,
    /// Ids of classes, sorted; all when there is none.
    pub classes: Option<Vec<String>>,
    pub buyers: Buyers,
    pub window: Window,
    /// By class: what was sold within so many days of the seller's enrolment does not count.
    pub withheld: Vec<(String, u16)>,
}

/// Whose orders count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Buyers {
    #[default]
    All,
    /// Orders of customers, not the distributor's own.
    Customers,
    /// What the distributor bought itself.
    Own,
}

/// When, counted from the distributor's enrolment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    #[default]
    Always,
    /// Within so many days.
    First(u16),
    /// Only after so many days.
    After(u16),
}

impl Measure {
    pub fn of(kind: VolumeKind) -> Self {
        Self { kind, classes: None, buyers: Buyers::All, window: Window::Always, withheld: vec![] }
    }
}

/// One line of an order as a period counts it.
#[derive(Clone, Debug)]
pub struct SoldLine<'a> {
    /// To whom the order is attributed.
    pub person: u32,
    pub class: &'a str,
    /// The distributor bought it itself.
    pub own: bool,
    pub ordered_at: DateTime<Utc>,
    pub net: Fixed,
    pub volumes: LineVolume,
}

/// The volumes of a line at four digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineVolume {
    pub pv: Fixed,
    pub qv: Fixed,
    pub cv: Fixed,
    pub margin: Fixed,
}

impl LineVolume {
    pub fn of(volumes: &Volumes) -> Result<Self, TooLarge> {
        Ok(Self {
            pv: Fixed::of(volumes.pv)?,
            qv: Fixed::of(volumes.qv)?,
            cv: Fixed::of(volumes.cv)?,
            margin: Fixed::of(volumes.margin)?,
        })
    }
}

#[derive(Debug)]
pub struct Gathered {
    measures: Vec<(Measure, Vec<Fixed>)>,
    /// By class: which measures cover it.
    by_class: BTreeMap<String, Vec<usize>>,
    /// By bonus id, then by person: what orders of the period were paid at once.
    emitted: BTreeMap<String, Vec<Fixed>>,
    enrolled: Vec<Option<DateTime<Utc>>>,
    lines: u64,
}

impl Gathered {
    /// Nothing sold yet.
    pub fn new(plan: &Plan, people: &People) -> Self {
        let measures: Vec<(Measure, Vec<Fixed>)> =
            plan.measures().into_iter().map(|m| (m, vec![Fixed::ZERO; people.len()])).collect();
        let covering = |class: &String| {
            let covers = |(_, (measure, _)): &(usize, &(Measure, Vec<Fixed>))| {
                measure.classes.as_ref().is_none_or(|classes| classes.contains(class))
            };
            measures.iter().enumerate().filter(covers).map(|(at, _)| at).collect()
        };
        let by_class = plan.class_ids().into_iter().map(|class| (class.clone(), covering(&class))).collect();
        let enrolled = people.all().iter().map(|person| person.enrolled_at).collect();
        Self { measures, by_class, emitted: BTreeMap::new(), enrolled, lines: 0 }
    }

    /// A line of a class that the plan does not know counts for nothing; such orders are held and do not come
    /// here.
    pub fn line(&mut self, line: &SoldLine<'_>) -> Result<(), TooLarge> {
        self.lines += 1;
        let Some(covering) = self.by_class.get(line.class) else { return Ok(()) };
        let enrolled = self.enrolled.get(index(line.person)).copied().flatten();
        for at in covering {
            let Some((measure, sums)) = self.measures.get_mut(*at) else { continue };
            if !measure.counts(line, enrolled) {
                continue;
            }
            if let Some(sum) = sums.get_mut(index(line.person)) {
                *sum = sum.add(measure.kind.of(line))?;
            }
        }
        Ok(())
    }

    /// An award that an order of the period was paid at once.
    pub fn emitted(&mut self, bonus: &str, person: u32, amount: Fixed) -> Result<(), TooLarge> {
        let nothing = || vec![Fixed::ZERO; self.enrolled.len()];
        let sums = match self.emitted.get_mut(bonus) {
            Some(sums) => sums,
            None => self.emitted.entry(bonus.to_owned()).or_insert_with(nothing),
        };
        if let Some(sum) = sums.get_mut(index(person)) {
            *sum = sum.add(amount)?;
        }
        Ok(())
    }

    /// By person. Empty for a measure that the plan does not ask for.
    pub fn get(&self, measure: &Measure) -> &[Fixed] {
        self.measures.iter().find(|(known, _)| known == measure).map_or(&[], |(_, sums)| sums)
    }

    /// What the orders of the period were paid at once by a bonus, by person; nobody with nothing.
    pub fn emitted_of(&self, bonus: &str) -> impl Iterator<Item = (u32, Fixed)> + '_ {
        let sums = (0u32..).zip(self.emitted.get(bonus).into_iter().flatten());
        sums.map(|(person, sum)| (person, *sum)).filter(|(_, sum)| !sum.is_zero())
    }

    pub fn lines(&self) -> u64 {
        self.lines
    }
}

impl Measure {
    fn counts(&self, line: &SoldLine<'_>, enrolled: Option<DateTime<Utc>>) -> bool {
        let buyer = match self.buyers {
            Buyers::All => true,
            Buyers::Customers => !line.own,
            Buyers::Own => line.own,
        };
        let withheld = |(class, days): &(String, u16)| {
            class == line.class && Window::First(*days).holds(enrolled, line.ordered_at)
        };
        buyer && self.window.holds(enrolled, line.ordered_at) && !self.withheld.iter().any(withheld)
    }
}

impl Window {
    /// Whoever enrolled nobody knows when did not enrol lately.
    pub fn holds(self, enrolled: Option<DateTime<Utc>>, at: DateTime<Utc>) -> bool {
        let within = |days: u16| {
            let end = |from: DateTime<Utc>| from.checked_add_signed(TimeDelta::days(i64::from(days)));
            enrolled.is_some_and(|from| end(from).is_none_or(|end| at < end))
        };
        match self {
            Self::Always => true,
            Self::First(days) => within(days),
            Self::After(days) => !within(days),
        }
    }
}

impl VolumeKind {
    fn of(self, line: &SoldLine<'_>) -> Fixed {
        match self {
            Self::Net => line.net,
            Self::Pv => line.volumes.pv,
            Self::Qv => line.volumes.qv,
            Self::Cv => line.volumes.cv,
            Self::Margin => line.volumes.margin,
        }
    }
}
