//! Tokens, points, errors, versions.

use super::*;
use crate::clients::StoreApi;

fn shop_call(script: &Script, client: &Shopify) -> Result<(), ApiError> {
    script.answer([data(shop(&["read_orders"]))]);
    client.probe().map(drop)
}

fn tokens(script: &Script) -> Vec<String> {
    let token = |request: &Request| {
        let found = request.headers.iter().find(|(name, _)| *name == "X-Shopify-Access-Token");
        found.map_or_else(|| "-".to_owned(), |(_, value)| value.clone())
    };
    script.asked().iter().map(token).collect()
}

#[test]
fn a_pasted_token_is_used_as_it_is() {
    let script = Script::new(vec![]);
    shop_call(&script, &script.shop()).unwrap();
    assert_eq!(tokens(&script), ["shpat_1"]);
    assert_eq!(script.asked()[0].url.as_str(), "https://shop.example/admin/api/2026-10/graphql.json");
}

#[test]
fn an_apps_token_is_fetched_once_and_before_it_ends() {
    let script = Script::new(vec![granted("t1")]);
    let client = script.app();
    shop_call(&script, &client).unwrap();
    script.later(TimeDelta::hours(23));
    shop_call(&script, &client).unwrap();
    assert_eq!(tokens(&script), ["-", "t1", "t1"]);
    let asked = &script.asked()[0];
    assert_eq!(asked.url.path(), "/admin/oauth/access_token");
    let form = String::from_utf8(asked.body.clone().unwrap()).unwrap();
    assert_eq!(form, "grant_type=client_credentials&client_id=id&client_secret=s%26cret");
    script.later(TimeDelta::minutes(55));
    script.answer([granted("t2")]);
    shop_call(&script, &client).unwrap();
    assert_eq!(tokens(&script)[3..], ["-", "t2"]);
}

#[test]
fn a_refused_token_is_exchanged_once() {
    let refused = || said(401, r#"{"errors":"[API] Invalid API key or access token"}"#);
    let script = Script::new(vec![granted("t1"), refused(), granted("t2"), data(shop(&[]))]);
    script.app().probe().unwrap();
    assert_eq!(tokens(&script), ["-", "t1", "-", "t2"]);
    script.answer([granted("t1"), refused(), granted("t2"), refused()]);
    assert!(matches!(script.app().probe(), Err(ApiError::Unauthorized(_))));
    script.answer([refused()]);
    assert!(matches!(script.shop().probe(), Err(ApiError::Unauthorized(_))));
}

#[test]
fn wrong_credentials_are_told_with_what_to_do() {
    let script = Script::new(vec![said(400, "Oauth error invalid_client")]);
    let Err(ApiError::Unauthorized(why)) = script.app().probe() else { panic!() };
    assert!(
        why.contains("Dev Dashboard") && why.contains("invalid_client") && !why.contains("s&cret"),
        "{why}"
    );
    script.answer([said(404, "Not Found")]);
    let Err(ApiError::Refused(why)) = script.shop().probe() else { panic!() };
    assert!(why.contains("myshopify.com"), "{why}");
}

#[test]
fn the_next_call_waits_for_its_points() {
    let script = Script::new(vec![
        costing(orders(vec![order(1, "2026-10-05T00:00:00Z")], Some("c1"), 2), 600, 100),
        costing(orders(vec![order(2, "2026-10-06T00:00:00Z")], None, 2), 600, 1000),
    ]);
    let client = script.shop();
    let page = client.orders(&october(), None).unwrap();
    assert!(script.pauses().is_empty(), "nothing is waited for before it is wanted");
    client.orders(&october(), page.next.as_deref()).unwrap();
    // 600 are wanted, 100 were left, 100 come every second.
    assert_eq!(script.pauses(), [5000]);
    // What came in meanwhile counts.
    script.answer([costing(orders(vec![], None, 0), 600, 100)]);
    client.orders(&october(), None).unwrap();
    script.later(TimeDelta::seconds(4));
    script.answer([costing(orders(vec![], None, 0), 600, 1000)]);
    client.orders(&october(), None).unwrap();
    assert_eq!(script.pauses(), [5000, 1000]);
}

#[test]
fn a_throttle_is_waited_out() {
    let throttled = json!({
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {"requestedQueryCost": 752, "actualQueryCost": null, "throttleStatus":
            {"maximumAvailable": 2000.0, "currentlyAvailable": 52, "restoreRate": 100.0}}}
    });
    let script = Script::new(vec![said(200, &throttled.to_string()), data(shop(&[]))]);
    script.shop().probe().unwrap();
    assert_eq!(script.pauses()[0], 7000);
    assert_eq!(script.operations(), ["Shop", "Shop"]);
    // For ever: the caller hears how long.
    script.answer((0..6).map(|_| said(200, &throttled.to_string())));
    let Err(ApiError::Throttled { retry_after }) = script.shop().probe() else { panic!() };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn a_page_is_made_smaller_until_it_may_be_asked_for() {
    let dear =
        || failed("MAX_COST_EXCEEDED", "Query cost is 1460, which exceeds the single query max cost limit");
    let script = Script::new(vec![
        dear(),
        dear(),
        costing(orders(vec![], None, 0), 400, 2000),
        costing(orders(vec![], None, 0), 800, 2000),
    ]);
    let client = script.shop();
    client.orders(&october(), None).unwrap();
    client.orders(&october(), None).unwrap();
    let sizes: Vec<u64> = (0..4).map(|call| script.variables(call)["first"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [20, 10, 5, 10], "and larger again where there is room");
    script.answer([dear(), dear(), dear(), dear()]);
    assert!(matches!(client.orders(&october(), None), Err(ApiError::Refused(_))));
}

#[test]
fn a_scope_that_lacks_is_named() {
    let message = "Access denied for customers field. Required access: `read_customers` access scope.";
    let script = Script::new(vec![failed("ACCESS_DENIED", message)]);
    let Err(ApiError::Forbidden(why)) = script.shop().customers(None, None) else { panic!() };
    assert!(why.starts_with("the app lacks read_customers ("), "{why}");
}

#[test]
fn half_an_answer_is_asked_for_again() {
    let whole = data(shop(&["read_orders"]));
    for broken in [&b"{\"data\": {\"shop\": {\"name\": \"Te"[..], b"<html>502</html>", b"{}"] {
        let cut = Response { body: broken.to_vec(), ..whole.clone() };
        let script = Script::new(vec![cut, whole.clone()]);
        assert_eq!(script.shop().probe().unwrap().name, "Tea");
        assert_eq!(script.pauses().len(), 1);
    }
    let script = Script::new(vec![failed("INTERNAL_SERVER_ERROR", "Something went wrong"), whole]);
    script.shop().probe().unwrap();
    let script = Script::new(vec![failed("undefinedField", "Field 'x' doesn't exist on type 'Shop'")]);
    assert!(matches!(script.shop().probe(), Err(ApiError::Refused(why)) if why.contains("doesn't exist")));
}

#[test]
fn the_shop_says_who_it_is_and_what_is_lacking() {
    let script = Script::new(vec![data(shop(&["write_orders", "read_products"]))]);
    let probe = script.shop().probe().unwrap();
    assert_eq!((probe.name.as_str(), probe.currency.as_deref()), ("Tea", Some("USD")));
    assert_eq!((probe.zone.as_deref(), probe.version.as_deref()), (Some("America/Toronto"), Some("2026-10")));
    let lacking = ["read_customers", "read_all_orders"];
    assert_eq!(probe.missing_scopes, lacking, "who may write orders may read them");
    let forward = Response {
        headers: vec![("x-shopify-api-version".into(), "2027-01".into())],
        ..data(shop(&["read_orders", "read_all_orders", "read_products", "read_customers"]))
    };
    let script = Script::new(vec![forward]);
    let probe = script.shop().probe().unwrap();
    assert_eq!((probe.version.as_deref(), probe.missing_scopes.len()), (Some("2027-01"), 0));
}
