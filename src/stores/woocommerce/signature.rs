//! WooCommerce: base64 of HMAC-SHA256 over the raw body, and the one delivery that is never signed.

use crate::stores::Headers;
use crate::stores::signature::{SignatureError, Verified, hmac_base64};

const SIGNATURE: &str = "x-wc-webhook-signature";

pub fn verify(secrets: &[&[u8]], headers: &Headers, body: &[u8]) -> Result<Verified, SignatureError> {
    if is_ping(headers, body) {
        return Ok(Verified::Ping);
    }
    let decoded: Vec<Vec<u8>> = secrets.iter().filter_map(|secret| without_entities(secret)).collect();
    let all: Vec<&[u8]> = secrets.iter().copied().chain(decoded.iter().map(Vec::as_slice)).collect();
    hmac_base64(&all, headers, SIGNATURE, body)
}

/// `webhook_id=N`, form-encoded, without any header of a delivery: the shop tries the address when a webhook is
/// made or moved, and disables the webhook unless the answer is 200. Nothing else may come unsigned.
fn is_ping(headers: &Headers, body: &[u8]) -> bool {
    let form = headers
        .get("content-type")
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let bare = headers.get(SIGNATURE).is_none() && headers.get("x-wc-webhook-topic").is_none();
    form && bare && is_ping_body(body)
}

pub fn is_ping_body(body: &[u8]) -> bool {
    let number = body.strip_prefix(b"webhook_id=").unwrap_or_default();
    (1..=20).contains(&number.len()) && number.iter().all(u8::is_ascii_digit)
}

/// The shop decodes HTML entities in its secret before it signs: a secret that was stored as `a&amp;b` signs
/// as `a&b`. `None` when decoding changes nothing.
fn without_entities(secret: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(secret).ok()?;
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#039;", "'"), ("&#x27;", "'"), ("&amp;", "&")];
    let decoded = entities.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    (decoded != text).then(|| decoded.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stores::signature::testing::signed;

    fn form() -> Headers {
        [("Content-Type", "application/x-www-form-urlencoded")].into_iter().collect()
    }

    #[test]
    fn only_the_exact_ping_comes_unsigned() {
        assert_eq!(verify(&[b"k"], &form(), b"webhook_id=12"), Ok(Verified::Ping));
        for body in [
            &b"webhook_id="[..],
            b"webhook_id=1&x=2",
            b"webhook_id=1\n",
            b"webhook_id=-1",
            b"{\"id\":1}",
            b"",
        ] {
            assert!(verify(&[b"k"], &form(), body).is_err());
        }
        assert!(verify(&[b"k"], &Headers::default(), b"webhook_id=12").is_err());
        let with_topic =
            [("content-type", "application/x-www-form-urlencoded"), ("x-wc-webhook-topic", "order.created")];
        assert!(verify(&[b"k"], &with_topic.into_iter().collect(), b"webhook_id=12").is_err());
    }

    #[test]
    fn secrets_sign_with_their_entities_decoded() {
        let headers = signed("X-WC-Webhook-Signature", b"a&b<'c", b"{}");
        assert_eq!(verify(&[b"a&amp;b&lt;&#039;c"], &headers, b"{}"), Ok(Verified::Delivery));
        assert_eq!(verify(&[b"a&b<'c"], &headers, b"{}"), Ok(Verified::Delivery));
    }
}
