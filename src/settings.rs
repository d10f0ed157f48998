//! Settings: defaults in the binary, then a file, then the environment, then the command line.
//!
//! Read once at start. A name that nobody knows is refused, so that a typing error is not a silent default.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use config::{Config, ConfigError, Environment, File, FileFormat};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::Deserialize;

use crate::core::money::Currency;
use crate::core::payout::Rail;
use crate::core::payout::choice::Terms;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub listen: String,
    /// Checked when it is used.
    pub public_url: Option<String>,
    pub data_dir: PathBuf,
    pub database_url: Option<SecretString>,
    pub pg_bin: Option<PathBuf>,
    pub log_format: LogFormat,
    pub workers: usize,
    pub store_rate: u32,
    pub store_burst: u32,
    /// Checked when it is used.
    pub default_currency: String,
    pub allow_unsafe_database: bool,
    /// Instead of `secret.key` in the data directory.
    pub secret_key: Option<SecretString>,
    pub periods: Periods,
    pub payouts: Payouts,
    pub pulls: Pulls,
    pub reconcile: Reconcile,
    pub backups: Backups,
    pub notices: Notices,
    pub payees: Payees,
    pub referrals: Referrals,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Periods {
    /// The share of CV above which the payout of a period is only approved with an explicit word.
    pub stop_loss: Decimal,
}

/// What holds for payouts, by rail. Whose account is debited is set in a file only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payouts {
    /// Of everybody who has to certify a tax number and has not; between 0 and 1.
    pub withholding: Decimal,
    pub nacha: Terms,
    pub sepa: Terms,
    pub paypal: Terms,
    pub wise: Terms,
    pub csv: Terms,
}

impl Payouts {
    pub fn terms(&self, rail: Rail) -> &Terms {
        match rail {
            Rail::Nacha => &self.nacha,
            Rail::Sepa => &self.sepa,
            Rail::Paypal => &self.paypal,
            Rail::Wise => &self.wise,
            Rail::Csv => &self.csv,
        }
    }
}

/// How often connected stores are asked what changed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pulls {
    pub every_minutes: u32,
    /// How far each pull goes back before the end of the last one.
    pub overlap_minutes: u32,
    /// How far back the pull goes that is made once a day.
    pub daily_hours: u32,
    /// How often the subscriptions of webhooks are looked at.
    pub webhooks_minutes: u32,
    /// A store that delivers nothing for so long although its API shows orders is silent.
    pub silent_hours: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// After the end of a store's day, how long until it is reconciled.
    pub after_hours: u32,
    /// Days that are looked at again once a week.
    pub recheck_days: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backups {
    /// The database is dumped before its schema changes.
    pub before_migration: bool,
}

/// Where notices go, beside the admin pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    pub webhook_url: Option<String>,
    /// Signs what is sent to `webhook_url`.
    pub webhook_secret: Option<SecretString>,
    /// `smtps://user:password@mail.example.com`
    pub smtp_url: Option<SecretString>,
    pub mail_from: Option<String>,
    /// Separated by commas.
    pub mail_to: Option<String>,
}

/// Where distributors are paid.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payees {
    /// How long payouts to changed details wait, unless a second person releases them.
    pub hold_days: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Referrals {
    /// How long a visitor who came through a link counts as referred.
    pub cookie_days: u32,
    /// `.example.com`, where we answer under the shop's own domain: then the shop can read the cookie.
    pub cookie_domain: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// What the command line says; goes before everything else.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub listen: Option<String>,
    pub data_dir: Option<PathBuf>,
    pub database_url: Option<String>,
}

const DEFAULTS: &str = include_str!("../config/default.toml");
const NAMES: [&str; 30] = [
    "listen",
    "public_url",
    "data_dir",
    "database_url",
    "pg_bin",
    "log_format",
    "workers",
    "store_rate",
    "store_burst",
    "default_currency",
    "allow_unsafe_database",
    "secret_key",
    "periods.stop_loss",
    "payouts.withholding",
    "pulls.every_minutes",
    "pulls.overlap_minutes",
    "pulls.daily_hours",
    "pulls.webhooks_minutes",
    "pulls.silent_hours",
    "reconcile.after_hours",
    "reconcile.recheck_days",
    "backups.before_migration",
    "notices.webhook_url",
    "notices.webhook_secret",
    "notices.smtp_url",
    "notices.mail_from",
    "notices.mail_to",
    "payees.hold_days",
    "referrals.cookie_days",
    "referrals.cookie_domain",
];

impl Settings {
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, ConfigError> {
        Self::from_environment(file, overrides, std::env::vars())
    }

    fn from_environment(
        file: Option<&Path>,
        overrides: &Overrides,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = file {
            builder = builder.add_source(File::from(path).format(FileFormat::Toml));
        }
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        builder
            .add_source(Environment::with_prefix("UPLINE").try_parsing(true).source(Some(ours(environment))))
            .set_override_option("listen", overrides.listen.clone())?
            .set_override_option("data_dir", overrides.data_dir.as_ref().map(path))?
            .set_override_option("database_url", overrides.database_url.clone())?
            .build()?
            .try_deserialize()
    }

    /// Of posted orders that name none, while no plan holds.
    pub fn currency(&self) -> Result<Currency, ConfigError> {
        let currency =
            Currency::parse(&self.default_currency).filter(|currency| currency.exponent().is_some());
        let message = || format!("default_currency {:?} is no currency of ISO 4217", self.default_currency);
        currency.ok_or_else(|| ConfigError::Message(message()))
    }

    /// How we are reached from outside: as set, or as the server on this data directory last said. No slash at
    /// the end.
    pub fn public_base(&self) -> String {
        let listening =
            || format!("http://{}", self.listen.replace("0.0.0.0", "localhost").replace("[::]", "localhost"));
        let served = std::fs::read_to_string(self.address_file()).ok();
        let known = self.public_url.clone().or(served).unwrap_or_else(listening);
        known.trim().trim_end_matches('/').to_owned()
    }

    /// Where a server leaves its address for the commands beside it, which cannot see its `--listen`.
    pub fn address_file(&self) -> PathBuf {
        self.data_dir.join("address")
    }

    pub fn postgres_dir(&self) -> PathBuf {
        self.data_dir.join("postgres")
    }
}

/// The variables that are settings, by their names in the settings: other tools may use our prefix too.
fn ours(environment: impl Iterator<Item = (String, String)>) -> HashMap<String, String> {
    let known = |name: &str| {
        let name = name.strip_prefix("UPLINE_")?.to_ascii_lowercase();
        let known = NAMES.iter().find(|known| known.replace('.', "_") == name)?;
        Some(format!("UPLINE_{known}"))
    };
    environment
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| match name.as_str() {
            "DATABASE_URL" => Some(("UPLINE_database_url".to_owned(), value)),
            _ => known(&name).map(|name| (name, value)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    fn load(environment: &[(&str, &str)], overrides: &Overrides) -> Result<Settings, ConfigError> {
        let owned: Vec<_> = environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Settings::from_environment(None, overrides, owned.into_iter())
    }

    #[test]
    fn later_sources_win() {
        let plain = load(&[], &Overrides::default()).unwrap();
        assert_eq!(plain.listen, "127.0.0.1:8080");
        assert!(plain.database_url.is_none() && !plain.allow_unsafe_database);
        let environment = [
            ("UPLINE_LISTEN", "0.0.0.0:80"),
            ("DATABASE_URL", "postgres://db/x"),
            ("UPLINE_STORE_RATE", "7"),
            ("UPLINE_LOG_FORMAT", "json"),
            ("UPLINE_DATA_DIR", "/from/environment"),
            ("UPLINE_TEST_SOMETHING", "ignored"),
            ("UPLINE_PUBLIC_URL", "https://upline.example"),
            ("UPLINE_PERIODS_STOP_LOSS", "0.55"),
        ];
        let overrides = Overrides { data_dir: Some("/from/flag".into()), ..Overrides::default() };
        let settings = load(&environment, &overrides).unwrap();
        assert_eq!(settings.listen, "0.0.0.0:80");
        assert_eq!(settings.store_rate, 7);
        assert_eq!((plain.periods.stop_loss, settings.periods.stop_loss), (dec!(0.60), dec!(0.55)));
        assert_eq!(settings.log_format, LogFormat::Json);
        assert_eq!(settings.data_dir, PathBuf::from("/from/flag"));
        assert_eq!(settings.public_url.unwrap(), "https://upline.example");
        assert!(settings.database_url.is_some());
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        let dir = std::env::temp_dir().join(format!("upline-settings-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("upline.toml");
        std::fs::write(&file, "lissten = \"0.0.0.0:80\"\n").unwrap();
        let refused = Settings::from_environment(Some(&file), &Overrides::default(), std::iter::empty());
        assert!(refused.unwrap_err().to_string().contains("lissten"));
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(load(&[("UPLINE_LOG_FORMAT", "xml")], &Overrides::default()).is_err());
    }
}
