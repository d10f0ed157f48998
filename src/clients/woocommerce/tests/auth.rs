//! Keys, and what stands between us and the shop.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn one_order() -> Shop {
    let mut shop = Shop::default();
    shop.order(1, at("2026-11-01T12:00:00Z"));
    shop
}

fn header(request: &Request) -> Option<&str> {
    request.headers.iter().find(|(name, _)| *name == "Authorization").map(|(_, value)| value.as_str())
}

#[test]
fn keys_go_as_basic_credentials_over_tls() {
    let (client, fake) = open(one_order(), quiet);
    client.order("1").unwrap().unwrap();
    let asked = fake.asked.lock().unwrap();
    assert_eq!(header(&asked[0]).unwrap(), format!("Basic {}", STANDARD.encode("ck_1:cs_2")));
    assert_eq!(asked[0].url.as_str(), "https://x.example/shop/wp-json/wc/v3/orders/1");
}

#[test]
fn a_base_without_its_slash_is_a_directory_all_the_same() {
    let (client, fake) = open_at("https://x.example/shop", one_order(), quiet);
    client.order("1").unwrap().unwrap();
    assert_eq!(fake.asked.lock().unwrap()[0].url.as_str(), "https://x.example/shop/wp-json/wc/v3/orders/1");
}

#[test]
fn a_server_that_drops_the_header_gets_the_keys_in_the_query_and_that_is_kept() {
    for (code, status) in
        [("woocommerce_rest_cannot_view", 401), ("rest_forbidden", 401), ("rest_forbidden", 403)]
    {
        let (client, fake) = open(one_order(), move |_, request, _| {
            let query = request.url.query().unwrap_or_default();
            let keys = query.contains("consumer_key=ck_1&consumer_secret=cs_2");
            (!keys).then(|| answer(status, &error(code, status)))
        });
        client.order("1").unwrap().unwrap();
        client.order("1").unwrap().unwrap();
        assert_eq!(fake.asked.lock().unwrap().len(), 3, "the header is tried once");
        assert!(header(&fake.asked.lock().unwrap()[2]).is_none());
    }
}

#[test]
fn keys_that_are_wrong_are_not_tried_in_the_query() {
    let (client, fake) =
        open(one_order(), |_, _, _| Some(answer(401, &error("woocommerce_rest_authentication_error", 401))));
    assert!(matches!(client.order("1"), Err(ApiError::Unauthorized(_))));
    assert_eq!(fake.asked.lock().unwrap().len(), 1);
    let (client, fake) =
        open(one_order(), |_, _, _| Some(answer(401, &error("woocommerce_rest_cannot_view", 401))));
    let error = client.order("1").unwrap_err();
    assert!(matches!(&error, ApiError::Unauthorized(why) if why.contains("copy the keys")), "{error}");
    assert!(!error.to_string().contains("cs_2"));
    client.order("1").unwrap_err();
    assert_eq!(fake.asked.lock().unwrap().len(), 4, "what did not help is not kept");
}

#[test]
fn a_plain_shop_gets_a_signature_of_each_request_in_its_query() {
    let (client, fake) =
        open_at("http://10.0.0.5:8080/", one_order(), |call, _, _| (call == 1).then(|| html(503)));
    client.order("1").unwrap().unwrap();
    let asked = fake.asked.lock().unwrap();
    let nonce = |request: &Request| {
        let all: std::collections::BTreeMap<_, _> = request.url.query_pairs().into_owned().collect();
        assert_eq!(all["oauth_consumer_key"], "ck_1");
        assert_eq!(all["oauth_signature_method"], "HMAC-SHA256");
        all["oauth_nonce"].clone()
    };
    assert_ne!(nonce(&asked[0]), nonce(&asked[1]), "signed anew when it is sent again");
    assert!(asked.iter().all(|request| header(request).is_none() && !request.url.as_str().contains("cs_2")));
}

#[test]
fn what_stands_in_the_way_is_named_with_its_remedy() {
    for (answered, remedy) in [
        (html(404), "Settings > Permalinks"),
        (answer(404, &error("rest_no_route", 404)), "Is the plugin active?"),
        (html(403), "firewall"),
        (html(401), "a password in front"),
        (answer(403, &error("woocommerce_rest_cannot_view", 403)), "shop manager"),
    ] {
        let (client, _) = open(one_order(), move |_, _, _| Some(answered.clone()));
        let error =
            client.orders(&changed("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"), None).unwrap_err();
        assert!(error.to_string().contains(remedy) && !error.is_temporary(), "{error}");
    }
    let moved = || {
        let mut moved = html(301);
        moved.headers.push(("Location".into(), "https://www.x.example/".into()));
        moved
    };
    let (client, _) = open(one_order(), move |_, _, _| Some(moved()));
    assert!(
        matches!(client.order("1"), Err(ApiError::Refused(why)) if why.contains("https://www.x.example/"))
    );
}

fn probed(read_only: bool, manager: bool) -> Shop {
    let mut shop = one_order();
    let index =
        json!({"name": "Zoe's", "timezone_string": "", "gmt_offset": "2", "namespaces": ["wp/v2", "wc/v3"]});
    shop.other.insert("/wp-json/".into(), index);
    if manager {
        let status = json!({"environment": {"version": "11.0.1"}, "settings": {"currency": "EUR"}});
        shop.other.insert("system_status".into(), status);
    }
    if !read_only {
        shop.other.insert("webhooks/batch".into(), json!({}));
    }
    shop
}

fn probe_of(read_only: bool, manager: bool) -> crate::clients::Probe {
    let (client, fake) = open_at("https://x.example/", probed(read_only, manager), move |_, request, _| {
        let path = request.url.path();
        let denied = read_only && path.ends_with("webhooks/batch");
        let hidden = !manager && (path.contains("system_status") || path.contains("settings"));
        match (denied, hidden) {
            (true, _) => Some(answer(401, &error("woocommerce_rest_authentication_error", 401))),
            (_, true) => Some(answer(403, &error("woocommerce_rest_cannot_view", 403))),
            _ => None,
        }
    });
    let probe = client.probe().unwrap();
    let asked = fake.asked.lock().unwrap();
    let index = asked.iter().find(|request| request.url.path() == "/wp-json/").unwrap();
    assert!(header(index).is_none(), "the index is public, and a key may not be shown to it");
    probe
}

#[test]
fn a_probe_says_who_it_is_and_what_the_key_lacks() {
    let probe = probe_of(false, true);
    assert_eq!((probe.name.as_str(), probe.zone.as_deref()), ("Zoe's", Some("Etc/GMT-2")));
    assert_eq!((probe.currency.as_deref(), probe.version.as_deref()), (Some("EUR"), Some("11.0.1")));
    assert!(probe.missing_scopes.is_empty());
    assert_eq!(probe_of(true, true).missing_scopes, ["read_write"]);
    assert_eq!(probe_of(false, false).missing_scopes, ["manage_woocommerce"]);
}

#[test]
fn a_wordpress_without_woocommerce_is_named() {
    let mut shop = probed(false, true);
    shop.other.insert("/wp-json/".into(), json!({"name": "A blog", "namespaces": ["wp/v2"]}));
    let (client, _) = open_at("https://x.example/", shop, quiet);
    assert!(matches!(client.probe(), Err(ApiError::NotFound(why)) if why.contains("without WooCommerce")));
    let (client, _) = open_at("https://x.example/", one_order(), |_, _, _| Some(html(404)));
    assert!(matches!(client.probe(), Err(ApiError::NotFound(why)) if why.contains("Permalinks")));
}
