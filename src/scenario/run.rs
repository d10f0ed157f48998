//! Plays a scenario through the core and compares.

use rust_decimal::Decimal;
use serde::Serialize;

use super::book::{Book, Kept};
use super::check::{check, verdict_words};
use super::close::{self, Closed};
use super::positions;
use super::{Action, Scenario};

/// What came of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    pub title: String,
    /// How many expectations held.
    pub held: usize,
    pub failures: Vec<Failure>,
    /// Every order as it stands at the end, also where nothing was expected.
    pub orders: Vec<OrderOutcome>,
    /// Every closed period, adjustments included.
    pub periods: Vec<PeriodOutcome>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// In the file, from 1.
    pub line: usize,
    pub expected: String,
    pub found: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrderOutcome {
    pub order: String,
    pub verdict: String,
    pub net: Decimal,
    /// Bonus, level, distributor and amount; what is zero in sum is not here.
    pub pays: Vec<(String, u16, String, Decimal)>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeriodOutcome {
    pub period: String,
    /// Of the run that closed it, in hexadecimal digits.
    pub result_hash: String,
    /// Bonus, distributor, position (empty where none earned it) and amount; what is zero in sum is not here.
    pub pays: Vec<(String, String, String, Decimal)>,
}

impl Outcome {
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: expected {}, found {}", self.line, self.expected, self.found)
    }
}

pub fn run(scenario: &Scenario) -> Outcome {
    let mut book = Book::new(scenario);
    let title = scenario.title.clone();
    let mut outcome = Outcome { title, held: 0, failures: vec![], orders: vec![], periods: vec![] };
    for step in &scenario.steps {
        let (expected, settled) = match &step.action {
            Action::Expect(expectation) => {
                match check(&book, expectation) {
                    Ok(()) => outcome.held += 1,
                    Err((expected, found)) => {
                        outcome.failures.push(Failure { line: step.line, expected, found })
                    }
                }
                continue;
            }
            action => ("a fact that can be taken".to_owned(), play(&mut book, action)),
        };
        if let Err(found) = settled {
            outcome.failures.push(Failure { line: step.line, expected, found });
        }
    }
    outcome.orders = book.orders.iter().map(|(order, kept)| order_outcome(order, kept)).collect();
    outcome.periods = book.periods.closed.iter().map(|closed| period_outcome(scenario, closed)).collect();
    outcome
}

/// Takes a fact in and settles every order that it reaches.
fn play(book: &mut Book<'_>, action: &Action) -> Result<(), String> {
    let reached = match action {
        Action::Distributor(version) => {
            book.learn_distributor(version.clone());
            book.held()
        }
        Action::Sku { store, mapping } => {
            book.learn_mapping(store.as_deref(), mapping);
            book.held()
        }
        Action::Deliver { store, report } => book.absorb(store, report.clone()).into_iter().collect(),
        Action::Assign { order, distributor } => {
            if !book.assign(order, distributor) {
                return Err(format!("there is no order {order}"));
            }
            vec![order.clone()]
        }
        Action::Place(version) => return positions::place(book, version),
        Action::PlaceAll => return positions::place_all(book),
        Action::Carry(lot) => return book.periods.open_with_lot(lot),
        Action::Standing { distributor, standing } => return book.periods.open_with(distributor, standing),
        Action::Close(span) => return close::close(book, span),
        Action::Adjust => return close::adjust(book),
        Action::Expect(_) => vec![],
    };
    for order in reached {
        book.settle(&order)?;
        invariants(book, &order)?;
    }
    Ok(())
}

/// What must hold after every step, whatever the scenario says.
fn invariants(book: &Book<'_>, order: &str) -> Result<(), String> {
    let Some(kept) = book.orders.get(order) else { return Ok(()) };
    let pools = kept.calculation.iter().flat_map(|calculation| &calculation.pools);
    for share in pools {
        if share.paid + share.breakage + share.rounding != share.pool {
            return Err(format!(
                "the pool of {} on line {} does not add up: {share:?}",
                share.bonus, share.line
            ));
        }
    }
    match kept.sums().into_iter().find(|(_, _, _, amount)| *amount < Decimal::ZERO) {
        Some((bonus, level, who, amount)) => {
            Err(format!("{who} was charged {amount} by {bonus} level {level}, more than it earned"))
        }
        None => Ok(()),
    }
}

fn order_outcome(order: &str, kept: &Kept) -> OrderOutcome {
    let mut pays = kept.sums();
    pays.retain(|(_, _, _, amount)| !amount.is_zero());
    let verdict = verdict_words(&kept.assessment.verdict);
    OrderOutcome { order: order.to_owned(), verdict, net: kept.assessment.net, pays }
}

fn period_outcome(scenario: &Scenario, closed: &Closed) -> PeriodOutcome {
    let hash = closed.result.hash(&scenario.plan, &closed.people);
    let row = |((bonus, who, position), amount): ((&str, &str, &str), Decimal)| {
        (bonus.to_owned(), who.to_owned(), position.to_owned(), amount)
    };
    let pays = closed.sums().into_iter().map(row).collect();
    PeriodOutcome { period: closed.span.name.clone(), result_hash: hex::encode(hash), pays }
}

impl Kept {
    /// What is posted per bonus, level and distributor, over all lines.
    pub(super) fn sums(&self) -> Vec<(String, u16, String, Decimal)> {
        let mut sums = std::collections::BTreeMap::new();
        for award in &self.posted {
            let key = (award.bonus.clone(), award.level, award.distributor.0.clone());
            *sums.entry(key).or_insert(Decimal::ZERO) += award.amount;
        }
        sums.into_iter().map(|((bonus, level, who), amount)| (bonus, level, who, amount)).collect()
    }
}
