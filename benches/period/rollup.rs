//! Every group volume of a company: one pass over arrays beside one recursive query on a private PostgreSQL.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Array, BigInt, Integer, Nullable};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use upline::core::period::{Carried, NOBODY, calculate_period};
use upline::core::plan::Plan;
use upline::db::embedded::{Embedded, Options};

use crate::company::{Company, Shape};

/// Nothing but volumes and group volumes.
const PLAN: &str = r#"
[plan]
id = "rollup"
currency = "USD"
[rounding]
mode = "half_up"
stage = "line"
[period]
cadence = "month"
zone = "UTC"
[[class]]
id = "goods"
qv = { of_net = "1" }
[[class]]
id = "kit"
qv = { of_net = "1" }
[[bonus]]
id = "nothing"
family = "direct"
base = "net"
rates = "0"
"#;

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = BigInt)]
    total: i64,
}

pub fn run(people: usize) {
    let plan = Plan::parse(PLAN).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let company = Company::of(Shape::Grown, people, &plan);
    let sold = company.gather(&plan, people * 10, 1);
    let state_dir = std::env::temp_dir().join(format!("upline-rollup-{}", std::process::id()));
    let options =
        Options { state_dir: state_dir.clone(), bin_dir: None, durable: true, database: "upline".into() };
    let database = Embedded::start(&options).expect("a database");
    let mut conn = PgConnection::establish(database.url()).expect("a connection");
    prepare(
        &mut conn,
        &company,
        sold.get(&upline::core::period::Measure::of(upline::core::volume::VolumeKind::Qv)),
    );
    let (mut arrays, mut recursive) = (Duration::MAX, Duration::MAX);
    let (mut of_arrays, mut of_query) = (0i128, 0i128);
    for _ in 0..3 {
        let began = Instant::now();
        let carried = Carried::default();
        let result = calculate_period(&plan, super::input(&company, &sold, &carried)).expect("a period");
        arrays = arrays.min(began.elapsed());
        of_arrays = result.standings.gv.iter().map(|gv| i128::from(gv.0)).sum();
        let began = Instant::now();
        let total: Total = sql_query(
            "with recursive up (person, volume) as (
               select person, volume from people
               union all
               select p.sponsor, up.volume from up join people p on p.person = up.person where p.sponsor is not null
             ), rolled as (select person, sum(volume)::bigint as gv from up group by person)
             select sum(gv)::bigint as total from rolled",
        )
        .get_result(&mut conn)
        .expect("the recursive query");
        recursive = recursive.min(began.elapsed());
        of_query = i128::from(total.total);
    }
    assert_eq!(of_arrays, of_query, "both say the same");
    drop((conn, database));
    let _ = std::fs::remove_dir_all(&state_dir);
    println!(
        "group volumes of {people}: all standings of a period {:.1} ms, recursive SQL {:.0} ms, {:.0} times",
        arrays.as_secs_f64() * 1e3,
        recursive.as_secs_f64() * 1e3,
        recursive.as_secs_f64() / arrays.as_secs_f64()
    );
}

fn prepare(conn: &mut PgConnection, company: &Company, volumes: &[upline::core::fixed::Fixed]) {
    conn.batch_execute("create table people (person int primary key, sponsor int, volume bigint not null)")
        .expect("a table");
    let sponsors: Vec<Option<i32>> = (0..company.people.len() as u32)
        .map(|person| Some(company.people.sponsor(person)).filter(|s| *s != NOBODY).map(|s| s as i32))
        .collect();
    sql_query(
        "insert into people select (n - 1)::int, s, v from unnest($1, $2) with ordinality as t (s, v, n)",
    )
    .bind::<Array<Nullable<Integer>>, _>(sponsors)
    .bind::<Array<BigInt>, _>(volumes.iter().map(|volume| volume.0).collect::<Vec<i64>>())
    .execute(conn)
    .expect("the people");
    conn.batch_execute("create index on people (sponsor); analyze people; set work_mem = '256MB'")
        .expect("an index");
}
