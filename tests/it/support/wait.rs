//! Waiting for a state, with a deadline. Tests look at what is so, never at how long it usually takes.

use std::time::{Duration, Instant};

/// Asks again and again until there is an answer; says what was awaited when there is none in time.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < limit, "waited {limit:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
