//! Our webhook subscriptions. Shopify signs with the app's client secret and deletes a subscription that fails
//! for hours, so one that is listed is active.
//!
//! Only subscriptions that were made through the API are listed. The privacy topics (`customers/data_request`,
//! `customers/redact`, `shop/redact`) cannot be made here: they stand in the app's settings.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Shopify;
use super::graphql::Operation;
use super::paging::{PageInfo, short_id};
use super::queries::{RESUBSCRIBE, SUBSCRIBE, SUBSCRIPTIONS, UNSUBSCRIBE};
use crate::clients::{ApiError, NewWebhook, Webhook};

pub const TOPICS: [&str; 14] = [
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "orders/edited",
    "orders/delete",
    "refunds/create",
    "products/create",
    "products/update",
    "products/delete",
    "inventory_levels/update",
    "customers/create",
    "customers/update",
    "app/uninstalled",
];

/// `orders/create`, as deliveries are headed, is `ORDERS_CREATE` here.
fn enumerated(topic: &str) -> String {
    topic.replace('/', "_").to_ascii_uppercase()
}

/// As deliveries are headed; a topic that is none of ours as Shopify wrote it.
fn headed(topic: &str) -> String {
    let ours = TOPICS.into_iter().find(|ours| enumerated(ours) == topic);
    ours.map_or_else(|| topic.to_owned(), str::to_owned)
}

#[derive(Deserialize)]
struct Subscription {
    id: String,
    topic: String,
    uri: String,
}

impl From<Subscription> for Webhook {
    fn from(known: Subscription) -> Self {
        Self {
            external_id: short_id(&known.id),
            topic: headed(&known.topic),
            address: known.uri,
            active: true,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    webhook_subscription: Option<Subscription>,
    #[serde(default)]
    user_errors: Vec<UserError>,
}

/// What is wrong with what was asked for.
#[derive(Debug, Deserialize)]
pub struct UserError {
    #[serde(default)]
    field: Option<Vec<String>>,
    message: String,
    #[serde(default)]
    pub code: Option<String>,
}

pub fn refused(errors: &[UserError]) -> ApiError {
    let said = errors.iter().map(|error| match &error.field {
        Some(field) => format!("{}: {}", field.join("."), error.message),
        None => error.message.clone(),
    });
    let said = said.collect::<Vec<_>>().join("; ");
    if said.contains("does not exist") || said.contains("not found") {
        return ApiError::NotFound(format!("such subscription ({said})"));
    }
    ApiError::Refused(said)
}

fn changed(changed: Changed) -> Result<Webhook, ApiError> {
    match changed.webhook_subscription {
        Some(known) if changed.user_errors.is_empty() => Ok(known.into()),
        _ => Err(refused(&changed.user_errors)),
    }
}

fn gid(external_id: &str) -> String {
    format!("gid://shopify/WebhookSubscription/{external_id}")
}

impl Shopify {
    pub(super) fn subscriptions(&self) -> Result<Vec<Webhook>, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            webhook_subscriptions: Subscriptions,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Subscriptions {
            nodes: Vec<Subscription>,
            page_info: PageInfo,
        }
        let mut all = vec![];
        let mut after: Option<String> = None;
        loop {
            let variables = json!({ "after": after });
            let operation = Operation { name: "WebhookSubscriptions", query: SUBSCRIPTIONS, variables };
            let (page, _) = self.admin.ask(&operation, |answer: Answer| Ok(answer.webhook_subscriptions))?;
            let nothing = page.nodes.is_empty();
            all.extend(page.nodes.into_iter().map(Webhook::from));
            if !page.page_info.has_next_page {
                return Ok(all);
            }
            after = page.page_info.end_cursor;
            if nothing || after.is_none() {
                return Err(ApiError::Incomplete("the list of subscriptions does not end".to_owned()));
            }
        }
    }

    pub(super) fn subscribe(&self, new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            webhook_subscription_create: Changed,
        }
        let variables = json!({ "topic": enumerated(new.topic), "webhookSubscription": wanted(new) });
        let operation = Operation { name: "WebhookSubscriptionCreate", query: SUBSCRIBE, variables };
        changed(self.admin.change::<Answer>(&operation)?.webhook_subscription_create)
    }

    pub(super) fn resubscribe(&self, external_id: &str, new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            webhook_subscription_update: Changed,
        }
        let variables = json!({ "id": gid(external_id), "webhookSubscription": wanted(new) });
        let operation = Operation { name: "WebhookSubscriptionUpdate", query: RESUBSCRIBE, variables };
        changed(self.admin.change::<Answer>(&operation)?.webhook_subscription_update)
    }

    /// One that is gone already is fine.
    pub(super) fn unsubscribe(&self, external_id: &str) -> Result<(), ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            webhook_subscription_delete: Deleted,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Deleted {
            #[serde(default)]
            user_errors: Vec<UserError>,
        }
        let variables = json!({ "id": gid(external_id) });
        let operation = Operation { name: "WebhookSubscriptionDelete", query: UNSUBSCRIBE, variables };
        let errors = self.admin.change::<Answer>(&operation)?.webhook_subscription_delete.user_errors;
        match errors.is_empty() {
            true => Ok(()),
            false => match refused(&errors) {
                ApiError::NotFound(_) => Ok(()),
                error => Err(error),
            },
        }
    }
}

fn wanted(new: &NewWebhook<'_>) -> Value {
    json!({ "uri": new.address, "format": "JSON" })
}
