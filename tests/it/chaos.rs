//! Killed again and again in the middle of its work, the program loses nothing and does nothing twice.
//!
//! The same deliveries go once, in order, to one server, and then shuffled, each three times and over many
//! connections, to another that is killed with SIGKILL on the way, its database with it. Both end with the same
//! digest. `UPLINE_CHAOS=full` sends 10,000 deliveries over 64 connections and kills ten times.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use upline::db::{Db, Lane};
use upline::demo::send::Sender;
use upline::demo::{Company, DemoDelivery, repo, stream};
use upline::events::{self, Bus};

use crate::support::digest::{assert_same, digest};
use crate::support::server::{Server, Site};
use crate::support::wait;

const SEED: u64 = 20_260_829;
/// One delivery is tried for so long: through a kill and the recovery after it.
const PATIENCE: Duration = Duration::from_secs(180);
/// The last consequence is in the ledger so long after the last acknowledgement.
const DRAINED: Duration = Duration::from_secs(180);

struct Scale {
    orders: u32,
    deliveries: usize,
    connections: usize,
    kills: usize,
}

impl Scale {
    fn chosen() -> Self {
        match std::env::var("UPLINE_CHAOS").as_deref() {
            Ok("full") => Self { orders: 6_500, deliveries: 10_000, connections: 64, kills: 10 },
            _ => Self { orders: 300, deliveries: 500, connections: 16, kills: 3 },
        }
    }
}

#[test]
fn killed_on_the_way_it_ends_where_a_clean_run_ends() {
    let scale = Scale::chosen();
    let company = Company::sample(SEED);
    let mut sent = stream(&company, SEED, scale.orders, "2026-08-28T00:00:00Z".parse().unwrap());
    sent.truncate(scale.deliveries);

    let clean = {
        let site = Site::new("clean");
        let server = site.serve();
        site.set_up(&company);
        sender(&site, 1).send(&sent, &|| ()).unwrap();
        finished(&site, server, &sent)
    };

    let site = Site::new("killed");
    let server = site.serve();
    site.set_up(&company);
    let mut shuffled: Vec<DemoDelivery> = sent.iter().cycle().take(sent.len() * 3).cloned().collect();
    Rng::with_seed(SEED).shuffle(&mut shuffled);
    let (server, tried_again) = send_and_kill(&site, server, &shuffled, &scale);
    assert!(tried_again > 0, "no kill was felt by any connection");
    assert_same(&clean, &finished(&site, server, &sent));
}

/// Sends everything while killing and starting the server again, at even steps of the way.
fn send_and_kill(site: &Site, server: Server, deliveries: &[DemoDelivery], scale: &Scale) -> (Server, usize) {
    let acked = AtomicUsize::new(0);
    let count = || {
        acked.fetch_add(1, Ordering::Relaxed);
    };
    std::thread::scope(|threads| {
        let sending = threads.spawn(|| sender(site, scale.connections).send(deliveries, &count).unwrap());
        let mut server = server;
        for kill in 1..=scale.kills {
            let step = deliveries.len() * kill / (scale.kills + 1);
            wait::until("acknowledgements", PATIENCE, || {
                (acked.load(Ordering::Relaxed) >= step).then_some(())
            });
            server.kill();
            server = site.serve();
        }
        let acks = sending.join().unwrap();
        assert_eq!(acks.count(), deliveries.len());
        (server, acks.tried_again)
    })
}

fn sender(site: &Site, connections: usize) -> Sender {
    Sender { base: site.base(), connections, patience: PATIENCE, stopped: Arc::default() }
}

/// Waits for the end of the work, checks what has to hold after any run, and gives back the digest.
fn finished(site: &Site, server: Server, sent: &[DemoDelivery]) -> Vec<String> {
    let database = site.database();
    let db = Db::new(database.url(), Arc::new(Bus::default()));
    wait::until("an empty outbox", DRAINED, || {
        let backlog = db.read(Lane::Admin, events::backlog).expect("the backlog");
        assert!(backlog.iter().all(|topic| topic.parked == 0), "parked: {backlog:?}");
        backlog.iter().all(|topic| topic.waiting == 0).then_some(())
    });
    let stored = db.read(Lane::Admin, repo::stored_deliveries).unwrap();
    assert_eq!(
        usize::try_from(stored).unwrap(),
        distinct(sent),
        "every acknowledged delivery has its row, once"
    );
    let broken = db.read(Lane::Admin, repo::broken_invariants).unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    site.run(&["verify"]);
    site.run(&["replay", "--check"]);
    let digest = db.read(Lane::Admin, |conn| Ok(digest(conn))).unwrap();
    drop(db);
    drop(database);
    drop(server);
    digest
}

/// Deliveries that say something of their own; a ping is not kept.
fn distinct(sent: &[DemoDelivery]) -> usize {
    let kept = sent.iter().filter(|delivery| delivery.topic != "ping");
    kept.map(|delivery| (&delivery.store, &delivery.topic, &delivery.body)).collect::<BTreeSet<_>>().len()
}
