//! Everything once more from the raw deliveries, without writing, against what stands posted.
//!
//! The same pure functions run on the same bytes. What was decided from outside and locked with an order (its
//! plan, upline, mapping versions, an admin's attribution, decisions about its customer) is taken from the database; all else is made again.
//! Posted runs of periods are calculated again from what they were pinned to.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::circles::Circles;
use super::digest::{Contents, Digest};
use super::repo::{self, StandingOrder};
use crate::commissions::{self, Before, CalcSnapshot, Standings, Totals};
use crate::core::assess::{AssessedLine, Assessment};
use crate::core::engine::difference;
use crate::core::ids::{DistributorId, StoreId};
use crate::core::journal::Account;
use crate::core::order::{OrderState, Report};
use crate::db::{Conn, DbError};
use crate::ingest;
use crate::orders::{self, Assessor, Books, Grounds, OrderKey, Seen};
use crate::periods::{self, CalculationProblem, RunDifference};

/// One thing that stands other than it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub store: String,
    pub external_id: String,
    pub what: String,
    pub stored: String,
    pub replayed: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Replayed {
    pub deliveries: u64,
    pub orders: u64,
    pub stored: Digest,
    pub replayed: Digest,
    pub differences: Vec<Difference>,
    /// Posted runs of periods, calculated again.
    pub runs: u64,
    pub run_differences: Vec<RunDifference>,
}

impl Replayed {
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty() && self.run_differences.is_empty() && self.stored == self.replayed
    }
}

const PAGE: i64 = 500;

/// Reads all deliveries, then all orders. The pipeline should have nothing left to do. `progress` is told how
/// many deliveries were read.
pub fn replay(conn: &mut Conn, books: &Books, mut progress: impl FnMut(u64)) -> Result<Replayed, DbError> {
    let (mut states, deliveries) = fold_deliveries(conn, books, &mut progress)?;
    let assessor = Assessor::open(conn, books)?;
    let circles = Circles::build(conn, &assessor, &states)?;
    let mut run = Run {
        assessor,
        circles,
        stored: Contents::default(),
        replayed: Contents::default(),
        differences: vec![],
        run_differences: vec![],
        orders: 0,
        runs: 0,
    };
    let mut after = (0, String::new());
    loop {
        let page = repo::standing_orders(conn, (after.0, &after.1), PAGE)?;
        let Some(last) = page.last() else { break };
        after = (last.store_id, last.external_id.clone());
        run.page(conn, books, &page, &mut states)?;
    }
    for (store, external_id) in states.into_keys() {
        run.differ(&format!("store {}", store.0), &external_id, "order", "none", "known from its deliveries");
    }
    run.runs(conn, books)?;
    for posted in repo::posted(conn)? {
        run.stored.add(&posted.account, &posted.distributor_id, &posted.currency, posted.amount);
    }
    Ok(Replayed {
        deliveries,
        orders: run.orders,
        stored: run.stored.digest(),
        replayed: run.replayed.digest(),
        differences: run.differences,
        runs: run.runs,
        run_differences: run.run_differences,
    })
}

type States = HashMap<OrderKey, OrderState>;

fn fold_deliveries(
    conn: &mut Conn,
    books: &Books,
    progress: &mut impl FnMut(u64),
) -> Result<(States, u64), DbError> {
    let stores = books.stores.all(conn)?;
    let mut states = States::new();
    let mut after = None;
    let mut seen = 0;
    loop {
        let page = ingest::load_page(conn, after, PAGE)?;
        let Some(last) = page.last() else { return Ok((states, seen)) };
        after = Some(last.id);
        for delivery in &page {
            seen += 1;
            let Some(store) = stores.iter().find(|store| store.id == delivery.store) else { continue };
            let Ok(reports) = orders::parse_delivery(&store.platform, delivery) else { continue };
            for report in reports {
                if matches!(report, Report::Hint { .. }) {
                    continue;
                }
                let Some(order) = orders::order_of(&report) else { continue };
                let key = (delivery.store, order.to_owned());
                states.entry(key).or_default().absorb(report, delivery.received_at);
            }
        }
        progress(seen);
    }
}

struct Run {
    assessor: Assessor,
    circles: Circles,
    stored: Contents,
    replayed: Contents,
    differences: Vec<Difference>,
    run_differences: Vec<RunDifference>,
    orders: u64,
    runs: u64,
}

impl Run {
    fn page(
        &mut self,
        conn: &mut Conn,
        books: &Books,
        page: &[StandingOrder],
        states: &mut States,
    ) -> Result<(), DbError> {
        let calculated: Vec<_> = page.iter().filter(|o| o.calculation_no > 0).map(|o| o.order_id).collect();
        let mut before = commissions::before(conn, &calculated)?;
        let network = books.networks.get(conn)?;
        let published = books.plans.get(conn)?;
        for order in page {
            self.orders += 1;
            let key = (StoreId(order.store_id), order.external_id.clone());
            let Some(state) = states.remove(&key) else {
                self.differ(
                    &order.slug,
                    &order.external_id,
                    "order",
                    "known",
                    "none of its deliveries is stored",
                );
                continue;
            };
            let before = before.remove(&order.order_id).unwrap_or_default();
            let assessment = self.assess(order, &state)?;
            self.compare_order(order, &state, &assessment)?;
            let locked = before.snapshot.as_ref().map(|snapshot| &snapshot.context);
            let target = commissions::Order::assessed(&order.slug, &assessment, &state);
            // Standings are locked with the first calculation; an order that earns and has none differs anyway.
            let wanted = commissions::target(&target, locked, &network, &published, &Standings::new())?;
            self.compare_money(order, &before, wanted.as_ref());
        }
        Ok(())
    }

    fn assess(&self, order: &StandingOrder, state: &OrderState) -> Result<Assessment, DbError> {
        let lines: Vec<AssessedLine> = serde_json::from_value(order.lines.clone())?;
        let locked = if order.calculation_no > 0 { orders::locked_classes(&lines) } else { vec![] };
        let manual = order.manual.as_deref().map(DistributorId::new);
        let store = StoreId(order.store_id);
        let seen = Seen { policy_no: order.policy_no, binding_no: order.binding_no };
        let grounds = Grounds {
            manual: manual.as_ref(),
            locked: &locked,
            book: self.circles.of(store, state),
            seen: (order.calculation_no > 0).then_some(seen),
        };
        self.assessor.assess(store, state, &grounds)
    }

    fn compare_order(
        &mut self,
        order: &StandingOrder,
        state: &OrderState,
        assessment: &Assessment,
    ) -> Result<(), DbError> {
        let replayed = state.snapshot.as_ref().map(|s| hex::encode(s.content_hash())).unwrap_or_default();
        let stored = match order.report.clone().map(serde_json::from_value).transpose()? {
            Some(Report::Snapshot(snapshot)) => hex::encode(snapshot.content_hash()),
            Some(_) | None => String::new(),
        };
        let (slug, id) = (&order.slug, &order.external_id);
        self.compare(slug, id, "newest snapshot", &stored, &replayed);
        self.compare(slug, id, "status", &order.status, assessment.verdict.name());
        let binds_to = assessment.binds_to.as_ref().map(DistributorId::as_str).unwrap_or_default();
        self.compare(slug, id, "whom it binds to", order.binds_to.as_deref().unwrap_or_default(), binds_to);
        self.compare(
            slug,
            id,
            "net",
            &order.net.normalize().to_string(),
            &assessment.net.normalize().to_string(),
        );
        self.stored.orders.insert((slug.clone(), id.clone(), stored, order.net));
        self.replayed.orders.insert((slug.clone(), id.clone(), replayed, assessment.net));
        Ok(())
    }

    /// What is posted for the order has to be what is wanted for it, event by event.
    fn compare_money(&mut self, order: &StandingOrder, before: &Before, wanted: Option<&CalcSnapshot>) {
        let calculation = wanted.and_then(|snapshot| snapshot.calculation.as_ref());
        let awards = calculation.map_or(&[][..], |calculation| &calculation.awards);
        for draft in difference(&before.awards, awards) {
            let what = format!(
                "{} level {} on line {} for {}",
                draft.bonus, draft.level, draft.line, draft.distributor
            );
            self.differ(&order.slug, &order.external_id, &what, "", &format!("{:+} more", draft.amount));
        }
        let totals = Totals::of(calculation);
        for (what, stored, replayed) in [
            ("pool", before.totals.pool, totals.pool),
            ("breakage", before.totals.breakage, totals.breakage),
            ("rounding", before.totals.rounding, totals.rounding),
        ] {
            let (stored, replayed) = (stored.normalize().to_string(), replayed.normalize().to_string());
            self.compare(&order.slug, &order.external_id, what, &stored, &replayed);
        }
        let Some(calculation) = calculation else { return };
        let currency = calculation.currency.to_string();
        let mut add = |account: Account, distributor: &str, amount: Decimal| {
            self.replayed.add(account.name(), distributor, &currency, amount);
        };
        add(Account::CommissionExpense, "", totals.pool);
        add(Account::Breakage, "", -totals.breakage);
        add(Account::Rounding, "", -totals.rounding);
        for award in awards {
            add(Account::CommissionPayable, award.distributor.as_str(), -award.amount);
        }
    }

    /// What each posted run writes when it is calculated again from the same facts.
    fn runs(&mut self, conn: &mut Conn, books: &Books) -> Result<(), DbError> {
        let published = books.plans.get(conn)?;
        for run in periods::posted_runs(conn)? {
            self.runs += 1;
            let proven = match periods::prove(conn, &published, &run) {
                Ok(proven) => proven,
                Err(CalculationProblem::Db(error)) => return Err(error),
                Err(problem) => {
                    self.run_differences.push(RunDifference::failed(&run, &problem.to_string()));
                    continue;
                }
            };
            self.run_differences.extend(proven.differences);
            let currency = |period_id| {
                let row = proven.rows.periods.iter().find(|row| row.period_id == period_id)?;
                let plan = published.by_hash(row.plan().ok()?)?;
                Some(plan.currency().to_string())
            };
            for pool in &proven.rows.pools {
                let Some(currency) = currency(pool.period_id) else { continue };
                let house = [
                    (Account::CommissionExpense, pool.pool.decimal()),
                    (Account::Breakage, -pool.breakage.decimal()),
                    (Account::Rounding, -pool.rounding.decimal()),
                ];
                for (account, amount) in house {
                    self.replayed.add(account.name(), "", &currency, amount);
                }
            }
            for award in &proven.rows.awards {
                let Some(currency) = currency(award.period_id) else { continue };
                let (payable, amount) = (Account::CommissionPayable.name(), -award.amount.decimal());
                self.replayed.add(payable, award.distributor.as_str(), &currency, amount);
            }
        }
        Ok(())
    }

    fn compare(&mut self, store: &str, external_id: &str, what: &str, stored: &str, replayed: &str) {
        if stored != replayed {
            self.differ(store, external_id, what, stored, replayed);
        }
    }

    fn differ(&mut self, store: &str, external_id: &str, what: &str, stored: &str, replayed: &str) {
        self.differences.push(Difference {
            store: store.to_owned(),
            external_id: external_id.to_owned(),
            what: what.to_owned(),
            stored: stored.to_owned(),
            replayed: replayed.to_owned(),
        });
    }
}
