//! `GET /r/CODE`: a distributor's link. It leaves a cookie and leads to the store, whose snippet carries the code
//! into the cart (docs/referrals.md).
//!
//! A visitor is never shown an error for a code that names nobody: the link leads to the store without it.

use std::sync::Arc;

use actix_web::cookie::{Cookie, SameSite, time::Duration as CookieDuration};
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::AppState;
use super::error::Refusal;
use crate::core::attribution::Named;
use crate::distributors::Network;
use crate::ingest::Store;

/// Read by the stores' snippets.
pub const COOKIE: &str = "upline_ref";
/// The parameter under which the store's address carries the code.
pub const PARAMETER: &str = "ref";

/// Whom links name, and where they lead.
pub struct Referrals {
    network: Arc<Network>,
    /// Slug and storefront of the stores that have one, oldest first.
    stores: Vec<(String, Url)>,
}

impl Referrals {
    pub fn new(network: Arc<Network>, stores: &[Store]) -> Self {
        let mut with: Vec<&Store> = stores.iter().filter(|store| store.active).collect();
        with.sort_by_key(|store| store.id);
        let storefront =
            |store: &Store| Some((store.slug.clone(), Url::parse(store.storefront.as_deref()?).ok()?));
        Self { network, stores: with.into_iter().filter_map(storefront).collect() }
    }

    fn storefront(&self, slug: Option<&str>) -> Option<&Url> {
        let mut known = self.stores.iter().filter(|(known, _)| slug.is_none_or(|slug| slug == known));
        known.next().map(|(_, url)| url)
    }

    fn earns(&self, code: &str, at: DateTime<Utc>) -> bool {
        matches!(self.network.named(code, at), Named::Distributor(_))
    }
}

#[derive(Deserialize)]
pub struct To {
    /// A path in the store.
    #[serde(default)]
    to: String,
}

pub async fn follow(
    state: Data<AppState>,
    code: Path<String>,
    to: Query<To>,
) -> Result<HttpResponse, Refusal> {
    lead(&state, &code, None, &to.to).await
}

pub async fn follow_to(
    state: Data<AppState>,
    path: Path<(String, String)>,
    to: Query<To>,
) -> Result<HttpResponse, Refusal> {
    let (code, store) = path.into_inner();
    lead(&state, &code, Some(&store), &to.to).await
}

async fn lead(
    state: &AppState,
    code: &str,
    store: Option<&str>,
    path: &str,
) -> Result<HttpResponse, Refusal> {
    let (code, now) = (code.trim(), state.clock.now());
    let mut referrals = state.referrals.current();
    if referrals.storefront(store).is_none() || !referrals.earns(code, now) {
        referrals = state.referrals.renewed().await?;
    }
    let storefront = referrals.storefront(store).ok_or_else(|| {
        let told =
            "no such store, or it has no storefront: upline store storefront SLUG https://shop.example";
        Refusal::not_found("no_storefront", told)
    })?;
    let mut to = inside(storefront, path);
    let mut answer = HttpResponse::Found();
    if referrals.earns(code, now) {
        to.query_pairs_mut().append_pair(PARAMETER, code);
        leave_cookie(&mut answer, state, code);
    }
    // What a code names may change; no cache may remember it.
    Ok(answer.insert_header((LOCATION, to.as_str())).insert_header((CACHE_CONTROL, "no-store")).finish())
}

/// The path within the storefront; one that leads elsewhere is left out.
fn inside(storefront: &Url, path: &str) -> Url {
    let stays = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let joined = storefront.join(path).ok().filter(|url| stays && url.origin() == storefront.origin());
    joined.unwrap_or_else(|| storefront.clone())
}

fn leave_cookie(answer: &mut HttpResponseBuilder, state: &AppState, code: &str) {
    let value: String = byte_serialize(code.as_bytes()).collect();
    let mut cookie = Cookie::build(COOKIE, value)
        .path("/")
        .same_site(SameSite::Lax)
        .secure(state.is_https())
        .max_age(CookieDuration::days(i64::from(state.cookies.cookie_days)));
    if let Some(domain) = state.cookies.cookie_domain.clone() {
        cookie = cookie.domain(domain);
    }
    answer.cookie(cookie.finish());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_never_leads_out_of_the_store() {
        let shop = Url::parse("https://shop.example/de/").unwrap();
        for (path, leads) in [
            ("", "https://shop.example/de/"),
            ("/products/tea?size=L", "https://shop.example/products/tea?size=L"),
            ("products", "https://shop.example/de/"),
            ("//evil.example/", "https://shop.example/de/"),
            ("/\\evil.example/", "https://shop.example/de/"),
            ("https://evil.example/", "https://shop.example/de/"),
            ("/../../x", "https://shop.example/x"),
        ] {
            assert_eq!(inside(&shop, path).as_str(), leads, "{path}");
        }
    }
}
