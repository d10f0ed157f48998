//! Periods from the first order to the posted run and what comes after it, through the real pipeline.

mod holds;
mod life;
mod refunds;
mod runs;
mod told;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use fastrand::Rng;
use rust_decimal::dec;
use upline::access::{self, AccessProblem, Role};
use upline::clock::Clock;
use upline::core::genealogy::{DistributorVersion, Status as StatusOf};
use upline::core::ids::{DistributorId, StoreId};
use upline::core::plan::Plan;
use upline::db::{DbError, Lane, Tx};
use upline::distributors::{self, Entry};
use upline::periods::{self, PeriodProblem, Run, RunKind, RunStatus, Status, StopLoss, Worker};
use upline::plans::{Plans, Published};
use upline::proof;
use uuid::Uuid;

use crate::support::payload::Order;
use crate::support::pipeline::Pipeline;
use crate::support::wait;

const STORE: StoreId = StoreId(1);
/// Paid by the close, by bonus and distributor.
const BY_RUNS: &str =
    "select string_agg(bonus || ' ' || distributor_id || ' ' || s, ', ' order by bonus, distributor_id) from
    (select bonus, distributor_id, sum(amount)::numeric(20,2) as s from commission_events
     where line = '' group by 1, 2 having sum(amount) <> 0) t";
/// Everything that anybody has in the end.
const PAYABLE: &str = "select string_agg(distributor_id || ' ' || s, ', ' order by distributor_id) from
    (select distributor_id, -sum(amount)::numeric(20,2) as s from postings
     where distributor_id is not null group by 1 having sum(amount) <> 0) t";
const NOVEMBER: &str = "2026-11";
const DECEMBER: &str = "2026-12";

/// Levels and a stairstep at the close, a direct bonus that stays and one that has to be confirmed, a pool by rank
/// and a match.
fn plan(policy: &str, direct: &str) -> String {
    format!(
        r#"
[plan]
id = "periods"
name = "Periods"
currency = "USD"
[rounding]
mode = "half_up"
stage = "line"
[period]
cadence = "month"
zone = "UTC"
[refunds]
policy = "{policy}"
[standing]
default_rank = "member"
[[rank]]
id = "member"
[[rank]]
id = "silver"
achieve = {{ gv = "250" }}
[[class]]
id = "supplement"
pv = {{ of_net = "1" }}
qv = {{ of_net = "1" }}
cv = {{ of_net = "1" }}
[[bonus]]
id = "direct"
family = "direct"
base = "net"
rates = "{direct}"
[[bonus]]
id = "soon"
family = "direct"
base = "cv"
rates = "0.02"
provisional = true
requires = {{ pv = "100" }}
[[bonus]]
id = "levels"
family = "unilevel"
base = "cv"
pays = "period"
rates = ["0.05", "0.03"]
[[bonus]]
id = "step"
family = "differential"
base = "cv"
by = "gv"
brackets = [{{ from = "100", rate = "0.05" }}, {{ from = "300", rate = "0.10" }}]
[[bonus]]
id = "match"
family = "matching"
of = ["levels"]
by = "level"
rates = ["0.10"]
[[bonus]]
id = "leaders"
family = "pool"
base = "cv"
share = "0.02"
shares = {{ silver = "1" }}
"#
    )
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// When November is closed.
fn december() -> DateTime<Utc> {
    at("2026-12-03T10:00:00Z")
}

/// 1 <- 2 <- 3 <- 4 and 1 <- 5.
pub struct Company {
    pub pipeline: Pipeline,
    plans: Arc<Plans>,
}

impl Company {
    pub fn new(policy: &str) -> Self {
        let pipeline = Pipeline::new();
        pipeline.add_store("main");
        pipeline.publish(&plan(policy, "0.10"), "2020-01-01T00:00:00Z");
        pipeline.map("A1", "supplement");
        for (id, sponsor) in
            [("1", None), ("2", Some("1")), ("3", Some("2")), ("4", Some("3")), ("5", Some("1"))]
        {
            pipeline.enroll(id, sponsor);
        }
        Self { pipeline, plans: Arc::default() }
    }

    pub fn tell(&self, bodies: &[String]) {
        self.pipeline.accept(STORE, bodies);
        self.pipeline.drain();
    }

    /// With the periods up to `now`.
    fn ensure(&self, now: DateTime<Utc>) {
        let published = self.published();
        self.pipeline.db.transact(Lane::Admin, |tx| periods::ensure(tx, &published, now)).unwrap();
    }

    fn published(&self) -> Arc<Published> {
        self.pipeline.db.read(Lane::Admin, |conn| self.plans.get(conn)).unwrap()
    }

    fn change<T>(
        &self,
        mut work: impl FnMut(&mut Tx<'_>, &Published) -> Result<T, PeriodProblem>,
    ) -> Result<T, PeriodProblem> {
        let published = self.published();
        upline::cli::transact(&self.pipeline.db, |tx| work(tx, &published))
    }

    #[track_caller]
    fn refused<T>(&self, why: &str, work: impl FnMut(&mut Tx<'_>, &Published) -> Result<T, PeriodProblem>) {
        let Err(problem) = self.change(work) else { panic!("it should be refused: {why}") };
        assert!(problem.to_string().contains(why), "{problem}");
    }

    fn add_user(&self, email: &str, role: Role, password: &str) {
        let hashed = access::password::hash(password).unwrap();
        let add = |tx: &mut Tx<'_>| {
            let user = access::add_user(tx, email, role, "test", december())?;
            access::set_password(tx, user.user_id, &hashed, &[], "test", december())
        };
        upline::cli::transact::<_, AccessProblem>(&self.pipeline.db, add).unwrap();
    }

    fn worker(&self, now: DateTime<Utc>) -> Worker {
        Worker::new(self.pipeline.db.clone(), self.plans.clone(), Clock::fixed(now))
    }

    fn freeze(&self, name: &str, now: DateTime<Utc>) {
        self.ensure(now);
        self.change(|tx, _| periods::soft_close(tx, name, false, "ann", now)).unwrap();
        self.change(|tx, published| periods::freeze(tx, published, name, "ann", now)).unwrap();
    }

    fn start(&self, name: &str, kind: RunKind, now: DateTime<Utc>) -> Uuid {
        self.change(|tx, published| periods::start_run(tx, published, name, kind, "ann", now)).unwrap()
    }

    /// Started and calculated.
    #[track_caller]
    fn calculated(&self, name: &str, kind: RunKind, now: DateTime<Utc>) -> Run {
        let run = self.start(name, kind, now);
        assert!(self.worker(now).work_once().unwrap());
        let run = self.run(run);
        assert_eq!(run.status, RunStatus::Review, "{:?}", run.problem);
        run
    }

    fn run(&self, run: Uuid) -> Run {
        self.pipeline.db.read(Lane::Admin, |conn| periods::run(conn, run)).unwrap().unwrap()
    }

    fn approve_and_post(&self, run: Uuid, now: DateTime<Utc>) -> Run {
        let stop_loss = StopLoss { most: dec!(0.60), is_acknowledged: false, leaves_out: false };
        self.change(|tx, _| periods::approve(tx, run, stop_loss, "bob", now)).unwrap();
        self.change(|tx, published| periods::post(tx, published, run, "bob", now)).unwrap()
    }

    pub fn close(&self, name: &str, now: DateTime<Utc>) -> Run {
        self.freeze(name, now);
        let run = self.calculated(name, RunKind::Official, now);
        self.approve_and_post(run.run_id, now)
    }

    pub fn adjust(&self, into: &str, now: DateTime<Utc>) -> Run {
        let run = self.calculated(into, RunKind::Adjustment, now);
        self.approve_and_post(run.run_id, now)
    }

    fn status(&self, name: &str) -> Status {
        let all = self.pipeline.db.read(Lane::Admin, periods::periods).unwrap();
        all.into_iter().find(|period| period.name == name).unwrap().status
    }

    #[track_caller]
    pub fn check(&self) {
        assert_eq!(self.pipeline.ask("select coalesce(sum(amount), 0)::int from postings"), "0");
        let verified = self.pipeline.verify();
        assert!(verified.is_clean(), "{:?}", verified.problems);
        let replayed = self.pipeline.replay();
        assert!(replayed.is_clean(), "{:?} {:?}", replayed.differences, replayed.run_differences);
    }
}

fn order(id: u64, net: &str, distributor: &str) -> Order<'static> {
    let (net, distributor): (&'static str, &'static str) =
        (Box::leak(net.to_owned().into()), Box::leak(distributor.to_owned().into()));
    Order { id, net, total: net, distributor: Some(distributor), ..Order::default() }
}

fn november_orders() -> Vec<String> {
    vec![
        order(1, "100.00", "4").body(),
        order(2, "80.00", "3").body(),
        order(3, "150.00", "5").body(),
        order(4, "60.50", "4").body(),
    ]
}

/// All that the plan pays in November. 3 has sold too little to keep what it was given at once.
const NOVEMBER_PAYS: &str = "leaders 1 7.81, levels 1 9.90, levels 2 8.82, levels 3 8.03, match 1 0.88, match 2 0.80, \
                             soon 3 -1.60, step 1 19.53, step 3 4.00, step 4 8.03, step 5 7.50";
