//! The commands, against a simulated WooCommerce on a port: what they print, how they end, and what is there then.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::mpsc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use upline::clock::Clock;

use crate::stores::sim::server::Sim;
use crate::stores::sim::shop::{Basket, Carried, Referral, Shop};
use crate::stores::sim::woocommerce::WooCommerce;
use crate::support::app::{DISTRIBUTORS, PLAN, Ran, SKUS, Site};
use crate::support::wait;

/// A shop whose orders were made one a minute, the last of them a day ago.
pub fn shop(orders: i64) -> Shop {
    let last = Clock::system().now() - TimeDelta::days(1);
    let begun = last - TimeDelta::minutes(orders);
    let mut shop = Shop::new("woocommerce", "USD", 2, 100, begun);
    for _ in 0..orders {
        shop.now += TimeDelta::minutes(1);
        place(&mut shop);
    }
    shop
}

/// One thing for 100.00, by the link of distributor 4, paid.
pub fn place(shop: &mut Shop) -> i64 {
    let thing = shop.products.values().flat_map(|product| &product.variants).next().map(|variant| variant.id);
    let thing = thing.unwrap_or_else(|| {
        let product = shop.add_product("Thing", &[("A1", 10_000)]);
        shop.products[&product].variants[0].id
    });
    let referral = Some(Referral { code: "4".to_owned(), carried: Carried::Meta });
    let order = shop.place(&Basket { lines: vec![(thing, 1, 0, 0)], referral, ..Basket::default() });
    shop.pay(order);
    i64::try_from(order).unwrap()
}

/// Yesterday and some days: before every order.
pub fn since() -> String {
    (Clock::system().now() - TimeDelta::days(10)).date_naive().to_string()
}

const CONNECT: [&str; 10] = [
    "store",
    "connect",
    "main",
    "--platform",
    "woocommerce",
    "--allow-private",
    "--no-webhooks",
    "--consumer-key=ck_sim",
    "--consumer-secret=cs_sim",
    "--url",
];

pub fn connect(run: impl Fn(&[&str]) -> Ran, sim: &Sim) {
    run(&[&CONNECT[..], &[sim.base.as_str()]].concat()).ok();
}

/// A company without a server, and its connected shop.
fn company(orders: i64) -> (Site, Sim) {
    let (site, sim) = (Site::new(), Sim::start(shop(orders), Box::new(WooCommerce::default()), 1));
    site.run(&["import", "distributors", &site.file("distributors.csv", DISTRIBUTORS)]).ok();
    site.run(&["import", "skus", &site.file("skus.csv", SKUS)]).ok();
    site.run(&["plan", "publish", PLAN, "--from", "2020-01-01"]).ok();
    connect(|arguments| site.run(arguments), &sim);
    site.run(&["store", "attribution", "main", "order_meta:distributor_code"]).ok();
    (site, sim)
}

fn counts(pull: &Value) -> [Option<i64>; 3] {
    ["seen", "told", "new"].map(|name| pull[name].as_i64())
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn a_backfill_ends_with_orders_and_commissions() {
    let (site, _sim) = company(130);
    let begin = since();
    let dry = site.run(&["backfill", "main", "--since", &begin, "--dry-run", "--json"]).json();
    assert_eq!(counts(&dry), [Some(130), Some(130), Some(130)]);
    assert_eq!(site.run(&["pull", "status", "--json"]).json(), json!({"marks": [], "pulls": []}));

    let told = site.run(&["backfill", "main", "--since", &begin, "--json"]).json();
    assert_eq!(counts(&told), [Some(130), Some(130), Some(130)]);
    assert_eq!((&told["state"], &told["processed"]), (&json!("done"), &json!(true)));
    assert_eq!((&told["cause"], &told["window_by"]), (&json!("backfill"), &json!("ordered")));
    assert!(instant(&told["to"]) <= Clock::system().now());
    let verified = site.run(&["verify", "--json"]).json();
    assert_eq!(verified["deliveries"], json!(130));
    // Each pays the seller and two above it.
    assert_eq!(verified["commission_events"], json!(3 * 130));
    site.run(&["replay", "--check"]).ok();

    let again = site.run(&["backfill", "main", "--since", &begin]).ok();
    assert_eq!(again, "130 orders read: 0 new, 0 stand differently, the rest as known.");
}

/// A backfill that waits for its second page until it is let go.
struct Halfway {
    child: Child,
    go: mpsc::Sender<()>,
}

fn halfway(site: &Site, sim: &Sim, command: &[&str]) -> Halfway {
    let (asked, asks) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let mut calls = 0;
    {
        let mut chaos = sim.chaos();
        chaos.odds.meanwhile = 1000;
        chaos.meanwhile = Some(Box::new(move |_, _| {
            calls += 1;
            if calls == 2 {
                asked.send(()).unwrap();
                may_go.recv().unwrap();
            }
        }));
    }
    let child = site.begin(command);
    asks.recv().unwrap();
    Halfway { child, go }
}

#[test]
fn a_backfill_that_is_interrupted_goes_on_where_it_was() {
    let (site, sim) = company(250);
    let begin = since();
    let command = ["backfill", "main", "--since", &begin];
    let Halfway { mut child, go } = halfway(&site, &sim, &command);
    let id = i32::try_from(child.id()).unwrap();
    // SAFETY: a signal to a child that we have not waited for, so that its id is still its own.
    unsafe { libc::kill(id, libc::SIGINT) };
    // The word is heard before the page comes.
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut heard = String::new();
    said.read_line(&mut heard).unwrap();
    assert_eq!(heard.trim_end(), "Stopping after this page; once more to end at once.");
    go.send(()).unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest}");
    assert!(rest.contains("To go on: upline backfill main --since"), "{rest}");
    let stopped = &site.run(&["pull", "status", "main", "--json"]).json()["pulls"][0];
    assert_eq!(stopped["state"], json!("stopped"));
    let read = stopped["seen"].as_i64().unwrap();
    assert!((100..250).contains(&read), "{stopped}");

    sim.chaos().meanwhile = None;
    let on = site.run(&command);
    assert!(on.err.contains(&format!("Going on where it ended: {read} orders were read.")), "{}", on.err);
    assert_eq!(on.ok(), "250 orders read: 250 new, 0 stand differently, the rest as known.");
    assert_eq!(site.run(&["verify", "--json"]).json()["commission_events"], json!(3 * 250));
}

#[test]
fn a_backfill_that_is_killed_goes_on_behind_the_last_page_that_was_stored() {
    let (site, sim) = company(250);
    let begin = since();
    let command = ["backfill", "main", "--since", &begin];
    let Halfway { mut child, go } = halfway(&site, &sim, &command);
    child.kill().unwrap();
    child.wait().unwrap();
    go.send(()).unwrap();
    sim.chaos().meanwhile = None;
    let before = site.run(&["pull", "status", "main", "--json"]).json()["pulls"][0].clone();
    assert_eq!((&before["state"], &before["pages"]), (&json!("running"), &json!(1)));
    // The database may need a moment to see that the turn is free.
    let on = wait::until("the turn of the dead", Duration::from_secs(20), || {
        Some(site.run(&command)).filter(|ran| !ran.err.contains("at this moment"))
    });
    assert_eq!(on.ok(), "250 orders read: 250 new, 0 stand differently, the rest as known.");
    assert_eq!(site.run(&["verify", "--json"]).json()["commission_events"], json!(3 * 250));
    site.run(&["replay", "--check"]).ok();
}

#[test]
fn a_pull_takes_what_changed_and_one_order_what_it_is() {
    let (site, sim) = company(3);
    // Made two days before the store was connected at most: the first pull has them.
    let pulled = site.run(&["pull", "main", "--json"]).json();
    assert_eq!(pulled[0]["kind"], json!("orders"));
    assert_eq!(counts(&pulled[0]), [Some(3), Some(3), Some(3)]);
    let first = sim.look(|shop| *shop.orders.keys().next().unwrap());
    let refunded = sim.act(|shop| {
        // Windows end before the second that is not over.
        shop.now = Clock::system().now() - TimeDelta::minutes(1);
        shop.cancel(first);
        first.to_string()
    });
    let one = |order: &str| {
        let ran = site.run(&["pull", "main", "--order", order, "--json"]);
        (ran.code, serde_json::from_str::<Value>(&ran.out).unwrap()["outcome"].as_str().unwrap().to_owned())
    };
    assert_eq!(one(&refunded), (Some(0), "newer".into()));
    assert_eq!(one(&refunded), (Some(0), "same".into()));
    assert_eq!(one("424242"), (Some(1), "nowhere".into()));
    let verified = site.run(&["verify", "--json"]).json();
    assert_eq!(verified["commission_events"], json!(3 * 3 + 3), "the cancelled order is taken back");

    let all = site.run(&["pull", "--all"]).ok();
    assert!(all.contains("main") && all.contains("manual") && all.contains("done"), "{all}");
    let status = site.run(&["pull", "status", "main", "--json"]).json();
    let of_orders = |rows: &str| -> Vec<Value> {
        let rows = status[rows].as_array().unwrap().iter();
        rows.filter(|row| row["kind"] == "orders").cloned().collect()
    };
    let (marks, pulls) = (of_orders("marks"), of_orders("pulls"));
    assert_eq!((marks.len(), pulls.len()), (1, 2));
    assert_eq!(marks[0]["pulled_until"], pulls[0]["to"], "the newest is told first");
    let since = site.run(&["pull", "main", "--changed-since", &since(), "--json"]).json();
    assert_eq!(counts(&since[0]), [Some(3), Some(0), Some(0)]);
}

#[test]
fn what_stands_in_the_way_is_said() {
    let (site, sim) = company(3);
    let begin = since();
    site.run(&["store", "add", "--platform", "woocommerce", "--slug", "quiet", "--secret", "s"]).ok();
    for (arguments, reason) in [
        (&["pull", "nowhere"][..], "there is no store \"nowhere\""),
        (&["pull", "quiet"], "is not connected to its API: upline store connect quiet"),
        (&["pull", "status", "quiet"], "is not connected"),
        (&["backfill", "quiet", "--since", &begin], "is not connected"),
        (&["backfill", "main", "--since", "2999-01-01"], "lies in the future"),
        (&["backfill", "main", "--since", &begin, "--until", "2000-01-01"], "later than --since"),
    ] {
        let refused = site.run(arguments);
        assert_eq!(refused.code, Some(1), "{arguments:?}");
        assert!(refused.err.contains(reason), "{}", refused.err);
    }
    for wrong in
        [&["pull"][..], &["pull", "main", "--all"], &["pull", "--all", "--order", "1"], &["backfill", "main"]]
    {
        assert_eq!(site.run(wrong).code, Some(2), "{wrong:?}");
    }
    sim.chaos().unauthorized = 2;
    for arguments in [&["pull", "main"][..], &["backfill", "main", "--since", &begin]] {
        let refused = site.run(arguments);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains("HTTP 401"), "{}", refused.err);
    }
    let pulls = site.run(&["pull", "status", "main", "--json"]).json()["pulls"].clone();
    let states: Vec<_> = pulls.as_array().unwrap().iter().map(|pull| pull["state"].clone()).collect();
    assert_eq!(states, ["failed", "failed"]);
    assert_eq!(counts(&site.run(&["pull", "main", "--json"]).json()[0]), [Some(3), Some(3), Some(3)]);
}
