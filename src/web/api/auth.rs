//! Permission of programs as a type that a handler has to take.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use crate::access::{Scope, Token};
use crate::web::AppState;
use crate::web::error::Refusal;

macro_rules! permission {
    ($(#[$doc:meta])* $name:ident, $may:expr, $needs:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Token);

        impl Deref for $name {
            type Target = Token;

            fn deref(&self) -> &Token {
                &self.0
            }
        }

        impl FromRequest for $name {
            type Error = Refusal;
            type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let request = request.clone();
                Box::pin(async move {
                    let token = token(&request).await?;
                    let may: fn(Scope) -> bool = $may;
                    if may(token.scope) {
                        return Ok(Self(token));
                    }
                    let message = concat!("this needs a token with the scope ", $needs, " or admin");
                    Err(Refusal::forbidden("scope", message))
                })
            }
        }
    };
}

permission!(
    /// May read.
    Reader,
    Scope::may_read,
    "read"
);
permission!(
    /// May post orders.
    Poster,
    Scope::may_post_orders,
    "orders"
);

/// The live token of `Authorization: Bearer ...`. From memory; the database is only asked about an unknown one.
async fn token(request: &HttpRequest) -> Result<Token, Refusal> {
    let missing =
        || Refusal::unauthorized("token_missing", "send Authorization: Bearer with a token of ours");
    let state = request.app_data::<Data<AppState>>().ok_or_else(Refusal::internal)?;
    let header =
        request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, secret) = header.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let secret = secret.trim();
    if let Some(token) = state.tokens.current().get(secret) {
        return Ok(token.clone());
    }
    let renewed = state.tokens.renewed().await?;
    let unknown = || Refusal::unauthorized("token_unknown", "this token is unknown or revoked");
    renewed.get(secret).cloned().ok_or_else(unknown)
}
