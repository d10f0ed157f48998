//! OAuth 1.0a request signatures (RFC 5849, with HMAC-SHA256 beside HMAC-SHA1), as Magento's integrations and, without a
//! token, WooCommerce's keys over plain HTTP want them.
//!
//! Nothing here draws a nonce or reads a clock except where [`Once::now`] is asked to: the same arguments give the
//! same signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;
use url::Url;

use super::ApiError;
use super::http::Method;

/// Everything but the unreserved characters (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As it stands in a base string, a header and a query: a space is `%20`, never `+`.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    Sha256,
    Sha1,
}

impl Digest {
    pub fn method(self) -> &'static str {
        match self {
            Self::Sha256 => "HMAC-SHA256",
            Self::Sha1 => "HMAC-SHA1",
        }
    }

    fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        }
    }
}

/// What a signature is made with. Without a token (two-legged) the key ends in a bare `&`.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    pub consumer_key: &'a str,
    pub consumer_secret: &'a str,
    /// Token and its secret.
    pub token: Option<(&'a str, &'a str)>,
    pub digest: Digest,
}

/// What makes a request unlike every other: the server takes a nonce once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    pub nonce: String,
    pub timestamp: i64,
}

impl Once {
    pub fn now(at: DateTime<Utc>) -> Result<Self, ApiError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|_| ApiError::Unsupported("the system gives no random numbers".into()))?;
        Ok(Self { nonce: hex::encode(bytes), timestamp: at.timestamp() })
    }
}

impl Signer<'_> {
    /// The `Authorization` header of a request to this address, whose query is signed with it.
    pub fn header(&self, method: Method, url: &Url, once: &Once) -> String {
        let parameters = self.signed(method, url, once);
        let parameters: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}=\"{}\"", encoded(value))).collect();
        format!("OAuth {}", parameters.join(", "))
    }

    /// The address with the signature in its query, for servers that lose the header on the way.
    pub fn query(&self, method: Method, url: &Url, once: &Once) -> Url {
        let own = url.query().filter(|query| !query.is_empty()).map(str::to_owned);
        let ours = self.signed(method, url, once);
        let ours = ours.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let all: Vec<String> = own.into_iter().chain(ours).collect();
        let mut url = url.clone();
        url.set_query(Some(&all.join("&")));
        url
    }

    fn signed(&self, method: Method, url: &Url, once: &Once) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("oauth_consumer_key", self.consumer_key.to_owned()),
            ("oauth_nonce", once.nonce.clone()),
            ("oauth_signature_method", self.digest.method().to_owned()),
            ("oauth_timestamp", once.timestamp.to_string()),
        ];
        if let Some((token, _)) = self.token {
            parameters.push(("oauth_token", token.to_owned()));
        }
        parameters.push(("oauth_version", "1.0".to_owned()));
        let signature = self.signature(&base_string(method.as_str(), url, &parameters));
        parameters.push(("oauth_signature", signature));
        parameters
    }

    fn signature(&self, base: &str) -> String {
        let token_secret = self.token.map_or("", |(_, secret)| secret);
        let key = format!("{}&{}", encoded(self.consumer_secret), encoded(token_secret));
        let key = hmac::Key::new(self.digest.algorithm(), key.as_bytes());
        STANDARD.encode(hmac::sign(&key, base.as_bytes()))
    }
}

/// RFC 5849 section 3.4.1: method, address without query and default port, all parameters in byte order.
fn base_string<N: AsRef<str>>(method: &str, url: &Url, others: &[(N, String)]) -> String {
    let mut address = url.clone();
    address.set_query(None);
    address.set_fragment(None);
    let pair = |name: &str, value: &str| (encoded(name), encoded(value));
    let mut parameters: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| pair(&name, &value))
        .chain(others.iter().map(|(name, value)| pair(name.as_ref(), value)))
        .collect();
    parameters.sort();
    let parameters: Vec<String> =
        parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{method}&{}&{}", encoded(address.as_str()), encoded(&parameters.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHOTOS: &str = "http://photos.example.net/photos?file=vacation.jpg&size=original";

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn pairs(parameters: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    fn signer(digest: Digest, three_legged: bool) -> Signer<'static> {
        Signer {
            consumer_key: "dpf43f3p2l4k3l03",
            consumer_secret: "kd94hf93k423kf44",
            token: three_legged.then_some(("nnch734d00sl2jdk", "pfkkdhi9sl3r4s00")),
            digest,
        }
    }

    fn once() -> Once {
        Once { nonce: "chapoH".into(), timestamp: 137_131_202 }
    }

    fn signature(header: &str) -> &str {
        header.split_once("oauth_signature=\"").unwrap().1.trim_end_matches('"')
    }

    #[test]
    fn the_base_string_of_the_rfc() {
        // RFC 5849 section 3.4.1.1; the form body's parameters are given with the protocol's.
        let others = pairs(&[
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("c2", ""),
            ("a3", "2 q"),
        ]);
        let base =
            base_string("POST", &url("http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"), &others);
        let wanted = concat!(
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D",
            "%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a",
            "%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
        assert_eq!(base, wanted);
    }

    #[test]
    fn the_published_signatures() {
        // RFC 5849 section 1.2, which sends no version.
        let mut parameters = pairs(&[
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
        ]);
        let sha1 = signer(Digest::Sha1, true);
        let signed =
            |parameters: &[(&str, String)]| sha1.signature(&base_string("GET", &url(PHOTOS), parameters));
        assert_eq!(signed(&parameters), "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
        // OAuth Core 1.0 appendix A.5, which sends one.
        parameters[3].1 = "1191242096".into();
        parameters[4].1 = "kllo9940pd9333jh".into();
        parameters.push(("oauth_version", "1.0".into()));
        assert_eq!(signed(&parameters), "tR3+Ty81lMeYAr/Fid0kMTYa/WM=");
    }

    #[test]
    fn the_signatures_of_another_implementation() {
        // Made with oauthlib 4.0.1.
        let magento = concat!(
            "http://shop.example:8080/m/rest/all/V1/orders?searchCriteria%5BfilterGroups%5D%5B0%5D%5Bfilters%5D",
            "%5B0%5D%5Bvalue%5D=2026-01-01%2000%3A00%3A00&x=a%2Bb%26%3D&x=&y=%C3%A9~"
        );
        let port = "https://SHOP.example:443/rest/V1/products/A%2FB?b=2&a=1&a=0";
        for (digest, token, method, address, wanted) in [
            (Digest::Sha1, true, Method::Get, PHOTOS, "1IAE9RzK+DqSqVTdQ/0zWANXVzs="),
            (Digest::Sha256, true, Method::Get, PHOTOS, "rAAvYu1BQL0v7E7CJl81nKGKZdQr4XFo7E7vbGJxPz4="),
            (Digest::Sha256, false, Method::Get, PHOTOS, "zM1tmFFj6lBR3Buz/YxFNU56U5kLqod9iDI9Y0gzTSY="),
            (Digest::Sha256, true, Method::Get, magento, "jwaiWjnnSBk4cA2EMighwVGXRCSFf7RoB3wWQuZkECI="),
            (Digest::Sha256, true, Method::Put, port, "S9M1X2KuLgMksTgGZVXxM6TLpk3Cxm0xHaurTaP7ZuY="),
        ] {
            let header = signer(digest, token).header(method, &url(address), &once());
            assert_eq!(signature(&header), encoded(wanted), "{address} {header}");
        }
    }

    #[test]
    fn a_header_or_a_query_says_the_same() {
        let two_legged = signer(Digest::Sha256, false);
        assert_eq!(
            two_legged.header(Method::Get, &url(PHOTOS), &once()),
            concat!(
                r#"OAuth oauth_consumer_key="dpf43f3p2l4k3l03", oauth_nonce="chapoH", "#,
                r#"oauth_signature_method="HMAC-SHA256", oauth_timestamp="137131202", oauth_version="1.0", "#,
                r#"oauth_signature="zM1tmFFj6lBR3Buz%2FYxFNU56U5kLqod9iDI9Y0gzTSY%3D""#
            )
        );
        assert_eq!(
            two_legged.query(Method::Get, &url(PHOTOS), &once()).as_str(),
            concat!(
                "http://photos.example.net/photos?file=vacation.jpg&size=original",
                "&oauth_consumer_key=dpf43f3p2l4k3l03&oauth_nonce=chapoH&oauth_signature_method=HMAC-SHA256",
                "&oauth_timestamp=137131202&oauth_version=1.0",
                "&oauth_signature=zM1tmFFj6lBR3Buz%2FYxFNU56U5kLqod9iDI9Y0gzTSY%3D"
            )
        );
        assert!(
            two_legged
                .query(Method::Get, &url("https://x.example/a"), &once())
                .as_str()
                .starts_with("https://x.example/a?oauth_consumer_key=")
        );
    }

    #[test]
    fn a_nonce_is_drawn_anew() {
        let at = DateTime::from_timestamp(1_777_000_000, 0).unwrap();
        let (one, other) = (Once::now(at).unwrap(), Once::now(at).unwrap());
        assert_eq!((one.timestamp, one.nonce.len()), (1_777_000_000, 32));
        assert_ne!(one.nonce, other.nonce);
    }
}
