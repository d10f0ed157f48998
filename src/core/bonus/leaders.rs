//! What the bonuses of leaders share: what they are paid on, rates by rank, groups, and how a climb is told.

#[cfg(test)]
pub(super) mod testing;

use rust_decimal::Decimal;

use super::read::{RankName, read_classes};
use super::{Bonus, Finding, Names, Visited, why_inactive};
use crate::core::fixed::{Fixed, RATE_DIGITS, Rate, TooLarge};
use crate::core::period::{
    Climb, Climbed, Measure, NOBODY, People, RawAward, RawBonus, Source, Stage, Step, arrivals, climb_from,
    index,
};
use crate::core::plan::Canonical;
use crate::core::plan::read::{Item, Table};

/// More generations than any plan has ever paid.
pub(super) const MOST_GENERATIONS: usize = 50;

/// What volume a bonus is paid on, and whether its rates are of the pool.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// All classes when there is none.
    classes: Option<Vec<String>>,
    of_pool: bool,
}

impl Scope {
    pub fn read(table: &Table<'_>, names: &Names<'_>, pool: Option<Decimal>) -> Option<Self> {
        let classes = table.optional("classes").map(|item| read_classes(&item, names));
        let of_pool = table.optional("rates_of").map_or(Some(false), |item| {
            let of_pool = item.word(&[("base", false), ("pool", true)])?;
            if of_pool && pool.is_none() {
                item.problem("there is no pool to take a share of", "add pool = \"0.40\"");
            }
            Some(of_pool)
        });
        let classes = classes.map_or(Some(None), |classes| classes.map(Some))?;
        Some(Self { classes, of_pool: of_pool? })
    }

    /// A share of the pool has to be exact as a share of the base.
    pub fn read_rate(&self, item: &Item<'_>, pool: Option<Decimal>) -> Option<Decimal> {
        let rate = item.rate()?;
        let Some(pool) = pool.filter(|_| self.of_pool) else { return Some(rate) };
        if (rate * pool).normalize().scale() > RATE_DIGITS {
            item.problem(
                format!("{rate} of a pool of {pool} has more than eight digits"),
                "write the rate or the pool with fewer digits",
            );
            return None;
        }
        Some(rate)
    }

    /// `most` is what a line can be paid in all.
    pub fn check_most(&self, item: &Item<'_>, what: &str, most: Decimal, pool: Option<Decimal>) {
        let (limit, of) = match pool {
            Some(pool) if !self.of_pool => (pool, "the pool"),
            Some(_) => (Decimal::ONE, "the whole pool"),
            None => (Decimal::ONE, "the whole base"),
        };
        if most > limit {
            item.problem(
                format!("{what} {most}, more than {of} of {limit}"),
                "lower the rates or raise the pool",
            );
        }
    }

    pub fn covers(&self, class: &str) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.iter().any(|known| known == class))
    }

    pub fn canonical(&self, path: &str, out: &mut Canonical) {
        if let Some(classes) = &self.classes {
            out.texts(&format!("{path}.classes"), classes);
        }
        if self.of_pool {
            out.text(&format!("{path}.rates_of"), "pool");
        }
    }

    pub fn describe(&self, sentences: &mut Vec<String>) {
        if let Some(classes) = &self.classes {
            sentences.push(format!("Only on the commission classes {}.", classes.join(", ")));
        }
        if self.of_pool {
            sentences.push("Rates are shares of the pool.".to_owned());
        }
    }

    pub fn measure(&self, bonus: &Bonus) -> Measure {
        bonus.measure(self.classes.clone())
    }

    /// By person.
    pub fn volumes<'a>(&self, bonus: &Bonus, stage: &Stage<'a>) -> &'a [Fixed] {
        stage.input.sold.get(&self.measure(bonus))
    }

    /// A written rate as a share of the base.
    pub fn rate(&self, bonus: &Bonus, written: Decimal) -> Rate {
        match bonus.pool.filter(|_| self.of_pool) {
            Some(pool) => Rate::of(written * pool),
            None => Rate::of(written),
        }
    }

    /// Awards with their pool: the declared one, else `most` of everything sold, else just what is paid.
    pub fn raw(
        &self,
        bonus: &Bonus,
        stage: &Stage<'_>,
        most: Option<Decimal>,
        awards: Vec<RawAward>,
    ) -> Result<RawBonus, TooLarge> {
        bonus.raw(awards, Fixed::sum(self.volumes(bonus, stage).iter().copied())?, most)
    }
}

/// A volume of the document, exact at four digits.
pub(super) fn read_volume(item: &Item<'_>) -> Option<Fixed> {
    item.amount_within(Decimal::ZERO, Decimal::from(1_000_000_000_000_u64))
}

/// A rate per generation; zeros at the end say nothing. `rated` is what has one.
pub(super) fn read_rates(
    item: &Item<'_>,
    scope: &Scope,
    pool: Option<Decimal>,
    rated: &str,
) -> Option<Vec<Decimal>> {
    let items = item.list()?;
    let mut rates = items.iter().map(|item| scope.read_rate(item, pool)).collect::<Option<Vec<Decimal>>>()?;
    while rates.last().is_some_and(Decimal::is_zero) {
        rates.pop();
    }
    if rates.len() > MOST_GENERATIONS {
        item.problem(
            format!("{} {rated} have a rate", rates.len()),
            format!("give at most {MOST_GENERATIONS} a rate"),
        );
    }
    Some(rates)
}

/// A table with a value per rank, from the lowest rank to the highest.
pub(super) fn read_by_rank<T>(
    item: &Item<'_>,
    names: &Names<'_>,
    example: &str,
    read: impl Fn(&RankName, &Item<'_>) -> Option<T>,
) -> Option<Vec<(RankName, T)>> {
    let entries = item.entries()?;
    if entries.is_empty() {
        item.problem("no rank has an entry", format!("add one, such as {example}"));
    }
    let mut found = Vec::new();
    for (id, value) in &entries {
        match RankName::find(id, names) {
            Some(rank) => found.extend(read(&rank, value).map(|read| (rank, read))),
            None => value.unknown("rank", id, &names.ranks.iter().map(String::as_str).collect::<Vec<_>>()),
        }
    }
    found.sort_by_key(|(rank, _)| rank.place);
    Some(found)
}

/// Different rates from the lowest to the highest; step 0 is no rate.
#[derive(Clone, Debug)]
pub(super) struct Ladder(Vec<Rate>);

impl Ladder {
    pub fn of(rates: impl IntoIterator<Item = Rate>) -> Self {
        let mut ladder: Vec<Rate> = rates.into_iter().chain([Rate::ZERO]).collect();
        ladder.sort_unstable();
        ladder.dedup();
        Self(ladder)
    }

    pub fn steps(&self) -> u16 {
        u16::try_from(self.0.len()).unwrap_or(u16::MAX)
    }

    pub fn step(&self, rate: Rate) -> u16 {
        self.0.binary_search(&rate).ok().and_then(|at| u16::try_from(at).ok()).unwrap_or(0)
    }

    pub fn rate(&self, step: u16) -> Rate {
        self.0.get(usize::from(step)).copied().unwrap_or(Rate::ZERO)
    }

    /// What `step` is above `below`; nothing when it is not.
    pub fn above(&self, step: u16, below: u16) -> Rate {
        Rate(self.rate(step).0.saturating_sub(self.rate(below).0).max(0))
    }
}

/// One answer for everybody.
pub(super) fn everybody<T>(people: &People, of: impl Fn(u32) -> T) -> Vec<T> {
    (0u32..).take(people.len()).map(of).collect()
}

pub(super) fn is_set(flags: &[bool], person: u32) -> bool {
    flags.get(index(person)).copied().unwrap_or(false)
}

/// Everybody, downlines before their sponsors.
pub(super) fn from_the_back(people: &People) -> Result<impl Iterator<Item = u32> + use<>, TooLarge> {
    Ok((0..u32::try_from(people.len()).map_err(|_| TooLarge)?).rev())
}

/// By person: its own volume and that of its downline, without who stands at or below a head further down.
pub(super) fn groups(people: &People, volumes: &[Fixed], heads: &[bool]) -> Result<Vec<Fixed>, TooLarge> {
    let mut sums = everybody(people, |person| volumes.get(index(person)).copied().unwrap_or_default());
    for person in from_the_back(people)? {
        let sum = sums.get(index(person)).copied().unwrap_or_default();
        if is_set(heads, person) || sum.is_zero() {
            continue;
        }
        if let Some(above) = sums.get_mut(index(people.sponsor(person))) {
            *above = above.add(sum)?;
        }
    }
    Ok(sums)
}

pub(super) fn awards(climbed: Vec<Climbed>) -> Vec<RawAward> {
    let award =
        |got: Climbed| RawAward { person: got.person, position: None, base: got.base, exact: got.exact };
    climbed.into_iter().map(award).collect()
}

/// The parts of what `earner` gets out of a climb, by source.
pub(super) fn sources(
    rules: &dyn Climb,
    people: &People,
    volumes: &[Fixed],
    earner: u32,
) -> Result<Vec<Source>, TooLarge> {
    let part = |(person, state)| {
        let (level, rate) = rules.step(earner, state).pays?;
        source(volumes, person, level, rate)
    };
    Ok(arrivals(rules, &people.sponsors(), volumes, earner)?.into_iter().filter_map(part).collect())
}

/// A part of an award; none for volume that is not there.
pub(super) fn source(volumes: &[Fixed], person: u32, level: u16, rate: Rate) -> Option<Source> {
    let base = volumes.get(index(person)).copied().filter(|volume| !volume.is_zero())?;
    let exact = base.times(rate);
    Some(Source { person, position: None, level, base, rate, exact, period: None })
}

/// The way of the volume of `source`, told by `find`: level and finding of everybody it came to.
pub(super) fn tell(
    stage: &Stage<'_>,
    rules: &dyn Climb,
    source: u32,
    find: impl Fn(u32, u16, Step) -> (Option<u16>, Finding),
) -> Vec<Visited> {
    let mut visited = vec![];
    climb_from(rules, &stage.input.people.sponsors(), source, |person, state, step| {
        let (level, finding) = find(person, state, step);
        visited.extend(visit(stage, person, visited.len(), level, finding));
        true
    });
    visited
}

pub(super) fn visit(
    stage: &Stage<'_>,
    person: u32,
    distance: usize,
    level: Option<u16>,
    finding: Finding,
) -> Option<Visited> {
    let distributor = stage.input.people.id(person).filter(|_| person != NOBODY)?.clone();
    Some(Visited { distributor, distance: u32::try_from(distance).unwrap_or(u32::MAX), level, finding })
}

/// Why somebody earns nothing of this bonus, whatever comes; `None` when it can.
pub(super) fn why_not(bonus: &Bonus, stage: &Stage<'_>, person: u32) -> Option<Finding> {
    if stage.earns(bonus, person) {
        return None;
    }
    let Some(who) = stage.input.people.get(person) else { return Some(Finding::NotEnrolled) };
    let pv = stage.standings.pv.get(index(person)).copied().unwrap_or_default().decimal();
    let inactive = why_inactive(bonus.active_rule(stage.plan), who.enrolled, who.status, pv);
    Some(inactive.unwrap_or(Finding::NotEligible))
}

/// Of somebody whose rank has no rate.
pub(super) fn no_rate(stage: &Stage<'_>, person: u32) -> Finding {
    match stage.rank(person).and_then(|rank| stage.plan.ranks().get(usize::from(rank))) {
        Some(rank) => Finding::NoRate { rank: Some(rank.clone()) },
        None => Finding::NoRank,
    }
}

pub(super) fn earns(rate: Rate) -> Finding {
    Finding::Earns { rate: Some(rate.decimal()) }
}
