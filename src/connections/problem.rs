//! What can be wrong with connecting a store, and what a person does about it.

use super::address::AddressProblem;
use super::advice::advice;
use super::credentials::GivenProblem;
use crate::clients::ApiError;
use crate::db::DbError;
use crate::ingest::StoreProblem;
use crate::stores::Platform;
use crate::vault::VaultError;

#[derive(Debug, thiserror::Error)]
pub enum ConnectionProblem {
    #[error("the store {0:?} is not connected to its API: upline store connect {0}")]
    NotConnected(String),
    #[error("the store {slug:?} is of {known}, not of {asked}")]
    OtherPlatform { slug: String, known: String, asked: Platform },
    #[error("there is no store {0:?} yet: say its platform, so that it can be made")]
    NoPlatform(String),
    #[error("another address needs the credentials again: the stored ones are only sent to {0}")]
    OtherAddress(String),
    #[error("{0:?} is no time zone: write it as Europe/Berlin")]
    Zone(String),
    #[error("the credentials lack {}: add it in the store and try again", .0.join(", "))]
    Scopes(Vec<String>),
    #[error("{0}")]
    OutOfReach(String),
    #[error("the webhooks of {0:?} are being changed by somebody else: try again in a moment")]
    Busy(String),
    #[error("{0}")]
    CannotRotate(String),
    #[error(transparent)]
    Address(#[from] AddressProblem),
    #[error(transparent)]
    Given(#[from] GivenProblem),
    #[error("the stored credentials cannot be opened")]
    Vault(#[from] VaultError),
    #[error("the stored credentials cannot be read")]
    Credentials(#[from] serde_json::Error),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Store(StoreProblem),
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<StoreProblem> for ConnectionProblem {
    fn from(problem: StoreProblem) -> Self {
        match problem {
            StoreProblem::Db(error) => Self::Db(error),
            StoreProblem::Vault(error) => Self::Vault(error),
            other => Self::Store(other),
        }
    }
}

impl ConnectionProblem {
    /// What to do about it, where the problem does not say so itself.
    pub fn fix(&self, platform: Platform) -> Option<&'static str> {
        match self {
            Self::Api(error) => advice(platform, error),
            Self::Store(StoreProblem::TwoLive) => Some(
                "Retire the older secret first: upline store secret retire SLUG, or the button beside the secrets.",
            ),
            Self::Scopes(_) => advice(platform, &ApiError::Forbidden(String::new())),
            Self::Vault(_) => {
                Some("Is this the data directory (secret.key) that the store was connected with?")
            }
            _ => None,
        }
    }

    /// Nothing that a person typed: the log has to know.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Vault(_) | Self::Credentials(_) | Self::Db(_))
    }
}
