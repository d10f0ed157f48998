//! What to do about a problem of a store's API, in the words of its platform.

use crate::clients::ApiError;
use crate::stores::Platform;

/// The fix, where there is more to say than the error does.
pub fn advice(platform: Platform, error: &ApiError) -> Option<&'static str> {
    let fix = match (error, platform) {
        (ApiError::Unauthorized(_), Platform::Shopify) => {
            "Compare client ID and client secret with the app's settings in the Dev Dashboard, and see that the app is \
             installed in this shop. A pasted token ends when the app is uninstalled."
        }
        (ApiError::Unauthorized(_), Platform::WooCommerce) => {
            "Make another key under WooCommerce > Settings > Advanced > REST API and paste both parts. If they are right, \
             the web server drops the Authorization header: let it pass that header on to PHP."
        }
        (ApiError::Unauthorized(_), Platform::Magento) => {
            "See that the integration is active under System > Integrations. An access token alone only works when \
             'Allow OAuth Access Tokens to be used as standalone Bearer tokens' is on; with all four values it always does."
        }
        (ApiError::Forbidden(_), Platform::Shopify) => {
            "Add the scope to the app's version in the Dev Dashboard, release it, and let the shop accept it."
        }
        (ApiError::Forbidden(_), Platform::WooCommerce) => {
            "The key needs the permission Read/Write, and its user has to be an administrator or a shop manager. A \
             security plugin may also be in the way."
        }
        (ApiError::Forbidden(_), Platform::Magento) => {
            "Give the integration access to Sales, Catalog, Customers and Stores under System > Integrations > API."
        }
        (ApiError::NotFound(_), Platform::Shopify) => {
            "Use the shop's own address NAME.myshopify.com, as it stands under Settings > Domains."
        }
        (ApiError::NotFound(_), Platform::WooCommerce) => {
            "Choose anything but Plain under WordPress > Settings > Permalinks, and see that WooCommerce is active. If \
             WordPress lives in a folder, write the address with it."
        }
        (ApiError::NotFound(_), Platform::Magento) => {
            "Use the shop's base address, without /admin and without /rest."
        }
        (ApiError::Unreadable(_), _) => {
            "A page came instead of data: maintenance mode, a password page, a security plugin or a cache may be in the \
             way of the API."
        }
        (ApiError::PrivateAddress(_), _) => {
            "If the store really is inside your own network, allow that: --allow-private, or the box below its address."
        }
        (ApiError::Unavailable(_), _) => {
            "See that the address is right, opens in a browser, has a valid certificate, and that this machine may \
             connect to it."
        }
        (ApiError::Throttled { .. }, _) => "Wait a few minutes and try again.",
        _ => return None,
    };
    Some(fix)
}

/// What is wrong and what to do, as one text.
pub fn told(platform: Platform, error: &ApiError) -> String {
    match advice(platform, error) {
        Some(fix) => format!("{error}. {fix}"),
        None => error.to_string(),
    }
}
