//! A running app and a simulated shop that is connected to it, as an operator connects one: on the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use fastrand::Rng;
use rust_decimal::Decimal;
use serde_json::Value;
use upline::clients::Credentials;
use upline::core::ids::DistributorId;
use upline::db::Lane;
use upline::distributors::bind_codes;
use upline::stores::Platform;

use super::books::{Books, money};
use super::kit::{DISTRIBUTORS, Kit, code};
use super::sim::life::Life;
use super::sim::post::Tally;
use super::sim::server::Sim;
use super::sim::shop::Shop;
use crate::support::app::{Ran, TestApp};

/// The whole net goes to whoever is named, so that the ledger shows every line's net.
const PLAN: &str = r#"
[plan]
id = "all-of-it"
name = "The whole net to the seller"
currency = "USD"

[rounding]
mode = "half_even"
stage = "line"

[period]
cadence = "month"
zone = "UTC"

[[class]]
id = "standard"

[[bonus]]
id = "all"
family = "unilevel"
base = "net"
start_level = 0
rates = ["1.00"]
"#;

pub struct Connected {
    pub kit: Kit,
    pub app: TestApp,
    pub sim: Sim,
    pub life: Arc<Mutex<Life>>,
    pub rng: Rng,
}

/// The shop's last order is made a day and more before now: every day of it is over, wherever the shop is.
pub fn last_act() -> DateTime<Utc> {
    let today = Utc::now().date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    today - TimeDelta::hours(26)
}

impl Connected {
    pub fn new(kit: Kit, seed: u64, orders: usize, days: i64) -> Self {
        Self::with(kit, seed, orders, days, &[])
    }

    /// `flags` go to `store connect`.
    pub fn with(kit: Kit, seed: u64, orders: usize, days: i64, flags: &[&str]) -> Self {
        let mut rng = Rng::with_seed(seed);
        let until = last_act();
        let (shop, life) = kit.open(orders, until - TimeDelta::days(days), until, &mut rng);
        // Shopify sends to addresses with TLS only; whatever the name, the deliveries are brought to this app.
        let app = TestApp::start_with(|settings| {
            settings.public_url = Some("https://upline.example".to_owned());
            // Days are reconciled when a test says so, and not beside it.
            settings.reconcile.after_hours = 24 * 365;
            settings.pulls.every_minutes = 24 * 60;
        });
        let distributors =
            (1..=DISTRIBUTORS).map(|n| format!("D-{n},,active,US,,2020-01-01,Name {n},d{n}@example.com,\n"));
        let distributors: String = distributors.collect();
        let distributors = format!(
            "distributor_id,sponsor_id,status,country,tax_id,created_at,name,email,rank\n{distributors}"
        );
        app.run(&["import", "distributors", &app.file("distributors.csv", &distributors)]).ok();
        let people: Vec<(String, DistributorId)> =
            (1..=DISTRIBUTORS).map(|n| (code(n), DistributorId::new(format!("D-{n}")))).collect();
        let codes: Vec<(&str, &DistributorId)> =
            people.iter().map(|(code, to)| (code.as_str(), to)).collect();
        app.db
            .transact_or(Lane::Admin, |tx| bind_codes(tx, &codes, "test", Utc::now()))
            .expect("give the codes out");
        app.run(&["plan", "publish", &app.file("plan.toml", PLAN), "--from", "2020-01-01"]).ok();
        app.run(&["import", "skus", &app.file("skus.csv", &skus(&kit, &shop, |_| true))]).ok();
        let sim = Sim::start(shop, (kit.dialect)(), seed);
        let life = Arc::new(Mutex::new(life));
        let connected = Self { kit, app, sim, life, rng };
        connected.connect(flags).ok();
        if connected.kit.platform == Platform::Magento && !flags.contains(&"--no-webhooks") {
            connected.install_module();
        }
        connected
    }

    /// Magento sends nothing by itself: a module of the merchant's does, with a secret that both sides are told.
    fn install_module(&self) {
        const SECRET: &str = "of-the-module-9b1f2c";
        self.app.run(&["store", "secret", "add", self.kit.slug(), "--secret", SECRET]).ok();
        let address = format!("https://upline.example/webhooks/{}", self.kit.slug());
        self.sim.act(|shop| shop.subscribe("order", &address, SECRET));
    }

    fn connect(&self, flags: &[&str]) -> Ran {
        let kit = &self.kit;
        let mut arguments = vec!["store", "connect", kit.slug(), "--platform", kit.slug()];
        arguments.extend(["--url", &self.sim.base, "--allow-private"]);
        let credentials = (kit.credentials)();
        arguments.extend(options(&credentials).into_iter().flat_map(|(name, value)| [name, value]));
        arguments.extend(flags);
        self.app.run(&arguments)
    }

    /// Plays the shop until so many orders are placed in all.
    pub fn live(&mut self, orders: usize) {
        let Self { sim, life, rng, .. } = self;
        let mut life = life.lock().unwrap();
        while life.placed() < orders {
            // A few acts at a time: calls of the app come in between.
            sim.act(|shop| (0..10).for_each(|_| life.step(shop, rng)));
        }
    }

    /// From now on the shop also lives between two answers of its API.
    pub fn live_on(&self) {
        let life = self.life.clone();
        let on = move |shop: &mut Shop, rng: &mut Rng| life.lock().unwrap().step(shop, rng);
        self.sim.chaos().meanwhile = Some(Box::new(on));
    }

    /// Sends every webhook that waits, and waits for what follows from them.
    pub fn send(&self) -> Tally {
        let sent = self.sim.send(&self.app.base, 8);
        self.app.drain();
        sent
    }

    /// The days of the shop's own zone on which orders were made.
    pub fn days(&self) -> BTreeSet<NaiveDate> {
        let zone: Tz = self.kit.zone.parse().expect("a zone");
        self.sim.look(|shop| {
            shop.orders.values().map(|order| order.created_at.with_timezone(&zone).date_naive()).collect()
        })
    }

    /// Reads everything that changed since the shop's first day.
    pub fn backfill(&self) -> Ran {
        let since = self.days().first().expect("a day").pred_opt().expect("another").to_string();
        self.app.run(&["backfill", self.kit.slug(), "--since", &since])
    }

    /// Every day of the shop: how that ended, and the newest report of each.
    pub fn reconcile(&self, flags: &[&str]) -> (Option<i32>, Vec<Value>) {
        let days = self.days();
        let (first, last) =
            (days.first().expect("a day").to_string(), days.last().expect("a day").to_string());
        let mut arguments = vec!["reconcile", self.kit.slug(), "--from", &first, "--to", &last, "--json"];
        arguments.extend(flags);
        let ran = self.app.run(&arguments);
        let reports = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}\n{}", ran.out, ran.err));
        (ran.code, reports)
    }

    /// Whether the server has read everything that changed lately.
    pub fn was_read(&self) -> bool {
        let status: Value = self.app.run(&["pull", "status", self.kit.slug(), "--json"]).json();
        let pulls = status["pulls"].as_array().expect("pulls");
        pulls.iter().any(|pull| pull["kind"] == "orders" && pull["state"] == "done")
    }

    pub fn books(&self) -> Books {
        Books::read(&self.app.db, self.kit.slug())
    }

    /// Everything the books hold is the truth, and the ledger stands by itself.
    #[track_caller]
    pub fn assert_true(&self) {
        self.app.drain();
        let books = self.books();
        let found = self.sim.look(|shop| books.differences(shop, self.kit.style));
        assert!(
            found.is_empty(),
            "{} differences, such as {:#?}",
            found.len(),
            &found[..found.len().min(10)]
        );
        self.app.run(&["verify"]).ok();
        self.app.run(&["replay", "--check"]).ok();
    }

    /// Every day is over and right: no drift, nothing missing, in state `ok` or `explained`.
    #[track_caller]
    pub fn assert_clean(&self) {
        let (code, reports) = self.reconcile(&[]);
        for report in &reports {
            let whole = report["incomplete"].is_null() && report["store_asked"] == true;
            assert!(whole && ["ok", "explained"].contains(&report["state"].as_str().unwrap()), "{report:#}");
            assert_eq!(
                (&report["differences"], &report["orders_in_flight"]),
                (&0.into(), &0.into()),
                "{report:#}"
            );
            for sums in report["currencies"].as_array().expect("sums") {
                assert_eq!(sums["drift_without_signs"], "0.00", "{report:#}");
                assert_eq!(sums["commissionable"], sums["commissionable_here"], "{report:#}");
                assert!(
                    ["1", "null"].contains(&sums["explained"].to_string().trim_matches('"')),
                    "{report:#}"
                );
            }
        }
        assert_eq!(code, Some(0));
        assert_eq!(told(&reports), self.true_days(), "{reports:#?}");
    }

    /// Net of all that earns, and how many orders that is, by day: from the shop's truth.
    fn true_days(&self) -> BTreeMap<String, (u64, Decimal)> {
        let zone: Tz = self.kit.zone.parse().expect("a zone");
        self.sim.look(|shop| {
            let mut days: BTreeMap<String, (u64, Decimal)> = BTreeMap::new();
            for order in shop.orders.values().filter(|order| order.earns() && order.referral.is_some()) {
                let day = order.created_at.with_timezone(&zone).date_naive().to_string();
                let sum = days.entry(day).or_default();
                *sum = (sum.0 + 1, sum.1 + money(order, order.net()));
            }
            days
        })
    }

    pub fn timed<T>(&self, what: &str, work: impl FnOnce(&Self) -> T) -> T {
        let begun = Instant::now();
        let done = work(self);
        eprintln!("{}: {what} took {:.1?}", self.kit.slug(), begun.elapsed());
        done
    }
}

/// The same as the reports tell it.
fn told(reports: &[Value]) -> BTreeMap<String, (u64, Decimal)> {
    let of = |report: &Value| {
        let sums = report["currencies"].as_array().expect("sums").first()?;
        let heap = &sums["commissionable"];
        let net: Decimal = heap["net"].as_str().expect("a net").parse().expect("an amount");
        let orders = heap["orders"].as_u64().filter(|orders| *orders > 0)?;
        Some((report["day"].as_str().expect("a day").to_owned(), (orders, net)))
    };
    reports.iter().filter_map(of).collect()
}

/// Mappings of the variants that are wanted.
pub fn skus(kit: &Kit, shop: &Shop, wanted: impl Fn(&str) -> bool) -> String {
    let variants = shop.products.values().flat_map(|product| &product.variants);
    let rows = variants.filter(|variant| wanted(&variant.sku)).map(|variant| {
        let sku = &variant.sku;
        format!("{sku},{},{sku},{sku},things,standard\n", kit.slug())
    });
    let rows: String = rows.collect();
    format!("sku_id,platform,platform_sku,name,category,commission_class\n{rows}")
}

fn options(credentials: &Credentials) -> Vec<(&'static str, &str)> {
    match credentials {
        Credentials::ShopifyApp { client_id, client_secret } => {
            vec![("--client-id", client_id), ("--client-secret", client_secret)]
        }
        Credentials::ShopifyToken { token, client_secret } => {
            vec![("--token", token), ("--client-secret", client_secret)]
        }
        Credentials::WooKeys { consumer_key, consumer_secret } => {
            vec![("--consumer-key", consumer_key), ("--consumer-secret", consumer_secret)]
        }
        Credentials::MagentoOauth { consumer_key, consumer_secret, access_token, access_token_secret } => {
            vec![
                ("--consumer-key", consumer_key),
                ("--consumer-secret", consumer_secret),
                ("--access-token", access_token),
                ("--access-token-secret", access_token_secret),
            ]
        }
        Credentials::MagentoBearer { token } => vec![("--token", token)],
    }
}
