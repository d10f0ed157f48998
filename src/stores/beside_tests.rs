//! What stores tell beside orders, of payloads in the platforms' own shapes.

use rust_decimal::Decimal;

use super::testing::{dec, reports};
use super::{ParseError, Platform};
use crate::core::customer::{Customer, PrivacyKind, PrivacyRequest};
use crate::core::order::{PlaceValue, Report};
use crate::core::product::{Product, StockLevel};

fn one(platform: Platform, topic: &str, body: &str) -> Report {
    let mut all = reports(platform, topic, body).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn product(platform: Platform, topic: &str, body: &str) -> Product {
    match one(platform, topic, body) {
        Report::Product(product) => *product,
        other => panic!("{other:?}"),
    }
}

fn customer(platform: Platform, topic: &str, body: &str) -> Customer {
    match one(platform, topic, body) {
        Report::Customer(customer) => customer,
        other => panic!("{other:?}"),
    }
}

const SHOPIFY_PRODUCT: &str = r#"{"admin_graphql_api_id":"gid://shopify/Product/788032119674292922",
"body_html":"<p>Soft</p>","id":788032119674292922,"title":"Example T-Shirt","updated_at":"2026-03-01T19:00:00-05:00",
"status":"active","tags":"mens, t-shirt","variants":[
 {"admin_graphql_api_id":"gid://shopify/ProductVariant/642667041472713922","id":642667041472713922,"price":"19.99",
  "product_id":788032119674292922,"sku":" TS-S ","title":"Small","inventory_item_id":808950810,"inventory_quantity":75},
 {"admin_graphql_api_id":"gid://shopify/ProductVariant/757650484644203962","id":757650484644203962,"price":"19.99",
  "product_id":788032119674292922,"sku":null,"title":"Default Title","inventory_item_id":null,"inventory_quantity":-2}],
"variant_gids":[{"admin_graphql_api_id":"gid://shopify/ProductVariant/757650484644203962","updated_at":"2026-01-01T00:00:00Z"},
 {"admin_graphql_api_id":"gid://shopify/ProductVariant/642667041472713922","updated_at":"2026-01-01T00:00:00Z"}]}"#;

#[test]
fn a_shopify_product_with_its_variants() {
    let told = product(Platform::Shopify, "products/update", SHOPIFY_PRODUCT);
    assert_eq!((told.external_id.as_str(), told.title.as_str()), ("788032119674292922", "Example T-Shirt"));
    assert_eq!(told.updated_at.unwrap().to_rfc3339(), "2026-03-02T00:00:00+00:00");
    assert!(!told.partial);
    let [small, plain] = told.variants.as_slice() else { panic!() };
    assert_eq!(small.external_id.as_deref(), Some("642667041472713922"));
    assert_eq!((small.sku.as_deref(), small.stock), (Some("TS-S"), Some(dec("75"))));
    assert_eq!(small.inventory_id.as_deref(), Some("808950810"));
    assert_eq!((plain.sku.as_deref(), plain.title.as_str(), plain.stock), (None, "", Some(dec("-2"))));
}

#[test]
fn variants_beyond_the_hundredth_come_as_ids_alone() {
    let more = SHOPIFY_PRODUCT.replace(
        "\"variant_gids\":[",
        "\"variant_gids\":[{\"admin_graphql_api_id\":\"gid://shopify/ProductVariant/101\"},",
    );
    let told = product(Platform::Shopify, "products/create", &more);
    assert!(told.partial && told.variants.len() == 2);
}

#[test]
fn shopify_deletions_and_stock() {
    let gone = one(Platform::Shopify, "products/delete", r#"{"id":788032119674292922}"#);
    assert!(matches!(gone, Report::ProductGone { product, at: Some(_) } if product == "788032119674292922"));
    let level = r#"{"inventory_item_id":808950810,"location_id":905684977,"available":6,
                    "updated_at":"2026-05-07T15:51:26-04:00"}"#;
    let Report::Stock(StockLevel { inventory_id, location_id, available, updated_at }) =
        one(Platform::Shopify, "inventory_levels/update", level)
    else {
        panic!()
    };
    assert_eq!((inventory_id.as_str(), location_id.as_str()), ("808950810", "905684977"));
    assert_eq!(
        (available, updated_at.unwrap().to_rfc3339()),
        (Some(dec("6")), "2026-05-07T19:51:26+00:00".into())
    );
}

#[test]
fn customers_have_an_id_times_and_places_and_nothing_else() {
    let body = r#"{"id":207119551,"created_at":"2026-05-27T18:11:24-04:00","updated_at":"2026-05-28T00:00:00Z",
        "email":"bob.norman@example.test","first_name":"Bob","tags":"vip, D-100",
        "metafields":[{"namespace":"upline","key":"distributor","value":"D-7"}],
        "default_address":{"address1":"Chestnut Street 92"}}"#;
    let told = customer(Platform::Shopify, "customers/update", body);
    let place = |place: &str, value: &str| PlaceValue { place: place.into(), value: value.into() };
    let places = vec![
        place("customer_tag", "vip"),
        place("customer_tag", "D-100"),
        place("customer_meta:upline.distributor", "D-7"),
    ];
    assert_eq!((told.external_id.as_str(), &told.places), ("207119551", &places));
    assert!(!format!("{told:?}").contains("Bob"));
    let body = r#"{"id":2,"date_created_gmt":"2026-11-21T12:21:55","date_modified_gmt":"2026-11-21T12:21:57",
        "email":"kai@example.test","role":"customer","billing":{"first_name":"Kai"},
        "meta_data":[{"id":1,"key":"distributor_code","value":"D-7"},{"id":2,"key":"_billing_name","value":"Kai"}]}"#;
    let told = customer(Platform::WooCommerce, "customer.updated", body);
    assert_eq!(told.places, vec![place("customer_meta:distributor_code", "D-7")]);
    assert_eq!(told.updated_at.unwrap().to_rfc3339(), "2026-11-21T12:21:57+00:00");
    let gone = one(Platform::WooCommerce, "customer.deleted", r#"{"id":2}"#);
    assert!(matches!(gone, Report::CustomerGone { customer, at: None } if customer == "2"));
}

#[test]
fn privacy_requests_are_ids_alone() {
    let asked = |topic: &str, body: &str| match one(Platform::Shopify, topic, body) {
        Report::Privacy(request) => request,
        other => panic!("{other:?}"),
    };
    let body = r#"{"shop_id":954889,"shop_domain":"a.example","customer":{"id":191167,"email":"john@example.test",
        "phone":"555-625-1199"},"orders_requested":[299938,280263],"data_request":{"id":9999}}"#;
    let wanted = PrivacyRequest {
        kind: PrivacyKind::DataRequest,
        customer: Some("191167".into()),
        orders: vec!["299938".into(), "280263".into()],
    };
    assert_eq!(asked("customers/data_request", body), wanted);
    let redact = asked("customers/redact", &body.replace("orders_requested", "orders_to_redact"));
    assert_eq!(redact, PrivacyRequest { kind: PrivacyKind::Redact, ..wanted });
    let shop = asked("shop/redact", r#"{"shop_id":954889,"shop_domain":"a.example"}"#);
    assert_eq!((shop.kind, shop.customer, shop.orders.len()), (PrivacyKind::ShopRedact, None, 0));
    let nobody = reports(Platform::Shopify, "customers/redact", "{}");
    assert_eq!(nobody, Err(ParseError::Missing { field: "customer.id" }));
}

#[test]
fn woocommerce_products_and_variations() {
    let simple = r#"{"id":11,"name":"Vitamin C","date_modified_gmt":"2026-11-21T12:20:31","type":"simple",
        "sku":"VC-1000-90","manage_stock":true,"stock_quantity":498,"parent_id":0,"variations":[],"attributes":[]}"#;
    let told = product(Platform::WooCommerce, "product.updated", simple);
    assert_eq!((told.external_id.as_str(), told.partial), ("11", false));
    assert_eq!((told.variants[0].external_id.as_deref(), told.variants[0].stock), (None, Some(dec("498"))));
    let uncounted = simple.replace("\"manage_stock\":true", "\"manage_stock\":false");
    assert_eq!(
        product(Platform::WooCommerce, "product.updated", &uncounted).variants[0].stock,
        None::<Decimal>
    );
    let variation = r#"{"id":18,"name":"T-Shirt - M","date_modified_gmt":"2026-11-21T12:20:31","type":"variation",
        "sku":"TS-M","manage_stock":"parent","stock_quantity":null,"parent_id":16,"attributes":[{"id":0,"name":"Size",
        "option":"M"}]}"#;
    let told = product(Platform::WooCommerce, "product.updated", variation);
    assert_eq!((told.external_id.as_str(), told.title.as_str(), told.partial), ("16", "", true));
    let medium = &told.variants[0];
    assert_eq!((medium.external_id.as_deref(), medium.title.as_str()), (Some("18"), "M"));
    let frame =
        r#"{"id":16,"name":"T-Shirt","type":"variable","sku":"TS","variations":[17,18],"parent_id":0}"#;
    let told = product(Platform::WooCommerce, "product.created", frame);
    assert!(told.partial && told.variants.is_empty() && told.title == "T-Shirt");
    let gone = one(Platform::WooCommerce, "product.deleted", r#"{"id":11}"#);
    assert!(matches!(gone, Report::ProductGone { product, at: None } if product == "11"));
    let hidden = r#"{"code":"woocommerce_rest_cannot_view","message":"Sorry","data":{"status":403}}"#;
    assert!(matches!(one(Platform::WooCommerce, "product.updated", hidden), Report::Ignored { .. }));
}

#[test]
fn magento_products_as_rest_and_as_an_event() {
    let rest = r#"{"id":190,"sku":"MH09-L-Blue","name":"Hoodie-L-Blue","type_id":"simple","status":1,
        "updated_at":"2026-03-27 16:06:41","extension_attributes":{"stock_item":{"qty":100,"manage_stock":true}}}"#;
    let told = product(Platform::Magento, "", rest);
    assert_eq!((told.external_id.as_str(), told.variants[0].sku.as_deref()), ("190", Some("MH09-L-Blue")));
    assert_eq!(told.variants[0].stock, Some(dec("100")));
    assert_eq!(told.updated_at.unwrap().to_rfc3339(), "2026-03-27T16:06:41+00:00");
    let frame = rest.replace("\"simple\"", "\"configurable\"");
    assert!(product(Platform::Magento, "", &frame).variants.is_empty());
    let event = r#"{"event":{"data":{"value":{"entity_id":"3","type_id":"simple","sku":"test2","name":"test2",
        "updated_at":"2026-09-06 20:37:25","stock_data":{"qty":"333","manage_stock":"1"}}}}}"#;
    let told = product(Platform::Magento, "observer.catalog_product_save_after", event);
    assert_eq!((told.external_id.as_str(), told.variants[0].stock), ("3", Some(dec("333"))));
}
