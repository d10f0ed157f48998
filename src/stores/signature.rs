//! What the platforms' signature checks share: HMAC-SHA256 and constant-time comparison over wire bytes.
//!
//! Runs at the webhook edge before anything looks into the body. Never tells which part of a secret differed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Headers;

const HMAC_BYTES: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The body is the store's: keep it.
    Delivery,
    /// An unsigned test of the address: answer 200 and keep nothing.
    Ping,
}

/// All of these are answered with 401; they differ for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the store has no usable secret; give it one with `upline store`")]
    NoSecret,
    #[error("the request has no {header} header")]
    Missing { header: &'static str },
    #[error("the {header} header is not an encoded signature")]
    Malformed { header: &'static str },
    #[error("the {header} header holds {bytes} bytes, not 32")]
    Length { header: &'static str, bytes: usize },
    #[error("the {header} header does not match the body under any of the store's secrets")]
    Mismatch { header: &'static str },
    #[error("a public key of the store is not an RSA key in PEM (BEGIN PUBLIC KEY)")]
    BadPublicKey,
}

/// base64 of HMAC-SHA256, as Shopify and WooCommerce send it.
pub fn hmac_base64(
    secrets: &[&[u8]],
    headers: &Headers,
    header: &'static str,
    body: &[u8],
) -> Result<Verified, SignatureError> {
    let stated = headers.get(header).ok_or(SignatureError::Missing { header })?;
    let stated = STANDARD.decode(stated).map_err(|_| SignatureError::Malformed { header })?;
    hmac_bytes(secrets, header, &stated, body)
}

/// Tries every secret, also after a match, so that the time taken tells nothing.
pub fn hmac_bytes(
    secrets: &[&[u8]],
    header: &'static str,
    stated: &[u8],
    body: &[u8],
) -> Result<Verified, SignatureError> {
    if stated.len() != HMAC_BYTES {
        return Err(SignatureError::Length { header, bytes: stated.len() });
    }
    let matches = |secret: &&&[u8]| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
        mac.update(body);
        mac.verify_slice(stated).is_ok()
    };
    match secrets.iter().filter(matches).count() {
        0 => Err(SignatureError::Mismatch { header }),
        _ => Ok(Verified::Delivery),
    }
}

/// A secret sent as it is. Digests are compared, so that neither content nor length shows in the time taken.
pub fn shared_secret(
    secrets: &[&[u8]],
    header: &'static str,
    stated: &[u8],
) -> Result<Verified, SignatureError> {
    let stated = Sha256::digest(stated);
    let matches = |secret: &&&[u8]| bool::from(Sha256::digest(secret).ct_eq(&stated));
    match secrets.iter().filter(matches).count() {
        0 => Err(SignatureError::Mismatch { header }),
        _ => Ok(Verified::Delivery),
    }
}

/// `Authorization: Bearer SECRET`.
pub fn bearer(secrets: &[&[u8]], headers: &Headers) -> Result<Verified, SignatureError> {
    const HEADER: &str = "authorization";
    let stated = headers.get(HEADER).ok_or(SignatureError::Missing { header: HEADER })?;
    let (scheme, token) = stated.split_once(' ').ok_or(SignatureError::Malformed { header: HEADER })?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(SignatureError::Malformed { header: HEADER });
    }
    shared_secret(secrets, HEADER, token.trim().as_bytes())
}

#[cfg(test)]
pub mod testing {
    use super::*;

    pub fn hmac(secret: &[u8], body: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(body);
        mac.finalize().into_bytes().to_vec()
    }

    pub fn signed(header: &str, secret: &[u8], body: &[u8]) -> Headers {
        [(header, STANDARD.encode(hmac(secret, body)))].into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Platform, verify};
    use super::testing::{hmac, signed};
    use super::*;

    const HEADER: [(Platform, &str); 2] =
        [(Platform::Shopify, "X-Shopify-Hmac-Sha256"), (Platform::WooCommerce, "X-WC-Webhook-Signature")];

    #[test]
    fn any_live_secret_matches_and_no_other() {
        let body = br#"{"id":1}"#;
        for (platform, header) in HEADER {
            let headers = signed(header, b"new", body);
            assert_eq!(verify(platform, &[b"old", b"new"], &headers, body), Ok(Verified::Delivery));
            assert!(matches!(
                verify(platform, &[b"old"], &headers, body),
                Err(SignatureError::Mismatch { .. })
            ));
        }
    }

    #[test]
    fn empty_secrets_are_no_secrets() {
        for (platform, header) in HEADER {
            let headers = signed(header, b"", b"{}");
            assert_eq!(verify(platform, &[], &headers, b"{}"), Err(SignatureError::NoSecret));
            assert_eq!(verify(platform, &[b""], &headers, b"{}"), Err(SignatureError::NoSecret));
            assert!(matches!(
                verify(platform, &[b"", b"x"], &headers, b"{}"),
                Err(SignatureError::Mismatch { .. })
            ));
        }
    }

    #[test]
    fn missing_short_long_and_garbled_signatures_are_told_apart() {
        let body = b"{}";
        let full = hmac(b"k", body);
        for (platform, header) in HEADER {
            let with = |value: String| -> Result<Verified, SignatureError> {
                verify(platform, &[b"k"], &[(header, value)].into_iter().collect(), body)
            };
            assert!(matches!(
                verify(platform, &[b"k"], &Headers::default(), body),
                Err(SignatureError::Missing { .. })
            ));
            assert!(matches!(with(String::new()), Err(SignatureError::Length { bytes: 0, .. })));
            let short = STANDARD.encode(full.get(..31).unwrap());
            assert!(matches!(with(short), Err(SignatureError::Length { bytes: 31, .. })));
            let long = STANDARD.encode([full.as_slice(), &[0]].concat());
            assert!(matches!(with(long), Err(SignatureError::Length { bytes: 33, .. })));
            assert!(matches!(with("%%%".to_owned()), Err(SignatureError::Malformed { .. })));
            assert!(matches!(with(hex::encode(&full)), Err(SignatureError::Length { .. })));
            assert_eq!(with(STANDARD.encode(&full)), Ok(Verified::Delivery));
        }
    }

    #[test]
    fn a_re_serialised_body_is_refused() {
        let wire = br#"{"url":"http:\/\/x","name":"Zo\u00eb","price":1.0}"#;
        let value: serde_json::Value = serde_json::from_slice(wire).unwrap();
        let again = serde_json::to_vec(&value).unwrap();
        for (platform, header) in HEADER {
            let headers = signed(header, b"k", wire);
            assert_eq!(verify(platform, &[b"k"], &headers, wire), Ok(Verified::Delivery));
            assert!(verify(platform, &[b"k"], &headers, &again).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_refused(
            body in prop::collection::vec(any::<u8>(), 1..300),
            at in any::<prop::sample::Index>(),
            flip in 1u8..=255,
        ) {
            for (platform, header) in HEADER {
                let headers = signed(header, b"secret", &body);
                let mut changed = body.clone();
                *at.get_mut(&mut changed) ^= flip;
                prop_assert!(verify(platform, &[b"secret"], &headers, &body).is_ok());
                prop_assert!(verify(platform, &[b"secret"], &headers, &changed).is_err());
            }
        }

        #[test]
        fn any_header_never_panics(value in ".*", body in prop::collection::vec(any::<u8>(), 0..50)) {
            for platform in Platform::ALL {
                for header in ["X-Shopify-Hmac-Sha256", "X-WC-Webhook-Signature", "Authorization", "X-Upline-Signature",
                    "X-Upline-Secret", "X-Adobe-Digital-Signature-1"] {
                    let headers = [(header, value.clone())].into_iter().collect();
                    prop_assert!(verify(platform, &[b"secret-of-the-test"], &headers, &body).is_err());
                }
            }
        }
    }
}
