//! What to make and to paste where in each platform's own settings: for its API, and for a store that only sends
//! webhooks.

use crate::stores::Platform;

pub struct Step {
    pub text: String,
    /// To be copied.
    pub value: Option<String>,
}

fn step(text: impl Into<String>) -> Step {
    Step { text: text.into(), value: None }
}

fn paste(text: impl Into<String>, value: impl Into<String>) -> Step {
    Step { text: text.into(), value: Some(value.into()) }
}

/// A field of the credentials.
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    /// Shown while it is typed.
    pub open: bool,
    /// Few need it.
    pub rare: bool,
}

const fn field(name: &'static str, label: &'static str, hint: &'static str) -> Field {
    Field { name, label, hint, open: false, rare: false }
}

/// What is pasted to connect a store's API.
pub fn fields(platform: Platform) -> Vec<Field> {
    let secret_kept = "Also signs the webhooks that we make.";
    match platform {
        Platform::Shopify => vec![
            Field { open: true, ..field("client_id", "Client ID", "") },
            field("client_secret", "Client secret", secret_kept),
            Field {
                rare: true,
                ..field(
                    "token",
                    "Admin API token",
                    "shpat_..., of a custom app made before 2026; instead of the client ID.",
                )
            },
        ],
        Platform::WooCommerce => vec![
            Field { open: true, ..field("consumer_key", "Consumer key", "Begins with ck_.") },
            field("consumer_secret", "Consumer secret", "Begins with cs_."),
        ],
        Platform::Magento => vec![
            Field { open: true, ..field("consumer_key", "Consumer key", "") },
            field("consumer_secret", "Consumer secret", ""),
            field(
                "access_token",
                "Access token",
                "Alone it is used as a bearer token, where the shop allows that.",
            ),
            field("access_token_secret", "Access token secret", ""),
        ],
        Platform::Direct => vec![],
    }
}

/// What to make in the platform, so that there is something to paste.
pub fn to_make(platform: Platform) -> Vec<Step> {
    match platform {
        Platform::Shopify => vec![
            paste(
                "In the Dev Dashboard of your organisation press Create app, and start from the dashboard. Any name:",
                "upline",
            ),
            paste(
                "Under Versions give it these scopes, and release the version:",
                "read_orders,read_all_orders,read_products,read_inventory,read_customers",
            ),
            step(
                "read_all_orders opens orders older than 60 days. Without it everything works from today on, only the \
                 past stays short.",
            ),
            step(
                "Under Home, Install app, choose the shop. Then copy client ID and client secret from Settings.",
            ),
        ],
        Platform::WooCommerce => vec![
            step("In WordPress open WooCommerce, Settings, Advanced, REST API, and press Add key."),
            paste("Description:", "upline"),
            step(
                "User: an administrator or a shop manager. Permissions: Read/Write; we write nothing but webhooks.",
            ),
            step("Press Generate API key and copy both parts: WordPress shows them this once."),
            step("Under Settings, Permalinks, anything but Plain has to be chosen."),
        ],
        Platform::Magento => vec![
            paste(
                "In the admin open System, Extensions, Integrations, and press Add New Integration. Name:",
                "upline",
            ),
            step(
                "Under API choose Resource Access: Custom, and tick Sales: Orders (View), Invoices, Credit Memos; \
                 Catalog: Products; Customers: All Customers; Stores: Settings, All Stores; Stores: Inventory, Sources.",
            ),
            step("Save, press Activate, allow it, and copy the four values that are shown."),
            step(
                "Magento Open Source sends no webhooks. What changes is found by pulling, every few minutes.",
            ),
        ],
        Platform::Direct => vec![],
    }
}

/// `webhook` and `orders`: our addresses for this store's deliveries and for orders over the API.
pub fn steps(platform: Platform, webhook: &str, orders: &str) -> Vec<Step> {
    match platform {
        Platform::Shopify => shopify(webhook),
        Platform::WooCommerce => woocommerce(webhook),
        Platform::Magento => magento(webhook),
        Platform::Direct => direct(orders),
    }
}

fn shopify(webhook: &str) -> Vec<Step> {
    vec![
        paste(
            "In Shopify's admin, under Settings, Notifications, Webhooks, create a webhook in JSON format with \
             this address for each of the events in the next step.",
            webhook,
        ),
        step(
            "Order creation, Order payment, Order update, Order cancellation, Order deletion, Refund create. A \
             change that several of them tell counts once.",
        ),
        step(
            "The same page shows the key that your webhooks are signed with. Add it here as a secret. Webhooks \
             that an app created are signed with the app's client secret instead; both keys can be live.",
        ),
        step(
            "Press Send test notification: it appears under Deliveries here. Test orders never earn anything.",
        ),
    ]
}

fn woocommerce(webhook: &str) -> Vec<Step> {
    vec![
        step("In WordPress, under WooCommerce, Settings, Advanced, Webhooks, press Add webhook."),
        paste("Status: Active. Topic: Order created. Delivery URL:", webhook),
        step(
            "Secret: the one that was shown here when it was made. API version: WP REST API Integration v3.",
        ),
        step("Save. The shop tries the address at once and complains when it cannot reach it."),
        step(
            "Do the same for Order updated, which also tells refunds, and for Order deleted and Order restored.",
        ),
    ]
}

fn magento(webhook: &str) -> Vec<Step> {
    vec![
        step(
            "Magento Open Source sends nothing by itself: use a webhook extension that posts the order as REST \
             gives it, as JSON, whenever an order is saved. Adobe Commerce can use I/O Events instead.",
        ),
        paste("The address to post to:", webhook),
        paste(
            "With an extension: let it send this header with the secret that was shown here, or sign the body \
             with HMAC-SHA256 and send the result as X-Upline-Signature.",
            "X-Upline-Secret: SECRET",
        ),
        step(
            "With I/O Events: register the address as a webhook, subscribe to \
             observer.sales_order_save_after with all fields, and add Adobe's public key (PEM) here as the secret.",
        ),
    ]
}

fn direct(orders: &str) -> Vec<Step> {
    vec![
        step("Make an API token with the scope orders for this store, under Settings."),
        paste("Send every order, and every change of one, to this address with POST, as JSON.", orders),
        paste("Send the token with each request as a header:", "Authorization: Bearer TOKEN"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_is_told_where_to_deliver() {
        for platform in Platform::ALL {
            let steps = steps(platform, "https://u.example/webhooks/a", "https://u.example/api/mlm/orders");
            let told = steps.iter().filter_map(|step| step.value.as_deref());
            assert!(told.into_iter().any(|value| value.starts_with("https://u.example/")), "{platform}");
        }
    }

    #[test]
    fn everything_that_can_be_connected_says_what_to_make_and_to_paste() {
        for platform in [Platform::Shopify, Platform::WooCommerce, Platform::Magento] {
            assert!(!to_make(platform).is_empty() && fields(platform).len() >= 2, "{platform}");
        }
        assert!(to_make(Platform::Direct).is_empty() && fields(Platform::Direct).is_empty());
    }
}
