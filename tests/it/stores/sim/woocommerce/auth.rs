//! Keys of a shop without TLS: OAuth 1.0a of one leg, as WooCommerce checks it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Answer, Call, error};

pub struct Keys {
    key: String,
    secret: String,
    /// The key may only read.
    pub read_only: bool,
    nonces: Mutex<BTreeSet<String>>,
}

impl Keys {
    pub fn new(key: &str, secret: &str) -> Self {
        Self { key: key.to_owned(), secret: secret.to_owned(), read_only: false, nonces: Mutex::default() }
    }

    pub fn check(&self, call: &Call) -> Result<(), Answer> {
        let given: BTreeMap<&str, &str> =
            call.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if !given.keys().any(|name| name.starts_with("oauth_")) {
            let message = "Sorry, you cannot list resources.";
            return Err(error(401, "woocommerce_rest_cannot_view", message));
        }
        let needed = ["consumer_key", "timestamp", "nonce", "signature", "signature_method"];
        if needed.iter().any(|name| !given.contains_key(format!("oauth_{name}").as_str())) {
            let code = "woocommerce_rest_authentication_missing_parameter";
            return Err(error(401, code, "Missing OAuth parameter"));
        }
        let refuse = |why: &str| Err(error(401, "woocommerce_rest_authentication_error", why));
        if given["oauth_consumer_key"] != self.key {
            return refuse("Consumer key is invalid.");
        }
        if given["oauth_signature_method"] != "HMAC-SHA256" {
            return refuse("Invalid signature - signature method is invalid.");
        }
        if STANDARD.encode(self.signature(call, &given)) != given["oauth_signature"] {
            return refuse("Invalid signature - provided signature does not match.");
        }
        if given["oauth_timestamp"].parse::<i64>().is_err() {
            return refuse("Invalid timestamp.");
        }
        if !self.nonces.lock().unwrap().insert(given["oauth_nonce"].to_owned()) {
            return refuse("Invalid nonce - nonce has already been used.");
        }
        if self.read_only && call.method != "GET" {
            return refuse("The API key provided does not have write permissions.");
        }
        Ok(())
    }

    /// Over method, address and all parameters but the signature, in the order of their names.
    fn signature(&self, call: &Call, given: &BTreeMap<&str, &str>) -> Vec<u8> {
        let path = call.target.split('?').next().unwrap_or_default();
        let address = format!("http://{}{path}", call.header("host").unwrap_or_default());
        let pairs = given.iter().filter(|(name, _)| **name != "oauth_signature");
        let pairs = pairs.map(|(name, value)| encoded(&format!("{}={}", encoded(name), encoded(value))));
        let all: Vec<String> = pairs.collect();
        let base = format!("{}&{}&{}", call.method, encoded(&address), all.join("%26"));
        hmac_sha256(format!("{}&", self.secret).as_bytes(), base.as_bytes())
    }
}

pub fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}
