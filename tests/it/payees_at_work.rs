//! Payout details on the command line and on the pages: who may do what, what is shown, and the exchange of the key.

use upline::access::{self, AccessProblem, Role};
use upline::clock::Clock;
use upline::db::{Db, Lane, Tx};
use upline::ingest;
use upline::vault::Vault;

use crate::support::app::{DISTRIBUTORS, Ran, SECRET, Site, TestApp};
use crate::support::browser::{Browser, Page};

const IBAN: &str = "DE89370400440532013000";
const ACCOUNT: &str = "12345678901234";
const SSN: &str = "123-45-6789";
const PASSWORD: &str = "correct horse battery";

fn people() -> String {
    DISTRIBUTORS.replace("T-4", SSN)
}

fn add_user(db: &Db, email: &str) {
    let (hashed, now) = (access::password::hash(PASSWORD).unwrap(), Clock::system().now());
    let add = |tx: &mut Tx<'_>| {
        let user = access::add_user(tx, email, Role::Admin, "test", now)?;
        access::set_password(tx, user.user_id, &hashed, &[], "test", now)
    };
    db.transact_or::<_, AccessProblem>(Lane::Admin, add).unwrap();
}

/// `upline payee ... --by EMAIL`, signed in.
fn payee(app: &TestApp, by: &str, arguments: &[&str]) -> Ran {
    let password = app.file("password", PASSWORD);
    app.run(&[&["payee"], arguments, &["--by", by, "--password-file", &password]].concat())
}

fn account(account: &str) -> [&str; 8] {
    ["--rail", "nacha", "--name", "Dora", "--routing-number", "021000021", "--account-number", account]
}

#[test]
fn the_command_line_asks_who_it_is() {
    let app = TestApp::start();
    app.run(&["import", "distributors", &app.file("people.csv", &people())]).ok();
    for email in ["ann@example.test", "bob@example.test"] {
        add_user(&app.db, email);
    }
    let (ann, bob) = ("ann@example.test", "bob@example.test");
    let set = |details: &[&str]| payee(&app, ann, &[&["set", "4"], details].concat());
    let dry = set(&[&account(ACCOUNT)[..], &["--dry-run"]].concat()).ok();
    assert!(dry.contains("****1234") && !dry.contains(ACCOUNT), "{dry}");
    assert!(app.run(&["payee", "show", "4"]).ok().contains("cannot be paid"));
    let first = set(&account(ACCOUNT)).ok();
    assert!(first.contains("****1234") && !first.contains(ACCOUNT), "{first}");
    let wrong = set(&["--rail", "sepa", "--name", "Dora", "--iban", "DE89370400440532013001"]);
    assert!(wrong.code == Some(1) && wrong.err.contains("iban") && !wrong.err.contains("3704"), "{wrong:?}");
    let held = set(&["--rail", "sepa", "--name", "Dora", "--iban", IBAN, "--json"]).json();
    assert!(held["held_until"].is_string() && held["masked"] == "IBAN DE ****3000", "{held}");

    let own = payee(&app, ann, &["release", "4"]);
    assert!(own.code == Some(1) && own.err.contains("ask somebody else"), "{own:?}");
    let stranger = payee(&app, "eve@example.test", &["release", "4"]);
    assert!(stranger.code == Some(1) && stranger.err.contains("no active admin"), "{stranger:?}");
    payee(&app, bob, &["release", "4", "--dry-run"]).ok();
    assert!(app.run(&["payee", "show", "4"]).ok().contains("Held until"));
    assert!(payee(&app, bob, &["release", "4", "--seen", "1"]).err.contains("version 2"));
    payee(&app, bob, &["release", "4", "--seen", "2"]).ok();
    let shown = app.run(&["payee", "show", "4", "--json"]).json();
    assert_eq!(
        (&shown["payee"]["held_until"], &shown["payee"]["version_no"]),
        (&serde_json::Value::Null, &2.into())
    );
    assert_eq!((&shown["tax"]["masked"], &shown["tax"]["withhold"]), (&"****6789".into(), &true.into()));
    assert!(!shown.to_string().contains(IBAN));

    payee(&app, ann, &["tax", "4", "--status", "w9", "--legal-name", "Dora Example"]).ok();
    let revealed = payee(&app, ann, &["reveal", "4", "--reason", "the bank asks", "--json"]).json();
    assert_eq!(revealed["payee"]["pay_to"]["iban"], IBAN);
    let revealed = payee(&app, ann, &["reveal", "4", "--tax", "--reason", "a form came back"]).ok();
    assert!(revealed.contains("123456789") && revealed.contains("Dora Example"), "{revealed}");
    assert_eq!(payee(&app, ann, &["reveal", "4", "--reason", "short"]).code, Some(1));

    let file = app
        .file("payees.csv", &format!("distributor_id,rail,name,iban\n2,sepa,Bob,{IBAN}\n9,sepa,X,{IBAN}\n"));
    let refused = payee(&app, ann, &["import", &file]);
    assert!(refused.code == Some(1) && refused.err.contains("line 3, distributor_id"), "{refused:?}");
    let file = app.file("payees.csv", &format!("distributor_id,rail,name,iban\n2,sepa,Bob,{IBAN}\n"));
    assert!(payee(&app, ann, &["import", &file, "--dry-run"]).ok().contains("Dry run"));
    assert_eq!(payee(&app, ann, &["import", &file, "--json"]).json()["import"]["new"], 1);

    assert!(payee(&app, ann, &["erase", "4", "--dry-run"]).ok().contains("2 version(s)"));
    payee(&app, ann, &["erase", "4"]).ok();
    assert!(app.run(&["payee", "show", "4"]).ok().contains("forgotten"));
    assert_eq!(payee(&app, ann, &["reveal", "4", "--reason", "the bank asks"]).code, Some(1));
}

fn visible(page: &Page, text: &str) -> bool {
    page.text.contains(text)
}

#[test]
fn the_pages_show_the_last_signs_and_ask_for_a_reason() {
    let app = TestApp::start();
    app.run(&["import", "distributors", &app.file("people.csv", &people())]).ok();
    let admin = Browser::of_admin(&app);
    let by = |email: &str, role: &str| {
        let added = admin.done("/admin/settings/users", &[("email", email), ("role", role)]);
        Browser::by_link(&app, &added.secret())
    };
    let (operator, viewer) = (by("olga@example.test", "operator"), by("eve@example.test", "viewer"));
    let address = "/admin/distributors/4/payee";
    let empty = operator.get(address);
    assert!(visible(&empty, "cannot be paid") && visible(&empty, "****6789") && !visible(&empty, SSN));
    assert!(!visible(&empty, "/payee/reveal") && !visible(&empty, "/payee/erase"));
    let wrong = operator.send(
        address,
        &[("rail", "nacha"), ("name", "Dora"), ("routing_number", "1"), ("account_number", ACCOUNT)],
    );
    assert!(
        wrong.status == 422 && visible(&wrong, "nine digits") && !visible(&wrong, ACCOUNT),
        "{}",
        wrong.text
    );
    let nacha =
        [("rail", "nacha"), ("name", "Dora"), ("routing_number", "021000021"), ("account_number", ACCOUNT)];
    assert!(visible(&operator.done(address, &nacha), "****1234"));
    let held = operator.done(address, &[("rail", "sepa"), ("name", "Dora"), ("iban", IBAN)]);
    assert!(visible(&held, "held until") && visible(&held, "somebody else has to release"), "{}", held.text);
    assert!(visible(&operator.get("/admin/distributors/4"), "IBAN DE ****3000"));

    let acts = [
        ("", &nacha[..]),
        ("/release", &[("version_no", "2")]),
        ("/tax", &[("status", "w9")]),
        ("/reveal", &[("what", "bank"), ("reason", "the bank asks")]),
        ("/erase", &[("confirm", "4")]),
    ];
    let page = viewer.get(address);
    assert!(page.status == 200 && !visible(&page, &format!("action=\"{address}")), "{}", page.text);
    for (act, fields) in acts {
        let address = format!("{address}{act}");
        assert_eq!(viewer.send(&address, fields).status, 403, "{address}");
        assert_eq!(admin.send_bare(&address, fields).status, 403, "{address}: without the form's token");
    }
    for (act, fields) in &acts[3..] {
        assert_eq!(operator.send(&format!("{address}{act}"), fields).status, 403, "{act}");
    }
    let own = operator.done(&format!("{address}/release"), &[("version_no", "2")]);
    assert!(visible(&own, "cannot release them") && visible(&own, "held until"));
    let released = admin.done(&format!("{address}/release"), &[("version_no", "2")]);
    assert!(visible(&released, "can be paid") && visible(&released, "released"), "{}", released.text);

    let reveal = |what: &str, reason: &str| {
        admin.send(&format!("{address}/reveal"), &[("what", what), ("reason", reason)])
    };
    let without = reveal("bank", "");
    assert!(without.status == 422 && !visible(&without, IBAN));
    let shown = reveal("bank", "the bank asks about a return");
    assert!(shown.status == 200 && visible(&shown, IBAN) && !visible(&shown, ACCOUNT));
    assert!(visible(&reveal("tax", "a form came back"), "123456789"));
    assert!(!visible(&admin.get(address), IBAN), "once");
    let log = admin.get("/admin/settings");
    assert!(
        visible(&log, "payee.reveal")
            && visible(&log, "the bank asks about a return")
            && !visible(&log, IBAN)
    );

    let recorded = admin.done(&format!("{address}/tax"), &[("status", "w9"), ("kind", "ssn")]);
    assert!(visible(&recorded, "Tax data recorded"), "{}", recorded.text);
    assert!(
        visible(&admin.done(&format!("{address}/erase"), &[("confirm", "5")]), "can be paid"),
        "not confirmed"
    );
    let gone = admin.done(&format!("{address}/erase"), &[("confirm", "4")]);
    assert!(visible(&gone, "cannot be paid") && visible(&gone, "forgotten") && !visible(&gone, "****3000"));
    assert_eq!(admin.get("/admin/distributors/99/payee").status, 404);
}

#[test]
fn an_exchanged_key_takes_everything_along() {
    let app = TestApp::start();
    app.run(&["store", "add", "--platform", "woocommerce", "--slug", "main", "--secret", SECRET]).ok();
    app.run(&["import", "distributors", &app.file("people.csv", &people())]).ok();
    add_user(&app.db, "ann@example.test");
    let ann = "ann@example.test";
    payee(&app, ann, &[&["set", "4"], &account(ACCOUNT)[..]].concat()).ok();
    let former = std::fs::read_to_string(app.dir().join("secret.key")).unwrap();
    let former = app.file("former.key", &former);
    let rotate =
        |more: &[&str]| app.run(&[&["payee", "rotate-key", "--old-key-file", &former], more].concat());
    assert!(rotate(&[]).err.contains("the one in place"), "nothing was exchanged");
    app.file("secret.key", &"c3".repeat(32));
    assert_eq!(payee(&app, ann, &["reveal", "4", "--reason", "the bank asks"]).code, Some(1), "not yet");
    assert!(rotate(&["--dry-run"]).ok().contains("2 key(s)"));
    let wrong = app.file("wrong.key", &"77".repeat(32));
    assert_eq!(app.run(&["payee", "rotate-key", "--old-key-file", &wrong]).code, Some(1));
    let sealed = rotate(&["--json"]).json()["sealed"].clone();
    assert_eq!((&sealed["keys"], &sealed["secrets"]), (&2.into(), &1.into()), "{sealed}");
    assert_eq!(rotate(&["--json"]).json()["sealed"]["keys"], 0, "again, without effect");
    let revealed = payee(&app, ann, &["reveal", "4", "--reason", "the bank asks", "--json"]).json();
    assert_eq!(revealed["payee"]["pay_to"]["account_number"], ACCOUNT);
    let vault = Vault::open(app.dir(), None).unwrap();
    let stores = app.db.read(Lane::Admin, ingest::list_stores).unwrap();
    let secret = stores
        .iter()
        .flat_map(|store| &store.secrets)
        .map(|it| vault.open_sealed(&it.sealed).unwrap())
        .next();
    assert_eq!(secret.unwrap(), SECRET.as_bytes());
}

#[test]
fn an_import_of_distributors_leaves_no_number_in_the_clear() {
    let site = Site::new();
    let import =
        |text: &str| site.run(&["import", "distributors", &site.file("people.csv", text), "--json"]).json();
    assert_eq!(import(&people())["new"], 3);
    let again = import(&people());
    assert_eq!((&again["changed"], &again["unchanged"]), (&0.into(), &3.into()));
    assert_eq!(site.run(&["payee", "show", "4", "--json"]).json()["tax"]["masked"], "****6789");
    import(&people().replace(SSN, "123-45-6780"));
    assert_eq!(site.run(&["payee", "show", "4", "--json"]).json()["tax"]["masked"], "****6780");
    import(&people().replace(SSN, ""));
    assert_eq!(
        site.run(&["payee", "show", "4", "--json"]).json()["tax"]["masked"],
        "****6780",
        "empty says nothing"
    );
}
