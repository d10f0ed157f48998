//! The command line as a script uses it: the real program, its output and its exit codes, beside a running server.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use upline::demo::company::PLAN;

use crate::support::payload::Order;
use crate::support::server::Site;
use crate::support::wait;

const SECRET: &str = "a secret that the shop signs with";
const PEOPLE: &str = "distributor_id,sponsor_id,status,country,tax_id,created_at,rank
1,,active,US,,2024-01-01,member
2,1,active,US,,2024-01-02,gold
4,2,active,US,,2024-01-03,member
";
const SKUS: &str = "sku_id,platform,platform_sku,name,category,commission_class
SUPP-1,woocommerce,A1,Thing,things,supplement
";

/// How a command ended and what it said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// Both streams, one after the other.
    fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

#[track_caller]
fn run(site: &Site, code: i32, arguments: &[&str]) -> Said {
    let Output { status, stdout, stderr } = site.command(arguments).output().expect("run upline");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let said = Said { code: status.code().expect("an exit code"), out: text(stdout), err: text(stderr) };
    assert_eq!(said.code, code, "upline {arguments:?}\n{}", said.all());
    said
}

#[test]
fn a_whole_set_up_is_scripted_beside_a_running_server() {
    let site = Site::new("cli");
    let _server = site.serve();
    let database = site.database();
    let mut conn = PgConnection::establish(database.url()).unwrap();

    stores_are_added_and_never_show_a_secret(&site);
    // Nobody is known yet: the order is kept, and held for every reason at once.
    post(&site, &Order::default().body());
    run(&site, 0, &["replay", "--check"]);
    assert_eq!(ask(&mut conn, "select status as text from orders"), "held");
    assert_eq!(doctor(&site, 1, "plan")["verdict"], "wrong");

    imports_are_all_or_nothing(&site);
    publish(&site);
    run(&site, 0, &["replay", "--check"]);
    assert_eq!(ask(&mut conn, "select status as text from orders"), "commissionable");
    assert_eq!(doctor(&site, 0, "plan")["verdict"], "ok");

    an_event_is_explained(&site, &mut conn);
    proofs_are_clean_and_find_what_was_touched(&site, &mut conn);
    unfinished_work_is_no_difference(&site, &mut conn);
    tokens_and_users_are_shown_once(&site);
}

fn stores_are_added_and_never_show_a_secret(site: &Site) {
    let add = ["store", "add", "--platform", "woocommerce", "--slug", "main", "--secret", SECRET];
    let added = run(site, 0, &[&add[..], &["--attribution", "order_meta:distributor"]].concat());
    assert!(
        added.out.trim_end().ends_with("/webhooks/main") && added.out.lines().count() == 1,
        "{}",
        added.out
    );
    assert!(added.err.contains("WooCommerce"), "how to go on: {}", added.err);
    assert!(run(site, 1, &add).err.contains(r#"slug "main" exists"#));
    let other = |slug: &'static str| ["store", "add", "--platform", "magento", "--slug", slug];
    let made = run(site, 0, &other("made")).out;
    let made = made.lines().nth(1).expect("the secret that was made");
    assert!(made.len() == 64 && made.bytes().all(|byte| byte.is_ascii_hexdigit()), "{made}");
    assert!(run(site, 1, &[&other("empty")[..], &["--secret", ""]].concat()).err.contains("secret is empty"));
    assert!(run(site, 1, &other("No Slug")).err.contains("lower-case"));
    let wrong = run(site, 2, &[&other("place")[..], &["--attribution", "discount_code,cookie:x"]].concat());
    assert!(wrong.err.contains("cookie:x") && wrong.err.contains("note_attribute:NAME"), "{}", wrong.err);
    assert!(run(site, 2, &["store", "add", "--platform", "etsy", "--slug", "x"]).err.contains("shopify"));

    assert!(
        run(site, 0, &["store", "secret", "add", "made", "--secret", "another"]).out.contains("retire made")
    );
    assert!(
        run(site, 1, &["store", "secret", "add", "made", "--secret", "third"]).err.contains("retire the old")
    );
    let listed = run(site, 0, &["store", "list", "--json"]);
    let of =
        |slug: &str| listed.json().as_array().unwrap().iter().find(|s| s["slug"] == slug).cloned().unwrap();
    assert_eq!(
        (of("main")["live_secrets"].clone(), of("made")["live_secrets"].clone()),
        (json!(1), json!(2))
    );
    assert_eq!(of("main")["attribution"], json!(["order_meta:distributor"]));
    run(site, 0, &["store", "secret", "retire", "made"]);
    for said in [listed, run(site, 0, &["store", "list"])] {
        assert!(!said.all().contains(SECRET) && !said.all().contains(made), "{}", said.all());
    }
}

fn imports_are_all_or_nothing(site: &Site) {
    let bad = site.file(
        "bad.csv",
        "distributor_id,sponsor_id,status,country,tax_id,created_at\n\
         1,,active,US,,2024-01-01\n2,1,sleeping,US,,yesterday\n3,77,active,US,,2024-01-01\n",
    );
    let refused = run(site, 1, &["import", "distributors", &bad]);
    for told in ["3 problem(s)", "line 3, status", "line 3, created_at", "line 4, sponsor_id", "77"] {
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
    }
    let people = site.file("people.csv", PEOPLE);
    let count = |code, arguments: &[&str]| {
        let told = run(site, code, &[arguments, &["--json"]].concat()).json();
        ["new", "changed", "unchanged", "orders_reviewed"].map(|name| told[name].as_u64().unwrap())
    };
    assert_eq!(
        count(0, &["import", "distributors", &people, "--dry-run"]),
        [3, 0, 0, 0],
        "nothing was kept of it"
    );
    assert_eq!(count(0, &["import", "distributors", &people]), [3, 0, 0, 1]);
    run(site, 0, &["replay", "--check"]);
    assert_eq!(count(0, &["import", "distributors", &people]), [0, 0, 3, 0]);
    let moved = site.file("moved.csv", PEOPLE.replace("4,2,active", "4,1,active"));
    let later = ["import", "distributors", &moved, "--effective", "2027-01-01", "--dry-run"];
    assert_eq!(count(0, &later), [0, 1, 2, 0]);
    assert!(
        run(site, 2, &["import", "distributors", &moved, "--effective", "soon"]).err.contains("2026-01-31")
    );

    let skus = site.file("skus.csv", SKUS);
    let unclassed = site.file("unclassed.csv", SKUS.replace("supplement", ""));
    assert!(run(site, 1, &["import", "skus", &unclassed]).err.contains("line 2, commission_class"));
    assert_eq!(count(0, &["import", "skus", &skus]), [1, 0, 0, 1]);
    run(site, 0, &["replay", "--check"]);
    assert_eq!(count(0, &["import", "skus", &skus, "--dry-run"]), [0, 0, 1, 0]);
    assert!(run(site, 1, &["import", "skus", "/nowhere.csv"]).err.contains("/nowhere.csv"));
}

fn publish(site: &Site) {
    let plan = site.file("plan.toml", PLAN);
    assert!(run(site, 1, &["plan", "show", "--effective"]).err.contains("plan list"));
    let published = run(site, 0, &["plan", "publish", &plan, "--from", "2024-01-01"]).out;
    let hash = run(site, 0, &["plan", "hash", &plan]).out;
    // The day begins where the plan says.
    assert!(published.contains("2024-01-01T05:00:00") && published.contains(hash.trim()), "{published}");
    assert!(published.contains("1 held order(s) are assessed again"), "{published}");
    let listed = run(site, 0, &["plan", "list", "--json"]).json();
    assert_eq!((&listed[0]["hash"], &listed[0]["holds_now"]), (&json!(hash.trim()), &json!(true)));
    let shown = run(site, 0, &["plan", "show", "--effective", "2024-06-01"]).out;
    assert!(shown.contains(hash.trim()) && shown.contains("supplement") && shown.contains("20%"), "{shown}");
    assert!(run(site, 1, &["plan", "show", "--effective", "2023-12-31"]).err.contains("2023-12-31"));
    assert!(run(site, 0, &["plan", "diff", &plan, &hash.trim()[..12]]).out.contains("mean the same"));
    assert!(run(site, 1, &["plan", "diff", &plan, "0123456789ab"]).err.contains("plan list"));
}

fn an_event_is_explained(site: &Site, conn: &mut PgConnection) {
    let event = ask(conn, "select event_id::text as text from commission_events where level = 1");
    let told = run(site, 0, &["explain", &event]).out;
    for part in ["order 301 of store main", "distributor 2", "net 100", "order_meta:distributor", "posted in"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let explained = run(site, 0, &["explain", &event, "--json"]).json();
    assert_eq!((&explained["amount"], &explained["distributor_id"]), (&json!("5"), &json!("2")));
    let unknown = "01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f";
    assert!(run(site, 1, &["explain", unknown]).err.contains(unknown));
    run(site, 2, &["explain", "301"]);
}

fn proofs_are_clean_and_find_what_was_touched(site: &Site, conn: &mut PgConnection) {
    let verified = run(site, 0, &["verify", "--json"]).json();
    assert_eq!((&verified["entries"], &verified["deliveries"]), (&json!(1), &json!(1)));
    assert!(run(site, 0, &["verify"]).out.contains("clean"));
    let replayed = run(site, 0, &["replay", "--check", "--json"]).json();
    assert_eq!(replayed["stored"], replayed["replayed"]);

    let order = ask(conn, "select order_id::text as text from orders");
    tamper(conn, "update postings set amount = amount * 2");
    let found = run(site, 3, &["verify"]).out;
    assert!(found.contains(&order) && found.contains("journal_entries"), "{found}");
    assert!(!run(site, 3, &["verify", "--json"]).json()["problems"].as_array().unwrap().is_empty());
    tamper(conn, "update postings set amount = amount / 2");
    run(site, 0, &["verify"]);

    tamper(conn, "update orders set net = net + 1");
    let found = run(site, 3, &["replay", "--check"]).out;
    assert!(found.contains("main 301: net is 101, should be 100"), "{found}");
    tamper(conn, "update orders set net = net - 1");
    run(site, 0, &["replay", "--check"]);
    run(site, 2, &["replay"]);
}

/// An event that waits for its next try is work that has still to be done.
fn unfinished_work_is_no_difference(site: &Site, conn: &mut PgConnection) {
    let held = "insert into outbox (topic, event_id, key, occurred_at, attempts, lease_owner, lease_until)
                select 'order_review', gen_random_uuid(), order_id, now(), 1, null, now() + interval '1 hour'
                from orders";
    conn.batch_execute(held).unwrap();
    let waited = run(site, 1, &["replay", "--check", "--wait", "0"]);
    assert!(
        waited.err.contains("1 event(s) still wait") && waited.err.contains("upline serve"),
        "{}",
        waited.err
    );
    conn.batch_execute("delete from outbox").unwrap();
}

fn tokens_and_users_are_shown_once(site: &Site) {
    let secret = run(site, 0, &["token", "add", "--scope", "read", "--name", "reports"]).out;
    assert!(secret.starts_with("upl_") && secret.lines().count() == 1, "{secret}");
    run(site, 2, &["token", "add", "--scope", "all"]);
    let nowhere = run(site, 1, &["token", "add", "--scope", "orders", "--store", "nowhere"]);
    assert!(
        nowhere.err.contains(r#"no store "nowhere""#) && nowhere.err.contains("store list"),
        "{}",
        nowhere.err
    );
    let listed = run(site, 0, &["token", "list", "--json"]);
    assert!(!listed.all().contains(secret.trim()));
    let id = listed.json()[0]["token_id"].to_string();
    run(site, 0, &["token", "revoke", &id]);
    assert!(run(site, 1, &["token", "revoke", &id]).err.contains("token list"));

    let link = run(site, 0, &["user", "add", "Ann@Example.com", "--role", "operator"]).out;
    assert!(link.contains("/login/once?token="), "{link}");
    assert!(run(site, 1, &["user", "add", "ann@example.com", "--role", "viewer"]).err.contains("already"));
    assert!(run(site, 1, &["user", "add", "ann", "--role", "viewer"]).err.contains("e-mail"));
    let users = run(site, 0, &["user", "list"]).out;
    assert!(users.contains("ann@example.com") && users.contains("no password yet"), "{users}");
}

#[test]
fn plans_are_checked_without_a_database() {
    let site = Site::new("cli-plan");
    let good = site.file("good.toml", PLAN);
    assert!(run(&site, 0, &["plan", "check", &good]).out.contains("Sample company"));
    let same =
        site.file("same.toml", format!("# said differently\n\n{}", PLAN.replace("\"0.20\"", "\"0.2\"")));
    assert_eq!(run(&site, 0, &["plan", "hash", &good]).out, run(&site, 0, &["plan", "hash", &same]).out);
    let shown = run(&site, 0, &["plan", "show", &good]).out;
    assert!(shown.contains("unilevel") && shown.contains("diamond"), "{shown}");

    let wrong = PLAN.replace("compression =", "compresion =").replace("\"half_up\"", "\"upwards\"");
    let bad = site.file("bad.toml", &wrong);
    let line = wrong.lines().position(|line| line.starts_with("compresion")).unwrap() + 1;
    for arguments in [&["plan", "check", &bad][..], &["plan", "publish", &bad, "--from", "2026-01-01"]] {
        let refused = run(&site, 1, arguments).err;
        let told = [format!("line {line}: "), "compresion".into(), "compression".into(), "upwards".into()];
        assert!(told.iter().all(|part| refused.contains(part)), "{refused}");
    }
    let checked = run(&site, 1, &["plan", "check", &bad, "--json"]).json();
    assert_eq!((&checked["valid"], checked["problems"].as_array().unwrap().len()), (&json!(false), 2));
    assert!(run(&site, 2, &["plan", "publish", &good, "--from", "soon"]).err.contains("2026-01-31"));
    run(&site, 2, &["plan", "show"]);

    assert!(run(&site, 0, &["plan", "diff", &good, &same]).out.contains("mean the same"));
    let raised = site.file("raised.toml", PLAN.replace("accessory = \"0.05\"", "accessory = \"0.06\""));
    let told = run(&site, 3, &["plan", "diff", &good, &raised]).out;
    assert!(told.contains("~  bonus.direct.rates.accessory  0.05  0.06"), "{told}");
    let told = run(&site, 3, &["plan", "diff", "--json", &raised, &good]).json();
    let change = json!({"path": "bonus.direct.rates.accessory", "was": "0.06", "is": "0.05"});
    assert_eq!(told["changes"], json!([change]));
    let schema = run(&site, 0, &["plan", "schema"]).out;
    assert_eq!(schema, include_str!("../../config/plan.schema.json"));
}

#[test]
fn scenarios_and_payloads_need_no_database() {
    let site = Site::new("cli-pure");
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let file = |name: &str| scenarios.join(name).to_string_lossy().into_owned();
    let good = [file("seed_table.txt"), file("refund_by_line.txt")];
    assert_eq!(run(&site, 0, &["scenario", &good[0], &good[1]]).out.matches("ok ").count(), 2);
    let text = std::fs::read_to_string(&good[1]).unwrap().replace("1 TOP 5.00", "1 TOP 5.01");
    let plan = std::fs::read_to_string(scenarios.join("plans/mixed.toml")).unwrap();
    site.file("mixed.toml", plan);
    let off = site.file("off.txt", text.replace("plans/mixed.toml", "mixed.toml"));
    let failed = run(&site, 3, &["scenario", &off, &good[0]]).out;
    assert!(failed.contains("expected team level 1 to pay TOP 5.01, found 5.00"), "{failed}");
    let broken = site.file("broken.txt", "title Broken\nfrobnicate 1\n");
    assert!(run(&site, 1, &["scenario", &broken]).err.contains("line 2"));

    let refunds: &[&str] = &["30.00"];
    let body = Order { tax: "8.00", total: "108.00", refunds, ..Order::default() }.body();
    let payload = site.file("order.json", &body);
    let read = run(&site, 0, &["inspect", "--platform", "woocommerce", &payload]).out;
    assert!(read.contains("order 301") && read.contains("order_meta:distributor = 4"), "{read}");
    let read = run(&site, 0, &["inspect", "--platform", "woocommerce", "--json", &payload]).json();
    // 30.00 of 108.00 went back, so 30 x 100 / 108 of the goods.
    assert_eq!(read[0]["reports"][0]["commissionable"], "72.22");
    let off = site.file("off.json", body.replace(r#""total":"108.00""#, r#""total":"109.00""#));
    assert!(
        run(&site, 0, &["inspect", "--platform", "woocommerce", &off]).out.contains("does not close: total")
    );
    let noise = site.file("noise.json", "{\"id\":");
    assert!(run(&site, 1, &["inspect", "--platform", "woocommerce", &noise]).out.contains("unreadable"));
}

#[test]
fn a_wrong_command_line_is_told_apart_from_an_error() {
    let site = Site::new("cli-usage");
    for wrong in [&["sell"][..], &["plan"], &["import", "distributors"], &["verify", "--fix"], &["scenario"]]
    {
        assert!(run(&site, 2, wrong).err.contains("Usage"), "{wrong:?}");
    }
    let unknown = run(&site, 1, &["--database-url", "postgres://localhost:1/none", "verify"]).err;
    assert!(unknown.starts_with("error: ") && unknown.contains("cannot be reached"), "{unknown}");
    assert!(run(&site, 0, &["--version"]).out.contains(env!("CARGO_PKG_VERSION")));
}

/// What `upline doctor` says about one thing.
#[track_caller]
fn doctor(site: &Site, code: i32, name: &str) -> Value {
    let told = run(site, code, &["doctor", "--json"]).json();
    assert_eq!(told["healthy"], json!(code == 0));
    let checks = told["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).cloned().unwrap_or_else(|| panic!("{name}: {told}"))
}

/// Signed as the shop signs. A store that was just added is known to the server a moment later.
fn post(site: &Site, body: &str) {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let address = format!("{}/webhooks/main", site.base());
    wait::until("the delivery to be accepted", Duration::from_secs(30), || {
        let request = ureq::post(&address).config().proxy(None).http_status_as_error(false).build();
        let request = request
            .header("Content-Type", "application/json")
            .header("X-WC-Webhook-Topic", "order.updated")
            .header("X-WC-Webhook-Signature", &signature);
        let answer = request.send(body).expect("an answer");
        (answer.status() == 200).then_some(())
    });
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    text: String,
}

fn ask(conn: &mut PgConnection, sql: &str) -> String {
    sql_query(sql).get_result::<Answer>(conn).unwrap().text
}

/// As a superuser who knows how to get past the triggers.
fn tamper(conn: &mut PgConnection, sql: &str) {
    let around = ["set session_replication_role = replica", sql, "set session_replication_role = default"];
    conn.batch_execute(&around.join("; ")).unwrap();
}
