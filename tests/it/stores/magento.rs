//! The client and the parser of Magento against its simulated shop, without a network and without a database.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use upline::clients::http::{Request, Transport};
use upline::clients::{self, ApiError, Credentials, StoreApi};
use upline::core::order::{OrderSnapshot, OrderState, Report};
use upline::stores::{self, DeliveryMeta, Headers, Platform, Verified};
use url::Url;

use super::books::Style;
use super::kit::Kit;
use super::reading;
use super::sim::dialect::Dialect;
use super::sim::life::Habits;
use super::sim::magento::{self, Magento};
use super::sim::shop::{Basket, Carried, Referral, Shop, ShopEvent, Subscription, What};
use super::sim::wire::Wire;

pub fn kit() -> Kit {
    Kit {
        platform: Platform::Magento,
        zone: "Europe/Berlin",
        first_id: 101,
        habits: Habits::magento,
        style: Style { edits_are_refunds: false, cancelled_is_refund: true },
        credentials: oauth,
        dialect: || Box::new(Magento::new()),
    }
}

fn oauth() -> Credentials {
    Credentials::MagentoOauth {
        consumer_key: magento::CONSUMER_KEY.into(),
        consumer_secret: magento::CONSUMER_SECRET.into(),
        access_token: magento::ACCESS_TOKEN.into(),
        access_token_secret: magento::ACCESS_TOKEN_SECRET.into(),
    }
}

fn bearer() -> Credentials {
    Credentials::MagentoBearer { token: magento::ACCESS_TOKEN.into() }
}

fn opened() -> DateTime<Utc> {
    "2026-08-20T08:00:00Z".parse().unwrap()
}

/// One simple product, one in two sizes, one customer of a distributor.
fn shop() -> Shop {
    let mut shop = Shop::new("magento", "USD", 2, 101, opened());
    shop.zone = "Europe/Berlin".into();
    shop.add_product("Tea", &[("TEA/1 +", 1_999)]);
    shop.add_product("Shirt", &[("SHIRT-S", 2_500), ("SHIRT-M", 2_700)]);
    shop.add_customer(Some("D-7"));
    shop
}

fn basket(shop: &Shop, code: Option<&str>) -> Basket {
    let variants: Vec<u64> = shop.products.values().flat_map(|p| &p.variants).map(|v| v.id).collect();
    Basket {
        lines: vec![(variants[0], 3, 100, 590), (variants[2], 2, 0, 108)],
        shipping: 500,
        shipping_tax: 50,
        referral: code.map(|code| Referral { code: code.to_owned(), carried: Carried::Meta }),
        ..Basket::default()
    }
}

fn open(wire: &Arc<Wire>, credentials: &Credentials) -> Box<dyn StoreApi> {
    clients::open(&kit().endpoint("http://shop.test:8080/shop/"), credentials, wire.http()).unwrap()
}

#[test]
fn a_whole_shop_is_read_on_a_bad_day() {
    for seed in 1..=2 {
        reading::whole_shop(&kit(), seed, 600);
    }
}

#[test]
fn a_signature_is_taken_once_and_only_for_what_was_signed() {
    let sent: Arc<std::sync::Mutex<Vec<Request>>> = Arc::default();
    struct Listening(Arc<Wire>, Arc<std::sync::Mutex<Vec<Request>>>);
    impl Transport for Listening {
        fn send(&self, request: &Request) -> Result<clients::http::Response, ApiError> {
            self.1.lock().unwrap().push(request.clone());
            self.0.send(request)
        }
    }
    let wire = Wire::new(shop(), Box::new(Magento::new()), 1);
    let listening = Arc::new(Listening(wire.clone(), sent.clone()));
    let http = clients::http::Http::new(listening, upline::clock::Clock::system(), |_| ());
    let api = clients::open(&kit().endpoint("http://shop.test:8080/shop/"), &oauth(), http).unwrap();
    assert!(api.order("1").unwrap().is_none());
    let genuine = sent.lock().unwrap()[0].clone();
    let status = |request: &Request| wire.send(request).unwrap();
    let again = status(&genuine);
    assert_eq!(again.status, 401);
    assert!(String::from_utf8_lossy(&again.body).contains("nonce"), "{again:?}");
    let mut other = genuine.clone();
    other.url = Url::parse("http://shop.test:8080/shop/rest/all/V1/orders/2").unwrap();
    // Another nonce, so that only the signature can be wrong.
    let header = &mut other.headers.iter_mut().find(|(name, _)| *name == "Authorization").unwrap().1;
    *header = header.replace("oauth_nonce=\"", "oauth_nonce=\"f");
    let forged = status(&other);
    assert!(
        forged.status == 401 && String::from_utf8_lossy(&forged.body).contains("signature"),
        "{forged:?}"
    );
}

#[test]
fn older_stores_take_sha1_and_bearers_need_a_setting() {
    let old = Wire::new(shop(), Box::new(Magento { sha1_only: true, ..Magento::new() }), 1);
    let api = open(&old, &oauth());
    assert!(api.order("1").unwrap().is_none() && api.probe().unwrap().missing_scopes.is_empty());
    let refused = open(&Wire::new(shop(), Box::new(Magento::new()), 1), &bearer()).probe().unwrap_err();
    assert!(refused.to_string().contains("oauth/consumer/enable_integration_as_bearer"), "{refused}");
    let allowed = Wire::new(shop(), Box::new(Magento { bearer: true, ..Magento::new() }), 1);
    let probe = open(&allowed, &bearer()).probe().unwrap();
    assert_eq!((probe.currency.as_deref(), probe.zone.as_deref()), (Some("USD"), Some("Europe/Berlin")));
    let Credentials::MagentoOauth { consumer_key, consumer_secret, access_token, .. } = oauth() else {
        panic!()
    };
    let wrong = Credentials::MagentoOauth {
        consumer_key,
        consumer_secret,
        access_token,
        access_token_secret: "wrong".into(),
    };
    let error = open(&Wire::new(shop(), Box::new(Magento::new()), 1), &wrong).order("1").unwrap_err();
    assert!(matches!(&error, ApiError::Unauthorized(why) if why.contains("signature")), "{error}");
}

#[test]
fn products_and_customers_are_read_as_orders_name_them() {
    let mut shop = shop();
    let customer = *shop.customers.keys().next().unwrap();
    let id = shop.place(&Basket { customer: Some(customer), ..basket(&shop, None) });
    let wire = Wire::new(shop, Box::new(Magento::new()), 1);
    let api = open(&wire, &oauth());
    let page = api.products(None, None).unwrap();
    let skus: Vec<(&str, Option<&str>)> = page
        .items
        .iter()
        .map(|product| (&*product.title, product.variants.first().and_then(|known| known.sku.as_deref())))
        .collect();
    let wanted = [
        ("Tea", Some("TEA/1 +")),
        ("Shirt", None),
        ("Shirt-SHIRT-S", Some("SHIRT-S")),
        ("Shirt-SHIRT-M", Some("SHIRT-M")),
    ];
    assert_eq!(skus, wanted);
    let stock: Vec<String> =
        page.items.iter().flat_map(|p| &p.variants).map(|v| format!("{:?}", v.stock)).collect();
    assert_eq!(stock, ["Some(1000000)"; 3]);
    let order = snapshot(&api.order(&id.to_string()).unwrap().unwrap());
    for line in &order.lines {
        let of_sku = |product: &&upline::core::product::Product| {
            product.variants.iter().any(|variant| variant.sku == line.product.sku)
        };
        let known = page.items.iter().find(of_sku).expect("what was sold is in the catalogue");
        let own = line.product.variant_id.as_ref().or(line.product.product_id.as_ref()).unwrap();
        assert_eq!(&known.external_id, own);
    }
    let since = Some(opened() + TimeDelta::hours(1));
    assert!(api.products(since, None).unwrap().items.is_empty());
    let customers = api.customers(None, None).unwrap().items;
    assert_eq!(customers[0].external_id, customer.to_string());
    assert_eq!(order.customer_id.as_deref(), Some(&*customers[0].external_id));
    assert_eq!(
        (&*customers[0].places[0].place, &*customers[0].places[0].value),
        ("customer_meta:distributor_code", "D-7")
    );
    let bare = Wire::new(self::shop(), Box::new(Magento { without_inventory: true, ..Magento::new() }), 1);
    let page = open(&bare, &oauth()).products(None, None).unwrap();
    assert!(page.items.iter().flat_map(|product| &product.variants).all(|variant| variant.stock.is_none()));
}

fn snapshot(pulled: &clients::PulledOrder) -> OrderSnapshot {
    let meta = DeliveryMeta {
        topic: Some(stores::PULLED_ORDER.to_owned()),
        triggered_at: Some(pulled.read_at),
        ..DeliveryMeta::default()
    };
    only(stores::parse(Platform::Magento, &meta, &pulled.body).unwrap())
}

fn only(reports: Vec<Report>) -> OrderSnapshot {
    match &reports[..] {
        [Report::Snapshot(snapshot)] => (**snapshot).clone(),
        other => panic!("{other:?}"),
    }
}

/// What a module posts for an event, taken as the app takes it.
fn pushed(shop: &Shop, what: What) -> OrderSnapshot {
    let event = ShopEvent { seq: 0, at: shop.now, what };
    let (topic, address, secret) = ("order".into(), "https://us.example/webhooks/m".into(), "s3cret".into());
    let module = Subscription { id: 1, topic, address, secret, active: true, failures: 0 };
    let sent = Magento::new().webhook(shop, &event, &module).unwrap();
    let headers: Headers = sent.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let verified = stores::verify(Platform::Magento, &[b"s3cret"], &headers, &sent.body);
    assert_eq!(verified, Ok(Verified::Delivery));
    assert!(stores::verify(Platform::Magento, &[b"other"], &headers, &sent.body).is_err());
    only(stores::parse(Platform::Magento, &DeliveryMeta::default(), &sent.body).unwrap())
}

/// A refund told by a module's webhook and by the pull, in any order and again: once, and as the memos have it.
#[test]
fn a_refund_that_is_pushed_and_pulled_counts_once() {
    let mut shop = shop();
    let id = shop.place(&basket(&shop, Some("D-1")));
    let mut tellings = vec![pushed(&shop, What::OrderPlaced(id))];
    shop.now += TimeDelta::minutes(1);
    shop.pay(id);
    let line = shop.order(id).lines[0].id;
    shop.now += TimeDelta::minutes(1);
    let refund = shop.refund(id, &[(line, 2)], true, 300);
    tellings.push(pushed(&shop, What::RefundMade { order: id, refund }));
    let wire = Wire::new(shop, Box::new(Magento::new()), 1);
    let api = open(&wire, &oauth());
    tellings.push(snapshot(&api.order(&id.to_string()).unwrap().unwrap()));
    let shop = wire.shop();
    let truth = super::books::nets(shop.order(id));
    for rotation in 0..tellings.len() {
        for backwards in [false, true] {
            let mut sequence: Vec<usize> =
                (0..tellings.len()).map(|i| (i + rotation) % tellings.len()).collect();
            if backwards {
                sequence.reverse();
            }
            let mut state = OrderState::default();
            for i in sequence.iter().chain(&sequence) {
                state.absorb(Report::Snapshot(Box::new(tellings[*i].clone())), shop.now);
            }
            let refunds = state.refunds();
            assert_eq!(refunds.len(), 1, "{sequence:?}");
            assert_eq!(refunds[0].external_id, refund.to_string(), "{sequence:?}");
            let nets = upline::core::net::commissionable(state.snapshot.as_ref().unwrap(), &refunds);
            let nets = nets.lines.iter().map(|line| (line.line.clone(), line.net().normalize()));
            assert_eq!(nets.collect::<std::collections::BTreeMap<_, _>>(), truth, "{sequence:?}");
        }
    }
}

/// Magento edits an order by cancelling it and making another.
#[test]
fn an_edited_order_earns_in_its_successor_only() {
    let mut shop = shop();
    let id = shop.place(&basket(&shop, Some("D-1")));
    shop.now += TimeDelta::minutes(1);
    let basket = basket(&shop, Some("D-1"));
    let successor = shop.replace(id, &Basket { lines: basket.lines[..1].to_vec(), ..basket });
    shop.pay(successor);
    let wire = Wire::new(shop, Box::new(Magento::new()), 1);
    let api = open(&wire, &oauth());
    let read = |id: u64| snapshot(&api.order(&id.to_string()).unwrap().unwrap());
    let (old, new) = (read(id), read(successor));
    assert!(old.cancelled && !new.cancelled);
    assert_eq!((old.number.as_deref(), new.number.as_deref()), (Some("000001001"), Some("000001002-1")));
    assert!(new.places.iter().any(|place| place.value == "D-1"));
    assert_eq!(new.lines.len(), 1);
}
