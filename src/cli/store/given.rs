//! Credentials on the command line, or in variables that no process list shows.

use clap::Args;

use crate::connections::Given;

#[derive(Args)]
#[command(next_help_heading = "Credentials, each also from the environment")]
pub struct Credentials {
    /// Shopify: the app's client ID
    #[arg(long, value_name = "ID", env = "UPLINE_STORE_CLIENT_ID", hide_env_values = true)]
    client_id: Option<String>,
    /// Shopify: the app's client secret, which also signs its webhooks
    #[arg(long, value_name = "SECRET", env = "UPLINE_STORE_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,
    /// Shopify: the Admin API token (shpat_...) of an older custom app; Magento: a bearer token
    #[arg(long, value_name = "TOKEN", env = "UPLINE_STORE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// WooCommerce (ck_...) and Magento
    #[arg(long, value_name = "KEY", env = "UPLINE_STORE_CONSUMER_KEY", hide_env_values = true)]
    consumer_key: Option<String>,
    /// WooCommerce (cs_...) and Magento
    #[arg(long, value_name = "SECRET", env = "UPLINE_STORE_CONSUMER_SECRET", hide_env_values = true)]
    consumer_secret: Option<String>,
    /// Magento
    #[arg(long, value_name = "TOKEN", env = "UPLINE_STORE_ACCESS_TOKEN", hide_env_values = true)]
    access_token: Option<String>,
    /// Magento
    #[arg(long, value_name = "SECRET", env = "UPLINE_STORE_ACCESS_TOKEN_SECRET", hide_env_values = true)]
    access_token_secret: Option<String>,
}

impl Credentials {
    pub fn given(self) -> Given {
        Given {
            client_id: self.client_id.unwrap_or_default(),
            client_secret: self.client_secret.unwrap_or_default(),
            token: self.token.unwrap_or_default(),
            consumer_key: self.consumer_key.unwrap_or_default(),
            consumer_secret: self.consumer_secret.unwrap_or_default(),
            access_token: self.access_token.unwrap_or_default(),
            access_token_secret: self.access_token_secret.unwrap_or_default(),
        }
    }
}
