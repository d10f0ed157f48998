//! The same company in a database: a run from loading to review, and its posting, as an operator has them.

use std::sync::Arc;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Array, Integer, Nullable, SmallInt, Text};
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use upline::clock::Clock;
use upline::core::period::NOBODY;
use upline::db::embedded::{Embedded, Options};
use upline::db::{Db, DbError, Lane, Tx, migrate};
use upline::events::Bus;
use upline::periods::{self, PeriodProblem, RunKind, RunStatus, StopLoss, Worker};
use upline::plans::{self, Plans, Published};

use crate::company::{Company, Shape};

const BY: &str = "anna@example.com";
const SECOND: &str = "ben@example.com";

pub fn run(people: usize, lines: usize) {
    println!("the same of {people} distributors and {lines} order lines, stored");
    let state_dir = std::env::temp_dir().join(format!("upline-stored-{}", std::process::id()));
    let options =
        Options { state_dir: state_dir.clone(), bin_dir: None, durable: true, database: "upline".into() };
    let database = Embedded::start(&options).expect("a database");
    migrate(database.url()).expect("migrations");
    let company = Company::of(Shape::Grown, people, &super::plan());
    fill(&mut PgConnection::establish(database.url()).expect("a connection"), &company, lines);
    let db = Db::new(database.url(), Arc::new(Bus::default()));
    let published = Arc::new(Plans::default());
    let now = Clock::system().now();
    db.transact(Lane::Admin, |tx| {
        plans::publish(tx, include_str!("plan.toml"), super::span().start, BY, now).expect("a plan");
        Ok(())
    })
    .expect("published");
    let act = Act { db: &db, plans: &published };
    act.on(|tx, published| Ok(periods::ensure(tx, published, now).map(drop)?));
    act.on(|tx, _| periods::soft_close(tx, "2026-01", true, BY, now).map(drop));
    act.on(|tx, published| periods::freeze(tx, published, "2026-01", BY, now).map(drop));
    let mut started = None;
    act.on(|tx, published| {
        started = Some(periods::start_run(tx, published, "2026-01", RunKind::Official, BY, now)?);
        Ok(())
    });
    let run = started.expect("a run");
    let began = Instant::now();
    Worker::new(db.clone(), published.clone(), Clock::system()).work_once().expect("work");
    let found = db.read(Lane::Admin, |conn| periods::run(conn, run)).expect("a read").expect("the run");
    assert_eq!(found.status, RunStatus::Review, "{:?}", found.problem);
    println!("  run: loading, calculating, writing {:>6.1} s", began.elapsed().as_secs_f64());
    let any = StopLoss { most: Decimal::ONE_THOUSAND, is_acknowledged: true, leaves_out: true };
    act.on(|tx, _| periods::approve(tx, run, any, SECOND, now).map(drop));
    let began = Instant::now();
    act.on(|tx, published| periods::post(tx, published, run, SECOND, now).map(drop));
    println!("  posting                            {:>6.1} s", began.elapsed().as_secs_f64());
    println!("  peak memory so far                 {:>6.0} MiB", super::peak_memory());
    drop(db);
    drop(database);
    let _ = std::fs::remove_dir_all(&state_dir);
}

struct Act<'a> {
    db: &'a Db,
    plans: &'a Plans,
}

impl Act<'_> {
    fn on(&self, mut work: impl FnMut(&mut Tx<'_>, &Published) -> Result<(), PeriodProblem>) {
        self.db
            .transact(Lane::Admin, |tx| {
                let published = self.plans.get(tx.conn)?;
                work(tx, &published).map_err(|problem| DbError::Invariant(problem.to_string()))
            })
            .expect("a step of the close");
    }
}

/// Distributors, positions and facts of ten lines each, past the pipeline that makes them one by one.
fn fill(conn: &mut PgConnection, company: &Company, lines: usize) {
    let people = &company.people;
    let id = |person: u32| people.id(person).map(ToString::to_string);
    let all = || 0..people.len() as u32;
    let sponsors: Vec<Option<String>> =
        all().map(|p| Some(people.sponsor(p)).filter(|s| *s != NOBODY).and_then(id)).collect();
    let parents: Vec<Option<String>> = all()
        .map(|p| people.positions.of(p).first().copied().expect("a position"))
        .map(|at| Some(people.positions.parent(at)).filter(|up| *up != NOBODY))
        .map(|up| up.and_then(|up| people.positions.id(up)).map(str::to_owned))
        .collect();
    let sides: Vec<i16> = all().map(|p| people.positions.side(people.positions.of(p)[0]) as i16).collect();
    let status: Vec<&str> = all().map(|p| people.get(p).expect("a person").status.name()).collect();
    conn.batch_execute("create temporary table given (n int, id text, sponsor text, status text, parent text, side smallint)")
        .expect("a table");
    sql_query("insert into given select n, id, sponsor, status, parent, side from unnest($1, $2, $3, $4, $5, $6) as t (n, id, sponsor, status, parent, side)")
        .bind::<Array<Integer>, _>(all().map(|p| p as i32).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(all().map(id).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(sponsors)
        .bind::<Array<Text>, _>(status)
        .bind::<Array<Nullable<Text>>, _>(parents)
        .bind::<Array<SmallInt>, _>(sides)
        .execute(conn)
        .expect("the people");
    conn.batch_execute(&format!(
        "insert into distributors (distributor_id, sponsor_id, status, created_at)
           select id, sponsor, status, '2025-01-01' from given;
         insert into distributor_versions (distributor_id, version_no, sponsor_id, status, effective_from, recorded_at, recorded_by)
           select id, 1, sponsor, status, '-infinity', '2025-01-01', 'bench' from given;
         insert into placement_versions (position_id, version_no, distributor_id, parent_id, side, effective_from, recorded_at, recorded_by)
           select id, 1, id, parent, side, '-infinity', '2025-01-01', 'bench' from given;
         insert into volume_facts (seq, order_id, calculation_no, first_seq, store_id, ordered_at, distributor_id, own, currency, lines)
           select o, gen_random_uuid(), 1, o, 1, '2026-01-02'::timestamptz + o * interval '1 millisecond', g.id, o % 9 = 0, 'USD',
                  (select jsonb_agg(jsonb_build_object('line', l::text, 'class', case when (o + l) % 4 = 0 then 'kit' else 'goods' end,
                          'net', (1 + (o * 7919 + l * 104729) % 20000 / 100.0)::text, 'sold', (1 + (o * 7919 + l * 104729) % 20000 / 100.0)::text,
                          'quantity', '1')) from generate_series(1, 10) l)
           from generate_series(1, {orders}) o join given g on g.n = (o * 7919) % {people};
         analyze",
        orders = lines / 10,
        people = people.len(),
    ))
    .expect("a filled database");
}
