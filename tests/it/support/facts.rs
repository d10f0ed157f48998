//! What a running app knows of the orders of one store, read from its tables, beside what a scenario expects.

use std::collections::BTreeMap;

use diesel::sql_types::{Array, Numeric, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use upline::commissions::{self, CalcSnapshot, StoredEvent};
use upline::core::engine::Calculation;
use upline::db::DbError;
use upline::scenario::{Expectation, Part, VerdictWord, Volume};
use uuid::Uuid;

use super::closed::ClosedPeriods;

pub struct Facts {
    /// By the store's own id.
    orders: BTreeMap<String, Known>,
    periods: ClosedPeriods,
}

pub struct Known {
    pub order_id: Uuid,
    status: String,
    /// Of a hold or an exemption; sorted, each once.
    reasons: Vec<String>,
    net: Decimal,
    events: Vec<StoredEvent>,
    calculation: Option<Calculation>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Numeric)]
    net: Decimal,
    #[diesel(sql_type = Array<Text>)]
    reasons: Vec<String>,
}

/// What was expected and what was found.
type Difference = (String, String);

impl Facts {
    pub fn load(conn: &mut PgConnection, store: &str) -> Result<Self, DbError> {
        let rows: Vec<Row> = sql_query(
            "select o.order_id, o.external_id, o.status, o.net,
                    array(select distinct r from (select unnest(o.exemptions) union all
                          select h.reason from holds h where h.order_id = o.order_id) t(r) order by r) as reasons
             from orders o join stores s using (store_id) where s.slug = $1",
        )
        .bind::<Text, _>(store)
        .load(conn)?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.order_id).collect();
        let mut events: BTreeMap<Uuid, Vec<StoredEvent>> = BTreeMap::new();
        for event in commissions::events_of(conn, &ids)? {
            events.entry(event.order_id).or_default().push(event);
        }
        // By number, so that the latest is what stays.
        let mut calculations = BTreeMap::new();
        for (stored, snapshot) in commissions::calculations(conn, &ids)? {
            calculations
                .insert(stored.order_id, serde_json::from_value::<CalcSnapshot>(snapshot)?.calculation);
        }
        let known = |row: Row| {
            let Row { order_id, external_id, status, net, reasons } = row;
            let events = events.remove(&order_id).unwrap_or_default();
            let calculation = calculations.remove(&order_id).flatten();
            (external_id, Known { order_id, status, reasons, net, events, calculation })
        };
        let orders = rows.into_iter().map(known).collect();
        Ok(Self { orders, periods: ClosedPeriods::load(conn)? })
    }

    pub fn order(&self, external_id: &str) -> Option<&Known> {
        self.orders.get(external_id)
    }

    /// Verdict, net and what is posted in sum, as lines that can be compared: not the way that led there.
    pub fn outcome(&self) -> Vec<String> {
        let mut lines = vec![];
        for (id, known) in &self.orders {
            lines.push(format!("{id} is {} {:?} net {}", known.status, known.reasons, known.net.normalize()));
            let mut sums = BTreeMap::new();
            for event in &known.events {
                let key = (&event.line, &event.bonus, event.level, &event.distributor_id);
                *sums.entry(key).or_insert(Decimal::ZERO) += event.amount;
            }
            sums.retain(|_, sum| !sum.is_zero());
            lines.extend(sums.iter().map(|(key, sum)| format!("{id} pays {key:?} {}", sum.normalize())));
            for share in known.calculation.iter().flat_map(|calculation| &calculation.pools) {
                lines.push(format!("{id} shares {share:?}"));
            }
        }
        lines
    }

    pub fn check(&self, expectation: &Expectation) -> Result<(), Difference> {
        let order = match expectation {
            Expectation::Earned { distributor, amount } => {
                let all = self.orders.values().flat_map(|known| &known.events);
                let of_orders = all.filter(|event| event.distributor_id == distributor.as_str());
                let of_orders: Decimal = of_orders.map(|event| event.amount).sum();
                return same("earned", *amount, of_orders + self.periods.earned(distributor));
            }
            Expectation::Held { amount } => {
                let held = self.orders.values().filter(|known| known.status == "held");
                return same("a held value of", *amount, held.map(|known| known.net).sum());
            }
            Expectation::Period(expected) => return self.periods.check(expected),
            Expectation::Verdict { order, .. }
            | Expectation::Net { order, .. }
            | Expectation::Pays { order, .. }
            | Expectation::PaysInAll { order, .. }
            | Expectation::Share { order, .. }
            | Expectation::Volume { order, .. }
            | Expectation::Events { order, .. }
            | Expectation::Finds { order, .. } => order,
        };
        let missing = || (format!("an order {order}"), "no such order".to_owned());
        self.order(order).ok_or_else(missing)?.check(expectation)
    }
}

impl Known {
    fn check(&self, expectation: &Expectation) -> Result<(), Difference> {
        match expectation {
            Expectation::Verdict { verdict, reasons, .. } => self.check_verdict(*verdict, reasons),
            Expectation::Net { amount, .. } => same("a net of", *amount, self.net),
            Expectation::PaysInAll { amount, .. } => {
                same("commissions of", *amount, self.events.iter().map(|event| event.amount).sum())
            }
            Expectation::Pays { bonus, level, distributor, amount, line, .. } => {
                let ours = self.events.iter().filter(|event| {
                    event.bonus == *bonus
                        && u16::try_from(event.level) == Ok(*level)
                        && event.distributor_id == distributor.as_str()
                        && line.as_ref().is_none_or(|line| *line == event.line)
                });
                let what = format!("{bonus} level {level} to pay {distributor}");
                same(&what, *amount, ours.map(|event| event.amount).sum())
            }
            Expectation::Share { part, bonus, amount, .. } => {
                let pools = self.calculation.iter().flat_map(|calculation| &calculation.pools);
                let found = pools.filter(|share| share.bonus == *bonus).map(|share| match part {
                    Part::Pool => share.pool,
                    Part::Paid => share.paid,
                    Part::Breakage => share.breakage,
                    Part::Rounding => share.rounding,
                });
                same(&format!("{part:?} of {bonus}"), *amount, found.sum())
            }
            Expectation::Volume { volume, amount, .. } => {
                let lines = self.calculation.iter().flat_map(|calculation| &calculation.lines);
                let found = lines.map(|line| match volume {
                    Volume::Pv => line.volumes.pv,
                    Volume::Qv => line.volumes.qv,
                    Volume::Cv => line.volumes.cv,
                });
                same(&format!("{volume:?}"), *amount, found.sum())
            }
            Expectation::Events { counts, .. } => counts.iter().try_for_each(|(kind, count)| {
                let found = self.events.iter().filter(|event| event.kind == kind.name()).count();
                let told = |count: usize| format!("{count} {} posted", kind.name());
                if found == *count { Ok(()) } else { Err((told(*count), told(found))) }
            }),
            Expectation::Finds { bonus, distributor, finding, .. } => {
                let walks = self.calculation.iter().flat_map(|calculation| &calculation.walks);
                let mut visited = walks.filter(|walk| walk.bonus == *bonus).flat_map(|walk| &walk.visited);
                let seen = visited.find(|visited| visited.distributor == *distributor);
                let found = seen.map_or("not_visited", |visited| visited.finding.name());
                let expected = || format!("{bonus} to find {distributor} {finding}");
                if found == finding { Ok(()) } else { Err((expected(), found.to_owned())) }
            }
            Expectation::Earned { .. } | Expectation::Held { .. } | Expectation::Period(_) => {
                unreachable!("these are of no order")
            }
        }
    }

    fn check_verdict(&self, verdict: VerdictWord, reasons: &[String]) -> Result<(), Difference> {
        let word = match verdict {
            VerdictWord::Awaiting => "awaiting",
            VerdictWord::Commissionable => "commissionable",
            VerdictWord::Exempt => "exempt",
            VerdictWord::Held => "held",
        };
        let mut expected = reasons.to_vec();
        expected.sort();
        if self.status == word && (expected.is_empty() || expected == self.reasons) {
            return Ok(());
        }
        Err((format!("{word} {expected:?}"), format!("{} {:?}", self.status, self.reasons)))
    }
}

fn same(what: &str, expected: Decimal, found: Decimal) -> Result<(), Difference> {
    if expected == found {
        Ok(())
    } else {
        Err((format!("{what} {expected}"), found.normalize().to_string()))
    }
}
