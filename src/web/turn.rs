//! Calculations of whole periods inside a request: each reads a company into memory, so only a few go on at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Refusal;

/// One for a long question of somebody who tries plans, one for somebody who wants an event explained.
const AT_ONCE: usize = 2;

#[derive(Clone)]
pub struct Turns(Arc<Semaphore>);

/// Moved to where the calculation runs: it goes on when its reader has left.
pub struct Turn(#[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Turns {
    /// Nobody waits in a line: a calculation can take minutes.
    pub fn take(&self) -> Result<Turn, Refusal> {
        let busy =
            |_| Refusal::unavailable("calculating", "another calculation is going on; try again in a moment");
        self.0.clone().try_acquire_owned().map(Turn).map_err(busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::StatusCode;

    #[test]
    fn there_are_as_many_turns_as_are_given_back() {
        let turns = Turns::default();
        let taken: Vec<Turn> = (0..AT_ONCE).map(|_| turns.take().ok().unwrap()).collect();
        assert_eq!(turns.take().err().unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(taken);
        assert!(turns.take().is_ok());
    }
}
