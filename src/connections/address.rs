//! Addresses as people write them: of a store's API, and ours as a store has to reach it.

use url::{Host, Url};

use crate::clients::is_private;
use crate::stores::Platform;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    #[error("the store's address is missing: write it as https://shop.example.com")]
    Empty,
    #[error("{0:?} is no address of a store: write it as https://shop.example.com")]
    Unreadable(String),
    #[error("{0:?} has to begin with https:// or http://")]
    Scheme(String),
    #[error(
        "the address holds a user name or a password: leave them out, the credentials have fields of their own"
    )]
    Credentials,
}

/// The address that the platform's API paths are joined to: absolute, ending in a slash, without query.
///
/// Takes what people have at hand: a bare host, a Shopify shop's name, a page of the shop's own admin.
pub fn base_url(platform: Platform, text: &str) -> Result<Url, AddressProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AddressProblem::Empty);
    }
    let unreadable = || AddressProblem::Unreadable(text.to_owned());
    let mut url = match text.split_once("://") {
        Some(("http" | "https", _)) => Url::parse(text).map_err(|_| unreadable())?,
        Some(_) => return Err(AddressProblem::Scheme(text.to_owned())),
        None if platform == Platform::Shopify && is_shop_name(text) => {
            Url::parse(&format!("https://{text}.myshopify.com/")).map_err(|_| unreadable())?
        }
        None => Url::parse(&format!("https://{text}")).map_err(|_| unreadable())?,
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressProblem::Credentials);
    }
    url.set_query(None);
    url.set_fragment(None);
    if platform == Platform::Shopify {
        return shopify(&url).ok_or_else(unreadable);
    }
    let path = kept_path(platform, url.path());
    url.set_path(&path);
    Ok(url)
}

fn is_shop_name(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    text.chars().all(fits) && text != "localhost"
}

/// `https://admin.shopify.com/store/NAME/...` names the shop in its path; everywhere else the host is the shop.
fn shopify(url: &Url) -> Option<Url> {
    let mut shop = url.clone();
    shop.set_path("/");
    if url.host_str() != Some("admin.shopify.com") {
        return Some(shop);
    }
    let mut parts = url.path_segments()?;
    let name = (parts.next() == Some("store")).then(|| parts.next()).flatten()?;
    Url::parse(&format!("https://{name}.myshopify.com/")).ok().filter(|_| is_shop_name(name))
}

/// A shop may live in a folder; what comes after it is a page or the API itself.
fn kept_path(platform: Platform, path: &str) -> String {
    let pages: &[&str] = match platform {
        Platform::WooCommerce => &["wp-json", "wp-admin", "wp-login.php", "index.php"],
        Platform::Magento => &["rest", "admin", "index.php", "soap", "graphql"],
        Platform::Shopify | Platform::Direct => &[],
    };
    let folders = path.split('/').filter(|part| !part.is_empty());
    let folders: Vec<&str> = folders.take_while(|part| !pages.contains(part)).collect();
    if folders.is_empty() { "/".to_owned() } else { format!("/{}/", folders.join("/")) }
}

/// Whether only this machine or this network can call an address.
pub fn is_out_of_reach(public: &Url) -> bool {
    match public.host() {
        None => true,
        Some(Host::Domain(name)) => {
            !name.contains('.') || [".localhost", ".local", ".internal"].iter().any(|end| name.ends_with(end))
        }
        Some(Host::Ipv4(ip)) => is_private(ip.into()),
        Some(Host::Ipv6(ip)) => is_private(ip.into()),
    }
}

/// Why a store of that platform will never deliver to us there.
pub fn unreachable(platform: Platform, public: &Url, allow_private: bool) -> Option<String> {
    const FIX: &str = "put upline behind a public address and set UPLINE_PUBLIC_URL to it";
    if allow_private {
        return None;
    }
    if is_out_of_reach(public) {
        return Some(format!("a shop on the internet cannot reach {public}: {FIX}"));
    }
    match platform {
        Platform::Shopify if public.scheme() != "https" => {
            Some(format!("Shopify only delivers to https, not to {public}: {FIX}, with TLS"))
        }
        Platform::WooCommerce if !matches!(public.port_or_known_default(), Some(80 | 443 | 8080)) => {
            Some(format!("WordPress only calls the ports 80, 443 and 8080, not {public}: {FIX}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_have_them() {
        use Platform::{Magento, Shopify, WooCommerce};
        for (platform, written, base) in [
            (Shopify, "my-shop", "https://my-shop.myshopify.com/"),
            (Shopify, " My-Shop.myshopify.com ", "https://my-shop.myshopify.com/"),
            (Shopify, "https://my-shop.myshopify.com/admin/orders?x=1", "https://my-shop.myshopify.com/"),
            (Shopify, "https://admin.shopify.com/store/my-shop/settings", "https://my-shop.myshopify.com/"),
            (Shopify, "http://127.0.0.1:8081", "http://127.0.0.1:8081/"),
            (WooCommerce, "shop.example", "https://shop.example/"),
            (WooCommerce, "shop.example/store", "https://shop.example/store/"),
            (WooCommerce, "https://shop.example/wp-json/wc/v3/", "https://shop.example/"),
            (
                WooCommerce,
                "https://shop.example/a/b/wp-admin/admin.php?page=x#y",
                "https://shop.example/a/b/",
            ),
            (WooCommerce, "localhost:8080", "https://localhost:8080/"),
            (Magento, "https://m.example/rest/V1/orders", "https://m.example/"),
            (Magento, "HTTPS://m.example/de/index.php/admin", "https://m.example/de/"),
        ] {
            let written = written.replace("HTTPS", "https");
            assert_eq!(base_url(platform, &written).unwrap().as_str(), base, "{written}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let refused = |text: &str| base_url(Platform::WooCommerce, text).unwrap_err();
        assert_eq!(refused("  "), AddressProblem::Empty);
        assert!(matches!(refused("ftp://shop.example"), AddressProblem::Scheme(_)));
        assert!(matches!(refused("https://"), AddressProblem::Unreadable(_)));
        assert!(matches!(refused("my shop"), AddressProblem::Unreadable(_)));
        assert_eq!(refused("https://ck_1:cs_2@shop.example/"), AddressProblem::Credentials);
        assert!(base_url(Platform::Shopify, "https://admin.shopify.com/settings").is_err());
        assert!(base_url(Platform::Shopify, "https://admin.shopify.com/store/a.b/x").is_err());
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
            "http://shop.internal/",
        ] {
            assert!(out(inside), "{inside}");
        }
        assert!(!out("https://upline.example/") && !out("https://8.8.8.8/"));
    }

    #[test]
    fn each_platform_says_where_it_will_not_deliver() {
        use Platform::{Magento, Shopify, WooCommerce};
        let problem = |platform, text: &str| unreachable(platform, &Url::parse(text).unwrap(), false);
        assert_eq!(problem(Shopify, "https://u.example"), None);
        assert!(problem(Shopify, "http://u.example").unwrap().contains("only delivers to https"));
        assert_eq!(problem(WooCommerce, "http://u.example"), None);
        assert_eq!(problem(WooCommerce, "http://u.example:8080"), None);
        assert!(problem(WooCommerce, "https://u.example:8443").unwrap().contains("ports 80, 443 and 8080"));
        assert_eq!(problem(Magento, "https://u.example:8443"), None);
        assert!(problem(Magento, "http://localhost:8080").unwrap().contains("UPLINE_PUBLIC_URL"));
        let local = Url::parse("http://localhost:1234").unwrap();
        assert_eq!(unreachable(Shopify, &local, true), None);
    }
}
