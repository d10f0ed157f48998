//! Magento: no platform standard, so three ways, each in constant time.
//!
//! Adobe I/O Events sign with RSA-SHA256; a merchant's module sends an HMAC (`X-Upline-Signature`) or a shared
//! secret (`X-Upline-Secret`, or as bearer token). A store's secret that is a PEM public key is used for the
//! first way only: it is public, and knowing it must open nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use crate::stores::Headers;
use crate::stores::signature::{SignatureError, Verified, bearer, hmac_bytes, shared_secret};

const ADOBE: [&str; 2] = ["x-adobe-digital-signature-1", "x-adobe-digital-signature-2"];
const HMAC: &str = "x-upline-signature";
const SECRET: &str = "x-upline-secret";
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

pub fn verify(secrets: &[&[u8]], headers: &Headers, body: &[u8]) -> Result<Verified, SignatureError> {
    let is_key = |secret: &&[u8]| secret.trim_ascii_start().starts_with(PEM_BEGIN.as_bytes());
    let (keys, shared): (Vec<&[u8]>, Vec<&[u8]>) = secrets.iter().copied().partition(is_key);
    if !keys.is_empty() && ADOBE.iter().any(|name| headers.get(name).is_some()) {
        return rsa(&keys, headers, body);
    }
    if shared.is_empty() {
        return Err(SignatureError::Missing { header: ADOBE[0] });
    }
    if let Some(stated) = headers.get(HMAC) {
        return hmac_bytes(&shared, HMAC, &decoded(stated)?, body);
    }
    if let Some(stated) = headers.get(SECRET) {
        return shared_secret(&shared, SECRET, stated.as_bytes());
    }
    if headers.get("authorization").is_some() {
        return bearer(&shared, headers);
    }
    Err(SignatureError::Missing { header: HMAC })
}

/// `sha256=` and then hex or base64; the prefix may be left out.
fn decoded(stated: &str) -> Result<Vec<u8>, SignatureError> {
    let stated = stated.strip_prefix("sha256=").unwrap_or(stated);
    if stated.len() == 64
        && let Ok(bytes) = hex::decode(stated)
    {
        return Ok(bytes);
    }
    STANDARD.decode(stated).map_err(|_| SignatureError::Malformed { header: HMAC })
}

/// Either of the two signatures under any of the keys: Adobe rotates its keys by sending both.
fn rsa(keys: &[&[u8]], headers: &Headers, body: &[u8]) -> Result<Verified, SignatureError> {
    let mut readable = false;
    for stated in ADOBE.iter().filter_map(|name| headers.get(name)) {
        let Ok(signature) = STANDARD.decode(stated) else { continue };
        readable = true;
        for key in keys {
            let pkcs1 = public_key(key).ok_or(SignatureError::BadPublicKey)?;
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pkcs1);
            if key.verify(body, &signature).is_ok() {
                return Ok(Verified::Delivery);
            }
        }
    }
    match readable {
        true => Err(SignatureError::Mismatch { header: ADOBE[0] }),
        false => Err(SignatureError::Malformed { header: ADOBE[0] }),
    }
}

/// The PKCS#1 key inside a PEM `SubjectPublicKeyInfo`: SEQUENCE { algorithm, BIT STRING { key } }.
fn public_key(pem: &[u8]) -> Option<Vec<u8>> {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    /// OBJECT IDENTIFIER rsaEncryption, 1.2.840.113549.1.1.1.
    const RSA_ENCRYPTION: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let text = std::str::from_utf8(pem).ok()?;
    let inner = text.split_once(PEM_BEGIN)?.1.split_once(PEM_END)?.0;
    let base64: String = inner.chars().filter(|character| !character.is_whitespace()).collect();
    let der = STANDARD.decode(base64).ok()?;
    let (info, _) = der_value(&der, SEQUENCE)?;
    let (algorithm, rest) = der_value(info, SEQUENCE)?;
    if !algorithm.starts_with(&RSA_ENCRYPTION) {
        return None;
    }
    let (bits, _) = der_value(rest, BIT_STRING)?;
    // The first byte counts unused bits, of which a key has none.
    bits.strip_prefix(&[0]).map(<[u8]>::to_vec)
}

/// One DER value of the wanted tag and what follows it. Lengths up to 65,535 bytes; a key is far shorter.
fn der_value(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = input.strip_prefix(&[tag])?;
    let (length, rest) = match rest {
        [short @ 0..=0x7f, rest @ ..] => (usize::from(*short), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stores::signature::testing::hmac;

    const BODY: &[u8] = br#"{"event":{"data":{"value":{"entity_id":"7"}}}}"#;
    const KEY: &[u8] = include_bytes!("testdata/public_key.pem");
    const OTHER_KEY: &[u8] = include_bytes!("testdata/other_public_key.pem");
    /// `openssl dgst -sha256 -sign` over [`BODY`] with the private half of [`KEY`], base64.
    const RSA: &str = include_str!("testdata/signature.base64");

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(name, value)| (*name, *value)).collect()
    }

    #[test]
    fn shared_secret_in_either_header() {
        let secrets: &[&[u8]] = &[b"old", b"s3cret"];
        assert_eq!(verify(secrets, &headers(&[("X-Upline-Secret", "s3cret")]), BODY), Ok(Verified::Delivery));
        assert_eq!(
            verify(secrets, &headers(&[("Authorization", "Bearer s3cret")]), BODY),
            Ok(Verified::Delivery)
        );
        for pair in [
            ("X-Upline-Secret", "s3cre"),
            ("X-Upline-Secret", ""),
            ("X-Upline-Secret", "s3crets"),
            ("Authorization", "s3cret"),
            ("Authorization", "Basic s3cret"),
            ("Authorization", "Bearer "),
        ] {
            assert!(verify(secrets, &headers(&[pair]), BODY).is_err(), "{pair:?}");
        }
        assert!(matches!(verify(secrets, &Headers::default(), BODY), Err(SignatureError::Missing { .. })));
    }

    #[test]
    fn hmac_as_hex_or_base64() {
        let mac = hmac(b"s3cret", BODY);
        for value in [format!("sha256={}", hex::encode(&mac)), hex::encode_upper(&mac), STANDARD.encode(&mac)]
        {
            let headers = headers(&[("X-Upline-Signature", &value)]);
            assert_eq!(verify(&[b"s3cret"], &headers, BODY), Ok(Verified::Delivery));
            assert!(verify(&[b"s3cret"], &headers, b"{}").is_err());
            assert!(verify(&[b"other"], &headers, BODY).is_err());
        }
    }

    #[test]
    fn a_wrong_hmac_is_not_saved_by_a_right_secret() {
        let mac = hex::encode(hmac(b"s3cret", b"something else"));
        let headers = headers(&[("X-Upline-Signature", &mac), ("X-Upline-Secret", "s3cret")]);
        assert!(matches!(verify(&[b"s3cret"], &headers, BODY), Err(SignatureError::Mismatch { .. })));
    }

    #[test]
    fn adobe_signature_by_either_header_and_any_key() {
        let rsa = RSA.trim();
        for pairs in [
            vec![("x-adobe-digital-signature-1", rsa)],
            vec![("x-adobe-digital-signature-1", "AAAA"), ("x-adobe-digital-signature-2", rsa)],
        ] {
            assert_eq!(verify(&[OTHER_KEY, KEY], &headers(&pairs), BODY), Ok(Verified::Delivery));
            assert!(verify(&[OTHER_KEY], &headers(&pairs), BODY).is_err());
            assert!(verify(&[KEY], &headers(&pairs), b"{}").is_err());
        }
        let garbled = headers(&[("x-adobe-digital-signature-1", "%%")]);
        assert!(matches!(verify(&[KEY], &garbled, BODY), Err(SignatureError::Malformed { .. })));
        let no_key: &[u8] = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
        let signed = headers(&[("x-adobe-digital-signature-1", rsa)]);
        assert_eq!(verify(&[no_key], &signed, BODY), Err(SignatureError::BadPublicKey));
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        let pem = std::str::from_utf8(KEY).unwrap();
        assert!(verify(&[KEY], &headers(&[("X-Upline-Secret", pem)]), BODY).is_err());
        let mac = hex::encode(hmac(KEY, BODY));
        assert!(verify(&[KEY], &headers(&[("X-Upline-Signature", &mac)]), BODY).is_err());
    }
}
