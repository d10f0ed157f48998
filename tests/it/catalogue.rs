//! What stores tell of their products, what is not mapped of it, and what comes of a suggestion.

use upline::access::audit;
use upline::catalog::products::{self, Effect};
use upline::catalog::suggestions::{self, Asked, Unmapped};
use upline::core::assess::Hold;
use upline::core::ids::StoreId;
use upline::core::product::{Product, StockLevel, Variant};
use upline::core::suggest::Why;
use upline::db::Lane;
use upline::{catalog, orders};

use crate::support::payload::Order;
use crate::support::pipeline::{Pipeline, now};

const STORE: StoreId = StoreId(1);

fn simple(id: u64, sku: &str, title: &str, modified: &str, stock: u32) -> String {
    format!(
        r#"{{"id":{id},"name":"{title}","date_modified_gmt":"{modified}","type":"simple","parent_id":0,"sku":"{sku}",
"manage_stock":true,"stock_quantity":{stock},"variations":[],"attributes":[]}}"#
    )
}

fn variation(id: u64, parent: u64, sku: &str, size: &str) -> String {
    format!(
        r#"{{"id":{id},"name":"Shirt - {size}","date_modified_gmt":"2026-11-01T10:00:00","type":"variation",
"parent_id":{parent},"sku":"{sku}","manage_stock":"parent","stock_quantity":null,
"attributes":[{{"id":0,"name":"Size","option":"{size}"}}]}}"#
    )
}

fn told(pipeline: &Pipeline, topic: &str, body: String) -> String {
    pipeline.accept_as(STORE, topic, &[body]);
    pipeline.drain();
    pipeline.ask("select verdict || ': ' || detail from delivery_outcomes order by processed_at desc, delivery_id desc limit 1")
}

fn unmapped(pipeline: &Pipeline) -> Vec<Unmapped> {
    let asked = Asked { limit: 50, ..Asked::default() };
    pipeline.db.read(Lane::Admin, |conn| suggestions::unmapped(conn, &asked)).unwrap()
}

#[test]
fn a_product_that_nobody_mapped_is_suggested_accepted_and_its_order_released() {
    let pipeline = Pipeline::with_company();
    // Mapped for another platform.
    let elsewhere = catalog::NewMapping {
        store: None,
        platform: "shopify".into(),
        kind: upline::core::sku::KeyKind::Sku,
        key: "VC-1000".into(),
        sku_id: "VITC".into(),
        name: "Vitamin C".into(),
        category: "food".into(),
        commission_class: "supplement".into(),
        from: None,
    };
    let record = std::slice::from_ref(&elsewhere);
    pipeline.db.transact(Lane::Admin, |tx| catalog::record(tx, record, None, "test", now())).unwrap();
    let outcome = told(
        &pipeline,
        "product.created",
        simple(11, "VC-1000", "Vitamin C 1000", "2026-11-01T10:00:00", 40),
    );
    assert_eq!(outcome, "applied: product 11 recorded, with 1 variant(s)");
    let [seen] = &unmapped(&pipeline)[..] else { panic!() };
    let suggestion = seen.suggested.suggestion.as_ref().unwrap();
    assert_eq!(suggestion.why, Why::SameSku { platforms: vec!["shopify".into()] });
    assert_eq!((suggestion.sku_id.as_str(), seen.variant.stock), ("VITC", Some(40.into())));
    // Somebody orders it before anybody has looked.
    pipeline.accept(STORE, &[Order { sku: "VC-1000", ..Order::default() }.body()]);
    pipeline.drain();
    assert_eq!(
        pipeline.ask("select status || ' ' || (select reason from holds) from orders"),
        "held unmapped_sku"
    );
    let mappings = [seen.accepted().unwrap()];
    pipeline
        .db
        .transact(Lane::Admin, |tx| {
            catalog::record(tx, &mappings, None, "test", now())?;
            audit::record(tx, "test", "sku.map", "supplement", serde_json::json!({}), now())?;
            orders::review_all_of(tx, &[Hold::UnmappedSku], now())
        })
        .unwrap();
    pipeline.drain();
    assert_eq!(pipeline.ask("select status from orders"), "commissionable");
    assert_eq!(pipeline.ask("select sku_id from catalog_variants"), "VITC");
    assert!(unmapped(&pipeline).is_empty());
    assert!(pipeline.replay().is_clean() && pipeline.verify().is_clean());
}

#[test]
fn the_newest_telling_wins_and_what_is_gone_stays_marked() {
    let pipeline = Pipeline::with_company();
    let at = |modified: &str, stock| simple(11, "V", "Vitamin", modified, stock);
    told(&pipeline, "product.updated", at("2026-11-02T10:00:00", 7));
    let late = told(&pipeline, "product.updated", at("2026-11-01T10:00:00", 99));
    assert_eq!(late, "superseded: product 11: a newer telling of it was known");
    let stock = "select stock::int from catalog_variants";
    assert_eq!(pipeline.ask(stock), "7");
    let same = told(&pipeline, "product.updated", at("2026-11-02T10:00:01", 7));
    assert_eq!(same, "unchanged: product 11 was known so");
    assert_eq!(
        told(&pipeline, "product.deleted", r#"{"id":11}"#.into()),
        "applied: product 11 is sold no more"
    );
    assert_eq!(pipeline.ask("select count(*) from catalog_variants where gone_at is not null"), "1");
    assert!(unmapped(&pipeline).is_empty());
    // Sold again later than that.
    told(&pipeline, "product.updated", at("2026-11-30T10:00:00", 3));
    assert_eq!(pipeline.ask("select count(*) from catalog_variants where gone_at is null"), "1");
    // A deletion that comes before what it deletes.
    told(&pipeline, "product.deleted", r#"{"id":12}"#.into());
    told(&pipeline, "product.updated", simple(12, "W", "Late", "2026-11-01T10:00:00", 1));
    assert_eq!(
        pipeline.ask("select count(*) from catalog_variants where product_id = '12' and gone_at is null"),
        "0"
    );
}

#[test]
fn variations_belong_to_their_parent_and_siblings_suggest() {
    let pipeline = Pipeline::with_company();
    pipeline.map("TS-S", "supplement");
    let frame = r#"{"id":16,"name":"Shirt","date_modified_gmt":"2026-11-01T09:00:00","type":"variable","sku":"",
                    "variations":[17,18],"parent_id":0}"#;
    pipeline.accept_as(
        STORE,
        "product.updated",
        &[variation(17, 16, "TS-S", "S"), frame.to_owned(), variation(18, 16, "TS-M", "M")],
    );
    pipeline.drain();
    assert_eq!(
        pipeline.ask(
            "select string_agg(product_title || '/' || title, ' ' order by title) from catalog_variants"
        ),
        "Shirt/M Shirt/S"
    );
    let [medium] = &unmapped(&pipeline)[..] else { panic!() };
    let suggestion = medium.suggested.suggestion.as_ref().unwrap();
    assert_eq!((suggestion.why.clone(), suggestion.sku_id.as_str()), (Why::Siblings { agree: 1 }, "TS-M"));
    // Two products of one SKU: the mapping goes by the store's own id.
    told(&pipeline, "product.updated", simple(30, "TS-M", "Impostor", "2026-11-01T10:00:00", 1));
    let both = unmapped(&pipeline);
    assert_eq!(both.len(), 2);
    let medium = both.iter().find(|seen| seen.variant.variant_id == "18").unwrap();
    assert_eq!(medium.shares_sku_with, ["Impostor (30)"]);
    let mapping = medium.accepted().unwrap();
    assert_eq!((mapping.kind.name(), mapping.key.as_str(), mapping.store), ("variant", "18", Some(STORE)));
    told(&pipeline, "product.deleted", r#"{"id":17}"#.into());
    assert_eq!(pipeline.ask("select count(*) from catalog_variants where gone_at is not null"), "1");
}

#[test]
fn a_whole_product_loses_the_variants_it_does_not_tell() {
    let pipeline = Pipeline::with_company();
    let variant = |id: &str, inventory: &str| Variant {
        external_id: Some(id.into()),
        sku: None,
        title: id.into(),
        stock: Some(5.into()),
        inventory_id: Some(inventory.into()),
    };
    let product = |at: &str, variants, partial| Product {
        external_id: "1".into(),
        title: "Shirt".into(),
        variants,
        updated_at: Some(at.parse().unwrap()),
        partial,
    };
    let record = |product: Product| {
        let told = [product];
        pipeline.db.transact(Lane::Admin, |tx| products::record(tx, STORE, &told, now())).unwrap()
    };
    let (a, b) = (variant("a", "ia"), variant("b", "ib"));
    assert_eq!(record(product("2026-11-01T00:00:00Z", vec![a.clone(), b.clone()], false)), [Effect::News]);
    let gone =
        "select coalesce(string_agg(variant_id, ' '), '-') from catalog_variants where gone_at is not null";
    record(product("2026-11-02T00:00:00Z", vec![a.clone()], true));
    assert_eq!(pipeline.ask(gone), "-", "told in part");
    record(product("2026-11-03T00:00:00Z", vec![a.clone()], false));
    assert_eq!(pipeline.ask(gone), "b");
    record(product("2026-11-04T00:00:00Z", vec![a.clone(), b], false));
    assert_eq!(pipeline.ask(gone), "-", "it is back");
    // Stock of two places is their sum, once one of them is newer than the product.
    let level = |location: &str, available: u32, at: &str| StockLevel {
        inventory_id: "ia".into(),
        location_id: location.into(),
        available: Some(available.into()),
        updated_at: Some(at.parse().unwrap()),
    };
    let levels = [
        level("x", 2, "2026-11-05T00:00:00Z"),
        level("y", 1, "2026-11-05T00:00:00Z"),
        level("x", 9, "2026-11-04T00:00:00Z"),
    ];
    pipeline.db.transact(Lane::Admin, |tx| products::stock(tx, STORE, &levels, now())).unwrap();
    let stock = "select string_agg(stock::int::text, ' ' order by variant_id) from catalog_variants";
    assert_eq!(pipeline.ask(stock), "3 5");
    record(product("2026-11-06T00:00:00Z", vec![a], true));
    assert_eq!(pipeline.ask(stock), "5 5", "the product was told after that");
}
