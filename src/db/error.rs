//! What can go wrong with the database, sorted by what the caller can do about it.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Nothing was written; try again later.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No connection became free in time; try again later.
    #[error("all database connections are busy")]
    Busy,
    /// Lost a race that running again decides; `Db::transact` has already tried.
    #[error("the database could not order concurrent writes")]
    Contended(#[source] Diesel),
    /// A rule of the schema refused the row. The name tells which.
    #[error("the database refuses: {message} (constraint {constraint})")]
    Constraint { constraint: String, message: String },
    /// The work was taken over by somebody else; nothing was written.
    #[error("the lease on {0} was lost")]
    Fenced(&'static str),
    /// Stored data is not what this program wrote.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    #[error("a database statement failed")]
    Query(#[source] Diesel),
    /// A value that the caller built breaks an invariant: halt, don't guess.
    #[error("invariant broken: {0}")]
    Invariant(String),
}

impl DbError {
    /// Worth running the same thing again, without counting it against the work.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy | Self::Contended(_) | Self::Fenced(_))
    }

    pub fn is_constraint(&self, name: &str) -> bool {
        matches!(self, Self::Constraint { constraint, .. } if constraint == name)
    }
}

impl From<Diesel> for DbError {
    fn from(error: Diesel) -> Self {
        match error {
            Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Contended(error),
            Diesel::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _,
            )
            | Diesel::BrokenTransactionManager => Self::Unavailable(Box::new(error)),
            Diesel::DatabaseError(DatabaseErrorKind::Unknown, ref info) if is_deadlock(info.message()) => {
                Self::Contended(error)
            }
            Diesel::DatabaseError(DatabaseErrorKind::Unknown, ref info) if is_shutdown(info.message()) => {
                Self::Unavailable(Box::new(error))
            }
            Diesel::DatabaseError(_, ref info) if info.constraint_name().is_some() => Self::Constraint {
                constraint: info.constraint_name().unwrap_or_default().to_owned(),
                message: info.message().to_owned(),
            },
            other => Self::Query(other),
        }
    }
}

impl From<serde_json::Error> for DbError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

// The SQLSTATE is not handed out by the driver, so these two classes are known by PostgreSQL's fixed messages
// (the server runs with lc_messages C or English; a miss only costs a retry).
fn is_deadlock(message: &str) -> bool {
    message.contains("deadlock detected") || message.contains("could not serialize")
}

fn is_shutdown(message: &str) -> bool {
    [
        "terminating connection",
        "server closed the connection",
        "the database system is",
        "connection to server",
    ]
    .iter()
    .any(|known| message.contains(known))
}
