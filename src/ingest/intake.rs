//! Group commit: many callers, one COMMIT.
//!
//! One thread takes whatever has queued up while the last commit ran and stores it in one database transaction.
//! There is no timer: alone, a caller waits for nobody; under load, batches grow by themselves.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{Accepted, NewDelivery, accept};
use crate::db::{Db, DbError, Lane};

#[derive(Clone)]
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
}

struct Waiting {
    delivery: NewDelivery,
    answer: oneshot::Sender<Result<Accepted, IntakeError>>,
}

/// Nothing was acknowledged; the store may send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntakeError {
    #[error("too many deliveries are waiting to be stored")]
    Full,
    #[error("the delivery could not be stored")]
    NotStored,
}

/// Deliveries that may wait; more are refused at once, which keeps memory flat in a storm.
const QUEUE: usize = 4096;
const BATCH: usize = 512;
/// The longest that anybody waits for an answer: Shopify gives up after five seconds.
const PATIENCE: Duration = Duration::from_secs(4);

impl Intake {
    /// Starts the writer. It ends when the last clone of the intake is gone and the queue is empty.
    pub fn start(db: Db) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let writer = std::thread::Builder::new().name("intake".into()).spawn(move || write(&db, waiting))?;
        Ok((Self { queue }, writer))
    }

    /// Returns once the delivery is committed.
    pub async fn accept(&self, delivery: NewDelivery) -> Result<Accepted, IntakeError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { delivery, answer }).map_err(|_| IntakeError::Full)?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(IntakeError::NotStored),
        }
    }
}

fn write(db: &Db, mut queue: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let Some(first) = queue.blocking_recv() else { return };
        batch.push(first);
        while batch.len() < BATCH {
            let Ok(next) = queue.try_recv() else { break };
            batch.push(next);
        }
        store(db, std::mem::take(&mut batch));
    }
}

fn store(db: &Db, batch: Vec<Waiting>) {
    // Nobody waits any more for those whose caller has given up: the store will send them again.
    let (deliveries, answers): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .filter(|waiting| !waiting.answer.is_closed())
        .map(|waiting| (waiting.delivery, waiting.answer))
        .unzip();
    match db.transact(Lane::Ingest, |tx| accept(tx, &deliveries)) {
        Ok(accepted) => {
            for (answer, accepted) in answers.into_iter().zip(accepted) {
                let _gone = answer.send(Ok(accepted));
            }
        }
        Err(error) => {
            report(&error, deliveries.len());
            for answer in answers {
                let _gone = answer.send(Err(IntakeError::NotStored));
            }
        }
    }
}

fn report(error: &DbError, deliveries: usize) {
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::error!(deliveries, %error, source, "deliveries were not stored and not acknowledged");
}
