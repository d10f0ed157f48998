//! Who may ask, and what a refusal means.

use super::*;

const LACKING: &str = r#"{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Magento_Sales::actions_view"}}"#;
const BAD_SIGNATURE: &str = r#"{"message":"The signature is invalid. Verify and try again."}"#;

fn header(request: &Request) -> &str {
    &request.headers.iter().find(|(name, _)| *name == "Authorization").unwrap().1
}

fn bearer() -> Credentials {
    Credentials::MagentoBearer { token: "t0ken".into() }
}

fn refusal(credentials: &Credentials, status: u16, body: &'static str) -> ApiError {
    client(&Wire::new(move |_| answer(status, body)), credentials).orders(&window(), None).unwrap_err()
}

#[test]
fn requests_are_signed_or_carry_the_token() {
    let wire = Wire::new(|_| answer(200, none()));
    client(&wire, &oauth()).orders(&window(), None).unwrap();
    let asked = &wire.asked()[0];
    for part in ["OAuth ", r#"oauth_consumer_key="ck""#, r#"oauth_token="at""#, r#"method="HMAC-SHA256""#] {
        assert!(header(asked).contains(part), "{part}: {}", header(asked));
    }
    assert!(!asked.url.query().unwrap().contains('+'), "a plus is no space to everybody");
    client(&wire, &bearer()).orders(&window(), None).unwrap();
    assert_eq!(header(&wire.asked()[1]), "Bearer t0ken");
}

#[test]
fn sha1_is_tried_once_where_the_store_finds_the_signature_invalid() {
    for (status, body) in [
        (401, BAD_SIGNATURE),
        (400, r#"{"message":"Signature method %1 is not supported","parameters":["HMAC-SHA256"]}"#),
    ] {
        let wire = Wire::new(move |request| match header(request).contains("HMAC-SHA1") {
            true => answer(200, none()),
            false => answer(status, body),
        });
        let magento = client(&wire, &oauth());
        magento.orders(&window(), None).unwrap();
        magento.orders(&window(), None).unwrap();
        let methods: Vec<bool> =
            wire.asked().iter().map(|asked| header(asked).contains("HMAC-SHA1")).collect();
        assert_eq!(methods, [false, true, true], "then it is known");
    }
    let never = Wire::new(|_| answer(401, BAD_SIGNATURE));
    let magento = client(&never, &oauth());
    for _ in 0..2 {
        let error = magento.orders(&window(), None).unwrap_err();
        assert!(
            matches!(&error, ApiError::Unauthorized(why) if why.contains("access token secret")),
            "{error}"
        );
    }
    assert_eq!(never.asked().len(), 3, "a wrong secret is wrong under both");
    // A store that has taken SHA-256 before is not asked in another way.
    let mut calls = 0;
    let later = Wire::new(move |_| {
        calls += 1;
        if calls == 1 { answer(200, none()) } else { answer(401, BAD_SIGNATURE) }
    });
    let magento = client(&later, &oauth());
    magento.orders(&window(), None).unwrap();
    magento.orders(&window(), None).unwrap_err();
    assert_eq!(later.asked().len(), 2);
}

#[test]
fn a_refused_bearer_token_names_the_setting() {
    for body in [LACKING, r#"{"message":"The token is invalid"}"#, ""] {
        let error = refusal(&bearer(), 401, body);
        assert!(
            matches!(&error, ApiError::Unauthorized(why) if why.contains("oauth/consumer/enable_integration_as_bearer")),
            "{error}"
        );
    }
    assert!(refusal(&bearer(), 401, LACKING).to_string().contains("Magento_Sales::actions_view"));
}

#[test]
fn a_lacking_resource_is_named() {
    for status in [401, 403] {
        let error = refusal(&oauth(), status, LACKING);
        assert!(
            matches!(&error, ApiError::Forbidden(why) if why.contains("Magento_Sales::actions_view")),
            "{error}"
        );
    }
    let clock = r#"{"message":"The timestamp value in the oauth_timestamp parameter is invalid."}"#;
    assert!(refusal(&oauth(), 401, clock).to_string().contains("ten minutes ahead"));
    let short = r#"{"message":"The token length is invalid. Check the length and try again."}"#;
    assert!(matches!(refusal(&oauth(), 400, short), ApiError::Unauthorized(_)));
    let field = r#"{"message":"Invalid attribute name: %1","parameters":["colour"]}"#;
    assert_eq!(refusal(&oauth(), 400, field), ApiError::Refused("Invalid attribute name: colour".into()));
}

fn configs() -> Value {
    let config = |code: &str, url: &str, zone: &str| json!({"id": 1, "code": code, "base_url": url, "base_currency_code": "EUR", "timezone": zone, "locale": "de_DE"});
    json!([
        config("b2b", "https://b2b.example/", "UTC"),
        config("default", "https://shop.example/m/", "Europe/Berlin")
    ])
}

#[test]
fn a_probe_tells_the_store_and_what_is_lacking() {
    let wire = Wire::new(|request| match last(request.url.path()) {
        "store/storeConfigs" => answer(200, configs()),
        "creditmemos" | "customers/search" => answer(401, LACKING),
        _ => answer(200, none()),
    });
    let probe = client(&wire, &oauth()).probe().unwrap();
    assert_eq!((probe.name.as_str(), probe.currency.as_deref()), ("shop.example/m", Some("EUR")));
    assert_eq!(probe.zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(probe.missing_scopes, ["Magento_Sales::sales_creditmemo", "Magento_Customer::customer"]);
    // A bearer that may read something is a good one.
    let probe = client(&wire, &bearer()).probe().unwrap();
    assert_eq!(probe.missing_scopes.len(), 2);
}

#[test]
fn credentials_that_open_nothing_are_wrong() {
    let wire = Wire::new(|request| match last(request.url.path()) {
        "store/storeConfigs" => answer(200, configs()),
        _ => answer(401, LACKING),
    });
    let error = client(&wire, &bearer()).probe().unwrap_err();
    assert!(
        matches!(&error, ApiError::Unauthorized(why) if why.contains("enable_integration_as_bearer")),
        "{error}"
    );
    // With OAuth the same answer means that the signature was right.
    let probe = client(&Wire::new(|_| answer(401, LACKING)), &oauth()).probe().unwrap();
    assert_eq!((probe.missing_scopes.len(), probe.name.as_str()), (6, "shop.example"));
    let unknown = r#"{"message":"A consumer having the specified key does not exist"}"#;
    assert!(matches!(
        client(&Wire::new(move |_| answer(401, unknown)), &oauth()).probe(),
        Err(ApiError::Unauthorized(_))
    ));
    let elsewhere = client(&Wire::new(|_| answer(404, "<html>")), &oauth()).probe().unwrap_err();
    assert!(elsewhere.to_string().contains("https://shop.example/m/rest/all/V1/"), "{elsewhere}");
}

#[test]
fn the_platform_sends_nothing_by_itself() {
    let magento = client(&Wire::new(|_| panic!("no call is made")), &oauth());
    assert!(magento.topics().is_empty() && magento.webhooks().unwrap().is_empty());
    let new = NewWebhook { topic: "orders", address: "https://us.example/webhooks/m", secret: "s" };
    for error in [
        magento.create_webhook(&new).unwrap_err(),
        magento.mend_webhook("1", &new).unwrap_err(),
        magento.delete_webhook("1").unwrap_err(),
    ] {
        assert!(matches!(&error, ApiError::Unsupported(why) if why.contains("X-Upline-Secret")), "{error}");
    }
}
