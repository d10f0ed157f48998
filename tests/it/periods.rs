//! Periods from the first order to the posted run and what comes after it, through the real pipeline.

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
struct Company {
    pipeline: Pipeline,
    plans: Arc<Plans>,
}

impl Company {
    fn new(policy: &str) -> Self {
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

    fn tell(&self, bodies: &[String]) {
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

    fn close(&self, name: &str, now: DateTime<Utc>) -> Run {
        self.freeze(name, now);
        let run = self.calculated(name, RunKind::Official, now);
        self.approve_and_post(run.run_id, now)
    }

    fn adjust(&self, into: &str, now: DateTime<Utc>) -> Run {
        let run = self.calculated(into, RunKind::Adjustment, now);
        self.approve_and_post(run.run_id, now)
    }

    fn status(&self, name: &str) -> Status {
        let all = self.pipeline.db.read(Lane::Admin, periods::periods).unwrap();
        all.into_iter().find(|period| period.name == name).unwrap().status
    }

    #[track_caller]
    fn check(&self) {
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

#[test]
fn a_period_is_closed_under_review_and_posted_once() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let now = december();
    company.ensure(now);
    assert_eq!(
        company.pipeline.ask("select string_agg(name, ' ' order by name) from periods"),
        "2026-11 2026-12"
    );
    company.refused("goes on until 2026-12-01", |tx, _| {
        periods::soft_close(tx, NOVEMBER, false, "ann", at("2026-11-30T23:59:59Z"))
    });
    company.refused("is open; first run `upline period soft-close 2026-11`", |tx, published| {
        periods::freeze(tx, published, NOVEMBER, "ann", now)
    });
    company.refused("an official run needs it frozen", |tx, published| {
        periods::start_run(tx, published, NOVEMBER, RunKind::Official, "ann", now)
    });
    company.refused("there is no period \"2025-01\"", |tx, _| {
        periods::soft_close(tx, "2025-01", false, "ann", now)
    });

    // To look at before, and thrown away.
    let look = company.calculated(NOVEMBER, RunKind::Unofficial, now);
    company.refused("unofficial", |tx, _| {
        let stop_loss = StopLoss { most: dec!(1), is_acknowledged: true, leaves_out: false };
        periods::approve(tx, look.run_id, stop_loss, "bob", now)
    });
    company.change(|tx, _| periods::discard(tx, look.run_id, "ann", now)).unwrap();

    company.freeze(NOVEMBER, now);
    let run = company.calculated(NOVEMBER, RunKind::Official, now);
    assert_eq!(run.result_hash, look.result_hash, "nothing has happened in between");
    let summary = periods::summary(&run).unwrap();
    assert_eq!(summary.totals.cv.decimal(), dec!(390.50));
    assert_eq!(summary.totals.paid_by_orders.decimal(), dec!(46.86));
    assert_eq!(summary.totals.paid.decimal(), dec!(73.70));
    assert_eq!(summary.totals.share, Some(dec!(0.3087)));
    assert_eq!((summary.active, summary.earners, summary.zero_earners), (5, 5, 0));
    assert!(summary.carried && summary.held.is_empty() && summary.variance.is_empty());

    let approve = |by: &'static str, most, is_acknowledged| {
        move |tx: &mut Tx<'_>, _: &Published| {
            periods::approve(
                tx,
                run.run_id,
                StopLoss { most, is_acknowledged, leaves_out: false },
                by,
                december(),
            )
        }
    };
    company.refused("the run is not approved", |tx, published| {
        periods::post(tx, published, run.run_id, "bob", now)
    });
    company.refused(
        "ann has started this run, so somebody else has to approve it",
        approve(" Ann ", dec!(1), false),
    );
    company.refused("30.87% of CV, above the limit of 30%", approve("bob", dec!(0.30), false));
    company.change(approve("bob", dec!(0.30), true)).unwrap();
    company.refused("is approved; first run", |tx, _| periods::unfreeze(tx, NOVEMBER, "a test", "ann", now));
    company.change(|tx, published| periods::post(tx, published, run.run_id, "bob", now)).unwrap();
    company.refused("a run is posted once", |tx, published| {
        periods::post(tx, published, run.run_id, "bob", now)
    });
    company.refused("nothing posted is ever changed", |tx, _| periods::discard(tx, run.run_id, "ann", now));
    company.refused("is closed and stays so", |tx, _| periods::unfreeze(tx, NOVEMBER, "a test", "ann", now));

    assert_eq!(company.status(NOVEMBER), Status::Closed);
    assert_eq!(company.pipeline.ask(BY_RUNS), NOVEMBER_PAYS);
    assert_eq!(
        company.pipeline.ask(
            "select string_agg(distinct kind, ' ' order by kind) from commission_events where line = ''"
        ),
        "earn forfeit"
    );
    assert_eq!(
        company.pipeline.ask(
            "select string_agg(change || ' ' || changed_by, ', ' order by change_no) from period_changes
             join periods using (period_id) where name = '2026-11'"
        ),
        "created calendar, soft_closed ann, frozen ann, closed bob"
    );
    assert_eq!(
        company
            .pipeline
            .ask("select string_agg(action, ' ' order by audit_id) from audit_log where action like 'run.%'"),
        "run.start run.discard run.start run.approve run.post"
    );
    company.check();
}

#[test]
fn periods_follow_each_other_without_a_gap_whatever_the_plan() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let weekly = plan("now", "0.10").replace("cadence = \"month\"", "cadence = \"week\"");
    company.pipeline.publish(&weekly, "2026-11-20T00:00:00Z");
    company.pipeline.publish(&plan("now", "0.10"), "2026-12-09T00:00:00Z");
    company.ensure(at("2026-12-20T10:00:00Z"));
    let all = "select string_agg(concat_ws(' ', name, to_char(starts_at, 'MM-DD')), ', ' order by starts_at) from periods";
    assert_eq!(
        company.pipeline.ask(all),
        "2026-11 11-01, 2026-W49 12-01, 2026-W50 12-07, 2026-12 12-14",
        "what a calendar has begun ends by it"
    );
    company.ensure(at("2027-01-01T00:00:00Z"));
    company.ensure(at("2027-01-01T00:00:00Z"));
    assert_eq!(company.pipeline.ask("select max(name) || ' ' || count(*) from periods"), "2027-01 5");
    let gaps = "select count(*) from periods p where not exists (select from periods n where n.starts_at = p.ends_at)";
    assert_eq!(company.pipeline.ask(gaps), "1");
}

#[test]
fn orders_of_an_earlier_time_have_periods_of_their_own_until_one_is_closed() {
    let company = Company::new("now");
    let all = "select string_agg(name, ' ' order by starts_at) from periods";
    company.ensure(december());
    assert_eq!(company.pipeline.ask(all), "2026-12");
    company.tell(&[Order { created: "2026-10-30T09:00:00", ..order(1, "10.00", "4") }.body()]);
    company.ensure(december());
    assert_eq!(company.pipeline.ask(all), "2026-10 2026-11 2026-12");
    company.change(|tx, _| periods::soft_close(tx, "2026-10", true, "ann", december())).unwrap();
    company.tell(&[Order { created: "2026-09-30T09:00:00", ..order(2, "10.00", "4") }.body()]);
    company.ensure(december());
    assert_eq!(company.pipeline.ask(all), "2026-10 2026-11 2026-12");
    let look = company.calculated(NOVEMBER, RunKind::Unofficial, december());
    assert_eq!(
        periods::summary(&look).unwrap().totals.cv.decimal(),
        dec!(10.00),
        "it was told too late for October"
    );
}

#[test]
fn ranks_that_a_period_decides_hold_from_its_end_on() {
    let company = Company::new("now");
    company.tell(&november_orders());
    // Recorded before the close, true only after it: it knows nothing of the rank to come.
    let later = Entry {
        version: DistributorVersion {
            id: DistributorId::new("1"),
            sponsor: None,
            status: StatusOf::Suspended,
            rank: None,
            from: Some(at("2026-12-10T00:00:00Z")),
            enrolled_at: Some(at("2020-01-01T00:00:00Z")),
        },
        country: None,
        tax_id: None,
        name: None,
        email: None,
    };
    let record = |tx: &mut Tx<'_>| {
        distributors::record(tx, std::slice::from_ref(&later), "test", at("2026-11-21T12:00:00Z"))
            .map_err(|e| DbError::Invariant(format!("{e:?}")))
    };
    company.pipeline.db.transact(Lane::Admin, record).unwrap();
    company.close(NOVEMBER, december());
    assert_eq!(
        company.pipeline.ask(
            "select string_agg(concat_ws(' ', to_char(effective_from, 'MM-DD'), rank, status, recorded_by), ', '
                               order by version_no)
             from distributor_versions where distributor_id = '1' and effective_from > '-infinity'"
        ),
        "12-10 suspended test, 12-01 silver active period 2026-11, 12-10 silver suspended period 2026-11"
    );
    assert_eq!(
        company.pipeline.ask("select string_agg(distributor_id || rank, ' ') from distributors"),
        "1silver"
    );
    // Once it is decided it is not decided again.
    company.close(DECEMBER, at("2027-01-03T10:00:00Z"));
    let decided =
        "select count(*) from distributor_versions where recorded_by = 'period 2026-12' and rank = 'silver'";
    assert_eq!(company.pipeline.ask(decided), "0");
    company.check();
}

#[test]
fn the_way_of_the_deliveries_changes_no_result() {
    let refunded = Order { modified: "2026-11-05T10:00:00", refunds: &["33.33"], ..order(3, "150.00", "5") };
    let bodies: Vec<String> = november_orders().into_iter().chain([refunded.body()]).collect();
    let close = |bodies: &[String], one_by_one: bool| {
        let company = Company::new("now");
        match one_by_one {
            true => bodies.iter().for_each(|body| company.tell(std::slice::from_ref(body))),
            false => company.tell(bodies),
        }
        company.freeze(NOVEMBER, december());
        company.calculated(NOVEMBER, RunKind::Official, december()).result_hash.unwrap()
    };
    let clean = close(&bodies, false);
    let mut rng = Rng::with_seed(20_261_121);
    for round in 0..3 {
        let mut shuffled: Vec<String> = bodies.iter().chain(&bodies).cloned().collect();
        rng.shuffle(&mut shuffled);
        assert_eq!(close(&shuffled, round % 2 == 0), clean);
    }
}

#[test]
fn late_orders_count_in_the_open_period_and_later_refunds_where_the_order_is() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let now = december();
    company.ensure(now);
    company.change(|tx, _| periods::soft_close(tx, NOVEMBER, false, "ann", now)).unwrap();
    // Of November's time, told in December; and a refund of a November order before the freeze.
    company.tell(&[order(5, "40.00", "4").body()]);
    company.tell(&[
        Order { modified: "2026-12-01T10:00:00", refunds: &["60.50"], ..order(4, "60.50", "4") }.body()
    ]);
    company.change(|tx, published| periods::freeze(tx, published, NOVEMBER, "ann", now)).unwrap();
    let run = company.calculated(NOVEMBER, RunKind::Official, now);
    assert_eq!(periods::summary(&run).unwrap().totals.cv.decimal(), dec!(330.00));
    company.approve_and_post(run.run_id, now);
    let look = company.calculated(DECEMBER, RunKind::Unofficial, now);
    assert_eq!(periods::summary(&look).unwrap().totals.cv.decimal(), dec!(40.00));
    // Its refund is December's too.
    company.tell(&[
        Order { modified: "2026-12-02T10:00:00", refunds: &["10.00"], ..order(5, "40.00", "4") }.body()
    ]);
    let look = company.calculated(DECEMBER, RunKind::Unofficial, now);
    assert_eq!(periods::summary(&look).unwrap().totals.cv.decimal(), dec!(30.00));
    let adjustment = company.calculated(DECEMBER, RunKind::Adjustment, now);
    assert!(periods::summary(&adjustment).unwrap().corrected.is_empty());
    company.check();
}

#[test]
fn refunding_every_order_leaves_nobody_anything_under_each_policy() {
    for policy in ["now", "same_period", "average_rate"] {
        let company = Company::new(policy);
        company.tell(&november_orders());
        company.close(NOVEMBER, december());
        // Some of it, then all of it; each time the difference is posted into December.
        let refund =
            |id, net: &'static str, who: &str, day: &'static str, amount: &'static [&'static str]| {
                Order { modified: day, refunds: amount, ..order(id, net, who) }.body()
            };
        company.tell(&[refund(1, "100.00", "4", "2026-12-04T10:00:00", &["50.00"])]);
        let first = company.adjust(DECEMBER, at("2026-12-05T10:00:00Z"));
        let corrected = periods::summary(&first).unwrap().corrected;
        assert_eq!(corrected.len(), 1);
        assert_eq!((corrected[0].period.as_str(), corrected[0].policy.as_str()), (NOVEMBER, policy));
        assert!(corrected[0].amount.decimal() < dec!(0), "{policy}");
        company.check();
        company.tell(&[
            refund(1, "100.00", "4", "2026-12-06T10:00:00", &["50.00", "50.00"]),
            refund(2, "80.00", "3", "2026-12-06T10:00:00", &["80.00"]),
            refund(3, "150.00", "5", "2026-12-06T10:00:00", &["150.00"]),
            Order { modified: "2026-12-06T10:00:00", status: "cancelled", ..order(4, "60.50", "4") }.body(),
        ]);
        company.adjust(DECEMBER, at("2026-12-07T10:00:00Z"));
        assert_eq!(company.pipeline.ask(BY_RUNS), "", "{policy}");
        assert_eq!(company.pipeline.ask(PAYABLE), "", "{policy}");
        assert_eq!(
            company.pipeline.ask(
                "select string_agg(distinct kind, ' ' order by kind) from commission_events where line = ''"
            ),
            "adjust clawback earn forfeit"
        );
        company.check();
        // Nothing is left to do.
        let none = company.calculated(DECEMBER, RunKind::Adjustment, at("2026-12-08T10:00:00Z"));
        assert!(periods::summary(&none).unwrap().corrected.is_empty());
    }
}

#[test]
fn refunds_before_the_close_leave_nothing_to_pay() {
    let company = Company::new("same_period");
    company.tell(&november_orders());
    company.tell(&[
        Order { modified: "2026-11-06T10:00:00", refunds: &["100.00"], ..order(1, "100.00", "4") }.body(),
        Order { modified: "2026-11-06T10:00:00", refunds: &["80.00"], ..order(2, "80.00", "3") }.body(),
        Order { modified: "2026-11-06T10:00:00", refunds: &["150.00"], ..order(3, "150.00", "5") }.body(),
        Order { modified: "2026-11-06T10:00:00", refunds: &["60.50"], ..order(4, "60.50", "4") }.body(),
    ]);
    company.close(NOVEMBER, december());
    assert_eq!(company.pipeline.ask(BY_RUNS), "");
    assert_eq!(company.pipeline.ask(PAYABLE), "");
    company.check();
}

#[test]
fn an_adjustment_is_calculated_on_what_is_posted() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.refused("no period is closed yet", |tx, published| {
        periods::ensure(tx, published, december())?;
        periods::start_run(tx, published, DECEMBER, RunKind::Adjustment, "ann", december())
    });
    company.close(NOVEMBER, december());
    company.tell(&[Order { created: "2026-12-02T09:00:00", ..order(6, "200.00", "4") }.body()]);
    company.tell(&[Order {
        modified: "2026-12-04T10:00:00",
        refunds: &["50.00"],
        ..order(1, "100.00", "4")
    }
    .body()]);
    let january = at("2027-01-02T10:00:00Z");
    company.ensure(january);
    let adjustment = company.calculated("2027-01", RunKind::Adjustment, january);
    company.refused("is review already; post it, or throw it away", |tx, published| {
        periods::start_run(tx, published, "2027-01", RunKind::Adjustment, "ann", january)
    });
    company.close(DECEMBER, january);
    let stop_loss = StopLoss { most: dec!(1), is_acknowledged: false, leaves_out: false };
    company.change(|tx, _| periods::approve(tx, adjustment.run_id, stop_loss, "bob", january)).unwrap();
    company.refused("another run was posted since", |tx, published| {
        periods::post(tx, published, adjustment.run_id, "bob", january)
    });
    company.change(|tx, _| periods::discard(tx, adjustment.run_id, "bob", january)).unwrap();
    company.adjust("2027-01", january);
    company.check();
}

#[test]
fn what_a_period_leaves_is_adjusted_with_it() {
    let company = Company::new("same_period");
    company.pipeline.publish(
        &plan("same_period", "0.10").replace("by = \"gv\"\nbrackets", "by = \"cumulative_gv\"\nbrackets"),
        "2020-01-01T00:00:00Z",
    );
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.tell(&[Order { created: "2026-12-02T09:00:00", ..order(6, "50.00", "3") }.body()]);
    let january = at("2027-01-02T10:00:00Z");
    company.close(DECEMBER, january);
    // 3 had 240.50 of November behind it in December; with the refund it has less, and so has 1.
    company.tell(&[Order {
        modified: "2027-01-01T10:00:00",
        refunds: &["150.00"],
        ..order(3, "150.00", "5")
    }
    .body()]);
    let run = company.adjust("2027-01", january);
    let corrected: Vec<String> =
        periods::summary(&run).unwrap().corrected.into_iter().map(|c| c.period).collect();
    assert_eq!(corrected, [NOVEMBER, DECEMBER]);
    assert_eq!(
        company.pipeline.ask(
            "select sum(amount)::numeric(20,2) from run_awards a join periods p using (period_id)
             where p.name = '2026-12' and bonus = 'step' and distributor_id = '1'"
        ),
        "0.00",
        "1 has 290.50 in all and is paid 5 % like 3 below it"
    );
    company.check();
    let none = company.calculated("2027-01", RunKind::Adjustment, january);
    assert!(periods::summary(&none).unwrap().corrected.is_empty());
}

#[test]
fn another_plan_is_tried_on_past_periods_without_writing() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.tell(&[Order { created: "2026-12-02T09:00:00", ..order(6, "200.00", "4") }.body()]);
    let rows = "select (select count(*) from commission_events) + (select count(*) from runs) + (select count(*) from calculations)
                + (select count(*) from run_awards) + (select count(*) from run_standings)";
    let before = company.pipeline.ask(rows);
    let try_out = |text: &str| {
        let plan = Plan::parse(text).unwrap();
        company.pipeline.db.read(Lane::Admin, |conn| Ok(periods::what_if(conn, &plan, 3)?)).unwrap()
    };
    let same = try_out(&plan("now", "0.10"));
    assert_eq!(same.periods.iter().map(|p| p.period.as_str()).collect::<Vec<_>>(), [NOVEMBER, DECEMBER]);
    for period in &same.periods {
        assert!(
            period.difference.is_zero() && period.earners.is_empty() && period.ranks.is_empty(),
            "{period:?}"
        );
    }
    let november = &same.periods[0];
    assert_eq!(
        (november.held.paid.decimal(), november.held.paid_by_orders.decimal()),
        (dec!(73.70), dec!(46.86))
    );
    let more = try_out(&plan("now", "0.20").replace("gv = \"250\"", "gv = \"200\""));
    let november = &more.periods[0];
    assert_eq!(november.other.paid_by_orders.decimal(), dec!(85.91));
    assert_eq!(november.difference.decimal(), dec!(39.05));
    // Three share the pool that one had.
    assert_eq!(november.ranks.iter().map(|r| r.distributor_id.as_str()).collect::<Vec<_>>(), ["2", "3"]);
    assert_eq!(november.earners[0].distributor_id.as_str(), "4");
    assert_eq!(november.earners[0].difference.decimal(), dec!(16.05));
    assert_eq!(company.pipeline.ask(rows), before);
}

#[test]
fn an_event_of_a_run_is_explained_and_a_changed_run_is_named() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let run = company.close(NOVEMBER, december());
    let event = |bonus: &str, who: &str| {
        let sql = format!(
            "select event_id from commission_events where bonus = '{bonus}' and distributor_id = '{who}' and line = ''"
        );
        company.pipeline.ask(&sql).parse::<Uuid>().unwrap()
    };
    let explain =
        |id| company.pipeline.db.read(Lane::Admin, |conn| Ok(proof::explain_run(conn, id)?)).unwrap();
    let levels = explain(event("levels", "2")).unwrap();
    assert_eq!((levels.target(), levels.amount, levels.posted_before), (dec!(8.82), dec!(8.82), dec!(0)));
    assert_eq!(levels.exact, dec!(8.815));
    let parts: Vec<_> =
        levels.sources.iter().map(|s| (s.distributor_id.as_str(), s.level, s.exact)).collect();
    assert_eq!(parts, [("4", 2, dec!(4.815)), ("3", 1, dec!(4.00))]);
    let text = levels.to_string();
    for told in [
        "levels",
        "level 2: 4 160.5 x 0.03 = 4.815",
        "8.815 in all, 8.82 after rounding",
        "period 2026-11",
        "earns",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    let forfeit = explain(event("soon", "3")).unwrap().to_string();
    assert!(
        forfeit.contains("does not meet what the bonus asks") && forfeit.contains("forfeit -1.6"),
        "{forfeit}"
    );
    assert!(
        company
            .pipeline
            .db
            .read(Lane::Admin, |conn| proof::explain(conn, event("levels", "2")))
            .unwrap()
            .is_none()
    );

    let changes = [
        (
            "update run_awards set amount = amount + 1 where bonus = 'step' and distributor_id = '5'",
            "step for 5",
        ),
        (
            "update volume_facts set lines = jsonb_set(lines, '{0,net}', '\"90.00\"') where seq = 1",
            "result hash",
        ),
    ];
    for (change, named) in changes {
        company.pipeline.tamper("create schema kept; create table kept.run_awards as table run_awards; create table kept.volume_facts as table volume_facts");
        company.pipeline.tamper(change);
        let replayed = company.pipeline.replay();
        assert!(
            replayed.run_differences.iter().any(|d| d.run_id == run.run_id && d.what == named),
            "{change}: {:?}",
            replayed.run_differences
        );
        company.pipeline.tamper(
            "delete from run_awards; insert into run_awards select * from kept.run_awards; \
             delete from volume_facts; insert into volume_facts select * from kept.volume_facts; drop schema kept cascade",
        );
    }
    for (change, table) in [
        (
            "update postings set amount = amount - 1 where posting_no = 2 and source_id in (select run_id from runs)",
            "journal_entries",
        ),
        (
            "update commission_events set bonus = 'other' where order_id in (select run_id from runs) and bonus = 'step'",
            "journal_entries",
        ),
        ("delete from volume_facts where seq = 2", "volume_facts"),
        ("update volume_facts set own = true where seq = 3", "volume_facts"),
    ] {
        company.pipeline.tamper("create schema kept; create table kept.postings as table postings; \
            create table kept.commission_events as table commission_events; create table kept.volume_facts as table volume_facts");
        company.pipeline.tamper(change);
        let verified = company.pipeline.verify();
        assert!(verified.problems.iter().any(|p| p.table == table), "{change}: {:?}", verified.problems);
        let restore = ["postings", "commission_events", "volume_facts"]
            .map(|t| format!("delete from {t}; insert into {t} select * from kept.{t}"));
        company.pipeline.tamper(&format!("{}; drop schema kept cascade", restore.join("; ")));
    }
    company.check();
}

/// What a run has written, without its own id.
fn written(company: &Company) -> String {
    let rows = |table: &str, columns: &str| {
        company.pipeline.ask(&format!(
            "select string_agg(concat_ws('|', {columns}), ';' order by {columns}) from {table}"
        ))
    };
    [
        rows("run_awards", "award_no, bonus, distributor_id, position, base, earned, amount, kind"),
        rows("run_pools", "bonus, pool, paid, breakage, rounding"),
        rows("run_standings", "distributor_id, active, pv, gv, pgv, achieved, paid_as, title, carried"),
        rows("run_lots", "lot_no, bonus, position, side, age, period, volume"),
    ]
    .join("\n")
}

#[test]
fn ended_in_any_stage_a_run_comes_to_the_same() {
    let clean = Company::new("now");
    clean.tell(&november_orders());
    let clean_run = clean.close(NOVEMBER, december());

    let company = Company::new("now");
    company.tell(&november_orders());
    company.freeze(NOVEMBER, december());
    let run = company.start(NOVEMBER, RunKind::Official, december());
    // While it reads, before it writes, and with everything written but the end.
    for table in ["volume_facts", "run_awards", "orders"] {
        ended_at(&company, table, || company.worker(december()).work_once().map(drop));
        assert_eq!(company.run(run).status, RunStatus::Running, "{table}");
        assert_eq!(company.pipeline.ask("select count(*) from run_awards"), "0");
    }
    assert_eq!(company.pipeline.ask("select attempts from runs"), "3");
    company.pipeline.tamper("update runs set attempts = 2");
    assert!(company.worker(december()).work_once().unwrap());
    assert_eq!(company.run(run).result_hash, clean_run.result_hash);
    assert_eq!(written(&company), written(&clean));

    let stop_loss = StopLoss { most: dec!(1), is_acknowledged: false, leaves_out: false };
    company.change(|tx, _| periods::approve(tx, run, stop_loss, "bob", december())).unwrap();
    let post = || {
        let published = company.published();
        let post = |tx: &mut Tx<'_>| {
            periods::post(tx, &published, run, "bob", december()).map_err(|problem| match problem {
                PeriodProblem::Db(error) => error,
                other => DbError::Invariant(other.to_string()),
            })
        };
        company.pipeline.db.transact(Lane::Admin, post).map(drop)
    };
    ended_at(&company, "postings", post);
    assert_eq!((company.run(run).status, company.status(NOVEMBER)), (RunStatus::Approved, Status::Frozen));
    assert_eq!(company.pipeline.ask("select count(*) from commission_events where line = ''"), "0");
    post().unwrap();
    assert_eq!(company.pipeline.ask(BY_RUNS), clean.pipeline.ask(BY_RUNS));
    assert_eq!(company.pipeline.replay().stored, clean.pipeline.replay().stored);
    company.check();
}

/// Lets the work come as far as a table and ends its session there, as if its process had died.
fn ended_at(company: &Company, table: &str, work: impl FnOnce() -> Result<(), DbError> + Send) {
    let url = company.pipeline.db.url().to_owned();
    let mut keeper = PgConnection::establish(&url).unwrap();
    keeper.batch_execute(&format!("begin; lock table {table} in access exclusive mode")).unwrap();
    std::thread::scope(|threads| {
        let working = threads.spawn(work);
        let mut other = PgConnection::establish(&url).unwrap();
        wait::until("the work to come to the table", Duration::from_secs(20), || {
            let ended = sql_query(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'relation'",
            )
            .execute(&mut other)
            .unwrap();
            (ended > 0).then_some(())
        });
        assert!(working.join().unwrap().is_err(), "{table}");
    });
    keeper.batch_execute("rollback").unwrap();
}

#[test]
fn a_killed_process_leaves_a_run_that_another_one_finishes() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.freeze(NOVEMBER, december());
    let url = company.pipeline.db.url().to_owned();
    let dir = std::env::temp_dir().join(format!("upline-test-periods-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let upline = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_upline"));
        command
            .env("DATABASE_URL", &url)
            .env("UPLINE_DATA_DIR", &dir)
            .env("UPLINE_ALLOW_UNSAFE_DATABASE", "true");
        command
            .env("RUST_LOG", "error")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let run = ["period", "run", NOVEMBER, "--by", "ann", "--json"];

    let mut keeper = PgConnection::establish(&url).unwrap();
    keeper.batch_execute("begin; lock table orders in access exclusive mode").unwrap();
    let mut child = upline(&run).spawn().unwrap();
    wait::until("the rows to be written", Duration::from_secs(30), || {
        let stage = company.pipeline.ask("select coalesce(max(stage), '') from runs");
        let blocked = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        (stage == "writing" && company.pipeline.ask(blocked) != "0").then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    keeper.batch_execute("rollback").unwrap();
    assert_eq!(company.pipeline.ask("select status from runs"), "running");

    let output = upline(&run).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((told["status"].as_str(), told["kind"].as_str()), (Some("review"), Some("official")));
    assert_eq!(company.pipeline.ask("select count(*) from runs"), "1");
    let id = told["run_id"].as_str().unwrap();
    assert_eq!(company.run(id.parse().unwrap()).created_by, "console:ann");
    let secret = dir.join("secret.txt");
    std::fs::write(&secret, "the right horse\n").unwrap();
    let by = |action: &str, who: &str| {
        upline(&["period", action, id, "--by", who, "--password-file", secret.to_str().unwrap()])
            .output()
            .unwrap()
    };
    let refused = |output: std::process::Output, why: &str| {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && told.contains(why), "{why}: {told}");
    };
    refused(by("approve", "ann"), "upline user add");
    company.add_user("bob@example.com", Role::Admin, "the right horse");
    company.add_user("eve@example.com", Role::Operator, "the right horse");
    company.add_user("dan@example.com", Role::Admin, "another horse");
    for who in ["ann", "console:ann", "eve@example.com", "dan@example.com"] {
        refused(by("approve", who), "is no active admin");
    }
    assert_eq!(company.run(id.parse().unwrap()).status, RunStatus::Review);
    assert!(by("approve", "Bob@example.com").status.success());
    assert!(by("post", "bob@example.com").status.success());
    refused(by("post", "bob@example.com"), "a run is posted once");
    assert_eq!(company.run(id.parse().unwrap()).approved_by.as_deref(), Some("bob@example.com"));
    assert_eq!(company.pipeline.ask(BY_RUNS), NOVEMBER_PAYS);
    let list = String::from_utf8(upline(&["period", "list"]).output().unwrap().stdout).unwrap();
    assert!(list.contains("2026-11") && list.contains("closed"), "{list}");
    for arguments in [&["period", "review", id][..], &["period", "show", NOVEMBER], &["period", "runs"]] {
        assert!(upline(arguments).output().unwrap().status.success(), "{arguments:?}");
    }
    let next = dir.join("next.toml");
    std::fs::write(&next, plan("now", "0.20")).unwrap();
    let tried = upline(&["plan", "simulate", next.to_str().unwrap(), "--json"]).output().unwrap();
    let tried: serde_json::Value = serde_json::from_slice(&tried.stdout).unwrap();
    assert_eq!(tried["periods"][0]["difference"], "39.05");
    company.check();
    let _ = std::fs::remove_dir_all(&dir);
}

#[test]
fn a_run_that_ends_its_process_every_time_is_given_up() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.freeze(NOVEMBER, december());
    let run = company.start(NOVEMBER, RunKind::Official, december());
    let stopped = company.worker(december());
    stopped.stopped.store(true, std::sync::atomic::Ordering::Relaxed);
    stopped.work_once().unwrap();
    assert_eq!(company.pipeline.ask("select attempts from runs"), "0", "a clean stop is nobody's fault");
    company.pipeline.tamper("update runs set attempts = 3");
    assert!(company.worker(december()).work_once().unwrap());
    let run = company.run(run);
    assert_eq!(run.status, RunStatus::Failed);
    assert!(run.problem.unwrap().contains("begun 3 times"));
    company.calculated(NOVEMBER, RunKind::Official, december());
}

#[test]
fn a_rank_that_a_close_decided_is_not_given_by_hand() {
    let company = Company::new("same_period");
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    let standing = |at: &str| {
        company.pipeline.ask(&format!(
            "select concat_ws(' ', rank, rank_decided) from distributor_versions
             where distributor_id = '1' and effective_from <= '{at}'
             order by effective_from desc, version_no desc limit 1"
        ))
    };
    assert_eq!(standing("2026-12-31"), "silver t");
    // Somebody moves and keeps the rank; somebody else is given one.
    let version = |id: &str, rank: &str, from: &str| Entry {
        version: DistributorVersion {
            id: DistributorId::new(id),
            sponsor: (id != "1").then(|| DistributorId::new("1")),
            status: StatusOf::Active,
            rank: Some(rank.to_owned()),
            from: Some(at(from)),
            enrolled_at: Some(at("2020-01-01T00:00:00Z")),
        },
        country: None,
        tax_id: None,
        name: None,
        email: None,
    };
    let told =
        [version("1", "silver", "2026-12-10T00:00:00Z"), version("5", "silver", "2026-12-10T00:00:00Z")];
    let record = |tx: &mut Tx<'_>| {
        distributors::record(tx, &told, "test", at("2020-01-01T00:00:00Z"))
            .map_err(|e| DbError::Invariant(format!("{e:?}")))
    };
    company.pipeline.db.transact(Lane::Admin, record).unwrap();
    assert_eq!(standing("2026-12-31"), "silver t");
    let decided = "select string_agg(distributor_id, ' ') from distributor_versions
                   where recorded_by = 'test' and rank = 'silver' and rank_decided";
    assert_eq!(company.pipeline.ask(decided), "1");
    let order_of_time = "select count(*) from distributor_versions where recorded_by = 'test' and effective_from = '2026-12-10'
        and recorded_at <= (select max(recorded_at) from distributor_versions where recorded_by = 'period 2026-11')";
    assert_eq!(company.pipeline.ask(order_of_time), "0", "what is recorded later is known later");
    // The refund takes the rank away from the end of November on.
    company.tell(&[Order {
        modified: "2026-12-04T10:00:00",
        refunds: &["150.00"],
        ..order(3, "150.00", "5")
    }
    .body()]);
    let adjustment = company.adjust(DECEMBER, at("2026-12-12T10:00:00Z"));
    assert_eq!(adjustment.status, RunStatus::Posted);
    assert_eq!([standing("2026-12-01"), standing("2026-12-31")], ["t", "t"]);
    company.check();
}

#[test]
fn a_run_stands_on_what_the_period_before_leaves_by_now() {
    let company = Company::new("same_period");
    company.pipeline.publish(
        &plan("same_period", "0.10").replace("by = \"gv\"\nbrackets", "by = \"cumulative_gv\"\nbrackets"),
        "2020-01-01T00:00:00Z",
    );
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.tell(&[Order { created: "2026-12-02T09:00:00", ..order(6, "50.00", "3") }.body()]);
    let january = at("2027-01-02T10:00:00Z");
    company.freeze(DECEMBER, january);
    let run = company.calculated(DECEMBER, RunKind::Official, january);
    company.tell(&[Order {
        modified: "2027-01-01T10:00:00",
        refunds: &["150.00"],
        ..order(3, "150.00", "5")
    }
    .body()]);
    let stale = || company.pipeline.db.read(Lane::Admin, periods::changed_since).unwrap();
    assert_eq!(stale(), [NOVEMBER]);
    let stop_loss = StopLoss { most: dec!(1), is_acknowledged: false, leaves_out: false };
    company.change(|tx, _| periods::approve(tx, run.run_id, stop_loss, "bob", january)).unwrap();
    company.adjust("2027-01", january);
    assert!(stale().is_empty());
    company.refused("2026-11, was adjusted since", |tx, published| {
        periods::post(tx, published, run.run_id, "bob", january)
    });
    company.change(|tx, _| periods::discard(tx, run.run_id, "bob", january)).unwrap();
    let again = company.calculated(DECEMBER, RunKind::Official, january);
    company.approve_and_post(again.run_id, january);
    company.check();
}

#[test]
fn a_soft_close_waits_for_what_is_not_processed() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let now = december();
    company.ensure(now);
    company.pipeline.accept(STORE, &[order(7, "10.00", "4").body()]);
    company.refused("1 deliveries or orders", |tx, _| periods::soft_close(tx, NOVEMBER, false, "ann", now));
    company.change(|tx, _| periods::soft_close(tx, NOVEMBER, true, "ann", now)).unwrap();
    assert_eq!(
        company.pipeline.ask("select detail ->> 'backlog' from period_changes where change = 'soft_closed'"),
        "1"
    );
    company.pipeline.drain();
}

#[test]
fn what_is_posted_of_a_run_cannot_be_changed_unseen() {
    let company = Company::new("now");
    company.tell(&november_orders());
    let run = company.close(NOVEMBER, december());
    for table in ["run_awards", "run_pools", "run_standings"] {
        for change in [format!("delete from {table}"), format!("update {table} set run_id = run_id")] {
            let refused =
                company.pipeline.db.read(Lane::Admin, |conn| Ok(conn.batch_execute(&change)?)).unwrap_err();
            assert!(format!("{refused:?}").contains("of a posted run"), "{change}: {refused:?}");
        }
    }
    company.check();
    company
        .pipeline
        .tamper("update run_awards set amount = amount + 1 where bonus = 'step' and distributor_id = '5'");
    let problems = company.pipeline.verify().problems;
    assert!(
        problems.iter().any(|p| p.table == "run_awards"
            && p.row == run.run_id.to_string()
            && p.message.contains("step 5 8.5000 earn, its event is 2026-11 step 5 7.5000 earn")),
        "{problems:?}"
    );
}

#[test]
fn an_adjustment_that_leaves_orders_out_is_only_approved_knowingly() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.pipeline.enroll("9", Some("1"));
    company.tell(&[Order {
        modified: "2026-12-04T10:00:00",
        refunds: &["50.00"],
        ..order(1, "100.00", "4")
    }
    .body()]);
    // As if the order had been another's.
    company.pipeline.tamper(
        "update volume_facts set distributor_id = '9' where seq = (select max(seq) from volume_facts)",
    );
    let now = at("2026-12-05T10:00:00Z");
    let run = company.calculated(DECEMBER, RunKind::Adjustment, now);
    assert_eq!(periods::summary(&run).unwrap().counts.unknown_distributor, 1);
    let approve = |leaves_out| {
        move |tx: &mut Tx<'_>, _: &Published| {
            let known = StopLoss { most: dec!(0), is_acknowledged: true, leaves_out };
            periods::approve(tx, run.run_id, known, "bob", now)
        }
    };
    company.refused("1 order(s) of the corrected periods", approve(false));
    company.change(approve(true)).unwrap();
}

#[test]
fn an_average_is_explained_as_one() {
    let company = Company::new("average_rate");
    company.tell(&november_orders());
    company.close(NOVEMBER, december());
    company.tell(&[Order {
        modified: "2026-12-04T10:00:00",
        refunds: &["50.00"],
        ..order(1, "100.00", "4")
    }
    .body()]);
    company.adjust(DECEMBER, at("2026-12-05T10:00:00Z"));
    let event = company.pipeline.ask(
        "select event_id from commission_events
         where bonus = 'levels' and distributor_id = '3' and line = '' order by event_id desc limit 1",
    );
    let id = event.parse::<Uuid>().unwrap();
    let told =
        company.pipeline.db.read(Lane::Admin, |conn| Ok(proof::explain_run(conn, id)?)).unwrap().unwrap();
    let text = told.to_string();
    assert!(text.contains("8.03 was paid x base 110.5 now / base 160.5 then = "), "{text}");
    assert!(told.sources.is_empty() && !text.contains("in all"), "{text}");
}
