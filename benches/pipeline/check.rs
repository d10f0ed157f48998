//! The two programs on one database server, the orders they are sent, and the checks after each round.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Numeric};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use fastrand::Rng;
use rust_decimal::Decimal;
use upline::db::embedded::Embedded;
use upline::db::{Db, Lane};
use upline::demo::catalogue::Class;
use upline::demo::histogram::Histogram;
use upline::demo::payload::{Happening, Told, message};
use upline::demo::sample::{Place, Referral, SampleLine, SampleOrder};
use upline::demo::{Company, repo, set_up, wait_until_done};
use upline::events::Bus;
use upline::stores::Platform;
use upline::vault::Vault;

use crate::load::{Load, request};
use crate::server::{Server, Site};
use crate::{Naive, process};

const SEED: u64 = 7;
/// How many requests of each round are sent a second time.
const AGAIN: usize = 300;

/// A paid order that tells its distributor, as one signed delivery.
pub struct Order {
    pub id: u64,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub struct Bench {
    pub connections: usize,
    // In the order in which they end.
    naive: Naive,
    naive_url: String,
    db: Db,
    _guest: Embedded,
    server: Server,
    site: Site,
    company: Company,
}

impl Bench {
    pub fn start(connections: usize) -> Self {
        let company = Company::sample(SEED);
        let site = Site::new("bench");
        let server = site.serve();
        let guest = site.database();
        let db = Db::new(guest.url(), Arc::new(Bus::default()));
        let vault = Vault::open(site.data_dir(), None).unwrap();
        db.transact(Lane::Admin, |tx| {
            set_up(tx, &vault, &company, Utc::now()).unwrap();
            Ok(())
        })
        .unwrap();
        let mut admin = PgConnection::establish(guest.url()).unwrap();
        admin.batch_execute("create database naive").unwrap();
        let naive_url =
            guest.url().replace("dbname=upline", "dbname=naive").replace("dbname='upline'", "dbname='naive'");
        assert_ne!(naive_url, guest.url(), "another database of the same server");
        crate::naive::prepare(&mut PgConnection::establish(&naive_url).unwrap(), &company);
        let secret = &company.store(Platform::Shopify).unwrap().secret;
        let naive = Naive::start(&naive_url, secret);
        Self { connections, naive, naive_url, db, _guest: guest, server, site, company }
    }

    /// Orders of one line by active distributors; the same numbers always give the same orders.
    pub fn orders(&self, round: usize, count: usize) -> Vec<Order> {
        let mut rng = Rng::with_seed(round as u64);
        let store = self.company.store(Platform::Shopify).unwrap();
        let people: Vec<_> =
            self.company.distributors.iter().filter(|person| person.status == "active").collect();
        let goods: Vec<_> =
            self.company.products.iter().filter(|product| product.class == Class::Supplement).collect();
        let at: DateTime<Utc> = "2026-08-01T00:00:00Z".parse().unwrap();
        let first = 6_000_000_000_000 + round as u64 * 1_000_000;
        let each = (first..).take(count).map(|id| {
            let product = goods[rng.usize(..goods.len())];
            let at = at + Duration::seconds((id % 1_000_000) as i64);
            let line = SampleLine {
                id: id * 10 + 1,
                product: product.position,
                sku: product.sku,
                name: product.name,
                class: product.class,
                quantity: rng.u32(1..4),
                price: product.price,
                discount: Decimal::ZERO,
            };
            let order = SampleOrder {
                id,
                customer_id: 20_000 + rng.u64(..4_000),
                created_at: at,
                updated_at: at,
                paid_at: Some(at),
                cancelled_at: None,
                test: false,
                tax_included: false,
                tax_rate: Decimal::new(825, 4),
                lines: vec![line],
                shipping: Decimal::new(495, 2),
                tip: Decimal::ZERO,
                coupon: None,
                referral: Some(Referral {
                    place: Place::Order,
                    code: people[rng.usize(..people.len())].id.clone(),
                }),
                refunds: vec![],
            };
            let told = Told::Order(Box::new(order), Happening::Paid);
            let message = message(store, &told, at, rng.u64(..)).unwrap();
            Order { id, headers: message.headers, body: message.body }
        });
        each.collect()
    }

    pub fn address(&self) -> SocketAddr {
        self.site.base().trim_start_matches("http://").parse().unwrap()
    }

    pub fn naive_address(&self) -> SocketAddr {
        self.naive.addr
    }

    pub fn server_pid(&self) -> u32 {
        self.server.pid()
    }

    pub fn naive_pid(&self) -> u32 {
        self.naive.pid()
    }

    /// Of the product's server, in MiB.
    pub fn peak_memory(&self) -> f64 {
        process::peak_memory(self.server.pid())
    }

    pub fn wait_until_done(&self) {
        wait_until_done(&self.db, &std::sync::atomic::AtomicBool::new(false)).unwrap();
    }

    /// What the server has measured from receipt to committed ledger entry.
    pub fn posted(&self) -> Histogram {
        let answer = ureq::get(format!("{}/metrics", self.site.base())).config().proxy(None).build().call();
        let text = answer.unwrap().body_mut().read_to_string().unwrap();
        Histogram::read(&text, "upline_receipt_to_ledger_seconds")
    }

    /// The stored deliveries of the arm that does nothing else, so that the next arm sees them as new.
    pub fn forget_naive_deliveries(&self) {
        let mut conn = PgConnection::establish(&self.naive_url).unwrap();
        conn.batch_execute("truncate inbox").unwrap();
    }

    /// Everything that has to be so after a round.
    pub fn check(&self, sent: &[Order], sent_to_naive: &[Order]) {
        self.send_again(sent);
        self.wait_until_done();
        let broken = self.db.read(Lane::Admin, repo::broken_invariants).unwrap();
        assert!(broken.is_empty(), "{broken:?}");
        let ours = self.totals(sent, PRODUCT, self.db.url());
        assert_eq!(ours.orders, sent.len() as i64, "each order once");
        let ours = self.totals(sent_to_naive, PRODUCT, self.db.url());
        let naive = self.totals(sent_to_naive, NAIVE, &self.naive_url);
        assert_eq!(ours, naive, "both pay the same commissions");
        let per_order = Decimal::from(ours.commissions) / Decimal::from(ours.orders);
        assert!(per_order > Decimal::new(25, 1), "about four commissions for an order: {per_order}");
    }

    fn send_again(&self, sent: &[Order]) {
        let again = &sent[..AGAIN.min(sent.len())];
        let before = self.db.read(Lane::Admin, repo::stored_deliveries).unwrap();
        let requests: Vec<Vec<u8>> =
            again.iter().map(|order| request("/webhooks/demo-us", &order.headers, &order.body)).collect();
        Load { addr: self.address(), connections: self.connections, pace: None }.run(&requests);
        let after = self.db.read(Lane::Admin, repo::stored_deliveries).unwrap();
        assert_eq!(before, after, "a second sending stores nothing");
    }

    fn totals(&self, orders: &[Order], sql: &str, url: &str) -> Totals {
        let (first, last) = (orders[0].id, orders[orders.len() - 1].id);
        sql_query(sql)
            .bind::<BigInt, _>(first as i64)
            .bind::<BigInt, _>(last as i64)
            .get_result(&mut PgConnection::establish(url).unwrap())
            .unwrap()
    }
}

#[derive(Debug, PartialEq, QueryableByName)]
struct Totals {
    #[diesel(sql_type = BigInt)]
    orders: i64,
    #[diesel(sql_type = BigInt)]
    commissions: i64,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    posted: Decimal,
}

const PRODUCT: &str = "
    with o as (select order_id from orders where external_id::bigint between $1 and $2)
    select (select count(*) from o) as orders, count(*) as commissions, coalesce(sum(amount), 0) as amount,
           (select coalesce(-sum(amount), 0) from postings where account = 2100 and source_id in (select order_id from o))
             as posted
    from commission_events where order_id in (select order_id from o)";

const NAIVE: &str = "
    select (select count(*) from orders where id between $1 and $2) as orders, count(*) as commissions,
           coalesce(sum(c.amount), 0) as amount,
           (select coalesce(-sum(p.amount), 0) from postings p join commissions c on c.id = p.commission
            where c.order_id between $1 and $2 and p.account = 'commission_payable') as posted
    from commissions c where c.order_id between $1 and $2";
