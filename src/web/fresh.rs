//! A value of the database kept beside the hot path: read without asking, never older than a second, and looked
//! up anew before anybody is told that something is not there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::db::{Db, DbError};

type Load<T> = dyn Fn(&Db) -> Result<Arc<T>, DbError> + Send + Sync;

pub struct Fresh<T> {
    db: Db,
    load: Box<Load<T>>,
    held: RwLock<Arc<T>>,
    /// Loads begun so far, and the last of them that ended well. Whoever waits for a load that began after he
    /// came shares it with all others who wait.
    begun: AtomicU64,
    loaded: AtomicU64,
    one_at_a_time: tokio::sync::Mutex<()>,
}

/// How stale a value may be, such as a secret that was retired by another process.
const AGE: Duration = Duration::from_secs(1);

impl<T: Send + Sync + 'static> Fresh<T> {
    /// Loads for the first time. Blocking. `load` should be cheap when nothing has changed.
    pub fn new(
        db: Db,
        load: impl Fn(&Db) -> Result<Arc<T>, DbError> + Send + Sync + 'static,
    ) -> Result<Arc<Self>, DbError> {
        let held = RwLock::new(load(&db)?);
        let one_at_a_time = tokio::sync::Mutex::new(());
        let (begun, loaded) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Arc::new(Self { db, load: Box::new(load), held, begun, loaded, one_at_a_time }))
    }

    /// As of at most a second ago, while the database answers.
    pub fn current(&self) -> Arc<T> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As of now.
    pub async fn renewed(self: &Arc<Self>) -> Result<Arc<T>, DbError> {
        let begun_before = self.begun.load(Ordering::SeqCst);
        let _turn = self.one_at_a_time.lock().await;
        if self.loaded.load(Ordering::SeqCst) > begun_before {
            return Ok(self.current());
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let fresh = self.clone();
        let loaded = tokio::task::spawn_blocking(move || (fresh.load)(&fresh.db)).await;
        let loaded = loaded.map_err(|panic| DbError::Invariant(format!("a load panicked: {panic}")))??;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = loaded.clone();
        self.loaded.store(number, Ordering::SeqCst);
        Ok(loaded)
    }

    /// Keeps the value from growing old until `stop` says so.
    pub async fn keep(self: Arc<Self>, mut stop: tokio::sync::watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::select! {
                () = tokio::time::sleep(AGE) => {
                    if let Err(error) = self.renewed().await {
                        tracing::debug!(%error, "working with what was known before");
                    }
                }
                _ = stop.changed() => {}
            }
        }
    }
}
