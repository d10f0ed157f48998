//! Who the shop is, and what the key may do.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::api::Api;
use crate::clients::http::{Method, Response};
use crate::clients::{ApiError, Probe};

/// The public index of WordPress.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Index {
    name: String,
    timezone_string: Option<String>,
    /// A number, or a number as text.
    gmt_offset: Value,
    namespaces: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    environment: Environment,
    settings: Settings,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Environment {
    version: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    currency: Option<String>,
}

#[derive(Deserialize)]
struct Setting {
    value: Value,
}

pub fn probe(api: &Api) -> Result<Probe, ApiError> {
    let index = index(api)?;
    may_read_orders(api)?;
    let mut missing_scopes = vec![];
    let (currency, version) = match status(api) {
        Ok(status) => (status.settings.currency, status.environment.version),
        Err(ApiError::Forbidden(_) | ApiError::Unauthorized(_) | ApiError::NotFound(_)) => {
            (setting(api, "general/woocommerce_currency")?, None)
        }
        Err(error) => return Err(error),
    };
    if currency.is_none() {
        missing_scopes.push("manage_woocommerce".to_owned());
    }
    if !may_write(api)? {
        missing_scopes.push("read_write".to_owned());
    }
    Ok(Probe {
        name: index.name,
        currency,
        zone: zone(index.timezone_string.as_deref(), &index.gmt_offset),
        version,
        missing_scopes,
    })
}

/// Some security plugins hide it from strangers: then the rest still works.
fn index(api: &Api) -> Result<Index, ApiError> {
    let query = [("_fields", "name,timezone_string,gmt_offset,namespaces".to_owned())];
    let index = api.index(&query, |answer| match answer {
        Answer::Fine(response) => answer::json::<Index>(&response.body).map(Some),
        Answer::Refused(_) => Ok(None),
    });
    let index = match index {
        Err(ApiError::Forbidden(_)) => None,
        index => index?,
    };
    let Some(index) = index else { return Ok(Index::default()) };
    if !index.namespaces.is_empty() && !index.namespaces.iter().any(|space| space == "wc/v3") {
        return Err(ApiError::NotFound(
            "WooCommerce API wc/v3: this is WordPress without WooCommerce 3.5 or newer; is the plugin active?".into(),
        ));
    }
    Ok(index)
}

fn may_read_orders(api: &Api) -> Result<(), ApiError> {
    let query = [("per_page", "1".to_owned()), ("_fields", "id".to_owned())];
    api.list("orders", &query).map(|_| ())
}

fn status(api: &Api) -> Result<Status, ApiError> {
    let query = [("_fields", "environment,settings".to_owned())];
    let read = |answer: Answer| answer::json::<Status>(&answer.fine()?.body);
    Ok(api.get("system_status", &query, read)?.what)
}

fn setting(api: &Api, path: &str) -> Result<Option<String>, ApiError> {
    let read = |answer: Answer| match answer {
        Answer::Fine(Response { body, .. }) => answer::json::<Setting>(&body).map(Some),
        Answer::Refused(_) => Ok(None),
    };
    let setting = api.get(&format!("settings/{path}"), &[], read)?.what;
    Ok(setting.and_then(|setting| setting.value.as_str().map(str::to_owned)))
}

/// An empty batch changes nothing, and the shop says no to a key that may only read before it looks into it.
fn may_write(api: &Api) -> Result<bool, ApiError> {
    let batch = api.change(Method::Post, "webhooks/batch", &[], Some(&json!({})), |answer| match answer {
        Answer::Refused(told) if told.is_about_the_keys() || told.status == 403 => Ok(false),
        Answer::Refused(told) if told.sees_a_stranger() => Err(told.error()),
        _ => Ok(true),
    });
    match batch {
        // A firewall that lets nobody write.
        Err(ApiError::Forbidden(_)) => Ok(false),
        batch => batch,
    }
}

/// A shop has a place as its zone, or only an offset: whole hours have an IANA name, with the sign turned round.
fn zone(name: Option<&str>, offset: &Value) -> Option<String> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    if let Some(name) = name.filter(|name| name.parse::<chrono_tz::Tz>().is_ok()) {
        return Some(name.to_owned());
    }
    let text = offset.as_str().map_or_else(|| offset.to_string(), str::to_owned);
    let text = name.and_then(|name| name.strip_prefix("UTC")).unwrap_or(&text);
    let (whole, part) = text.split_once(['.', ':']).unwrap_or((text, ""));
    let hours: i32 = whole.parse().ok()?;
    match (hours, part.bytes().all(|digit| digit == b'0')) {
        (0, true) => Some("Etc/UTC".to_owned()),
        (-12..=14, true) => Some(format!("Etc/GMT{:+}", -hours)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_zone_when_it_is_whole_hours() {
        for (name, offset, wanted) in [
            (Some("Europe/Berlin"), json!("1"), Some("Europe/Berlin")),
            (Some(""), json!(2), Some("Etc/GMT-2")),
            (None, json!("-5"), Some("Etc/GMT+5")),
            (Some(""), json!("0"), Some("Etc/UTC")),
            (Some(""), json!(0), Some("Etc/UTC")),
            (Some("UTC+2"), json!(null), Some("Etc/GMT-2")),
            (Some("UTC-3:00"), json!(null), Some("Etc/GMT+3")),
            (Some(""), json!(5.5), None),
            (Some(""), json!("5.75"), None),
            (Some(""), json!(null), None),
            (Some("Somewhere/Else"), json!("x"), None),
        ] {
            assert_eq!(zone(name, &offset).as_deref(), wanted, "{name:?} {offset}");
        }
        for hours in -12..=14 {
            let zone = zone(None, &json!(hours)).unwrap();
            assert!(zone.parse::<chrono_tz::Tz>().is_ok(), "{zone}");
        }
    }
}
