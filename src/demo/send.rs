//! Sends deliveries as a store would: over HTTP, on several kept-alive connections, again until acknowledged.
//!
//! A store that gets no answer, or 429 or 503, may send again; any other refusal is a fault of the sender and
//! ends the run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::DemoDelivery;

/// Where deliveries go and how stubbornly.
#[derive(Clone, Debug)]
pub struct Sender {
    /// `http://127.0.0.1:8080`, without a path.
    pub base: String,
    pub connections: usize,
    /// How long one delivery is tried again before the run is given up.
    pub patience: Duration,
    /// Set from elsewhere to give up at once.
    pub stopped: Arc<AtomicBool>,
}

#[derive(Clone, Debug, Default)]
pub struct Acks {
    /// From sending the request to having read its answer, shortest first, one for each delivery.
    latencies: Vec<Duration>,
    /// Tries that ended without an acknowledgement and were made again.
    pub tried_again: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("{store} refused {topic} with {status}: {answer}")]
    Refused { store: String, topic: String, status: u16, answer: String },
    #[error(
        "{store} did not acknowledge {topic} within {patience:?}; is the server at {base} still running?"
    )]
    NoAnswer {
        store: String,
        topic: String,
        base: String,
        patience: Duration,
        #[source]
        last: Option<Box<ureq::Error>>,
    },
    #[error("stopped before the last delivery was sent")]
    Stopped,
}

/// Before a delivery is tried again when the answer names no time.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_ANSWER: Duration = Duration::from_secs(20);

impl Acks {
    pub fn count(&self) -> usize {
        self.latencies.len()
    }

    /// The latency that `percent` of all deliveries did not exceed; zero if there were none.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.latencies.len() * percent).div_ceil(100).max(1);
        self.latencies.get(rank - 1).copied().unwrap_or_default()
    }
}

impl Sender {
    /// Sends all of them, roughly in their order, and calls `acked` after each. Blocks until the last is
    /// acknowledged or one is refused.
    pub fn send(&self, deliveries: &[DemoDelivery], acked: &(dyn Fn() + Sync)) -> Result<Acks, SendError> {
        let next = AtomicUsize::new(0);
        let result: Mutex<Result<Acks, SendError>> = Mutex::new(Ok(Acks::default()));
        std::thread::scope(|threads| {
            for _ in 0..self.connections.clamp(1, deliveries.len().max(1)) {
                threads.spawn(|| {
                    let mine = self.work(deliveries, &next, acked);
                    if mine.is_err() {
                        next.store(deliveries.len(), Ordering::Relaxed);
                    }
                    merge(&result, mine);
                });
            }
        });
        let result = result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        result.map(|mut acks| {
            acks.latencies.sort_unstable();
            acks
        })
    }

    /// One connection: takes the next unsent delivery until there is none.
    fn work(
        &self,
        deliveries: &[DemoDelivery],
        next: &AtomicUsize,
        acked: &(dyn Fn() + Sync),
    ) -> Result<Acks, SendError> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(LONGEST_ANSWER))
            .build();
        let agent = ureq::Agent::new_with_config(config);
        let mut acks = Acks::default();
        while let Some(delivery) = deliveries.get(next.fetch_add(1, Ordering::Relaxed)) {
            self.deliver(&agent, delivery, &mut acks)?;
            acked();
        }
        Ok(acks)
    }

    fn deliver(
        &self,
        agent: &ureq::Agent,
        delivery: &DemoDelivery,
        acks: &mut Acks,
    ) -> Result<(), SendError> {
        let began = Instant::now();
        let mut last = None;
        while began.elapsed() < self.patience {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(SendError::Stopped);
            }
            let sent = Instant::now();
            let pause = match self.post(agent, delivery) {
                Ok(Answer::Acknowledged) => {
                    acks.latencies.push(sent.elapsed());
                    return Ok(());
                }
                Ok(Answer::Refused(status, answer)) => {
                    let (store, topic) = (delivery.store.clone(), delivery.topic.clone());
                    return Err(SendError::Refused { store, topic, status, answer });
                }
                Ok(Answer::Later(pause)) => pause,
                Err(failure) => {
                    last = Some(Box::new(failure));
                    PAUSE
                }
            };
            acks.tried_again += 1;
            std::thread::sleep(pause);
        }
        Err(SendError::NoAnswer {
            store: delivery.store.clone(),
            topic: delivery.topic.clone(),
            base: self.base.clone(),
            patience: self.patience,
            last,
        })
    }

    fn post(&self, agent: &ureq::Agent, delivery: &DemoDelivery) -> Result<Answer, ureq::Error> {
        let mut request = agent.post(format!("{}/webhooks/{}", self.base, delivery.store));
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        let mut response = request.send(&delivery.body[..])?;
        let status = response.status().as_u16();
        let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        // Read to the end, so that the connection can be used again.
        let answer = response.body_mut().read_to_string()?;
        Ok(match status {
            200..=299 => Answer::Acknowledged,
            429 | 503 => {
                Answer::Later(wait.map_or(PAUSE, |seconds: u64| Duration::from_secs(seconds.min(5))))
            }
            _ => Answer::Refused(status, answer.chars().take(300).collect()),
        })
    }
}

enum Answer {
    Acknowledged,
    Later(Duration),
    Refused(u16, String),
}

fn merge(result: &Mutex<Result<Acks, SendError>>, mine: Result<Acks, SendError>) {
    let mut result = result.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match (&mut *result, mine) {
        (Ok(all), Ok(mine)) => {
            all.latencies.extend(mine.latencies);
            all.tried_again += mine.tried_again;
        }
        (Ok(_), Err(failure)) => *result = Err(failure),
        (Err(_), _) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn delivery(topic: &str) -> DemoDelivery {
        let headers = vec![("X-Shopify-Topic".to_owned(), topic.to_owned())];
        DemoDelivery { store: "demo-us".into(), topic: topic.into(), headers, body: b"{}".to_vec() }
    }

    /// Answers each topic with its statuses in turn, the last for ever, and counts requests per topic.
    fn server(statuses: &[(&str, &[&'static str])]) -> (String, Arc<Mutex<BTreeMap<String, usize>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let statuses: BTreeMap<String, Vec<&'static str>> =
            statuses.iter().map(|(topic, answers)| ((*topic).to_owned(), answers.to_vec())).collect();
        let counts = seen.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (statuses, counts) = (statuses.clone(), counts.clone());
                std::thread::spawn(move || answer(connection.unwrap(), &statuses, &counts));
            }
        });
        (base, seen)
    }

    fn answer(
        stream: TcpStream,
        statuses: &BTreeMap<String, Vec<&'static str>>,
        counts: &Mutex<BTreeMap<String, usize>>,
    ) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        loop {
            let (mut topic, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap() == 0 {
                    return;
                }
                let line = line.trim().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("x-shopify-topic: ") {
                    value.clone_into(&mut topic);
                }
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            let nth = {
                let mut counts = counts.lock().unwrap();
                let count = counts.entry(topic.clone()).or_default();
                *count += 1;
                *count - 1
            };
            let answers = &statuses[&topic];
            let status = answers.get(nth).or(answers.last()).unwrap();
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nno").unwrap();
        }
    }

    fn sender(base: String) -> Sender {
        Sender { base, connections: 4, patience: Duration::from_secs(10), stopped: Arc::default() }
    }

    #[test]
    fn everything_is_sent_once_and_again_until_acknowledged() {
        let (base, seen) = server(&[("a", &["200 OK"]), ("b", &["503 Busy", "429 Slow", "200 OK"])]);
        let deliveries: Vec<_> = (0..20).map(|_| delivery("a")).chain([delivery("b")]).collect();
        let count = AtomicUsize::new(0);
        let acks = sender(base).send(&deliveries, &|| _ = count.fetch_add(1, Ordering::Relaxed)).unwrap();
        assert_eq!((acks.count(), acks.tried_again, count.into_inner()), (21, 2, 21));
        assert_eq!(*seen.lock().unwrap(), BTreeMap::from([("a".to_owned(), 20), ("b".to_owned(), 3)]));
        assert!(acks.percentile(50) <= acks.percentile(99) && acks.percentile(99) > Duration::ZERO);
    }

    #[test]
    fn a_refusal_ends_the_run_and_names_the_delivery() {
        let (base, _) = server(&[("a", &["200 OK"]), ("b", &["401 Unauthorized"])]);
        let deliveries: Vec<_> = [delivery("b")].into_iter().chain((0..50).map(|_| delivery("a"))).collect();
        let refusal = sender(base).send(&deliveries, &|| ()).unwrap_err();
        assert_eq!(refusal.to_string(), "demo-us refused b with 401: no");
    }

    #[test]
    fn nobody_there_is_said_after_the_patience_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let sender = Sender { patience: Duration::from_millis(120), ..sender(base.clone()) };
        let failure = sender.send(&[delivery("a")], &|| ()).unwrap_err();
        assert!(failure.to_string().contains(&base), "{failure}");
        assert!(std::error::Error::source(&failure).is_some());
    }

    #[test]
    fn a_stopped_run_sends_nothing_more() {
        let (base, seen) = server(&[("a", &["200 OK"])]);
        let sender = sender(base);
        sender.stopped.store(true, Ordering::Relaxed);
        assert!(matches!(sender.send(&[delivery("a")], &|| ()), Err(SendError::Stopped)));
        assert!(seen.lock().unwrap().is_empty());
    }

    #[test]
    fn percentiles_count_from_the_shortest() {
        let latencies = (1..=200).map(Duration::from_millis).collect();
        let acks = Acks { latencies, tried_again: 0 };
        assert_eq!(acks.percentile(50), Duration::from_millis(100));
        assert_eq!(acks.percentile(99), Duration::from_millis(198));
        assert_eq!(Acks::default().percentile(99), Duration::ZERO);
    }
}
