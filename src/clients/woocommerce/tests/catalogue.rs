//! Products, customers and webhooks.

use super::*;
use crate::clients::NewWebhook;
use crate::clients::http::Method;

fn product(id: u64, kind: &str) -> Value {
    json!({
        "id": id, "parent_id": 0, "name": format!("Product {id}"), "type": kind, "sku": format!("S-{id}"),
        "date_modified_gmt": "2026-11-01T12:00:00", "manage_stock": true, "stock_quantity": 7, "variations": [],
    })
}

#[test]
fn a_product_comes_with_all_of_its_variations() {
    let mut shop = Shop::default();
    let mut varied = product(2, "variable");
    varied["variations"] = json!([30, 31]);
    shop.other.insert("products".into(), json!([product(1, "simple"), varied]));
    let variations: Vec<Value> = (100..250)
        .map(|id| {
            json!({
                "id": id, "parent_id": 2, "type": "variation", "name": "M", "sku": format!("V-{id}"),
                "manage_stock": if id == 100 { json!("parent") } else { json!(false) }, "stock_quantity": null,
                "attributes": [{"id": 1, "name": "Size", "option": "M"}, {"id": 2, "name": "Colour", "option": "Blue"}],
            })
        })
        .collect();
    shop.other.insert("products/2/variations".into(), json!(variations));
    let (client, _) = open(shop, quiet);
    let page = client.products(None, None).unwrap();
    assert_eq!((page.items.len(), page.next, page.remaining), (2, None, Some(2)));
    let simple = &page.items[0];
    assert_eq!((simple.external_id.as_str(), simple.partial), ("1", false));
    assert_eq!(simple.variants.len(), 1);
    assert_eq!(
        (simple.variants[0].external_id.clone(), simple.variants[0].sku.as_deref()),
        (None, Some("S-1"))
    );
    assert_eq!(simple.variants[0].stock, Some(7.into()));
    let varied = &page.items[1];
    assert_eq!((varied.variants.len(), varied.partial), (150, false));
    assert_eq!(varied.variants[0].external_id.as_deref(), Some("100"));
    assert_eq!(varied.variants[0].title, "M / Blue");
    assert_eq!((varied.variants[0].stock, varied.variants[1].stock), (Some(7.into()), None));
}

#[test]
fn products_since_a_time_are_asked_for_by_change() {
    let mut shop = Shop::default();
    shop.other.insert("products".into(), json!([product(1, "simple")]));
    let (client, fake) = open(shop, quiet);
    let page = client.products(Some(at("2026-11-01T11:00:00Z")), None).unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(asked(&fake, "modified_after"), ["2026-11-01T10:59:59"]);
    assert_eq!(asked(&fake, "orderby"), ["modified"]);
}

#[test]
fn customers_are_their_id_and_where_they_name_somebody() {
    let mut shop = Shop::default();
    let customers: Vec<Value> = (1..=230)
        .map(|id| {
            json!({
                "id": id, "date_created_gmt": "2026-10-01T00:00:00", "date_modified_gmt": "2026-11-01T12:00:00",
                "meta_data": [
                    {"id": 1, "key": "distributor_code", "value": "D-7"},
                    {"id": 2, "key": "billing_address_index", "value": "Main Street"},
                    {"id": 3, "key": "prefs", "value": {"a": 1}},
                ],
            })
        })
        .collect();
    shop.other.insert("customers".into(), json!(customers));
    let (client, fake) = open(shop, quiet);
    let (mut all, mut cursor) = (vec![], None);
    loop {
        let page = client.customers(None, cursor.as_deref()).unwrap();
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(all.len(), 230);
    assert_eq!(all[0].places.len(), 1, "{:?}", all[0].places);
    assert_eq!(
        (all[0].places[0].place.as_str(), all[0].places[0].value.as_str()),
        ("customer_meta:distributor_code", "D-7")
    );
    assert!(
        asked(&fake, "_fields")
            .iter()
            .all(|fields| !fields.contains("email") && fields.contains("meta_data"))
    );
    assert!(asked(&fake, "role").iter().all(|role| role == "all"));
    let none = client.customers(Some(at("2026-11-02T00:00:00Z")), None).unwrap();
    assert!(none.items.is_empty() && none.next.is_some(), "what is older is left out, and reading goes on");
}

#[test]
fn a_product_that_the_shop_counts_and_hides_ends_nothing() {
    let mut shop = Shop::default();
    shop.other
        .insert("products".into(), json!((1..=150).map(|id| product(id, "simple")).collect::<Vec<_>>()));
    let (client, _) = open(shop, |_, request, shop| {
        let query = request.url.query_pairs().into_owned().collect();
        let mut whole = shop.answer(request.url.path(), &query);
        let mut rows: Vec<Value> = serde_json::from_slice(&whole.body).unwrap();
        rows.retain(|row| row["id"] != 100 && row["id"] != 150);
        whole.body = Value::Array(rows).to_string().into_bytes();
        Some(whole)
    });
    let first = client.products(None, None).unwrap();
    let second = client.products(None, first.next.as_deref()).unwrap();
    let third = second.next.as_ref().map(|next| client.products(None, Some(next)).unwrap());
    let third = third.map(|page| (page.items, page.next)).unwrap_or_default();
    assert_eq!((first.items.len() + second.items.len() + third.0.len(), third.1), (148, None));
}

fn subscription(id: u64, status: &str) -> Value {
    json!({"id": id, "name": "x", "status": status, "topic": "order.updated", "delivery_url": "https://u.example/w"})
}

#[test]
fn webhooks_are_listed_page_by_page_with_those_that_the_shop_disabled() {
    let mut shop = Shop::default();
    let all: Vec<Value> =
        (1..=130).map(|id| subscription(id, if id == 130 { "disabled" } else { "active" })).collect();
    shop.other.insert("webhooks".into(), json!(all));
    let (client, fake) = open(shop, quiet);
    let webhooks = client.webhooks().unwrap();
    assert_eq!(webhooks.len(), 130);
    assert!(webhooks[0].active && !webhooks[129].active);
    assert_eq!(asked(&fake, "page"), ["1", "2"]);
    assert_eq!(client.topics().len(), 11);
}

#[test]
fn webhooks_are_made_once_and_mended_whole() {
    let new = NewWebhook { topic: "order.updated", address: "https://u.example/w", secret: "abc123" };
    let (client, fake) = open(Shop::default(), |call, _, _| match call {
        1 => Some(answer(201, &subscription(9, "active"))),
        2 => Some(html(502)),
        3 => Some(answer(200, &subscription(9, "active"))),
        4 => Some(answer(400, &error("woocommerce_rest_shop_webhook_invalid_id", 400))),
        5 => Some(answer(401, &error("woocommerce_rest_authentication_error", 401))),
        6 => Some(answer(404, &error("woocommerce_rest_shop_webhook_invalid_id", 404))),
        _ => Some(answer(200, &subscription(9, "active"))),
    });
    assert_eq!(client.create_webhook(&new).unwrap().external_id, "9");
    assert!(matches!(client.create_webhook(&new), Err(ApiError::Unavailable(_))), "not sent a second time");
    assert!(client.mend_webhook("9", &new).unwrap().active);
    assert!(matches!(client.mend_webhook("9", &new), Err(ApiError::NotFound(_))));
    let error = client.create_webhook(&new).unwrap_err();
    assert!(matches!(&error, ApiError::Forbidden(why) if why.contains("Read/Write")), "{error}");
    client.delete_webhook("9").unwrap();
    assert!(matches!(client.delete_webhook("9/../1"), Err(ApiError::NotFound(_))));
    let asked = fake.asked.lock().unwrap();
    assert_eq!(asked.len(), 6);
    let body: Value = serde_json::from_slice(asked[2].body.as_ref().unwrap()).unwrap();
    assert_eq!((asked[2].method, asked[2].url.path()), (Method::Put, "/shop/wp-json/wc/v3/webhooks/9"));
    assert_eq!(
        (body["status"].as_str(), body["delivery_url"].as_str(), body["secret"].as_str()),
        (Some("active"), Some("https://u.example/w"), Some("abc123"))
    );
    assert_eq!(
        (asked[5].method, asked[5].url.query(), &asked[5].body),
        (Method::Delete, Some("force=true"), &None)
    );
}
