//! Compares one expectation with what is so; a difference is told as two short texts.

mod of_period;

use rust_decimal::Decimal;

use super::book::{Book, Kept};
use super::expect::{Expectation, Part, VerdictWord, Volume};
use crate::core::assess::Verdict;
use crate::core::engine::PoolShare;

/// What was expected and what was found.
type Difference = (String, String);

pub(super) fn check(book: &Book<'_>, expectation: &Expectation) -> Result<(), Difference> {
    match expectation {
        Expectation::Earned { distributor, amount } => {
            let posted = book.orders.values().flat_map(|kept| &kept.posted);
            let of_orders =
                posted.filter(|award| award.distributor == *distributor).map(|award| award.amount);
            let of_periods = book.periods.posted().filter(|award| award.distributor == *distributor);
            let of_periods = of_periods.map(|award| award.amount.decimal());
            same(&format!("{distributor} to have earned"), *amount, of_orders.chain(of_periods).sum())
        }
        Expectation::Held { amount } => {
            let held =
                book.orders.values().filter(|kept| matches!(kept.assessment.verdict, Verdict::Held(_)));
            same("a held value of", *amount, held.map(|kept| kept.assessment.net).sum())
        }
        Expectation::Period(expected) => of_period::check(book, expected),
        Expectation::Verdict { order, .. }
        | Expectation::Net { order, .. }
        | Expectation::Pays { order, .. }
        | Expectation::PaysInAll { order, .. }
        | Expectation::Share { order, .. }
        | Expectation::Volume { order, .. }
        | Expectation::Events { order, .. }
        | Expectation::Finds { order, .. } => match book.orders.get(order) {
            Some(kept) => of_order(kept, expectation),
            None => Err((format!("an order {order}"), "no such order".to_owned())),
        },
    }
}

fn of_order(kept: &Kept, expectation: &Expectation) -> Result<(), Difference> {
    match expectation {
        Expectation::Verdict { verdict, reasons, .. } => check_verdict(kept, *verdict, reasons),
        Expectation::Net { amount, .. } => same("a net of", *amount, kept.assessment.net),
        Expectation::PaysInAll { amount, .. } => {
            same("commissions of", *amount, kept.posted.iter().map(|award| award.amount).sum())
                .map_err(|(expected, found)| (expected, format!("{found} ({})", paid(kept))))
        }
        Expectation::Pays { bonus, level, distributor, amount, line, .. } => {
            let posted = kept.posted.iter().filter(|award| {
                let place = (&award.bonus, &award.level, &award.distributor) == (bonus, level, distributor);
                place && line.as_ref().is_none_or(|line| *line == award.line)
            });
            same(
                &format!("{bonus} level {level} to pay {distributor}"),
                *amount,
                posted.map(|a| a.amount).sum(),
            )
            .map_err(|(expected, found)| (expected, format!("{found} ({})", paid(kept))))
        }
        Expectation::Share { part, bonus, amount, .. } => {
            let pools = kept.calculation.iter().flat_map(|calculation| &calculation.pools);
            let found = pools.filter(|share| share.bonus == *bonus).map(|share| share_of(share, *part)).sum();
            same(&format!("the {part:?} of {bonus} to be").to_lowercase(), *amount, found)
        }
        Expectation::Volume { volume, amount, .. } => {
            let volumes =
                kept.calculation.iter().flat_map(|calculation| &calculation.lines).map(|line| line.volumes);
            let found = volumes.map(|volumes| match volume {
                Volume::Pv => volumes.pv,
                Volume::Qv => volumes.qv,
                Volume::Cv => volumes.cv,
            });
            same(&format!("a {volume:?} of").to_uppercase(), *amount, found.sum())
        }
        Expectation::Events { counts, .. } => counts.iter().try_for_each(|(kind, count)| {
            let found = kept.kinds.iter().filter(|known| *known == kind).count();
            let told = |count: usize| format!("{count} {} posted", kind.name());
            if found == *count { Ok(()) } else { Err((told(*count), told(found))) }
        }),
        Expectation::Finds { bonus, distributor, finding, .. } => {
            let walk = kept.calculation.iter().flat_map(|c| &c.walks).find(|walk| walk.bonus == *bonus);
            let visited = walk.and_then(|walk| walk.visited.iter().find(|v| v.distributor == *distributor));
            let found = visited.map_or("not_visited".to_owned(), |visited| visited.finding.name().to_owned());
            let expected = format!("{bonus} to find {distributor} {finding}");
            if found == *finding { Ok(()) } else { Err((expected, found)) }
        }
        Expectation::Earned { .. } | Expectation::Held { .. } | Expectation::Period(_) => Ok(()),
    }
}

fn share_of(share: &PoolShare, part: Part) -> Decimal {
    match part {
        Part::Pool => share.pool,
        Part::Paid => share.paid,
        Part::Breakage => share.breakage,
        Part::Rounding => share.rounding,
    }
}

fn check_verdict(kept: &Kept, verdict: VerdictWord, reasons: &[String]) -> Result<(), Difference> {
    let (found, mut why) = verdict_parts(&kept.assessment.verdict);
    let mut expected = reasons.to_vec();
    expected.sort();
    why.sort();
    why.dedup();
    if found == verdict && (expected.is_empty() || expected == why) {
        return Ok(());
    }
    let expected =
        format!("the order to be {} {}", format!("{verdict:?}").to_lowercase(), expected.join(","));
    Err((expected.trim_end().to_owned(), verdict_words(&kept.assessment.verdict)))
}

fn verdict_parts(verdict: &Verdict) -> (VerdictWord, Vec<&'static str>) {
    match verdict {
        Verdict::Awaiting => (VerdictWord::Awaiting, vec![]),
        Verdict::Commissionable => (VerdictWord::Commissionable, vec![]),
        Verdict::Exempt(why) => (VerdictWord::Exempt, why.iter().map(|exemption| exemption.name()).collect()),
        Verdict::Held(why) => (VerdictWord::Held, why.iter().map(|hold| hold.reason.name()).collect()),
    }
}

/// As an expectation would write it.
pub(super) fn verdict_words(verdict: &Verdict) -> String {
    let (word, why) = verdict_parts(verdict);
    format!("{word:?} {}", why.join(",")).to_lowercase().trim_end().to_owned()
}

fn same(what: &str, expected: Decimal, found: Decimal) -> Result<(), Difference> {
    if expected == found {
        return Ok(());
    }
    Err((format!("{what} {expected}"), found.to_string()))
}

fn paid(kept: &Kept) -> String {
    let told = |(bonus, level, who, amount): &(String, u16, String, Decimal)| {
        format!("{bonus} {level} {who} {amount}")
    };
    let sums: Vec<String> = kept.sums().iter().filter(|sum| !sum.3.is_zero()).map(told).collect();
    if sums.is_empty() { "nothing is posted".to_owned() } else { sums.join(", ") }
}
