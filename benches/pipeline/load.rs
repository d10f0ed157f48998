//! The load: prepared requests over kept-alive connections, closed loop (as fast as they are answered) or at a
//! fixed pace.
//!
//! Hand-written on sockets, so that the client costs little of the two cores that it shares with what it measures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub struct Load {
    pub addr: SocketAddr,
    pub connections: usize,
    /// Requests a second; `None` for as fast as possible.
    pub pace: Option<u32>,
}

pub struct Answered {
    /// Shortest first.
    latencies: Vec<Duration>,
    pub took: Duration,
}

/// One request with its headers, ready to be written.
pub fn request(path: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

impl Load {
    /// Sends every request once and waits for all answers; anything but 200 ends the benchmark.
    pub fn run(&self, requests: &[Vec<u8>]) -> Answered {
        let next = AtomicUsize::new(0);
        let all = Mutex::new(Vec::with_capacity(requests.len()));
        let began = Instant::now();
        std::thread::scope(|threads| {
            for _ in 0..self.connections {
                threads.spawn(|| {
                    let mine = self.connection(requests, &next, began);
                    all.lock().expect("no thread panicked").extend(mine);
                });
            }
        });
        let took = began.elapsed();
        let mut latencies = all.into_inner().expect("no thread panicked");
        assert_eq!(latencies.len(), requests.len());
        latencies.sort_unstable();
        Answered { latencies, took }
    }

    fn connection(&self, requests: &[Vec<u8>], next: &AtomicUsize, began: Instant) -> Vec<Duration> {
        let mut stream = TcpStream::connect(self.addr).expect("connect");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        let (mut latencies, mut buffer) = (Vec::new(), vec![0; 4096]);
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            let Some(request) = requests.get(nth) else { return latencies };
            let from = self.due(nth, began);
            stream.write_all(request).expect("send");
            answer(&mut stream, &mut buffer);
            latencies.push(from.elapsed());
        }
    }

    /// When this request counts as sent. At a pace, a connection that comes late has kept its request waiting; one
    /// that was early sleeps, and what it oversleeps does not count.
    fn due(&self, nth: usize, began: Instant) -> Instant {
        let Some(pace) = self.pace else { return Instant::now() };
        let due = began + Duration::from_secs_f64(nth as f64 / f64::from(pace));
        match due.checked_duration_since(Instant::now()) {
            Some(early) => {
                std::thread::sleep(early);
                Instant::now()
            }
            None => due,
        }
    }
}

/// Reads one answer to its end.
fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
        let read = stream.read(&mut buffer[filled..]).expect("an answer");
        assert!(read > 0, "the server closed the connection");
        filled += read;
        let head = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n");
        let Some(head) = head else { continue };
        let text = std::str::from_utf8(&buffer[..head]).expect("a readable head").to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..filled]));
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let end = head + 4 + length.unwrap_or(0usize);
        if filled >= end {
            return;
        }
    }
}

impl Answered {
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.latencies.len() * percent).div_ceil(100).max(1);
        self.latencies[rank - 1].as_secs_f64() * 1000.0
    }
}
