//! Periods of a running app: closed as two people close them, and what the tables say of them afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::Jsonb;
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::{Decimal, dec};
use serde::Deserialize;
use serde_json::Value;
use upline::clock::Clock;
use upline::core::ids::DistributorId;
use upline::core::period::{CarriedStanding, Lot, Span};
use upline::db::{DbError, Lane, Tx};
use upline::periods::{self, PeriodProblem, RunKind, RunStatus, Status, StopLoss, Worker};
use upline::plans::Published;
use upline::scenario::{Earner, OfPeriod, Part, StandingVolume};
use uuid::Uuid;

use super::hosted::RunningApp;
use super::wait;

const FIRST: &str = "anna@example.com";
const SECOND: &str = "ben@example.com";
/// Scenarios pay out as much as they like.
const NO_LIMIT: StopLoss = StopLoss { most: dec!(1), is_acknowledged: true, leaves_out: true };

/// The calendar begins with this period and not with today's.
pub fn begin(tx: &mut Tx<'_>, published: &Published, first: &Span) -> Result<(), DbError> {
    periods::ensure(tx, published, first.start).map(drop)
}

/// Closes a period: soft close, freeze, official run, a second person's approval, posting.
pub fn close(app: &RunningApp, name: &str) -> Result<(), String> {
    app.write(|tx| {
        let published = app.books.plans.get(tx.conn)?;
        periods::ensure(tx, &published, now())
    });
    act(app, |tx, _| periods::soft_close(tx, name, true, FIRST, now()))?;
    act(app, |tx, published| periods::freeze(tx, published, name, FIRST, now()))?;
    run(app, name, RunKind::Official)
}

/// Posts into the first open period what has changed of the closed ones.
pub fn adjust(app: &RunningApp) -> Result<(), String> {
    let periods = app.db.read(Lane::Admin, periods::periods).unwrap();
    let open = periods.iter().find(|period| period.status == Status::Open).ok_or("no period is open")?;
    run(app, &open.name, RunKind::Adjustment)
}

fn run(app: &RunningApp, name: &str, kind: RunKind) -> Result<(), String> {
    let run = act(app, |tx, published| periods::start_run(tx, published, name, kind, FIRST, now()))?;
    let worker = Worker::new(app.db.clone(), app.books.plans.clone(), Clock::system());
    worker.work_once().unwrap();
    wait::until("a calculated run", Duration::from_secs(60), || calculated(app, run))?;
    act(app, |tx, _| periods::approve(tx, run, NO_LIMIT, SECOND, now()))?;
    act(app, |tx, published| periods::post(tx, published, run, SECOND, now()))?;
    app.drain();
    Ok(())
}

fn calculated(app: &RunningApp, run: Uuid) -> Option<Result<(), String>> {
    let run = app.db.read(Lane::Admin, |conn| periods::run(conn, run)).unwrap()?;
    match run.status {
        RunStatus::Review => Some(Ok(())),
        RunStatus::Failed => Some(Err(run.problem.unwrap_or_default())),
        _ => None,
    }
}

fn act<T>(
    app: &RunningApp,
    mut work: impl FnMut(&mut Tx<'_>, &Published) -> Result<T, PeriodProblem>,
) -> Result<T, String> {
    let mut refused = None;
    let done = app.db.transact(Lane::Admin, |tx| {
        let published = app.books.plans.get(tx.conn)?;
        work(tx, &published).map_err(|problem| match problem {
            PeriodProblem::Db(error) => error,
            other => {
                refused = Some(other.to_string());
                DbError::Invariant(other.to_string())
            }
        })
    });
    done.map_err(|error| refused.take().unwrap_or_else(|| error.to_string()))
}

fn now() -> DateTime<Utc> {
    Clock::system().now()
}

/// All closed periods, the oldest first.
pub struct ClosedPeriods(Vec<Closed>);

#[derive(Deserialize)]
struct Closed {
    name: String,
    /// Of all posted runs.
    awards: Vec<Award>,
    /// Of the run that closed it, as are the following.
    cuts: Vec<CutRow>,
    pools: Vec<PoolRow>,
    standings: BTreeMap<String, StandingRow>,
    /// What it leaves to the next by now.
    carried: BTreeMap<String, CarriedStanding>,
    lots: Vec<Lot>,
}

#[derive(Deserialize)]
struct Award {
    no: i32,
    is_first: bool,
    bonus: String,
    distributor: String,
    position: String,
    amount: Decimal,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct CutRow {
    no: i32,
    by: String,
    amount: Decimal,
}

#[derive(Deserialize)]
struct PoolRow {
    bonus: String,
    pool: Decimal,
    paid: Decimal,
    breakage: Decimal,
    rounding: Decimal,
}

#[derive(Deserialize)]
struct StandingRow {
    active: bool,
    pv: Decimal,
    gv: Decimal,
    pgv: Decimal,
    paid_as: Option<String>,
    title: Option<String>,
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Jsonb)]
    told: Value,
}

const EVERYTHING: &str = "
select coalesce(jsonb_agg(jsonb_build_object(
  'name', p.name,
  'awards', (select coalesce(jsonb_agg(jsonb_build_object('no', a.award_no, 'is_first', a.run_id = p.run_id,
      'bonus', a.bonus, 'distributor', a.distributor_id, 'position', a.position, 'amount', a.amount::text,
      'kind', a.kind)), '[]')
    from run_awards a join runs r using (run_id) where a.period_id = p.period_id and r.status = 'posted'),
  'cuts', (select coalesce(jsonb_agg(jsonb_build_object('no', award_no, 'by', cut_by, 'amount', amount::text)), '[]')
    from run_cuts where run_id = p.run_id),
  'pools', (select coalesce(jsonb_agg(jsonb_build_object('bonus', bonus, 'pool', pool::text, 'paid', paid::text,
      'breakage', breakage::text, 'rounding', rounding::text)), '[]')
    from run_pools w where w.run_id = p.run_id and w.period_id = p.period_id),
  'standings', (select coalesce(jsonb_object_agg(distributor_id, jsonb_build_object('active', active,
      'pv', pv::text, 'gv', gv::text, 'pgv', pgv::text, 'paid_as', paid_as, 'title', title)), '{}')
    from run_standings s where s.run_id = p.run_id and s.period_id = p.period_id),
  'carried', (select coalesce(jsonb_object_agg(distributor_id, carried), '{}')
    from run_standings s where s.run_id = c.run_id and s.period_id = p.period_id),
  'lots', (select coalesce(jsonb_agg(jsonb_build_object('bonus', bonus, 'position', position, 'side', side,
      'age', age, 'period', period, 'volume', volume::text)), '[]')
    from run_lots l where l.run_id = c.run_id and l.period_id = p.period_id)
  ) order by p.starts_at), '[]') as told
from periods p
left join lateral (
  select o.run_id from run_periods o join runs r using (run_id)
  where o.period_id = p.period_id and o.carries and r.status = 'posted' order by r.post_no desc limit 1) c on true
where p.status = 'closed'";

type Difference = (String, String);

impl ClosedPeriods {
    pub fn load(conn: &mut PgConnection) -> Result<Self, DbError> {
        let told: Told = sql_query(EVERYTHING).get_result(conn)?;
        Ok(Self(serde_json::from_value(told.told)?))
    }

    pub fn earned(&self, distributor: &DistributorId) -> Decimal {
        let awards = self.0.iter().flat_map(|closed| &closed.awards);
        awards.filter(|award| award.distributor == distributor.as_str()).map(|award| award.amount).sum()
    }

    fn find(&self, name: Option<&str>) -> Result<&Closed, Difference> {
        let found = match name {
            Some(name) => self.0.iter().find(|closed| closed.name == name),
            None => self.0.last(),
        };
        found.ok_or_else(|| (format!("{name:?} to be closed"), "it is not".to_owned()))
    }

    pub fn check(&self, expected: &OfPeriod) -> Result<(), Difference> {
        match expected {
            OfPeriod::Pays { period, bonus, earner, amount } => {
                let found = self.find(Some(period))?.posted(bonus, earner).map(|award| award.amount).sum();
                same(&format!("{period}: {bonus} to pay {earner}"), *amount, found)
            }
            OfPeriod::PaysInAll { period, amount } => {
                let found = self.find(Some(period))?.awards.iter().map(|award| award.amount).sum();
                same(&format!("{period}: commissions of"), *amount, found)
            }
            OfPeriod::Share { period, part, bonus, amount } => {
                let pools = self.find(Some(period))?.pools.iter().filter(|pool| pool.bonus == *bonus);
                let found = pools.map(|pool| match part {
                    Part::Pool => pool.pool,
                    Part::Paid => pool.paid,
                    Part::Breakage => pool.breakage,
                    Part::Rounding => pool.rounding,
                });
                same(&format!("{period}: the {part:?} of {bonus} to be"), *amount, found.sum())
            }
            OfPeriod::Cut { period, bonus, earner, amount, by } => {
                let closed = self.find(Some(period))?;
                let awards: Vec<i32> = closed
                    .posted(bonus, earner)
                    .filter(|award| award.is_first)
                    .map(|award| award.no)
                    .collect();
                let cuts = closed.cuts.iter().filter(|cut| cut.by == *by && awards.contains(&cut.no));
                let what = format!("{period}: {by} to take from {earner}, of {bonus},");
                same(&what, *amount, cuts.map(|cut| cut.amount).sum())
            }
            OfPeriod::Events { period, counts } => {
                let closed = self.find(Some(period))?;
                counts.iter().try_for_each(|(kind, count)| {
                    let kinds =
                        closed.awards.iter().filter(|award| award.kind.as_deref() == Some(kind.name()));
                    let (found, told) =
                        (kinds.count(), |count: usize| format!("{count} {} posted", kind.name()));
                    if found == *count { Ok(()) } else { Err((told(*count), told(found))) }
                })
            }
            _ => self.check_standing(expected),
        }
    }

    fn check_standing(&self, expected: &OfPeriod) -> Result<(), Difference> {
        match expected {
            OfPeriod::Rank { distributor, rank, period } => {
                let found = self.find(period.as_deref())?.of(distributor).and_then(|row| row.paid_as.clone());
                equal(&format!("{distributor} to be paid as"), rank, &found)
            }
            OfPeriod::Title { distributor, rank, period } => {
                let found = self.find(period.as_deref())?.of(distributor).and_then(|row| row.title.clone());
                equal(&format!("{distributor} to be titled"), rank, &found)
            }
            OfPeriod::Active { distributor, active, period } => {
                let found = self.find(period.as_deref())?.of(distributor).is_some_and(|row| row.active);
                equal(&format!("{distributor} to be active"), active, &found)
            }
            OfPeriod::Standing { distributor, volume, amount, period } => {
                let closed = self.find(period.as_deref())?;
                let row = closed.of(distributor);
                let found = match volume {
                    StandingVolume::Pv => row.map(|row| row.pv),
                    StandingVolume::Gv => row.map(|row| row.gv),
                    StandingVolume::Pgv => row.map(|row| row.pgv),
                    StandingVolume::CumulativeGv => {
                        let carried = closed.carried.get(distributor.as_str());
                        carried.map(|carried| carried.cumulative_gv.decimal())
                    }
                    // No table keeps it: it decides, and what it decides is expected elsewhere.
                    StandingVolume::CustomerPv => return Ok(()),
                };
                same(&format!("a {} of {distributor} of", volume.name()), *amount, found.unwrap_or_default())
            }
            OfPeriod::Carry { bonus, position, side, amount } => {
                let lots = self.find(None)?.lots.iter();
                let lots =
                    lots.filter(|lot| (&lot.bonus, &lot.position, &lot.side) == (bonus, position, side));
                let what = format!("{bonus} to carry at {position}, side {side},");
                same(&what, *amount, lots.map(|lot| lot.volume.decimal()).sum())
            }
            OfPeriod::Advanced { distributor, bonus, rank, count } => {
                let carried = self.find(None)?.carried.get(distributor.as_str());
                let ranks = carried.and_then(|carried| carried.advanced.get(bonus));
                let found = ranks.and_then(|ranks| ranks.get(rank)).copied().unwrap_or(0);
                equal(&format!("times that {bonus} paid {distributor} for {rank}"), count, &found)
            }
            other => unreachable!("{other:?} is of a run"),
        }
    }
}

impl Closed {
    fn posted(&self, bonus: &str, earner: &Earner) -> impl Iterator<Item = &Award> {
        let is_theirs =
            move |award: &&Award| award.bonus == bonus && earner.is(&award.distributor, &award.position);
        self.awards.iter().filter(is_theirs)
    }

    fn of(&self, distributor: &DistributorId) -> Option<&StandingRow> {
        self.standings.get(distributor.as_str())
    }
}

fn same(what: &str, expected: Decimal, found: Decimal) -> Result<(), Difference> {
    equal(what, &expected.normalize(), &found.normalize())
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Result<(), Difference> {
    if expected == found { Ok(()) } else { Err((format!("{what} {expected:?}"), format!("{found:?}"))) }
}
