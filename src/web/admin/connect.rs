//! What to paste where, so that a store's deliveries arrive: the steps in each platform's own settings.

use url::{Host, Url};

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

/// Whether only this machine or this network can call us, so that no shop on the internet can.
pub fn is_out_of_reach(public: &Url) -> bool {
    match public.host() {
        None => true,
        Some(Host::Domain(name)) => {
            !name.contains('.') || [".localhost", ".local", ".internal"].iter().any(|end| name.ends_with(end))
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
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
    fn shops_reach_only_public_addresses() {
        let out = |text: &str| is_out_of_reach(&Url::parse(text).unwrap());
        for inside in [
            "http://localhost:8080/",
            "http://127.0.0.1/",
            "http://10.1.2.3/",
            "http://[::1]:80/",
            "http://box/",
        ] {
            assert!(out(inside), "{inside}");
        }
        assert!(!out("https://upline.example/") && !out("https://203.0.113.7/"));
    }
}
