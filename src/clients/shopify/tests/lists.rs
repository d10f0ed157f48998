//! Products and customers.

use super::*;
use crate::clients::StoreApi;
use crate::core::product::Variant;

fn variant(id: u64, sku: &str, stock: i64, tracked: bool) -> Value {
    json!({"id": format!("gid://shopify/ProductVariant/{id}"), "sku": sku, "title": "Large",
        "inventoryQuantity": stock, "inventoryItem":
            {"id": format!("gid://shopify/InventoryItem/{id}0"), "tracked": tracked}})
}

#[test]
fn products_bring_all_their_variants() {
    let first = json!({"id": "gid://shopify/Product/1", "title": "Tea", "updatedAt": "2026-10-05T00:00:00Z",
        "variants": list(vec![variant(11, " TEA-1 ", 5, true)], Some("v1"))});
    let second = json!({"id": "gid://shopify/Product/2", "title": "Card", "updatedAt": "2026-10-06T00:00:00Z",
        "variants": list(vec![variant(21, "", 0, false)], None)});
    let more = json!({"id": "gid://shopify/Product/1", "variants": list(vec![variant(12, "TEA-2", -1, true)], None)});
    let script = Script::new(vec![
        data(json!({"products": list(vec![first, second], Some("p2"))})),
        data(json!({ "node": more })),
        data(json!({"products": list(vec![], None)})),
    ]);
    let client = script.shop();
    let page = client.products(Some(at("2026-10-01T00:00:00.25Z")), None).unwrap();
    assert_eq!(script.variables(0)["query"], "updated_at:>='2026-10-01T00:00:00Z'");
    assert_eq!(
        (&script.variables(1)["id"], &script.variables(1)["after"]),
        (&json!("gid://shopify/Product/1"), &json!("v1"))
    );
    let tea = &page.items[0];
    assert_eq!((tea.external_id.as_str(), tea.variants.len(), tea.partial), ("1", 2, false));
    assert_eq!(tea.updated_at, Some(at("2026-10-05T00:00:00Z")));
    let wanted = Variant {
        external_id: Some("11".into()),
        sku: Some("TEA-1".into()),
        title: "Large".into(),
        stock: Some(5.into()),
        inventory_id: Some("110".into()),
    };
    assert_eq!(tea.variants[0], wanted);
    assert_eq!(tea.variants[1].stock, Some((-1).into()), "sold more than there was");
    let card = &page.items[1].variants[0];
    assert_eq!((&card.sku, &card.stock), (&None, &None), "stock that is not counted is not known");
    let last = client.products(Some(at("2026-10-01T00:00:00Z")), page.next.as_deref()).unwrap();
    assert_eq!((last.items.len(), last.next, &script.variables(2)["after"]), (0, None, &json!("p2")));
    script.answer([data(json!({"products": list(vec![], None)}))]);
    client.products(None, None).unwrap();
    assert_eq!(script.variables(3)["query"], json!(null));
}

#[test]
fn variants_that_vanish_while_they_are_read_are_no_end() {
    let product = json!({"id": "gid://shopify/Product/1", "title": "Tea", "updatedAt": "2026-10-05T00:00:00Z",
        "variants": list(vec![variant(11, "TEA-1", 5, true)], Some("v1"))});
    let script =
        Script::new(vec![data(json!({"products": list(vec![product], None)})), data(json!({"node": null}))]);
    assert!(matches!(script.shop().products(None, None), Err(ApiError::Incomplete(_))));
}

#[test]
fn customers_bring_the_places_that_may_name_somebody() {
    let field = |space: &str, key: &str, kind: &str, value: &str| json!({"namespace": space, "key": key, "type": kind, "value": value});
    let customer = json!({"id": "gid://shopify/Customer/5", "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-10-05T00:00:00Z", "tags": ["vip", "D-9"],
        "metafields": list(vec![
            field("custom", "distributor_code", "single_line_text_field", " D-9 "),
            field("facts", "birth_date", "date", "1980-01-01"),
        ], Some("m1"))});
    let more = json!({"id": "x", "metafields": list(vec![
        field("mlm", "sponsor", "number_integer", "42"),
        field("mlm", "letter", "single_line_text_field", &"x".repeat(201)),
    ], None)});
    let script = Script::new(vec![
        data(json!({"customers": list(vec![customer], None)})),
        data(json!({ "node": more })),
    ]);
    let page = script.shop().customers(None, None).unwrap();
    assert_eq!((page.items.len(), page.next, script.operations()[1].as_str()), (1, None, "CustomerParts"));
    let customer = &page.items[0];
    assert_eq!((customer.external_id.as_str(), customer.created_at), ("5", Some(at("2026-01-01T00:00:00Z"))));
    let places: Vec<_> =
        customer.places.iter().map(|found| (found.place.as_str(), found.value.as_str())).collect();
    let wanted = [
        ("customer_tag", "vip"),
        ("customer_tag", "D-9"),
        ("customer_meta:custom.distributor_code", "D-9"),
        ("customer_meta:distributor_code", "D-9"),
        ("customer_meta:mlm.sponsor", "42"),
    ];
    assert_eq!(places, wanted);
}
