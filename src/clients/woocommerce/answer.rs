//! What the shop answered: JSON, one of WordPress' own errors, or something that came from elsewhere on the way.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clients::ApiError;
use crate::clients::http::Response;

/// WordPress' shape of an error, which some plugins send with status 200.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Told {
    #[serde(skip)]
    pub status: u16,
    pub code: String,
    #[serde(default)]
    pub message: String,
}

impl Told {
    /// The keys were read and are wrong, or do not allow it.
    pub fn is_about_the_keys(&self) -> bool {
        self.code.starts_with("woocommerce_rest_authentication")
    }

    /// We are a stranger to the shop, as if no keys had come.
    pub fn sees_a_stranger(&self) -> bool {
        let closed = ["rest_forbidden", "rest_not_logged_in", "rest_cannot_access", "rest_login_required"];
        !self.is_about_the_keys() && (self.status == 401 || closed.contains(&self.code.as_str()))
    }

    /// The shop does not know the id.
    pub fn is_unknown_id(&self) -> bool {
        self.code.ends_with("_invalid_id") || (self.status == 404 && self.code == "rest_post_invalid_id")
    }

    /// A parameter with a value that this version does not know.
    pub fn refuses_a_parameter(&self) -> bool {
        self.status == 400 && self.code == "rest_invalid_param"
    }

    pub fn error(&self) -> ApiError {
        let said = format!("{} ({}, HTTP {})", self.message.trim_end_matches('.'), self.code, self.status);
        match self.status {
            401 if self.is_about_the_keys() => ApiError::Unauthorized(said),
            401 => ApiError::Unauthorized(format!(
                "{said}. Either the key is not one of this shop, or its server drops what we log in with: copy the \
                 keys again, and if the shop is behind a proxy, let WordPress know that visitors come by https"
            )),
            403 => ApiError::Forbidden(format!(
                "{said}; the user of the key has to be a shop manager or an administrator"
            )),
            404 if self.code == "rest_no_route" => {
                ApiError::NotFound(format!("WooCommerce API at this address: {said}. Is the plugin active?"))
            }
            404 | 410 => ApiError::NotFound(said),
            500.. => ApiError::Unavailable(said),
            _ => ApiError::Refused(said),
        }
    }
}

pub enum Answer {
    Fine(Response),
    /// A refusal of the shop's own, with a code.
    Refused(Told),
}

impl Answer {
    /// What of the statuses is an answer, and what is an error of the way.
    pub fn of(response: Response) -> Result<Self, ApiError> {
        let told = serde_json::from_slice::<Told>(&response.body).ok();
        match (response.status, told) {
            (200..=299, _) => Ok(Self::Fine(response)),
            (400..=499, Some(told)) if response.status != 429 => {
                Ok(Self::Refused(Told { status: response.status, ..told }))
            }
            (404 | 410, None) => Err(ApiError::NotFound(
                "WordPress API at this address. In WordPress, under Settings > Permalinks, choose anything but \
                 Plain; and give the address of the shop with its sub-directory, if it has one"
                    .into(),
            )),
            (401, None) => Err(ApiError::Unauthorized(format!(
                "it was not WordPress that answered but a password in front of it; take it away from /wp-json/wc/: {}",
                response.summary()
            ))),
            (403, None) => Err(ApiError::Forbidden(format!(
                "it was not WordPress that answered; let /wp-json/wc/ through the firewall or security plugin: {}",
                response.summary()
            ))),
            _ => response.ok().map(Self::Fine),
        }
    }

    pub fn fine(self) -> Result<Response, ApiError> {
        match self {
            Self::Fine(response) => Ok(response),
            Self::Refused(told) => Err(told.error()),
        }
    }
}

/// Reads a body, or says what came in its place.
pub fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| match serde_json::from_slice::<Told>(body) {
        Ok(told) => ApiError::Unreadable(format!("{} ({})", told.message, told.code)),
        Err(_) => ApiError::Unreadable(format!("not the JSON that was asked for, at {}", place(&error))),
    })
}

/// Never the text itself: it may name a customer.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// A list, each row as the shop wrote it, and how many there are in all.
pub struct Listed {
    pub rows: Vec<Box<RawValue>>,
    pub total: u64,
}

pub fn list(response: &Response) -> Result<Listed, ApiError> {
    let rows: Vec<Box<RawValue>> = json(&response.body)?;
    let total = response.header("x-wp-total").and_then(|total| total.trim().parse().ok());
    let total = total.ok_or_else(|| {
        ApiError::Unreadable(
            "a list without X-WP-Total, so that nobody can tell whether it is whole; let the header through"
                .into(),
        )
    })?;
    Ok(Listed { rows, total })
}
