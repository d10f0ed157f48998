//! What one would write first: a handler that does everything of one request in one database transaction.
//!
//! Actix, r2d2 and `web::block`, a process of its own, on the same database server. `POST /ack` only stores the
//! delivery; `POST /all` also records the order, walks the sponsors with a recursive query, and writes each
//! commission and its two postings, statement by statement. It computes the same money as the product for the
//! orders of the benchmark, and the benchmark checks that it does.

use std::io::Write;

use actix_web::web::{Bytes, Data, block, post, resource};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use hmac::{Hmac, KeyInit, Mac};
use rust_decimal::Decimal;
use serde_json::Value;
use sha2::Digest;
use upline::core::money::{Rounding, round};
use upline::demo::Company;
use uuid::Uuid;

const SCHEMA: &str = "
    create table inbox (id uuid primary key, key bytea not null unique, received_at timestamptz not null default now(),
                        headers jsonb not null, body jsonb not null);
    create table distributors (id text primary key, sponsor text, status text not null, rank text not null);
    create table skus (sku text primary key, class text not null);
    create table orders (id bigint primary key, inbox uuid not null, distributor text not null, net numeric not null);
    create table commissions (id uuid primary key, order_id bigint not null references orders, distributor text not null,
                              bonus text not null, level int not null, amount numeric not null);
    create table postings (id uuid primary key, commission uuid not null references commissions, account text not null,
                           distributor text, amount numeric not null);
    create index on commissions (distributor);
    create index on postings (account);";

/// Makes and fills the tables.
pub fn prepare(conn: &mut PgConnection, company: &Company) {
    conn.batch_execute(SCHEMA).expect("the naive schema");
    for person in &company.distributors {
        sql_query("insert into distributors values ($1, $2, $3, $4)")
            .bind::<Text, _>(&person.id)
            .bind::<Nullable<Text>, _>(&person.sponsor_id)
            .bind::<Text, _>(person.status)
            .bind::<Text, _>(person.rank)
            .execute(conn)
            .expect("a distributor");
    }
    for product in company.products.iter().filter(|product| product.class.name().is_some()) {
        sql_query("insert into skus values ($1, $2)")
            .bind::<Text, _>(product.sku)
            .bind::<Text, _>(product.class.name().unwrap_or_default())
            .execute(conn)
            .expect("a product");
    }
}

struct State {
    pool: Pool<ConnectionManager<PgConnection>>,
    secret: String,
}

/// Serves until killed; prints its address first.
pub fn serve(url: &str, secret: &str) -> std::io::Result<()> {
    let pool = Pool::builder().max_size(16).build(ConnectionManager::new(url)).expect("a pool");
    let state = Data::new(State { pool, secret: secret.to_owned() });
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .service(resource("/ack").route(post().to(ack)))
                .service(resource("/all").route(post().to(all)))
        });
        let server = server.bind(("127.0.0.1", 0))?;
        println!("{}", server.addrs()[0]);
        std::io::stdout().flush()?;
        server.run().await
    })
}

async fn ack(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    handle(state, request, body, |_, _, _| Ok(())).await
}

async fn all(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    handle(state, request, body, pay).await
}

async fn handle(
    state: Data<State>,
    request: HttpRequest,
    body: Bytes,
    then: fn(&mut PgConnection, Uuid, &Value) -> diesel::QueryResult<()>,
) -> HttpResponse {
    if !signed(&state.secret, &request, &body) {
        return HttpResponse::Unauthorized().finish();
    }
    let headers: serde_json::Map<String, Value> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), Value::from(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let headers = Value::Object(headers).to_string();
    let done = block(move || {
        let told: Value = serde_json::from_slice(&body).expect("JSON");
        let text = std::str::from_utf8(&body).expect("text");
        let mut conn = state.pool.get().expect("a connection");
        conn.transaction(|conn| {
            let id = Uuid::now_v7();
            let new = sql_query(
                "insert into inbox (id, key, headers, body) values ($1, $2, $3::jsonb, $4::jsonb)
                 on conflict (key) do nothing",
            )
            .bind::<SqlUuid, _>(id)
            .bind::<Binary, _>(sha2::Sha256::digest(&body).to_vec())
            .bind::<Text, _>(&headers)
            .bind::<Text, _>(text)
            .execute(conn)?;
            if new == 1 { then(conn, id, &told) } else { Ok(()) }
        })
    });
    match done.await {
        Ok(Ok(())) => HttpResponse::Ok().body("ok"),
        Ok(Err(error)) => HttpResponse::InternalServerError().body(error.to_string()),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

fn signed(secret: &str, request: &HttpRequest, body: &[u8]) -> bool {
    let stated = request.headers().get("x-shopify-hmac-sha256").and_then(|value| value.to_str().ok());
    let stated = stated.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(body);
    stated.is_some_and(|stated| mac.verify_slice(&stated).is_ok())
}

#[derive(QueryableByName)]
struct Class {
    #[diesel(sql_type = Text)]
    class: String,
}

#[derive(QueryableByName)]
struct Ancestor {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    rank: String,
}

fn pay(conn: &mut PgConnection, inbox: Uuid, order: &Value) -> diesel::QueryResult<()> {
    let id = order["id"].as_i64().expect("an id");
    let referrer = order["note_attributes"][0]["value"].as_str().expect("a referrer");
    let lines: Vec<(&str, Decimal)> = order["line_items"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| {
            (line["sku"].as_str().expect("a sku"), number(&line["price"]) * number(&line["quantity"]))
        })
        .collect();
    sql_query("insert into orders values ($1, $2, $3, $4)")
        .bind::<BigInt, _>(id)
        .bind::<SqlUuid, _>(inbox)
        .bind::<Text, _>(referrer)
        .bind::<Numeric, _>(lines.iter().map(|(_, net)| *net).sum::<Decimal>())
        .execute(conn)?;
    let upline: Vec<Ancestor> = sql_query(
        "with recursive up as (
           select id, sponsor, status, rank, 0 as distance from distributors where id = $1
           union all
           select d.id, d.sponsor, d.status, d.rank, up.distance + 1
           from distributors d join up on d.id = up.sponsor where up.distance < 30)
         select id, status, rank from up order by distance",
    )
    .bind::<Text, _>(referrer)
    .load(conn)?;
    for (sku, net) in lines {
        let class: Class =
            sql_query("select class from skus where sku = $1").bind::<Text, _>(sku).get_result(conn)?;
        for (earner, bonus, level, amount) in commissions(&upline, &class.class, net) {
            post_commission(conn, id, earner, bonus, level, amount)?;
        }
    }
    Ok(())
}

fn number(value: &Value) -> Decimal {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().expect("a number")
}

/// The sample plan, written out: direct by class, five levels by rank, inactive ancestors skipped.
fn commissions<'a>(
    upline: &'a [Ancestor],
    class: &str,
    net: Decimal,
) -> Vec<(&'a str, &'static str, i32, Decimal)> {
    let percent = |rate: i64| Decimal::new(rate, 2);
    let (direct, cv) = match class {
        "supplement" => (20, 100),
        "beauty" => (15, 80),
        "starter_kit" => (10, 40),
        _ => (5, 0),
    };
    let mut earned = Vec::new();
    let mut award = |earner: &'a Ancestor, bonus, level, base: Decimal, rate| {
        let amount = round(base * percent(rate), 2, Rounding::HalfUp);
        if !amount.is_zero() {
            earned.push((earner.id.as_str(), bonus, level, amount));
        }
    };
    if let Some(own) = upline.first().filter(|own| own.status == "active") {
        award(own, "direct", 0, net, direct);
    }
    let active = upline.iter().skip(1).filter(|ancestor| ancestor.status == "active");
    for (level, ancestor) in active.take(5).enumerate() {
        let rates: &[i64] = match ancestor.rank.as_str() {
            "member" => &[3],
            "bronze" => &[4, 3],
            "silver" => &[5, 4, 3],
            "gold" => &[5, 4, 3, 2],
            _ => &[5, 4, 3, 2, 2],
        };
        let rate = rates.get(level).copied().unwrap_or(0);
        award(ancestor, "unilevel", i32::try_from(level).expect("few levels") + 1, net * percent(cv), rate);
    }
    earned
}

fn post_commission(
    conn: &mut PgConnection,
    order: i64,
    earner: &str,
    bonus: &str,
    level: i32,
    amount: Decimal,
) -> diesel::QueryResult<()> {
    let id = Uuid::now_v7();
    sql_query("insert into commissions values ($1, $2, $3, $4, $5, $6)")
        .bind::<SqlUuid, _>(id)
        .bind::<BigInt, _>(order)
        .bind::<Text, _>(earner)
        .bind::<Text, _>(bonus)
        .bind::<Integer, _>(level)
        .bind::<Numeric, _>(amount)
        .execute(conn)?;
    for (account, distributor, amount) in
        [("commission_expense", None, amount), ("commission_payable", Some(earner), -amount)]
    {
        sql_query("insert into postings values ($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(Uuid::now_v7())
            .bind::<SqlUuid, _>(id)
            .bind::<Text, _>(account)
            .bind::<Nullable<Text>, _>(distributor)
            .bind::<Numeric, _>(amount)
            .execute(conn)?;
    }
    Ok(())
}
