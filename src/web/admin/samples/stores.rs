//! Stores: the list, the steps of connecting one, its page in good and bad health.

use super::super::customers::binding;
use super::super::field::Wrong;
use super::super::format::{Pill, Tone};
use super::super::once::Shown;
use super::super::pulls::{self, Mark, Panel};
use super::super::stores::connect::{ConnectPage, FirstPage, Typed};
use super::super::stores::guide;
use super::super::stores::health::{Health, Webhook};
use super::super::stores::list::{NewStore, Row, StoresPage};
use super::super::stores::one::{Secret, StorePage};
use super::super::stores::{Last, Trouble};
use super::{check, shell, when};
use crate::stores::Platform;

const URL: &str = "https://upline.example.test/webhooks/shop-eu";

fn webhook(topic: &str, state: Pill, problem: &str) -> Webhook {
    let mended = i32::from(state.tone == Tone::Warn);
    Webhook {
        topic: topic.into(),
        state,
        checked_at: when(0),
        mended,
        mended_at: (mended > 0).then(|| when(5)),
        problem: problem.into(),
    }
}

fn health(platform: Platform, problem: &str) -> Health {
    let sends = platform != Platform::Magento;
    let webhooks = vec![
        webhook("order.created", Pill::new(Tone::Ok, "active"), ""),
        webhook("order.updated", Pill::new(Tone::Warn, "mended"), ""),
        webhook("order.deleted", Pill::new(Tone::Bad, "broken"), "the key may only read"),
    ];
    Health {
        state: if problem.is_empty() {
            Pill::new(Tone::Ok, "connected")
        } else {
            Pill::new(Tone::Bad, "in trouble")
        },
        base_url: "https://shop.example.test/".into(),
        shop: "Shop Europe".into(),
        facts: vec![("Currency", "EUR".into()), ("Its days begin in", "Europe/Berlin".into())],
        missing: if problem.is_empty() { vec![] } else { vec!["read_all_orders".into()] },
        connected_at: when(0),
        answered_at: Some(when(9)),
        heard_at: problem.is_empty().then(|| when(9)),
        problem: problem.into(),
        problem_since: (!problem.is_empty()).then(|| when(3)),
        paused: false,
        keeps: true,
        checked_at: Some(when(9)),
        webhooks: if sends { webhooks } else { vec![] },
        rotating: false,
    }
}

#[test]
fn store_lists() {
    let row = |last| Row {
        slug: "shop-eu".into(),
        name: "Shop Europe".into(),
        platform: "Shopify".into(),
        state: Pill::new(Tone::Ok, "connected"),
        last,
        secrets: 1,
    };
    let page = |rows, wrong| StoresPage {
        shell: shell("stores"),
        rows,
        form: NewStore { slug: "Shop EU".into(), platform: "magento".into(), ..NewStore::default() },
        wrong,
        platforms: vec![("shopify", "Shopify"), ("magento", "Magento")],
        may_change: true,
    };
    let wrong = ["name", "slug", "platform", "attribution"];
    let wrong = wrong.into_iter().fold(Wrong::default(), |wrong, field| wrong.with(field, "Not so."));
    check("stores", &page(vec![row(Last::At(when(0))), row(Last::NotLately), row(Last::Never)], wrong));
    check("stores-none", &page(vec![], Wrong::default()));
}

#[test]
fn store_pages() {
    let secret =
        |number, retired: bool| Secret { number, created_at: when(0), retired_at: retired.then(|| when(9)) };
    let store = |platform, secrets, health| StorePage {
        shell: shell("stores"),
        slug: "shop-eu".into(),
        name: "Shop Europe".into(),
        platform,
        platform_name: "Shopify".into(),
        state: Pill::new(Tone::Info, "waits for the first delivery"),
        webhook_url: URL.into(),
        out_of_reach: true,
        steps: guide::steps(platform, URL, "https://upline.example.test/api"),
        health,
        attribution: vec!["note_attribute:ref".into(), "discount_code".into()],
        secrets,
        last: Last::Never,
        binding: binding(),
        pulls: pulls(),
        makes_secrets: true,
        shown: Some(Shown::sample("The webhook secret", &"0f".repeat(32))),
        wrong: Wrong::default().with("secret", "Paste it.").with("place", "No place."),
        may_change: true,
    };
    for platform in Platform::ALL {
        let secrets = || vec![secret(2, false), secret(1, true)];
        check(&format!("store-{platform}"), &store(platform, secrets(), None));
        if platform != Platform::Direct {
            let name = format!("store-connected-{platform}");
            check(&name, &store(platform, secrets(), Some(health(platform, ""))));
        }
    }
    let trouble = health(Platform::Shopify, "the store does not accept our credentials: HTTP 401");
    let page = StorePage {
        shown: None,
        wrong: Wrong::default()
            .with("confirm", "Type shop-eu to confirm.")
            .with("client_secret", "Paste it."),
        ..store(Platform::Shopify, vec![secret(1, false)], Some(trouble))
    };
    check("store-in-trouble", &page);
    let rotating = Health { rotating: true, paused: true, ..health(Platform::WooCommerce, "paused by us") };
    let both = vec![secret(2, false), secret(1, false)];
    check("store-rotating", &store(Platform::WooCommerce, both, Some(rotating)));
    check("store-bare", &store(Platform::Shopify, vec![], None));
    let silent = |connected| Panel { connected, ..Panel::default() };
    for (name, connected) in [("store-not-connected", false), ("store-never-pulled", true)] {
        check(name, &StorePage { pulls: silent(connected), ..store(Platform::Magento, vec![], None) });
    }
    check("store-viewed", &StorePage { may_change: false, ..store(Platform::Shopify, vec![], None) });
}

fn binding() -> binding::Panel {
    let version = |policy: &str, from| binding::Version {
        policy: policy.into(),
        from,
        places: "customer_meta:distributor_code".into(),
    };
    binding::Panel {
        slug: "shop-eu".into(),
        csrf: "c5f0".into(),
        may_change: true,
        versions: vec![version("90 days", Some(when(0))), version("life", None)],
        days: "90".into(),
        choice: "days",
        ..binding::Panel::default()
    }
}

fn pulls() -> Panel {
    let mark = |kind: &str, trouble: &str| Mark {
        kind: kind.into(),
        until: trouble.is_empty().then(|| when(9)),
        trouble: trouble.into(),
        next_try: (!trouble.is_empty()).then(|| when(11)),
    };
    let row = |from, tone, state: &str, problem: &str| pulls::Row {
        at: when(9),
        by: "schedule".into(),
        what: "orders, schedule".into(),
        from,
        to: when(9),
        window: "changed",
        state: Pill::new(tone, state),
        problem: problem.into(),
        seen: "1,250".into(),
        told: "3".into(),
        fresh: "1".into(),
    };
    Panel {
        slug: "shop-eu".into(),
        csrf: "c5f0".into(),
        connected: true,
        may_pull: true,
        marks: vec![mark("Orders", ""), mark("Products", "the last 3 tries failed")],
        rows: vec![
            row(Some(when(5)), Tone::Ok, "done", ""),
            row(None, Tone::Bad, "failed", "the store asks us to slow down"),
        ],
    }
}

#[test]
fn connecting_pages() {
    let wrong = Wrong::default().with("slug", "It is taken.");
    let platforms = vec![("shopify", "Shopify"), ("magento", "Magento")];
    check("store-new", &FirstPage { shell: shell("stores"), form: NewStore::default(), wrong, platforms });
    let page = |platform: Platform, health| ConnectPage {
        shell: shell("stores"),
        slug: "shop-eu".into(),
        name: "Shop Europe".into(),
        platform,
        platform_name: platform.to_string(),
        to_make: guide::to_make(platform),
        fields: guide::fields(platform),
        form: Typed { base: "https://shop.example.test".into(), ..Typed::default() },
        wrong: Wrong::default(),
        trouble: None,
        health,
        webhook_url: URL.into(),
        out_of_reach: String::new(),
        may_change: true,
    };
    for platform in [Platform::Shopify, Platform::WooCommerce, Platform::Magento] {
        check(&format!("store-connect-{platform}"), &page(platform, None));
        check(&format!("store-connect-{platform}-done"), &page(platform, Some(health(platform, ""))));
    }
    let trouble = Trouble {
        problem: "the store does not accept our credentials: HTTP 401".into(),
        fix: "Make another key.".into(),
    };
    let refused = ConnectPage {
        trouble: Some(trouble),
        wrong: Wrong::default()
            .with("base", "No address.")
            .with("token", "Paste it.")
            .with("zone", "No zone."),
        out_of_reach: "a shop on the internet cannot reach http://localhost".into(),
        ..page(Platform::Shopify, None)
    };
    check("store-connect-refused", &refused);
    let kept = page(Platform::Shopify, Some(health(Platform::Shopify, "it does not answer")));
    check("store-connect-trouble", &ConnectPage { may_change: false, ..kept });
}
