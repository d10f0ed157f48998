//! What every handler may ask for.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use url::Url;

use super::fresh::Fresh;
use super::health::Schema;
use super::limits::Limits;
use super::referral::Referrals;
use super::turn::Turns;
use crate::access::Tokens;
use crate::access::backoff::Backoff;
use crate::catalog::Mappings;
use crate::clock::Clock;
use crate::connections::Keeper;
use crate::core::money::Currency;
use crate::db::Db;
use crate::distributors::{Networks, Placements};
use crate::ingest::{Intake, Receiver, StoreDirectory};
use crate::plans::{Plans, Published};
use crate::settings;
use crate::telemetry::Metrics;
use crate::vault::Vault;

pub struct AppState {
    pub db: Db,
    pub clock: Clock,
    pub intake: Intake,
    pub vault: Vault,
    pub stores: Arc<StoreDirectory>,
    pub networks: Arc<Networks>,
    pub placements: Arc<Placements>,
    pub mappings: Arc<Mappings>,
    pub plans: Arc<Plans>,
    /// Active stores by slug, for the hot path.
    pub receivers: Arc<Fresh<HashMap<String, Receiver>>>,
    pub tokens: Arc<Fresh<Tokens>>,
    /// The published plans, for what has to be known of them while a request waits.
    pub published: Arc<Fresh<Published>>,
    /// Whom links name, and where they lead.
    pub referrals: Arc<Fresh<Referrals>>,
    /// Of posted orders that name none, while no plan holds.
    pub default_currency: Currency,
    /// The share of CV above which the payout of a period is only approved with an explicit word.
    pub stop_loss: Decimal,
    /// What holds for payouts, by rail.
    pub payouts: settings::Payouts,
    pub payees: settings::Payees,
    pub cookies: settings::Referrals,
    /// How far back stores are read.
    pub pulls: settings::Pulls,
    pub backoff: Backoff,
    pub limits: Limits,
    /// Of calculations inside a request.
    pub turns: Turns,
    pub schema: Schema,
    pub metrics: Metrics,
    /// How we are reached from outside; decides what cookies and links look like.
    pub public_url: Url,
}

impl AppState {
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// What connects stores and keeps their webhooks.
    pub fn keeper(&self) -> Keeper {
        Keeper {
            db: self.db.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            public: self.public_url.clone(),
        }
    }

    /// `path` as others have to call it.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}
