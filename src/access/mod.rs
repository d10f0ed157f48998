//! Who may do what: people with passwords and sessions, programs with tokens, and the log of what they changed.
//!
//! Secrets that only have to be recognised are kept as hashes: a copy of the database signs nobody in. Nothing
//! here speaks HTTP.

pub mod audit;
pub mod backoff;
pub mod idempotency;
pub mod password;
mod repo;
mod sessions;
mod tokens;
mod users;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::db::DbError;
use crate::vault::{VaultError, random};

pub use repo::{ApiToken, User};
pub use sessions::{
    Account, NewSession, Session, account, close_session, find_session, open_session, record_login,
    sign_in_once,
};
pub use tokens::{NewToken, Token, TokenDirectory, Tokens, add_token, list_tokens, revoke_token};
pub use users::{
    FIRST_ADMIN, add_user, anybody_has_a_password, disable_user, first_admin, list_users, login_link,
    set_password,
};

/// What a person may do; each role may do everything of those before it. Payouts stand beside that order: an operator
/// has nothing to do with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees everything, changes nothing.
    Viewer,
    /// Prepares payouts and hands their files to the bank.
    FinancePrepare,
    /// Also approves payouts that somebody else has prepared.
    FinanceApprove,
    /// Releases held orders, maps SKUs, edits distributors.
    Operator,
    /// Also stores, secrets, plans, users and tokens.
    Admin,
}

impl Role {
    pub const ALL: [Self; 5] =
        [Self::Viewer, Self::FinancePrepare, Self::FinanceApprove, Self::Operator, Self::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::FinancePrepare => "finance-prepare",
            Self::FinanceApprove => "finance-approve",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    pub fn may_prepare_payouts(self) -> bool {
        matches!(self, Self::FinancePrepare | Self::FinanceApprove | Self::Admin)
    }

    pub fn may_approve_payouts(self) -> bool {
        matches!(self, Self::FinanceApprove | Self::Admin)
    }
}

/// What a program may do with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The read API, without personal data.
    Read,
    /// Posting orders.
    Orders,
    /// Both, with personal data.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Orders, Self::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Orders => "orders",
            Self::Admin => "admin",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    pub fn may_read(self) -> bool {
        matches!(self, Self::Read | Self::Admin)
    }

    pub fn may_post_orders(self) -> bool {
        matches!(self, Self::Orders | Self::Admin)
    }
}

/// What can be wrong with a change of users or tokens; a person reads it.
#[derive(Debug, thiserror::Error)]
pub enum AccessProblem {
    #[error("{0:?} is no e-mail address")]
    BadEmail(String),
    #[error("there is a user {0} already")]
    EmailTaken(String),
    #[error("there is no user {0}")]
    UnknownUser(String),
    #[error("the password is shorter than {} characters", password::SHORTEST)]
    ShortPassword,
    #[error("the password is longer than {} characters", password::LONGEST)]
    LongPassword,
    #[error("there is no token {0} that is not revoked; `upline token list` shows them")]
    UnknownToken(i32),
    #[error("there is no store {0:?}; `upline store list` shows them")]
    UnknownStore(String),
    #[error("the password could not be hashed")]
    Hash,
    #[error("no secret could be made")]
    Vault(#[from] VaultError),
    #[error("the change could not be saved")]
    Db(#[from] DbError),
}

/// A fresh secret of 256 bits as text that fits into addresses and headers.
fn fresh_secret() -> Result<String, VaultError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// How a secret that only has to be recognised is kept. It is random, so a plain hash is as good as a slow one.
fn fingerprint(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
