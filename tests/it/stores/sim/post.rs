//! What the platform sends by itself: deliveries of the shop's events, as its habits and the day's chances let them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use super::chaos::Chaos;
use super::dialect::{Dialect, Sent};
use super::shop::{Id, Shop, ShopEvent};

/// Of a platform that tries again; Shopify takes four hours for its eight.
const TRIES: u32 = 8;

/// Deliveries that wait, in the order in which they will leave.
#[derive(Default)]
pub struct Post {
    /// Events before this one were told.
    told: usize,
    waiting: BTreeMap<(u64, u64), Delivery>,
    queued: u64,
}

pub struct Delivery {
    subscription: Id,
    what: Content,
}

enum Content {
    Ready(Sent),
    /// Built when it leaves.
    About(ShopEvent),
}

/// What became of the deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub taken: usize,
    pub refused: usize,
    /// The platform had nothing to say, or had stopped sending.
    pub unsent: usize,
}

impl Post {
    /// Queues what the platform sends for what happened since the last time.
    pub fn tell(&mut self, shop: &Shop, dialect: &dyn Dialect, chaos: &mut Chaos) {
        for event in shop.events.iter().skip(self.told) {
            for subscription in shop.subscriptions.values().filter(|known| known.active) {
                let Some(sent) = dialect.webhook(shop, event, subscription) else { continue };
                for behind in chaos.delivery() {
                    let what = match dialect.built_when_sent() {
                        true => Content::About(event.clone()),
                        false => Content::Ready(sent.clone()),
                    };
                    self.waiting.insert(
                        (event.seq + behind, self.queued),
                        Delivery { subscription: subscription.id, what },
                    );
                    self.queued += 1;
                }
            }
        }
        self.told = shop.events.len();
    }

    pub fn take(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}

/// Sends to the real address of the app, whatever host a subscription names.
pub fn send(
    shop: &Mutex<Shop>,
    dialect: &dyn Dialect,
    waiting: Vec<Delivery>,
    app: &str,
    connections: usize,
) -> Tally {
    let queue = Mutex::new(waiting.into_iter());
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).max_redirects(0);
    let agent: ureq::Agent = config.timeout_global(Some(Duration::from_secs(30))).build().into();
    let tallies: Vec<Tally> = std::thread::scope(|threads| {
        let work = || {
            let mut tally = Tally::default();
            loop {
                let next = queue.lock().unwrap().next();
                let Some(delivery) = next else { return tally };
                deliver(shop, dialect, &agent, &delivery, app, &mut tally);
            }
        };
        let running: Vec<_> = (0..connections).map(|_| threads.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    tallies.iter().fold(Tally::default(), |sum, tally| Tally {
        taken: sum.taken + tally.taken,
        refused: sum.refused + tally.refused,
        unsent: sum.unsent + tally.unsent,
    })
}

fn deliver(
    shop: &Mutex<Shop>,
    dialect: &dyn Dialect,
    agent: &ureq::Agent,
    delivery: &Delivery,
    app: &str,
    tally: &mut Tally,
) {
    let tries = if dialect.failures_until_disabled().is_some() { 1 } else { TRIES };
    for _ in 0..tries {
        let built = {
            let shop = shop.lock().unwrap();
            let subscription = shop.subscriptions.get(&delivery.subscription).filter(|known| known.active);
            subscription.and_then(|subscription| {
                let sent = match &delivery.what {
                    Content::Ready(sent) => Some(sent.clone()),
                    Content::About(event) => dialect.webhook(&shop, event, subscription),
                };
                sent.map(|sent| (subscription.address.clone(), sent))
            })
        };
        let Some((address, sent)) = built else {
            tally.unsent += 1;
            return;
        };
        let taken = post(agent, &here(&address, app), &sent);
        count(&mut shop.lock().unwrap(), dialect, delivery.subscription, taken);
        if taken {
            tally.taken += 1;
            return;
        }
        tally.refused += 1;
    }
    // A platform that tries again gives the subscription up in the end.
    if tries > 1 {
        shop.lock().unwrap().subscriptions.remove(&delivery.subscription);
    }
}

fn count(shop: &mut Shop, dialect: &dyn Dialect, subscription: Id, taken: bool) {
    let Some(subscription) = shop.subscriptions.get_mut(&subscription) else { return };
    subscription.failures = if taken { 0 } else { subscription.failures + 1 };
    if dialect.failures_until_disabled().is_some_and(|most| subscription.failures >= most) {
        subscription.active = false;
    }
}

/// Redirects count as taken, as platforms have it.
fn post(agent: &ureq::Agent, address: &str, sent: &Sent) -> bool {
    let mut request = ureq::http::Request::post(address);
    for (name, value) in &sent.headers {
        request = request.header(name, value);
    }
    let request = request.body(sent.body.clone()).expect("a request");
    agent.run(request).is_ok_and(|answer| (200..303).contains(&answer.status().as_u16()))
}

/// The address with the app's real origin.
fn here(address: &str, app: &str) -> String {
    let url = url::Url::parse(address).expect("an address");
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{}{query}", app.trim_end_matches('/'), url.path())
}
