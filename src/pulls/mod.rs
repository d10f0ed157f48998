//! Reading the stores' APIs: what changed there becomes a delivery here.
//!
//! What is read is compared with what is known, and only news is stored: as an ordinary delivery of the topic
//! [`crate::stores::PULLED_ORDER`], so that everything behind it (orders, commissions, replay) is the same road
//! that webhooks take.
//!
//! A window of time is read page by page ([`run`]); the news of a page and the cursor behind it are one database
//! transaction. The mark of a store moves only when a window is complete. [`Worker`] reads what is due.

mod due;
mod health;
mod one;
mod repo;
mod rhythm;
mod round;
mod run;
mod settle;
mod sink;
mod stop;
mod take;
mod words;
mod worker;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use due::{Age, ages, connected};
pub use one::{One, one};
pub use rhythm::Rhythm;
pub use round::{Round, round};
pub use run::{Job, Means, run};
pub use settle::{settled, unsettled};
pub use sink::{Asked, Sheet, Sink, sink};
pub use stop::Stop;
pub use take::{Taken, look, take, take_absence};
pub use words::{Cause, Kind, Span, State, window_by_name};
pub use worker::{Opener, Worker};

use crate::clients::ApiError;
use crate::connections::ConnectionProblem;
use crate::core::ids::StoreId;
use crate::db::{Conn, DbError, Tx};

/// A window that was read, or is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    pub pull_id: Uuid,
    pub store_id: StoreId,
    /// Slug.
    pub store: String,
    pub kind: Kind,
    pub cause: Cause,
    pub span: Span,
    /// The client's own words.
    pub cursor: Option<String>,
    pub state: State,
    pub pages: i32,
    /// Read; the same may come on two pages.
    pub seen: i32,
    /// News, of what was seen.
    pub told: i32,
    /// What nothing was known of, of what was told.
    pub fresh: i32,
    /// What the store said is left.
    pub remaining: Option<i64>,
    pub problem: Option<String>,
    pub started_by: String,
    pub started_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Until when a kind of a store was read, and how that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub store: StoreId,
    pub kind: Kind,
    /// Everything that changed before was read.
    pub pulled_until: Option<DateTime<Utc>>,
    pub daily_at: Option<DateTime<Utc>>,
    /// In a row.
    pub failures: i32,
    pub next_try_at: Option<DateTime<Utc>>,
}

#[derive(Debug, thiserror::Error)]
pub enum PullProblem {
    #[error(
        "the {kind} of {store} are being read by somebody else at this moment; see upline pull status {store}"
    )]
    Busy { store: String, kind: Kind },
    #[error("nothing is done with {0} that are read")]
    NobodyTakes(Kind),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Connection(#[from] ConnectionProblem),
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// The newest first; of one store, or of all.
pub fn newest(conn: &mut Conn, store: Option<StoreId>, limit: i64) -> Result<Vec<Pull>, DbError> {
    repo::windows::newest(conn, store, limit)
}

/// Of one store, or of all.
pub fn marks(conn: &mut Conn, store: Option<StoreId>) -> Result<Vec<Mark>, DbError> {
    repo::marks::marks(conn, store)
}

/// Everything of a kind is read once more, and not only what changed: something else of it is kept now.
pub fn read_whole(tx: &mut Tx<'_>, store: StoreId, kind: Kind) -> Result<(), DbError> {
    repo::marks::forget(tx.conn, (store, kind))
}

/// The newest backfill of a store, if it did not come to its end.
pub fn unfinished_backfill(conn: &mut Conn, store: StoreId) -> Result<Option<Pull>, DbError> {
    Ok(repo::windows::unfinished(conn, Some(store), &[Cause::Backfill])?.pop())
}
