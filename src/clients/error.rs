//! What can go wrong with a store's API, in words for the person who has to mend it.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error("the store does not accept our credentials: {0}")]
    Unauthorized(String),
    /// The credentials are right and not enough; names what is lacking.
    #[error("the credentials may not do this: {0}")]
    Forbidden(String),
    #[error("the store has no {0}")]
    NotFound(String),
    #[error("the store asks us to slow down")]
    Throttled { retry_after: Option<Duration> },
    /// Network, TLS, time-outs and 5xx.
    #[error("the store's API cannot be reached: {0}")]
    Unavailable(String),
    /// Half a page, a proxy's HTML, JSON of another shape.
    #[error("the store's API gave an answer that cannot be read: {0}")]
    Unreadable(String),
    /// Fewer came than the store said there are.
    #[error("the store's API left something out: {0}")]
    Incomplete(String),
    #[error("{0} is an address of a private network; allow that for this store if it is meant")]
    PrivateAddress(String),
    /// A 4xx that is none of the above.
    #[error("the store's API refused: {0}")]
    Refused(String),
    #[error("{0}")]
    Unsupported(String),
}

impl ApiError {
    /// The same call may succeed later without anybody doing anything.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. } | Self::Unavailable(_) | Self::Unreadable(_) | Self::Incomplete(_)
        )
    }
}
