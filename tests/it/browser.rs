//! An admin's work, done in a real browser: clicks and forms on the app's own pages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::chromium::Chromium;
use crate::support::payload::Order;

const PLAN: &str = include_str!("../../config/plans/affiliate.toml");

impl Chromium {
    /// A browser whose user has followed the link on the console.
    fn of_admin(app: &TestApp) -> Option<Self> {
        let browser = Self::open()?;
        browser.go(&app.login_link);
        browser.see_heading("Dashboard");
        Some(browser)
    }
}

/// Orders that the store sends, each with one product for 100 dollars; all are processed when this returns.
fn sell(app: &TestApp, orders: &[Order<'_>]) {
    for order in orders {
        let answer = app.deliver("order.updated", &order.body());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    app.drain();
}

#[test]
fn the_link_opens_once_and_the_password_from_then_on() {
    let app = TestApp::start();
    let Some(browser) = Chromium::of_admin(&app) else { return };
    browser.open_menu("Settings");
    browser.fill("Password", "correct horse battery");
    browser.press("Set the password");
    browser.see("Your password is set.");
    browser.touch("Account of admin@localhost");
    browser.press("Sign out");
    browser.see_heading("Sign in");

    browser.go(&app.login_link);
    browser.see("This link was used already or is too old");
    browser.go(&format!("{}/admin/orders", app.base));
    browser.see_heading("Sign in");
    browser.fill("E-mail", "admin@localhost");
    browser.fill("Password", "wrong horse battery");
    browser.press("Sign in");
    browser.see("The e-mail address or the password is wrong.");
    browser.fill("Password", "correct horse battery");
    browser.press("Sign in");
    browser.see_heading("Orders");
}

#[test]
fn a_held_product_is_mapped_and_its_commissions_explained() {
    let app = TestApp::with_company();
    let held = |id| Order { id, sku: "NEW-1", ..Order::default() };
    sell(&app, &[held(301), held(302)]);
    let Some(browser) = Chromium::of_admin(&app) else { return };
    browser.open_menu("Held");
    browser.follow("Map it");
    browser.see_heading("sku:NEW-1");
    browser.fill("Our SKU", "N-1");
    browser.choose("Commission class", "standard");
    browser.press("Preview");
    browser.see("sku:NEW-1 becomes N-1 of commission class standard");
    browser.see("200.00 USD");
    browser.press("Apply and release 2");
    browser.see("2 orders are looked at again.");

    browser.open_menu("Orders");
    browser.reload_until("commissionable");
    browser.follow("301");
    browser.see_heading("Order 301");
    browser.reload_until("3 commission events");
    for shown in ["13.00 USD", "From delivery to ledger", "Journal entries", "Dora", "Bob", "Ann"] {
        browser.see(shown);
    }
    browser.follow("Explain 10.00");
    browser.see_heading("Why 10.00 USD");
    browser.see("100 × 0.1 = 10");
}

#[test]
fn products_are_mapped_in_bulk_and_by_file() {
    let app = TestApp::with_company();
    let held = |id, sku| Order { id, sku, ..Order::default() };
    sell(&app, &[held(301, "NEW-1"), held(302, "NEW-2"), held(303, "NEW-3")]);
    let Some(browser) = Chromium::of_admin(&app) else { return };
    browser.open_menu("SKU mapping");
    browser.touch("Tick sku:NEW-1");
    browser.touch("Tick sku:NEW-2");
    browser.choose("Map ticked to class", "standard");
    browser.press("Map 2 and release");
    browser.see("2 mapped; ");
    browser.touch("Tick all mappings on this page");
    browser.touch("Tick A1");
    browser.choose("Move ticked to class", "none");
    browser.press("Move 4");
    browser.see("4 moved. Orders that are computed keep their version.");

    let columns = "sku_id,platform,platform_sku,name,category,commission_class";
    let wrong = format!("{columns}\nN-3,etsy,NEW-3,Third,things,gold\n");
    browser.follow("Import CSV");
    browser.pick("Choose a file", &app.file("catalogue.csv", &wrong));
    browser.see_in("CSV", "NEW-3");
    browser.press("Preview");
    browser.see("Rows that cannot be taken");
    browser.see("etsy");
    let doubtful = wrong.replace("etsy", "woocommerce");
    browser.paste("CSV", &doubtful);
    browser.press("Preview");
    browser.see("Commission class gold is not in the plan of today");
    browser.paste("CSV", &doubtful.replace("gold", "standard"));
    browser.press("Preview");
    browser.see("N-3, class standard");
    browser.see("woocommerce sku:NEW-3");
    browser.press("Apply 1 version");
    browser.see_heading("SKU mapping");
    browser.open_menu("Held");
    browser.reload_until("Nothing is held");
}

#[test]
fn who_earns_is_said_for_a_code_and_for_an_order() {
    let app = TestApp::with_company();
    sell(&app, &[Order { distributor: Some("ZED"), ..Order::default() }]);
    let Some(browser) = Chromium::of_admin(&app) else { return };
    browser.open_menu("Held");
    browser.follow("Say who it is");
    browser.see_heading("ZED");
    browser.fill("Distributor id", "nobody");
    browser.press("Preview");
    browser.see("There is no distributor nobody.");
    browser.fill("Distributor id", "2");
    browser.press("Preview");
    browser.see("ZED names distributor 2 (Bob)");
    browser.press("Apply and release 1");
    browser.see("1 order is looked at again.");

    browser.open_menu("Orders");
    browser.reload_until("commissionable");
    browser.follow("301");
    browser.reload_until("2 commission events");
    browser.unfold("Decide it by hand");
    browser.fill("Distributor id", "4");
    browser.press("Assign and compute again");
    browser.see("4 earns on this order");
    // What stood posted for the two is corrected, not replaced.
    browser.reload_until("7 commission events");
    browser.see("13.00 USD");
    browser.see("4, as a person decided");
    browser.follow("Explain 10.00 for 4");
    browser.see("A person decided for distributor 4");

    browser.open_menu("Deliveries");
    browser.open_first_row();
    browser.see("order.updated");
    browser.press("Process again");
    browser.see("The delivery is processed again.");
    browser.reload_until("unchanged");
}

#[test]
fn a_plan_is_mended_line_by_line_and_published() {
    let app = TestApp::start();
    let Some(browser) = Chromium::of_admin(&app) else { return };
    let broken = PLAN.replace(r#"currency = "USD""#, r#"currency = "US""#);
    let line = 1 + broken.lines().position(|line| line.starts_with("currency")).unwrap();
    browser.open_menu("Plans");
    browser.follow("Check a document");
    browser.paste("TOML", &broken);
    browser.press("Check");
    browser.see("1 problem");
    browser.see(&format!("Line {line}"));
    browser.paste("TOML", PLAN);
    browser.press("Check");
    browser.see("Sample affiliate is sound.");
    browser.press("Publish from a date");
    browser.see_heading("Publish Sample affiliate");
    browser.paste("Day", "2026-01-01");
    browser.press("Show what it does from then");
    browser.fill("to confirm", "Sample");
    browser.press("Publish from 2026-01-01");
    browser.see("Type Sample affiliate to confirm");
    browser.fill("to confirm", "Sample affiliate");
    browser.press("Publish from 2026-01-01");
    browser.see("in effect");
}

#[test]
fn the_tree_unfolds_in_place_and_keys_lead_around() {
    let app = TestApp::with_company();
    sell(&app, &[Order::default()]);
    let Some(browser) = Chromium::of_admin(&app) else { return };
    browser.go(&format!("{}/admin/distributors/1", app.base));
    browser.await_element("[aria-label='Downline of 2'][aria-expanded=false]");
    browser.touch("Downline of 2");
    browser.await_element("[aria-label='Downline of 2'][aria-expanded=true]");
    browser.await_element(".tree ul ul a[href='/admin/distributors/4']");
    assert!(browser.address().ends_with("/distributors/1"), "no other page was loaded");
    browser.touch("Downline of 2");
    browser.await_element("[aria-label='Downline of 2'][aria-expanded=false]");
    browser.await_element(".tree:not(:has(ul ul))");

    browser.keys("go");
    browser.see_heading("Orders");
    browser.keys("?");
    browser.await_element("dialog#keys[open]");
    browser.press("Close");
    browser.await_element("dialog#keys:not([open])");
    browser.keys("/");
    browser.await_element("#search:focus");
    browser.keys("301\u{e007}");
    browser.see_heading("Order 301");

    browser.resize(390, 844);
    browser.touch("Menu");
    browser.open_menu("Ledger");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// One of every page that links lead to; `*` stands for what differs from order to order.
const PAGES: [&str; 22] = [
    "/admin",
    "/admin/deliveries",
    "/admin/deliveries/*",
    "/admin/distributors",
    "/admin/distributors/*",
    "/admin/distributors/*/move",
    "/admin/events/*",
    "/admin/held",
    "/admin/held/cause",
    "/admin/ledger",
    "/admin/ledger/accounts",
    "/admin/ledger/entries/*/*",
    "/admin/orders",
    "/admin/orders/*",
    "/admin/periods",
    "/admin/periods/*",
    "/admin/plans",
    "/admin/plans/*",
    "/admin/plans/check",
    "/admin/settings",
    "/admin/skus",
    "/admin/skus/*",
];
const MORE_PAGES: [&str; 13] = [
    // Where a distributor is paid, and what happened on the accounts.
    "/admin/distributors/*/*",
    "/admin/payouts",
    "/admin/customers",
    "/admin/customers/*",
    "/admin/notices",
    "/admin/products",
    "/admin/reconciliation",
    "/admin/reconciliation/*/*",
    "/admin/reports",
    "/admin/simulate",
    "/admin/skus/import",
    "/admin/stores",
    "/admin/stores/*",
];

/// Pages that only a form leads to, or that look like another one by their address.
const ASKED: [&str; 6] = [
    "/admin/stores/main",
    "/admin/search?q=NEW",
    "/admin/search?q=nothing-like-this",
    "/admin/orders?state=exempt",
    "/admin/plans/diff",
    "/admin/held/cause?reason=unmapped_sku&cause=sku:NEW-1&sku_id=N-1&class=standard",
];

#[test]
fn every_page_fits_and_is_labelled_in_light_and_dark() {
    let app = TestApp::with_company();
    let names = ["A1", "A1", "NEW-1", &"LONG-NAME-OF-A-PRODUCT-".repeat(6)];
    let order = |(id, sku): (u64, _)| Order { id, sku, ..Order::default() };
    let orders: Vec<Order<'_>> = (301..).zip(names).map(order).collect();
    sell(&app, &orders);
    app.make_periods();
    let Some(browser) = Chromium::of_admin(&app) else { return };
    let pages = found(&browser, &app.base);
    let known: Vec<&str> = pages.keys().map(String::as_str).collect();
    let expected: BTreeSet<&str> = PAGES.into_iter().chain(MORE_PAGES).collect();
    assert_eq!(known, expected.into_iter().collect::<Vec<_>>(), "the pages that links lead to");

    let asked = ASKED.map(|path| format!("{}{path}", app.base));

    let mut wrong = vec![];
    let mut grounds = BTreeSet::new();
    for theme in ["Light", "Dark"] {
        browser.resize(1440, 1000);
        browser.go(&format!("{}/admin", app.base));
        browser.touch("Account of admin@localhost");
        browser.press(theme);
        browser.await_theme(theme);
        grounds.insert(
            browser.run("return getComputedStyle(document.body).backgroundColor", Value::Null).to_string(),
        );
        for address in pages.values().chain(&asked) {
            browser.go(address);
            for width in [1440, 390] {
                browser.resize(width, 900);
                let faults = browser.run(FAULTS, json!(width));
                let faults = faults.as_array().expect("a list").iter();
                wrong.extend(faults.map(|fault| format!("{address} {theme} {width}: {fault}")));
            }
            wrong.extend(browser.complaints().into_iter().map(|told| format!("{address} {theme}: {told}")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(grounds.len(), 2, "light and dark differ: {grounds:?}");
}

/// The first address of each kind of page, found by following links.
fn found(browser: &Chromium, base: &str) -> BTreeMap<String, String> {
    let mut known = BTreeMap::from([("/admin".to_owned(), format!("{base}/admin"))]);
    let mut waiting = vec![format!("{base}/admin")];
    while let Some(address) = waiting.pop() {
        browser.go(&address);
        let links = browser.run("return [...document.links].map((link) => link.href)", Value::Null);
        for link in links.as_array().expect("a list").iter().filter_map(Value::as_str) {
            let path = link.strip_prefix(base).expect("no page leads elsewhere");
            let kind = kind(path);
            if kind.starts_with("/admin") && !known.contains_key(&kind) {
                known.insert(kind, link.to_owned());
                waiting.push(link.to_owned());
            }
        }
    }
    known
}

fn kind(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let own = ["", "cause", "check", "import", "accounts", "entries", "move"];
    let parts = path.split('/').enumerate().map(|(place, part)| match place < 3 || own.contains(&part) {
        true => part,
        false => "*",
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What is wrong with a page in a window of the width `arguments[0]`.
pub const FAULTS: &str = r#"
const width = arguments[0], faults = [];
const shown = (e) => e.checkVisibility();
const told = (e) => e.outerHTML.slice(0, 160);
if (innerWidth !== width) faults.push(`the window is ${innerWidth} wide`);
if (document.documentElement.scrollWidth > width) {
  const scrolls = (e) => e && (getComputedStyle(e).overflowX !== 'visible' || scrolls(e.parentElement));
  const wide = [...document.body.querySelectorAll('*')].filter((e) => shown(e) && e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement));
  faults.push(`it is ${document.documentElement.scrollWidth} wide: ${wide.slice(-3).map(told).join(' | ')}`);
}
const headings = document.querySelectorAll('h1').length;
if (headings !== 1) faults.push(`it has ${headings} h1`);
if (!document.title.trim() || !document.documentElement.lang) faults.push('no title or no language');
const name = (e) => (e.getAttribute('aria-label') ?? e.innerText ?? e.textContent).trim();
for (const e of document.querySelectorAll('input:not([type=hidden], [hidden]), select, textarea'))
  if (!e.getAttribute('aria-label') && ![...e.labels].some((label) => label.textContent.trim())) faults.push(`no label: ${told(e)}`);
for (const e of document.querySelectorAll('button, a[href]'))
  if (shown(e) && !name(e)) faults.push(`no name: ${told(e)}`);
for (const e of document.querySelectorAll('img:not([alt])')) faults.push(`no alt: ${told(e)}`);
for (const e of document.querySelectorAll('svg'))
  if (!e.closest('[aria-hidden=true]') && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !e.querySelector('title')) faults.push(`no words: ${told(e)}`);
const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) faults.push(`the id ${id} twice`);
const paint = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
const rgba = (color) => {
  paint.clearRect(0, 0, 1, 1);
  paint.fillStyle = color;
  paint.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
const ground = (e) => {
  if (!e) return rgba(getComputedStyle(document.documentElement).colorScheme === 'dark' ? '#121212' : '#fff');
  const own = rgba(getComputedStyle(e).backgroundColor);
  return own[3] === 1 ? own : over(own, ground(e.parentElement));
};
const light = (color) => color.slice(0, 3).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
for (const e of document.body.querySelectorAll('*:not(option, .sr, .skip)')) {
  const text = [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!text || !shown(e) || e.closest('svg, :disabled')) continue;
  const style = getComputedStyle(e), under = ground(e), ink = over(rgba(style.color), under);
  const [high, low] = [light(ink), light(under)].sort((a, b) => b - a);
  const big = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < (big ? 3 : 4.5)) faults.push(`contrast ${ratio.toFixed(2)}: ${told(e)}`);
}
return faults;
"#;
