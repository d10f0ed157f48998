//! What comes with an order, a product and a customer.

use super::rows::{Row, listed};
use super::*;

fn sale(id: u64, invoiced: &str, refunded: &str) -> String {
    format!(
        r#"{{"entity_id":{id},"created_at":"2026-05-01 08:00:00","updated_at":"2026-05-01 09:00:00","base_total_invoiced":{invoiced},"base_total_refunded":{refunded},"base_grand_total":{invoiced},"x":1.10}}"#
    )
}

fn document(id: u64, order: u64, state: u64, total: &str) -> String {
    format!(r#"{{"entity_id":{id},"order_id":{order},"state":{state},"base_grand_total":{total}}}"#)
}

fn list(items: &[String], total: usize) -> Result<Response, ApiError> {
    answer(200, format!(r#"{{"items":[{}],"total_count":{total}}}"#, items.join(",")))
}

#[test]
fn an_order_comes_with_its_documents_as_they_were_written() {
    let wire = Wire::new(|request| match last(request.url.path()) {
        "orders" => list(&[sale(7, "20.00", "5.50"), sale(8, "1e2", "0")], 2),
        "invoices" => {
            list(&[document(1, 7, 2, "20.000"), document(2, 8, 2, "100"), document(3, 8, 3, "9")], 3)
        }
        "creditmemos" => list(&[document(1, 7, 2, "5.5"), document(2, 7, 1, "3")], 2),
        other => panic!("{other}"),
    });
    let page = client(&wire, &oauth()).orders(&window(), None).unwrap();
    let body = |i: usize| String::from_utf8(page.items[i].body.clone()).unwrap();
    let wanted = format!(
        r#"{{"order":{},"invoices":[{}],"creditmemos":[{},{}]}}"#,
        sale(7, "20.00", "5.50"),
        document(1, 7, 2, "20.000"),
        document(1, 7, 2, "5.5"),
        document(2, 7, 1, "3")
    );
    assert_eq!(body(0), wanted, "every literal as it stood");
    assert!(body(1).contains(r#""base_total_invoiced":1e2"#) && body(1).ends_with(r#""creditmemos":[]}"#));
    let first = &page.items[0];
    assert_eq!((first.external_id.as_str(), first.read_at), ("7", at("2026-05-02T10:00:00Z")));
    assert_eq!(
        (first.ordered_at, first.changed_at),
        (at("2026-05-01T08:00:00Z"), at("2026-05-01T09:00:00Z"))
    );
    assert_eq!(wire.paths(), ["orders", "invoices", "creditmemos"]);
    let invoices = wire.asked()[1].url.query_pairs().map(|(_, value)| value.into_owned()).collect::<Vec<_>>();
    assert_eq!(invoices[..3], ["order_id", "in", "7,8"]);
    for request in wire.asked() {
        assert!(request.url.as_str().starts_with("https://shop.example/m/rest/all/V1/"), "{}", request.url);
    }
}

#[test]
fn documents_of_more_than_a_page_are_read_on_by_id() {
    let rows: Vec<Row> = (1..=230)
        .map(|id| json!({"entity_id": id, "order_id": 7, "state": 2, "base_grand_total": 1}))
        .collect();
    let wire = Wire::new(move |request| match last(request.url.path()) {
        "orders" => list(&[sale(7, "230", "0")], 1),
        "invoices" => listed(&rows, &request.url),
        _ => answer(200, none()),
    });
    let page = client(&wire, &oauth()).orders(&window(), None).unwrap();
    let body: Value = serde_json::from_slice(&page.items[0].body).unwrap();
    assert_eq!(body["invoices"].as_array().unwrap().len(), 230);
    assert_eq!(wire.paths(), ["orders", "invoices", "invoices", "invoices", "creditmemos"]);
}

#[test]
fn an_order_that_changed_between_its_calls_is_read_once_more() {
    let torn = |agrees_later: bool| {
        Wire::new(move |request| match last(request.url.path()) {
            "orders" => list(&[sale(7, "20", "0"), sale(8, "30", "0")], 2),
            "orders/7" => answer(200, sale(7, "20", if agrees_later { "5" } else { "0" })),
            "invoices" => list(&[document(1, 7, 2, "20"), document(2, 8, 2, "30")], 2),
            "creditmemos" => list(&[document(1, 7, 2, "5")], 1),
            other => panic!("{other}"),
        })
    };
    for agrees in [true, false] {
        let wire = torn(agrees);
        let page = client(&wire, &oauth()).orders(&window(), None).unwrap();
        let body: Value = serde_json::from_slice(&page.items[0].body).unwrap();
        assert_eq!(body["order"]["base_total_refunded"], json!(if agrees { 5 } else { 0 }));
        assert_eq!(
            wire.paths(),
            ["orders", "invoices", "creditmemos", "orders/7", "invoices", "creditmemos"],
            "once, also where the store stays as it is"
        );
    }
}

#[test]
fn only_the_api_itself_can_say_that_an_order_is_gone() {
    let one = |status: u16, body: &'static str| {
        client(&Wire::new(move |_| answer(status, body)), &oauth()).order("7")
    };
    let gone =
        r#"{"message":"The entity that was requested doesn't exist. Verify the entity and try again."}"#;
    assert_eq!(one(404, gone).unwrap(), None);
    for proxy in ["<html>404 Not Found</html>", r#"{"message":"Request does not match any route."}"#, ""] {
        let error = one(404, proxy).unwrap_err();
        assert!(
            matches!(&error, ApiError::Refused(why) if why.contains("https://shop.example/")),
            "{proxy} {error}"
        );
    }
    assert!(matches!(
        client(&Wire::new(|_| panic!()), &oauth()).order("000000012-1"),
        Err(ApiError::Refused(_))
    ));
    let wire = Wire::new(|request| match last(request.url.path()) {
        "orders/7" => answer(200, sale(7, "0", "0")),
        _ => answer(200, none()),
    });
    assert_eq!(client(&wire, &oauth()).order("7").unwrap().unwrap().external_id, "7");
}

#[test]
fn products_come_with_what_their_sources_have() {
    let product = |id: u64, sku: &str, kind: &str| json!({"id": id, "sku": sku, "name": format!("{sku}!"), "type_id": kind, "updated_at": "2026-05-01 09:00:00"});
    let wire = Wire::new(move |request| match last(request.url.path()) {
        "products" => answer(
            200,
            json!({"items": [product(1, "HAT", "configurable"), product(2, "HAT-S/red +1", "simple"),
                product(3, "a,b", "simple"), product(4, "KIT", "bundle")], "total_count": 4}),
        ),
        "inventory/source-items" => answer(
            200,
            json!({"items": [
                {"sku": "HAT-S/red +1", "source_code": "default", "quantity": 3, "status": 1},
                {"sku": "HAT-S/red +1", "source_code": "east", "quantity": 2.5, "status": 1},
                {"sku": "HAT-S/red +1", "source_code": "west", "quantity": 9, "status": 0}], "total_count": 3}),
        ),
        other => panic!("{other}"),
    });
    let page = client(&wire, &oauth()).products(Some(at("2026-05-01T00:00:00Z")), None).unwrap();
    let [hat, small, comma, kit] = &page.items[..] else { panic!() };
    assert!(hat.variants.is_empty(), "what is bought of a configurable is a product of its own");
    assert_eq!((small.external_id.as_str(), small.title.as_str()), ("2", "HAT-S/red +1!"));
    let variant = &small.variants[0];
    assert_eq!((variant.external_id.as_deref(), variant.sku.as_deref()), (None, Some("HAT-S/red +1")));
    assert_eq!(variant.stock.unwrap().to_string(), "5.5");
    assert!(comma.variants[0].stock.is_none() && kit.variants[0].stock.is_none());
    let asked = &wire.asked()[1].url;
    assert!(asked.path().ends_with("/V1/inventory/source-items"), "no SKU stands in a path: {asked}");
    assert!(asked.as_str().contains("HAT-S%2Fred%20%2B1%2CKIT"), "{asked}");
}

#[test]
fn stock_that_cannot_be_read_is_unknown() {
    for (status, body) in [
        (404, r#"{"message":"Request does not match any route."}"#),
        (
            401,
            r#"{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Magento_InventoryApi::source"}}"#,
        ),
    ] {
        let wire = Wire::new(move |request| match last(request.url.path()) {
            "products" => answer(
                200,
                json!({"items": [{"id": 1, "sku": "A", "type_id": "simple", "updated_at": "2026-05-01 09:00:00"}],
                    "total_count": 1}),
            ),
            _ => answer(status, body),
        });
        let page = client(&wire, &oauth()).products(None, None).unwrap();
        assert_eq!((page.items[0].title.as_str(), page.items[0].variants[0].stock), ("A", None));
    }
}

#[test]
fn skus_are_asked_for_in_addresses_of_bearable_length() {
    let items: Vec<Value> = (0..100)
        .map(|n| json!({"id": n + 1, "sku": format!("{n:060}"), "type_id": "simple", "updated_at": "2026-05-01 09:00:00"}))
        .collect();
    let wire = Wire::new(move |request| match last(request.url.path()) {
        "products" => answer(200, json!({"items": items, "total_count": 100})),
        _ => answer(200, none()),
    });
    client(&wire, &oauth()).products(None, None).unwrap();
    assert_eq!(wire.paths().len(), 3);
    assert!(wire.asked().iter().all(|request| request.url.as_str().len() < 6_000));
}

#[test]
fn customers_say_where_they_name_a_distributor_and_nothing_else() {
    let wire = Wire::new(|_| {
        answer(
            200,
            json!({"items": [{"id": 3, "created_at": "2026-04-01 09:00:00", "updated_at": "2026-05-01 09:00:00",
                "custom_attributes": [{"attribute_code": "distributor_code", "value": " D-1 "},
                    {"attribute_code": "level", "value": 2}, {"attribute_code": "notes", "value": "x".repeat(300)},
                    {"attribute_code": "tags", "value": ["a"]}, {"attribute_code": "empty", "value": null}]},
                {"id": 4, "created_at": "2026-04-01 09:00:00", "updated_at": "2026-05-01 09:00:01"}],
                "total_count": 2}),
        )
    });
    let page = client(&wire, &oauth()).customers(None, None).unwrap();
    let places: Vec<(&str, &str)> =
        page.items[0].places.iter().map(|place| (place.place.as_str(), place.value.as_str())).collect();
    assert_eq!(places, [("customer_meta:distributor_code", "D-1"), ("customer_meta:level", "2")]);
    assert_eq!((page.items[1].external_id.as_str(), page.items[1].places.len()), ("4", 0));
    let asked = wire.asked()[0].url.clone();
    assert_eq!(last(asked.path()), "customers/search");
    let fields = asked.query_pairs().find(|(name, _)| name == "fields").unwrap().1.into_owned();
    assert!(!fields.contains("email") && !fields.contains("name"), "{fields}");
}
