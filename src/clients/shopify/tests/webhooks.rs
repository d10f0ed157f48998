//! Subscriptions.

use super::*;
use crate::clients::{NewWebhook, StoreApi, Webhook};

fn subscription(id: u64, topic: &str, uri: &str) -> Value {
    json!({"id": format!("gid://shopify/WebhookSubscription/{id}"), "topic": topic, "uri": uri})
}

const NEW: NewWebhook<'static> =
    NewWebhook { topic: "orders/paid", address: "https://us.example/webhooks/tea", secret: "s" };

fn known() -> Webhook {
    Webhook {
        external_id: "7".into(),
        topic: "orders/paid".into(),
        address: "https://us.example/webhooks/tea".into(),
        active: true,
    }
}

#[test]
fn all_pages_are_listed_ours_and_others() {
    let script = Script::new(vec![
        data(json!({"webhookSubscriptions":
            list(vec![subscription(7, "ORDERS_PAID", "https://us.example/webhooks/tea")], Some("w1"))})),
        data(json!({"webhookSubscriptions": list(vec![
            subscription(8, "INVENTORY_LEVELS_UPDATE", "https://us.example/webhooks/tea"),
            subscription(9, "CHECKOUTS_CREATE", "arn:aws:events:x"),
        ], None)})),
    ]);
    let all = script.shop().webhooks().unwrap();
    assert_eq!(all[0], known());
    let topics: Vec<&str> = all.iter().map(|webhook| webhook.topic.as_str()).collect();
    assert_eq!(topics, ["orders/paid", "inventory_levels/update", "CHECKOUTS_CREATE"]);
    assert_eq!(script.variables(1)["after"], "w1");
}

#[test]
fn a_subscription_is_made_mended_and_taken_away() {
    let made = subscription(7, "ORDERS_PAID", NEW.address);
    let done = |name: &str| data(json!({name: {"webhookSubscription": made, "userErrors": []}}));
    let script = Script::new(vec![
        done("webhookSubscriptionCreate"),
        done("webhookSubscriptionUpdate"),
        data(json!({"webhookSubscriptionDelete": {"deletedWebhookSubscriptionId": "x", "userErrors": []}})),
    ]);
    let client = script.shop();
    assert_eq!(client.create_webhook(&NEW).unwrap(), known());
    let wanted = json!({"topic": "ORDERS_PAID",
        "webhookSubscription": {"uri": "https://us.example/webhooks/tea", "format": "JSON"}});
    assert_eq!(script.variables(0), wanted);
    assert_eq!(client.mend_webhook("7", &NEW).unwrap(), known());
    assert_eq!(script.variables(1)["id"], "gid://shopify/WebhookSubscription/7");
    client.delete_webhook("7").unwrap();
}

#[test]
fn what_the_store_refuses_is_told_with_its_field() {
    let error = json!({"field": ["webhookSubscription", "callbackUrl"],
        "message": "Address for this topic has already been taken"});
    let refused =
        |name: &str, error: &Value| data(json!({name: {"webhookSubscription": null, "userErrors": [error]}}));
    let script = Script::new(vec![refused("webhookSubscriptionCreate", &error)]);
    let why = script.shop().create_webhook(&NEW).unwrap_err();
    let wanted = "webhookSubscription.callbackUrl: Address for this topic has already been taken";
    assert_eq!(why, ApiError::Refused(wanted.into()));
    let gone = json!({"field": ["id"], "message": "Webhook subscription does not exist"});
    script.answer([refused("webhookSubscriptionUpdate", &gone), refused("webhookSubscriptionDelete", &gone)]);
    assert!(matches!(script.shop().mend_webhook("7", &NEW), Err(ApiError::NotFound(_))));
    script.shop().delete_webhook("7").unwrap();
}

#[test]
fn a_change_is_sent_once_unless_it_was_throttled() {
    let script = Script::new(vec![said(502, "")]);
    assert!(matches!(script.shop().create_webhook(&NEW), Err(ApiError::Unavailable(_))));
    assert_eq!(script.asked().len(), 1);
    let made = subscription(7, "ORDERS_PAID", NEW.address);
    script.answer([
        failed("THROTTLED", "Throttled"),
        data(json!({"webhookSubscriptionCreate": {"webhookSubscription": made, "userErrors": []}})),
    ]);
    assert_eq!(script.shop().create_webhook(&NEW).unwrap(), known());
}

#[test]
fn every_topic_has_one_name_on_each_side() {
    let names: Vec<String> = script_topics();
    for wanted in ["ORDERS_CREATE", "REFUNDS_CREATE", "INVENTORY_LEVELS_UPDATE", "APP_UNINSTALLED"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted}");
    }
    let mut once = names.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), names.len());
}

fn script_topics() -> Vec<String> {
    let script = Script::new(vec![]);
    let client = script.shop();
    for topic in client.topics() {
        let made = subscription(1, "X", NEW.address);
        script.answer([data(
            json!({"webhookSubscriptionCreate": {"webhookSubscription": made, "userErrors": []}}),
        )]);
        client.create_webhook(&NewWebhook { topic, ..NEW }).unwrap();
    }
    let sent = 0..script.asked().len();
    sent.map(|call| script.variables(call)["topic"].as_str().unwrap().to_owned()).collect()
}
