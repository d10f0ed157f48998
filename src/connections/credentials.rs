//! What a person pastes, as the credentials of a platform.

use crate::clients::Credentials;
use crate::stores::Platform;

/// Fields as they were typed; the empty ones were left out.
#[derive(Clone, Default)]
pub struct Given {
    pub client_id: String,
    pub client_secret: String,
    pub token: String,
    pub consumer_key: String,
    pub consumer_secret: String,
    pub access_token: String,
    pub access_token_secret: String,
}

/// A field that is missing or holds something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct GivenProblem {
    pub field: &'static str,
    pub message: String,
}

fn problem(field: &'static str, message: &str) -> GivenProblem {
    GivenProblem { field, message: message.to_owned() }
}

impl Given {
    pub fn is_empty(&self) -> bool {
        self.fields().iter().all(|field| field.trim().is_empty())
    }

    fn fields(&self) -> [&String; 7] {
        [
            &self.client_id,
            &self.client_secret,
            &self.token,
            &self.consumer_key,
            &self.consumer_secret,
            &self.access_token,
            &self.access_token_secret,
        ]
    }

    /// With what is stored where nothing was typed: a secret alone can be exchanged.
    pub fn or(mut self, stored: &Credentials) -> Self {
        let fill = |field: &mut String, stored: &str| {
            if field.trim().is_empty() {
                stored.clone_into(field);
            }
        };
        match stored {
            Credentials::ShopifyApp { client_id, client_secret } if self.token.trim().is_empty() => {
                fill(&mut self.client_id, client_id);
                fill(&mut self.client_secret, client_secret);
            }
            Credentials::ShopifyToken { token, client_secret } if self.client_id.trim().is_empty() => {
                fill(&mut self.token, token);
                fill(&mut self.client_secret, client_secret);
            }
            Credentials::WooKeys { consumer_key, consumer_secret } => {
                fill(&mut self.consumer_key, consumer_key);
                fill(&mut self.consumer_secret, consumer_secret);
            }
            // Its four belong together, a bearer token stands alone: neither can be completed.
            _ => {}
        }
        self
    }

    pub fn credentials(&self, platform: Platform) -> Result<Credentials, GivenProblem> {
        let own = |text: &str| text.trim().to_owned();
        let has = |text: &str| !text.trim().is_empty();
        match platform {
            Platform::Shopify => {
                if !has(&self.client_secret) {
                    return Err(problem(
                        "client_secret",
                        "the app's client secret is needed: webhooks are signed with it",
                    ));
                }
                let client_secret = own(&self.client_secret);
                match (has(&self.token), has(&self.client_id)) {
                    (true, _) => Ok(Credentials::ShopifyToken { token: own(&self.token), client_secret }),
                    (false, true) => {
                        Ok(Credentials::ShopifyApp { client_id: own(&self.client_id), client_secret })
                    }
                    (false, false) => Err(problem(
                        "client_id",
                        "the app's client ID is needed, or the Admin API token (shpat_...) of an older custom app",
                    )),
                }
            }
            Platform::WooCommerce => self.woocommerce(),
            Platform::Magento => self.magento(),
            Platform::Direct => {
                Err(problem("platform", "a direct store has no API of its own: it calls ours"))
            }
        }
    }

    fn woocommerce(&self) -> Result<Credentials, GivenProblem> {
        let (key, secret) = (self.consumer_key.trim(), self.consumer_secret.trim());
        match (key, secret) {
            ("", _) => Err(problem("consumer_key", "the consumer key (ck_...) is needed")),
            (_, "") => Err(problem("consumer_secret", "the consumer secret (cs_...) is needed")),
            _ if key.starts_with("cs_") && secret.starts_with("ck_") => {
                Err(problem("consumer_key", "key and secret are exchanged: the key begins with ck_"))
            }
            _ => {
                Ok(Credentials::WooKeys { consumer_key: key.to_owned(), consumer_secret: secret.to_owned() })
            }
        }
    }

    /// All four of an integration, or its access token alone where the shop takes that as a bearer token.
    fn magento(&self) -> Result<Credentials, GivenProblem> {
        let four = [
            ("consumer_key", self.consumer_key.trim()),
            ("consumer_secret", self.consumer_secret.trim()),
            ("access_token", self.access_token.trim()),
            ("access_token_secret", self.access_token_secret.trim()),
        ];
        let [(_, key), (_, secret), (_, token), (_, token_secret)] = four;
        let bearer = if self.token.trim().is_empty() { token } else { self.token.trim() };
        if key.is_empty() && secret.is_empty() && token_secret.is_empty() && !bearer.is_empty() {
            return Ok(Credentials::MagentoBearer { token: bearer.to_owned() });
        }
        match four.iter().find(|(_, value)| value.is_empty()) {
            Some((field, _)) => Err(problem(
                field,
                "all four values of the integration are needed, or its access token alone",
            )),
            None => Ok(Credentials::MagentoOauth {
                consumer_key: key.to_owned(),
                consumer_secret: secret.to_owned(),
                access_token: token.to_owned(),
                access_token_secret: token_secret.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(fields: &[(&str, &str)]) -> Given {
        let of =
            |name: &str| fields.iter().find(|(known, _)| *known == name).map_or("", |(_, v)| v).to_owned();
        Given {
            client_id: of("client_id"),
            client_secret: of("client_secret"),
            token: of("token"),
            consumer_key: of("consumer_key"),
            consumer_secret: of("consumer_secret"),
            access_token: of("access_token"),
            access_token_secret: of("access_token_secret"),
        }
    }

    fn missing(platform: Platform, fields: &[(&str, &str)]) -> &'static str {
        given(fields).credentials(platform).unwrap_err().field
    }

    #[test]
    fn each_platform_has_its_credentials() {
        let app = given(&[("client_id", " id "), ("client_secret", "s")]).credentials(Platform::Shopify);
        let wanted = Credentials::ShopifyApp { client_id: "id".into(), client_secret: "s".into() };
        assert!(app == Ok(wanted));
        let token = given(&[("token", "shpat_1"), ("client_secret", "s")]).credentials(Platform::Shopify);
        assert!(matches!(token, Ok(Credentials::ShopifyToken { .. })));
        let woo = given(&[("consumer_key", "ck_1"), ("consumer_secret", "cs_1")]);
        assert!(matches!(woo.credentials(Platform::WooCommerce), Ok(Credentials::WooKeys { .. })));
        let four = given(&[
            ("consumer_key", "a"),
            ("consumer_secret", "b"),
            ("access_token", "c"),
            ("access_token_secret", "d"),
        ]);
        assert!(matches!(four.credentials(Platform::Magento), Ok(Credentials::MagentoOauth { .. })));
        let bearer = given(&[("access_token", "c")]).credentials(Platform::Magento);
        assert!(matches!(bearer, Ok(Credentials::MagentoBearer { .. })));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(missing(Platform::Shopify, &[("client_id", "x")]), "client_secret");
        assert_eq!(missing(Platform::Shopify, &[("client_secret", "x")]), "client_id");
        assert_eq!(missing(Platform::WooCommerce, &[("consumer_key", "ck_")]), "consumer_secret");
        let exchanged = [("consumer_key", "cs_1"), ("consumer_secret", "ck_1")];
        assert_eq!(missing(Platform::WooCommerce, &exchanged), "consumer_key");
        assert_eq!(
            missing(Platform::Magento, &[("consumer_key", "a"), ("access_token", "c")]),
            "consumer_secret"
        );
        assert_eq!(missing(Platform::Magento, &[]), "consumer_key");
        assert_eq!(missing(Platform::Direct, &[]), "platform");
    }

    #[test]
    fn a_secret_alone_is_exchanged() {
        let stored = Credentials::ShopifyApp { client_id: "id".into(), client_secret: "old".into() };
        let both = given(&[("client_secret", "fresh")]).or(&stored).credentials(Platform::Shopify).unwrap();
        assert!(both == Credentials::ShopifyApp { client_id: "id".into(), client_secret: "fresh".into() });
        let stored = Credentials::ShopifyToken { token: "shpat_1".into(), client_secret: "old".into() };
        let app = given(&[("client_id", "id"), ("client_secret", "s")]).or(&stored);
        assert!(matches!(app.credentials(Platform::Shopify), Ok(Credentials::ShopifyApp { .. })));
    }
}
