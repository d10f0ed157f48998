//! Our webhooks at a connected shop: made, kept, their secret exchanged; and a shop that falls silent or sends us
//! away. On the command line and with the worker that a server runs.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use upline::clients::{Credentials, Probe};
use upline::clock::Clock;
use upline::connections::{self, Keeper, NewConnection, Rotation, Schedule, Worker};
use upline::core::ids::StoreId;
use upline::db::Lane;
use upline::telemetry::Metrics;
use upline::vault::Vault;

use super::sim::dialect::{Answer, Call, Dialect, Sent};
use super::sim::server::Sim;
use super::sim::shop::{Basket, Id, Shop, ShopEvent, Subscription};
use super::sim::shopify::Shopify;
use super::sim::woocommerce::WooCommerce;
use crate::support::app::{Ran, TestApp};
use crate::support::wait;

const PATIENCE: Duration = Duration::from_secs(30);
const TOPICS: usize = 11;

/// A shop with one product, whose clock stands at `at`.
pub fn shop(at: DateTime<Utc>) -> Sim {
    let mut shop = Shop::new("Corner Shop", "USD", 2, 101, at);
    shop.zone = "Europe/Berlin".to_owned();
    shop.add_product("Thing", &[("A1", 1000)]);
    Sim::start(shop, Box::new(WooCommerce::default()), 1)
}

pub fn connect(app: &TestApp, sim: &Sim, more: &[&str]) -> Ran {
    let fixed =
        ["store", "connect", "main", "--platform", "woocommerce", "--url", &sim.base, "--allow-private"];
    let keys = ["--consumer-key", "ck_sim", "--consumer-secret", "cs_sim"];
    app.run(&[&fixed[..], &keys, more].concat())
}

fn order(sim: &Sim) -> Id {
    sim.act(|shop| {
        let variant = shop.products.values().next().unwrap().variants[0].id;
        let id = shop.place(&Basket { lines: vec![(variant, 1, 0, 0)], ..Basket::default() });
        shop.pay(id);
        id
    })
}

fn keeper(app: &TestApp, clock: Clock) -> Keeper {
    let file = app.file("here", "");
    let vault = Vault::open(Path::new(&file).parent().unwrap(), None).unwrap();
    Keeper { db: app.db.clone(), vault, clock, public: app.base.parse().unwrap() }
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Text)]
    severity: String,
    #[diesel(sql_type = Text)]
    body: String,
}

/// The open notice of that key.
fn notice(app: &TestApp, key: &str) -> Option<(String, String)> {
    let found: Option<Told> = app
        .db
        .read(Lane::Admin, |conn| {
            let open = sql_query("select severity, body from notices where key = $1 and resolved_at is null");
            Ok(open.bind::<Text, _>(key).get_result(conn).optional()?)
        })
        .unwrap();
    found.map(|told| (told.severity, told.body))
}

#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = Bool)]
    paused: bool,
    #[diesel(sql_type = Nullable<Text>)]
    problem: Option<String>,
    #[diesel(sql_type = BigInt)]
    live: i64,
}

fn standing(app: &TestApp, slug: &str) -> Standing {
    let sql = "select c.paused, c.problem,
                      (select count(*) from store_secrets x where x.store_id = s.store_id and retired_at is null) as live
               from store_connections c join stores s using (store_id) where s.slug = $1";
    app.db.read(Lane::Admin, |conn| Ok(sql_query(sql).bind::<Text, _>(slug).get_result(conn)?)).unwrap()
}

/// The status that a body signed with `secret` gets.
fn knock(app: &TestApp, secret: &str, number: u64) -> u16 {
    app.deliver_to("main", secret, "order.updated", &json!({"id": number}).to_string()).status
}

/// Another process retired it: the server knows within a second.
fn ends(app: &TestApp, secret: &str) {
    wait::until("the end of a secret", PATIENCE, || (knock(app, secret, 999) == 401).then_some(()));
}

#[test]
fn webhooks_are_made_kept_and_taken_away() {
    let app = TestApp::start();
    let sim = shop(Utc::now());
    let elsewhere = sim.act(|shop| shop.subscribe("order.updated", "https://erp.example/hook", "theirs"));
    let by_hand =
        sim.act(|shop| shop.subscribe("order.created", &format!("{}/webhooks/main", app.base), "mine"));

    let dry = connect(&app, &sim, &["--dry-run", "--json"]).json();
    assert_eq!(
        (dry["saved"].clone(), dry["currency"].clone(), dry["zone"].clone()),
        (json!(false), json!("USD"), json!("Europe/Berlin"))
    );
    assert_eq!(sim.look(|shop| shop.subscriptions.len()), 2, "a dry run changes nothing");
    assert_eq!(app.run(&["store", "test", "main"]).code, Some(1), "nothing was saved");

    let told = connect(&app, &sim, &["--json"]).json();
    assert_eq!(told["webhooks"]["done"].as_array().unwrap().len(), TOPICS, "{told}");
    let ours = sim.look(|shop| {
        shop.subscriptions.values().filter(|s| s.address.starts_with(&app.base)).cloned().collect::<Vec<_>>()
    });
    assert_eq!(ours.len(), TOPICS, "the one made by hand is taken over, not doubled");
    assert!(ours.iter().all(|s| s.active && s.address == format!("{}/webhooks/main", app.base)));
    assert!(
        ours.iter().all(|s| s.secret.len() == 64 && s.secret == ours[0].secret),
        "one secret of 32 bytes"
    );
    order(&sim);
    let sent = sim.send(&app.base, 2);
    // Theirs goes to a machine that is not there.
    assert_eq!((sent.taken, sent.refused), (2, 1), "{sent:?}");
    assert_eq!(connect(&app, &sim, &[]).code, Some(0), "connecting again changes nothing");
    assert_eq!(sim.look(|shop| shop.subscriptions.len()), TOPICS + 1);

    // Somebody deletes one and the shop switches another off.
    let (gone, off) = sim.act(|shop| {
        let of = |topic: &str| {
            shop.subscriptions.values().find(|s| s.topic == topic && s.id != elsewhere).unwrap().id
        };
        let (gone, off) = (of("order.deleted"), of("order.updated"));
        shop.subscriptions.remove(&gone);
        shop.subscriptions.get_mut(&off).unwrap().active = false;
        (gone, off)
    });
    let tested = app.run(&["store", "test", "main", "--json"]);
    assert_eq!(tested.code, Some(1));
    let tested: Value = serde_json::from_str(&tested.out).unwrap();
    assert_eq!(
        (tested["sound"].clone(), tested["api"]["name"].clone()),
        (json!(false), json!("Corner Shop"))
    );
    let mended = app.run(&["store", "webhooks", "main", "--ensure"]).ok();
    assert_eq!(mended.matches("mended").count(), 1, "{mended}");
    let (severity, body) = notice(&app, "webhooks-mended:main").expect("a notice");
    assert_eq!(severity, "info");
    assert!(
        body.contains("order.deleted: it was gone")
            && body.contains("order.updated: the store had switched it off"),
        "{body}"
    );
    sim.look(|shop| {
        assert!(shop.subscriptions[&off].active && !shop.subscriptions.contains_key(&gone));
        assert_eq!(shop.subscriptions.len(), TOPICS + 1);
        assert_eq!(
            (shop.subscriptions[&elsewhere].secret.as_str(), shop.subscriptions[&elsewhere].active),
            ("theirs", true)
        );
        assert!(shop.subscriptions.contains_key(&by_hand), "taken over");
    });
    assert!(app.run(&["store", "test", "main"]).ok().contains("Corner Shop (woocommerce"));

    assert!(app.run(&["store", "disconnect", "main"]).ok().contains("11 webhook(s) deleted"));
    assert_eq!(sim.look(|shop| shop.subscriptions.keys().copied().collect::<Vec<_>>()), [elsewhere]);
    assert_eq!(app.run(&["store", "test", "main"]).code, Some(1), "not connected any more");
    assert!(notice(&app, "webhooks-mended:main").is_none(), "nothing is left to be told of it");
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_replaced() {
    let app = TestApp::start();
    let sim = shop(Utc::now());
    let refused = |more: &[&str], why: &str| {
        let fixed = ["store", "connect", "main", "--platform", "woocommerce"];
        let ran = app.run(&[&fixed[..], more].concat());
        assert_eq!((ran.code, ran.err.contains(why)), (Some(1), true), "{why}: {}", ran.err);
        assert!(!ran.err.contains("cs_sim") && !ran.err.contains("cs_wrong"), "{}", ran.err);
    };
    let keys = ["--consumer-key", "ck_sim", "--consumer-secret", "cs_sim"];
    let wrong = ["--consumer-key", "ck_sim", "--consumer-secret", "cs_wrong"];
    let at = ["--url", sim.base.as_str()];
    refused(&[&at[..], &keys].concat(), "private network");
    refused(&[&at[..], &wrong, &["--allow-private"]].concat(), "Make another key");
    refused(&[&at[..], &keys[..2]].concat(), "consumer_secret");
    refused(&[&keys[..], &["--url", "ftp://shop.example"]].concat(), "https://");
    refused(&[&keys[..], &["--allow-private", "--url", &format!("{}sub/", sim.base)]].concat(), "Permalinks");
    assert!(app.run(&["store", "list", "--json"]).json().as_array().unwrap().len() == 1, "no store was made");

    connect(&app, &sim, &["--no-webhooks"]).ok();
    assert_eq!(sim.look(|shop| shop.subscriptions.len()), 0);
    refused(&wrong, "Make another key");
    refused(&["--url", "https://shop.example"], "another address needs the credentials again");
    let other = app.run(&["store", "connect", "main", "--platform", "shopify", "--client-secret", "x"]);
    assert!(other.err.contains("is of woocommerce"), "{}", other.err);
    assert!(app.run(&["store", "test", "main"]).ok().contains("Corner Shop"), "the stored keys still hold");
    app.run(&["store", "pause", "main"]).ok();
    let list = app.run(&["store", "list", "--json"]).json();
    let main = list.as_array().unwrap().iter().find(|store| store["slug"] == "main").unwrap().clone();
    assert_eq!((main["api"]["state"].clone(), main["name"].clone()), (json!("paused"), json!("Corner Shop")));
    app.run(&["store", "resume", "main"]).ok();
    let places = app.run(&["store", "attribution", "main", "order_meta:ref,customer"]).ok();
    assert!(places.contains("after:  order_meta:ref,customer"), "{places}");
}

#[test]
fn a_secret_is_exchanged_while_deliveries_come_and_none_is_refused() {
    let app = TestApp::start();
    let sim = shop(Utc::now());
    connect(&app, &sim, &[]).ok();
    let secret = |sim: &Sim| sim.look(|shop| shop.subscriptions.values().next().unwrap().secret.clone());
    let old = secret(&sim);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let tally = std::thread::scope(|threads| {
        let sending = threads.spawn(|| {
            let mut taken = 0;
            // At least one round with the old and one with the new secret.
            for round in 0.. {
                order(&sim);
                let sent = sim.send(&app.base, 2);
                assert_eq!(sent.refused, 0, "{sent:?}");
                taken += sent.taken;
                if round > 2 && stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
            }
            taken
        });
        let rotated = app.run(&["store", "rotate", "main", "--json"]).json();
        assert_eq!(rotated["state"], "exchanged", "{rotated}");
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        sending.join().unwrap()
    });
    assert!(tally >= 4, "{tally}");
    let new = secret(&sim);
    assert_ne!(old, new);
    assert!(sim.look(|shop| shop.subscriptions.values().all(|s| s.secret == new)));
    assert_eq!((knock(&app, &old, 1), knock(&app, &new, 2)), (200, 200), "both are live");
    let again = app.run(&["store", "rotate", "main", "--json"]).json();
    assert_eq!(again["state"], "ending", "{again}");

    // A day later, while the old one was used since: it stays, and somebody is told.
    let tended = |at: DateTime<Utc>| {
        let keeper = keeper(&app, Clock::fixed(at));
        keeper.tend(&keeper.connection("main").unwrap()).unwrap();
        (standing(&app, "main").live, notice(&app, "old-secret-used:main").is_some())
    };
    let exchanged = exchanged_at(&app);
    assert_eq!(tended(exchanged + TimeDelta::hours(23)), (2, false));
    assert_eq!(tended(exchanged + TimeDelta::hours(24)), (2, true));
    // Nothing needed it for a day: it ends.
    assert_eq!(tended(exchanged + TimeDelta::hours(49)), (1, false));
    ends(&app, &old);
    assert_eq!(knock(&app, &new, 4), 200);
}

/// When the last subscription changed over.
fn exchanged_at(app: &TestApp) -> DateTime<Utc> {
    let store = keeper(app, Clock::system()).connection("main").unwrap().store();
    let rows = app.db.read(Lane::Admin, |conn| connections::subscriptions(conn, store)).unwrap();
    rows.iter().map(|row| row.secret_since).max().unwrap()
}

#[test]
fn an_interrupted_exchange_goes_on() {
    let app = TestApp::start();
    let sim = shop(Utc::now());
    connect(&app, &sim, &[]).ok();
    let old = sim.look(|shop| shop.subscriptions.values().next().unwrap().secret.clone());
    let keeper = keeper(&app, Clock::system());
    let witness = |_: &mut upline::db::Tx<'_>, _: &str, _: Value| Ok(());
    let rotate = || keeper.rotate("main", connections::Given::default(), &witness);
    let done = |rotated| match rotated {
        Ok(Rotation::Done(ensured)) => assert_eq!(ensured.broken().count(), 0),
        other => panic!("it goes on: {other:?}"),
    };
    // Before the first webhook changed over.
    sim.chaos().unauthorized = 9;
    assert!(rotate().is_err());
    sim.chaos().unauthorized = 0;
    assert_eq!(standing(&app, "main").live, 2);
    let early = app.run(&["store", "secret", "retire", "main"]);
    assert_eq!(
        (early.code, early.err.contains("still sign with the older secret")),
        (Some(1), true),
        "{}",
        early.err
    );
    assert_eq!(knock(&app, &old, 1), 200);
    done(rotate());
    let new = sim.look(|shop| shop.subscriptions.values().next().unwrap().secret.clone());
    let all_new = || sim.look(|shop| shop.subscriptions.values().all(|s| s.secret == new));
    assert!(new != old && all_new());
    // In the middle: as it stands when some have changed over and some have not.
    sim.act(|shop| {
        let late = shop.subscriptions.values_mut().filter(|s| s.topic.starts_with("order."));
        late.for_each(|s| s.secret.clone_from(&old));
    });
    app.sql("update store_webhooks set secret_no = 1 where topic like 'order.%'");
    done(rotate());
    assert!(all_new());
    app.run(&["store", "secret", "retire", "main"]).ok();
    ends(&app, &old);
    assert_eq!(knock(&app, &new, 3), 200);
}

/// A Shopify app whose client secret is exchanged in the Dev Dashboard.
#[derive(Clone)]
struct App(Arc<Mutex<Shopify>>);

impl Dialect for App {
    fn answer(&self, shop: &mut Shop, call: &Call) -> Answer {
        self.0.lock().unwrap().answer(shop, call)
    }

    fn webhook(&self, shop: &Shop, event: &ShopEvent, subscription: &Subscription) -> Option<Sent> {
        self.0.lock().unwrap().webhook(shop, event, subscription)
    }
}

#[test]
fn the_secret_of_an_app_is_exchanged_without_a_gap() {
    // Shopify calls https alone; the simulated one brings what it sends to our real address.
    let app = TestApp::start_with(|settings| settings.public_url = Some("https://upline.example".into()));
    let dashboard = App(Arc::new(Mutex::new(Shopify::default())));
    let mut truth = Shop::new("EU Shop", "EUR", 2, 5_000_000_000_001, Utc::now());
    truth.add_product("Thing", &[("A1", 1000)]);
    let sim = Sim::start(truth, Box::new(dashboard.clone()), 1);
    let old = dashboard.0.lock().unwrap().client_secret.clone();
    let run = |arguments: &[&str]| app.run(&[&["store"], arguments].concat());
    let fixed = ["connect", "main", "--platform", "shopify", "--url", &sim.base, "--allow-private"];
    let keys = ["--client-id", "sim-client", "--client-secret", &old];
    run(&[&fixed[..], &keys].concat()).ok();
    let topics = sim.look(|shop| shop.subscriptions.len());
    assert!(topics >= 10, "{topics}");
    order(&sim);
    let sent = sim.send(&app.base, 2);
    assert!(sent.taken >= 2 && sent.refused == 0, "{sent:?}");

    let wrong = run(&["rotate", "main", "--client-secret", "a guess"]);
    assert_eq!((wrong.code, standing(&app, "main").live), (Some(1), 1), "{}", wrong.err);
    assert!(wrong.err.contains("Dev Dashboard") && !wrong.err.contains("a guess"), "{}", wrong.err);
    assert!(run(&["rotate", "main"]).err.contains("make another one in the Dev Dashboard"));
    run(&["test", "main"]).ok();

    // On their way, still signed with the old one.
    order(&sim);
    dashboard.0.lock().unwrap().client_secret = "another-client-secret".to_owned();
    let rotated = run(&["rotate", "main", "--client-secret", "another-client-secret", "--json"]).json();
    assert_eq!(rotated["state"], "exchanged", "{rotated}");
    order(&sim);
    let sent = sim.send(&app.base, 2);
    assert!(sent.taken >= 4 && sent.refused == 0, "{sent:?}");
    assert_eq!((standing(&app, "main").live, sim.look(|shop| shop.subscriptions.len())), (2, topics));
    run(&["test", "main"]).ok();
    // Only deliveries tell that Shopify has changed over: none came in the last day, so the old one goes on.
    let later = keeper(&app, Clock::fixed(exchanged_at(&app) + TimeDelta::hours(72)));
    later.tend(&later.connection("main").unwrap()).unwrap();
    assert_eq!(standing(&app, "main").live, 2);
}

#[test]
fn silence_is_noticed_and_its_end_too() {
    let app = TestApp::start();
    let begun = Utc::now();
    let sim = shop(begun - TimeDelta::hours(2));
    connect(&app, &sim, &[]).ok();
    // It has been connected for long, and its deliveries get lost.
    app.sql("update store_connections set connected_at = connected_at - interval '9 hours', heard_at = null");
    app.sql("update store_webhooks set created_at = created_at - interval '9 hours'");
    let schedule = Schedule { every: TimeDelta::zero(), silent: TimeDelta::hours(6) };
    let worker = Worker::new(keeper(&app, Clock::system()), Metrics::build().unwrap(), schedule);
    let look = |what: &str, done: &dyn Fn() -> bool| {
        wait::until(what, PATIENCE, || {
            worker.look(begun).unwrap();
            done().then_some(())
        });
    };
    let since = Utc::now();
    look("a look without news", &|| {
        keeper(&app, Clock::system()).connection("main").unwrap().checked_at > Some(since)
    });
    assert!(notice(&app, "store-silent:main").is_none(), "a quiet shop is not silent");

    order(&sim);
    let day = (begun - TimeDelta::days(1)).format("%Y-%m-%d").to_string();
    app.run(&["pull", "main", "--changed-since", &day]).ok();
    look("an alarm", &|| notice(&app, "store-silent:main").is_some());
    let (severity, body) = notice(&app, "store-silent:main").unwrap();
    assert_eq!((severity.as_str(), body.contains("showed 1 order(s)")), ("alarm", true), "{body}");

    assert!(sim.send(&app.base, 1).taken > 0);
    look("the end of the alarm", &|| notice(&app, "store-silent:main").is_none());
}

#[test]
fn an_app_that_was_uninstalled_pauses_its_store() {
    let app = TestApp::start();
    app.run(&["store", "add", "--platform", "shopify", "--slug", "eu", "--secret", "app-secret"]).ok();
    let keeper = keeper(&app, Clock::system());
    let credentials =
        Credentials::ShopifyToken { token: "shpat_1".into(), client_secret: "app-secret".into() };
    let connected = Utc::now() - TimeDelta::hours(1);
    let base = "https://eu.myshopify.com/".parse().unwrap();
    let store = app.db.read(Lane::Admin, upline::ingest::list_stores).unwrap();
    let store: StoreId = store.iter().find(|store| store.slug == "eu").unwrap().id;
    let facts = Probe { name: "EU".into(), ..Probe::default() };
    let saved = app.db.transact_or(Lane::Admin, |tx| {
        let new = NewConnection {
            store,
            base: &base,
            allow_private: false,
            credentials: &credentials,
            zone: chrono_tz::Tz::UTC,
            facts: &facts,
        };
        connections::save(tx, &keeper.vault, &new, connected)
    });
    saved.unwrap();
    // Nobody calls a shop of ours at Shopify.
    app.sql("update store_connections set webhooks = false");
    let worker = Worker::new(
        keeper,
        Metrics::build().unwrap(),
        Schedule { every: TimeDelta::hours(1), silent: TimeDelta::hours(6) },
    );
    let uninstalled = |at: DateTime<Utc>| {
        let body = json!({"id": at.timestamp_micros()}).to_string();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"app-secret").unwrap();
        mac.update(body.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let (at, topic) = (at.to_rfc3339(), "app/uninstalled");
        let headers = [
            ("Content-Type", "application/json"),
            ("X-Shopify-Topic", topic),
            ("X-Shopify-Triggered-At", &at),
            ("X-Shopify-Hmac-Sha256", &signature),
        ];
        assert_eq!(app.post("/webhooks/eu", &headers, body).status, 200);
        worker.look(connected).unwrap();
    };
    uninstalled(connected - TimeDelta::hours(1));
    assert!(!standing(&app, "eu").paused, "an old word does not end a connection that came after it");
    uninstalled(Utc::now());
    let standing = standing(&app, "eu");
    assert!(standing.paused && standing.problem.unwrap().contains("uninstalled"));
    assert_eq!(notice(&app, "store-uninstalled:eu").unwrap().0, "alarm");
}
