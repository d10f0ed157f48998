//! Webhooks at the shop. It disables one after failures in a row and never sends again what failed.

use serde::Deserialize;
use serde_json::json;

use super::answer::{self, Answer};
use super::api::Api;
use super::paging::{self, PAGE};
use crate::clients::http::Method;
use crate::clients::{ApiError, NewWebhook, Webhook};

pub const TOPICS: &[&str] = &[
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "product.created",
    "product.updated",
    "product.deleted",
    "product.restored",
    "customer.created",
    "customer.updated",
    "customer.deleted",
];

#[derive(Deserialize)]
struct Told {
    id: u64,
    topic: String,
    #[serde(default)]
    delivery_url: String,
    status: String,
}

impl From<Told> for Webhook {
    fn from(told: Told) -> Self {
        Self {
            external_id: told.id.to_string(),
            topic: told.topic,
            address: told.delivery_url,
            active: told.status == "active",
        }
    }
}

fn one(answer: Answer) -> Result<Webhook, ApiError> {
    Ok(answer::json::<Told>(&fine(answer)?.body)?.into())
}

/// A change that the key does not allow is answered like a wrong key; that it can read is known by then.
fn fine(answer: Answer) -> Result<crate::clients::http::Response, ApiError> {
    match answer {
        Answer::Refused(told) if told.is_about_the_keys() => Err(ApiError::Forbidden(format!(
            "{} ({}); make a key with the permission Read/Write",
            told.message.trim_end_matches('.'),
            told.code
        ))),
        Answer::Refused(told) if told.is_unknown_id() => Err(ApiError::NotFound("webhook of this id".into())),
        answer => answer.fine(),
    }
}

/// Page by page: this list takes no offset.
pub fn all(api: &Api) -> Result<Vec<Webhook>, ApiError> {
    let mut all: Vec<Webhook> = vec![];
    for page in 1.. {
        let query = [
            ("orderby", "id".into()),
            ("order", "asc".into()),
            ("per_page", PAGE.to_string()),
            ("page", format!("{page}")),
        ];
        let listed = api.list("webhooks", &query)?.what;
        let rows = listed.rows.iter().map(|row| answer::json::<Told>(row.get().as_bytes()));
        let rows: Vec<Told> = rows.collect::<Result<_, _>>()?;
        let came = rows.len();
        all.extend(rows.into_iter().map(Webhook::from));
        if came == 0 || paging::count(all.iter()) >= listed.total {
            break;
        }
    }
    Ok(all)
}

pub fn create(api: &Api, new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
    let body = json!({
        "name": format!("upline {}", new.topic),
        "topic": new.topic,
        "delivery_url": new.address,
        "secret": new.secret,
        "status": "active",
    });
    api.post("webhooks", &body, one)
}

pub fn mend(api: &Api, external_id: &str, new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
    let body = json!({
        "topic": new.topic,
        "delivery_url": new.address,
        "secret": new.secret,
        "status": "active",
    });
    api.change(Method::Put, &path(external_id)?, &[], Some(&body), one)
}

/// One that is not there is deleted.
pub fn delete(api: &Api, external_id: &str) -> Result<(), ApiError> {
    let query = [("force", "true".to_owned())];
    api.change(Method::Delete, &path(external_id)?, &query, None, |answer| match fine(answer) {
        Ok(_) | Err(ApiError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    })
}

fn path(external_id: &str) -> Result<String, ApiError> {
    let is_id = !external_id.is_empty() && external_id.bytes().all(|byte| byte.is_ascii_digit());
    match is_id {
        true => Ok(format!("webhooks/{external_id}")),
        false => Err(ApiError::NotFound(format!("webhook {external_id:?}"))),
    }
}
