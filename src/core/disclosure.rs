//! What participants of a year have earned, all of them, also those who earned nothing.
//!
//! Percentiles are amounts that somebody has really earned (nearest rank); the median of an even number of people is
//! the middle of the two in the middle.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::money::{Rounding, round};

/// One person in one year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Empty: none.
    pub rank: String,
    pub gross: Decimal,
    /// After what refunds took back and what payouts cost.
    pub after: Decimal,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Disclosure {
    pub all: Group,
    /// By rank at the end of the year, the empty one first.
    pub ranks: BTreeMap<String, Group>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    pub gross: Spread,
    pub after: Spread,
}

/// How a sum is spread over people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    pub people: usize,
    /// Nothing, or less.
    pub with_nothing: usize,
    /// Of all people, four digits.
    pub share_with_nothing: Decimal,
    pub sum: Decimal,
    pub mean: Decimal,
    pub median: Decimal,
    pub percentiles: BTreeMap<u8, Decimal>,
    pub top: Vec<Top>,
}

/// The best paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Top {
    pub percent: u8,
    /// At least one where there is anybody.
    pub people: usize,
    /// The least among them.
    pub from: Decimal,
    pub sum: Decimal,
    /// Of the whole sum, four digits; nothing where there is none.
    pub share: Option<Decimal>,
}

pub const PERCENTILES: [u8; 7] = [10, 25, 50, 75, 90, 95, 99];
const TOPS: [u8; 2] = [1, 10];

/// `scale` is the currency's.
pub fn disclose(participants: &[Participant], scale: u32) -> Disclosure {
    let mut ranks: BTreeMap<&str, Vec<&Participant>> = BTreeMap::new();
    for participant in participants {
        ranks.entry(&participant.rank).or_default().push(participant);
    }
    let all: Vec<&Participant> = participants.iter().collect();
    Disclosure {
        all: group(&all, scale),
        ranks: ranks.into_iter().map(|(rank, people)| (rank.to_owned(), group(&people, scale))).collect(),
    }
}

fn group(people: &[&Participant], scale: u32) -> Group {
    Group {
        gross: spread(people.iter().map(|one| one.gross).collect(), scale),
        after: spread(people.iter().map(|one| one.after).collect(), scale),
    }
}

fn spread(mut amounts: Vec<Decimal>, scale: u32) -> Spread {
    amounts.sort_unstable();
    let people = amounts.len();
    let with_nothing = amounts.partition_point(|amount| *amount <= Decimal::ZERO);
    let sum: Decimal = amounts.iter().sum();
    Spread {
        people,
        with_nothing,
        share_with_nothing: share(Decimal::from(with_nothing), Decimal::from(people)).unwrap_or_default(),
        sum,
        mean: divided(sum, Decimal::from(people), scale).unwrap_or_default(),
        median: median(&amounts, scale),
        percentiles: PERCENTILES.into_iter().map(|percent| (percent, nearest(&amounts, percent))).collect(),
        top: TOPS.into_iter().map(|percent| top(&amounts, percent, sum)).collect(),
    }
}

fn divided(sum: Decimal, by: Decimal, scale: u32) -> Option<Decimal> {
    sum.checked_div(by).map(|exact| round(exact, scale, Rounding::HalfUp))
}

/// Four digits; nothing where the whole is nothing.
pub fn share(part: Decimal, whole: Decimal) -> Option<Decimal> {
    if whole > Decimal::ZERO { divided(part, whole, 4) } else { None }
}

fn median(sorted: &[Decimal], scale: u32) -> Decimal {
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied().unwrap_or_default();
    match middle.checked_sub(1).filter(|_| sorted.len().is_multiple_of(2)) {
        Some(below) => {
            let lower = sorted.get(below).copied().unwrap_or_default();
            divided(lower + upper, Decimal::TWO, scale).unwrap_or_default()
        }
        None => upper,
    }
}

/// The smallest amount that so many of a hundred do not exceed.
fn nearest(sorted: &[Decimal], percent: u8) -> Decimal {
    let place = (sorted.len() * usize::from(percent)).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

fn top(sorted: &[Decimal], percent: u8, sum: Decimal) -> Top {
    let people = (sorted.len() * usize::from(percent)).div_ceil(100);
    let best = sorted.get(sorted.len() - people..).unwrap_or_default();
    let theirs: Decimal = best.iter().sum();
    Top {
        percent,
        people,
        from: best.first().copied().unwrap_or_default(),
        sum: theirs,
        share: share(theirs, sum),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::dec;

    use super::*;

    fn one(rank: &str, gross: Decimal, after: Decimal) -> Participant {
        Participant { rank: rank.into(), gross, after }
    }

    #[test]
    fn nobody_is_left_out_who_earned_nothing() {
        let mut people: Vec<Participant> = (0..97).map(|_| one("", dec!(0), dec!(0))).collect();
        people.push(one("bronze", dec!(10), dec!(9.50)));
        people.push(one("bronze", dec!(20), dec!(-5)));
        people.push(one("gold", dec!(70), dec!(70)));
        let told = disclose(&people, 2);
        let gross = &told.all.gross;
        assert_eq!((gross.people, gross.with_nothing, gross.share_with_nothing), (100, 97, dec!(0.9700)));
        assert_eq!((gross.sum, gross.mean, gross.median), (dec!(100), dec!(1.00), dec!(0)));
        assert_eq!((gross.percentiles[&90], gross.percentiles[&99]), (dec!(0), dec!(20)));
        assert_eq!(
            gross.top,
            [
                Top { percent: 1, people: 1, from: dec!(70), sum: dec!(70), share: Some(dec!(0.7000)) },
                Top { percent: 10, people: 10, from: dec!(0), sum: dec!(100), share: Some(dec!(1.0000)) },
            ]
        );
        assert_eq!(told.all.after.with_nothing, 98, "who ended below zero earned nothing");
        let bronze = &told.ranks["bronze"];
        assert_eq!(
            (bronze.gross.people, bronze.gross.median, bronze.after.mean),
            (2, dec!(15.00), dec!(2.25))
        );
    }

    #[test]
    fn a_year_without_people_divides_by_nothing() {
        let told = disclose(&[], 2);
        assert_eq!((told.all.gross.people, told.all.gross.mean), (0, dec!(0)));
        assert!(told.ranks.is_empty() && told.all.gross.top.iter().all(|top| top.share.is_none()));
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_the_numbers_fit_together(cents in prop::collection::vec(-500i64..5000, 1..200)) {
            let people: Vec<Participant> =
                cents.iter().map(|cents| one("", Decimal::new(*cents, 2), Decimal::ZERO)).collect();
            let mut turned = people.clone();
            turned.reverse();
            let told = disclose(&people, 2);
            prop_assert_eq!(&told, &disclose(&turned, 2));
            let gross = &told.all.gross;
            let among = |amount: &Decimal| people.iter().any(|one| one.gross == *amount);
            prop_assert!(gross.percentiles.values().all(among));
            prop_assert!(gross.percentiles.values().is_sorted());
            let least = people.iter().filter(|one| one.gross >= gross.top[0].from).count();
            prop_assert!(least >= gross.top[0].people && gross.top[0].people >= 1);
        }
    }
}
