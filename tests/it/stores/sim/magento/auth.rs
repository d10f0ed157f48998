//! Whether a call may be answered: OAuth 1.0a recomputed from what came over the wire, each nonce once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::dialect::Call;
use super::{ACCESS_TOKEN, ACCESS_TOKEN_SECRET, CONSUMER_KEY, CONSUMER_SECRET, Magento};

pub struct Refused {
    pub status: u16,
    pub message: String,
}

fn refused(status: u16, message: impl Into<String>) -> Refused {
    Refused { status, message: message.into() }
}

/// How far a clock may be ahead.
const AHEAD: i64 = 600;

impl Magento {
    pub fn authorised(&self, call: &Call) -> Result<(), Refused> {
        let given = call.header("authorization").unwrap_or_default();
        if let Some(token) = given.strip_prefix("Bearer ") {
            // Where the setting is off, a bearer is nobody in particular.
            return match self.bearer && token == ACCESS_TOKEN {
                true => Ok(()),
                false => Err(refused(401, "The consumer isn't authorized to access %resources.")),
            };
        }
        let Some(given) = given.strip_prefix("OAuth ") else {
            return Err(refused(401, "The consumer isn't authorized to access %resources."));
        };
        let mut parameters: Vec<(String, String)> = given
            .split(',')
            .filter_map(|pair| pair.trim().split_once('='))
            .map(|(name, value)| (decoded(name), decoded(value.trim_matches('"'))))
            .collect();
        let get = |name: &str| {
            let found = parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            found.ok_or_else(|| refused(400, format!("\"{name}\" is required. Enter and try again.")))
        };
        let (key, token, nonce) = (get("oauth_consumer_key")?, get("oauth_token")?, get("oauth_nonce")?);
        let (method, stated) = (get("oauth_signature_method")?, get("oauth_signature")?);
        let timestamp: i64 = get("oauth_timestamp")?.parse().unwrap_or_default();
        if get("oauth_version").is_ok_and(|version| version != "1.0") {
            return Err(refused(400, "The Oauth version isn't supported."));
        }
        if method != if self.sha1_only { "HMAC-SHA1" } else { "HMAC-SHA256" } {
            return Err(refused(400, format!("Signature method {method} is not supported")));
        }
        if key != CONSUMER_KEY {
            return Err(refused(401, "A consumer having the specified key does not exist"));
        }
        if timestamp <= 0 || timestamp > chrono::Utc::now().timestamp() + AHEAD {
            return Err(refused(401, "The timestamp value in the oauth_timestamp parameter is invalid."));
        }
        if !self.nonces.lock().unwrap().insert(nonce) {
            return Err(refused(401, "The nonce is already being used by the consumer with ID 1."));
        }
        if token != ACCESS_TOKEN {
            return Err(refused(401, "Specified token does not exist"));
        }
        parameters.retain(|(name, _)| name != "oauth_signature");
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        // Only pairs count: a bare name is dropped.
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        parameters.extend(pairs.map(|(name, value)| (decoded(name), decoded(value))));
        let address = format!("http://{}{path}", call.header("host").unwrap_or_default());
        if self.signature(&base_string(&call.method, &address, parameters)) != stated {
            return Err(refused(401, "The signature is invalid. Verify and try again."));
        }
        Ok(())
    }

    fn signature(&self, base: &str) -> String {
        let key = format!("{}&{}", encoded(CONSUMER_SECRET), encoded(ACCESS_TOKEN_SECRET));
        if self.sha1_only {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
            return STANDARD.encode(ring::hmac::sign(&key, base.as_bytes()));
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(base.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

fn base_string(method: &str, address: &str, parameters: Vec<(String, String)>) -> String {
    let mut pairs: Vec<(String, String)> =
        parameters.into_iter().map(|(name, value)| (encoded(&name), encoded(&value))).collect();
    pairs.sort_by(|(one, _), (other, _)| natural(one.as_bytes(), other.as_bytes()));
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{method}&{}&{}", encoded(address), encoded(&pairs.join("&")))
}

/// Runs of digits by their value, as the platform sorts them (OAuth: by bytes): `[9]` goes before `[10]`.
fn natural(one: &[u8], other: &[u8]) -> std::cmp::Ordering {
    let run = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, others) = (run(one), run(other));
    if digits > 0 && others > 0 {
        let value = |text: &[u8]| std::str::from_utf8(text).unwrap().parse::<u128>().unwrap();
        return value(&one[..digits])
            .cmp(&value(&other[..others]))
            .then_with(|| natural(&one[digits..], &other[others..]));
    }
    match (one.split_first(), other.split_first()) {
        (Some((a, one)), Some((b, other))) => a.cmp(b).then_with(|| natural(one, other)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// A plus stays a plus, as in the versions before 2.3.
fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut found = vec![];
    while let Some(byte) = bytes.next() {
        let hex = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
        found.push(match byte {
            b'%' => hex(bytes.next().unwrap()) * 16 + hex(bytes.next().unwrap()),
            other => other,
        });
    }
    String::from_utf8(found).unwrap()
}
