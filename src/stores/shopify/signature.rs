//! Shopify: base64 of HMAC-SHA256 over the raw body.
//!
//! Subscriptions made through the API are signed with the app's client secret, those made by hand in the admin
//! with another key shown there: a store may hold both.

use crate::stores::Headers;
use crate::stores::signature::{SignatureError, Verified, hmac_base64};

pub fn verify(secrets: &[&[u8]], headers: &Headers, body: &[u8]) -> Result<Verified, SignatureError> {
    hmac_base64(secrets, headers, "x-shopify-hmac-sha256", body)
}
