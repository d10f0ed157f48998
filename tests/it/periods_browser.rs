//! Two people close a period of a small company in a real browser; and what the pages refuse to everybody else.

use serde_json::{Value, json};
use upline::db::Lane;
use upline::periods;
use upline::plans::Plans;

use crate::browser::FAULTS;
use crate::support::app::{PLAN, TestApp};
use crate::support::browser::Browser;
use crate::support::chromium::Chromium;
use crate::support::payload::Order;

impl TestApp {
    /// 10, 2 and 1 percent as in the sample, but at the close; one order of 100 dollars of a month that is over.
    fn with_an_ended_period() -> Self {
        let sample = std::fs::read_to_string(PLAN).expect("the sample plan");
        let plan = sample
            .replace("family = \"unilevel\"", "family = \"unilevel\"\npays = \"period\"")
            .replace("id = \"standard\"", "id = \"standard\"\ncv = { of_net = \"1\" }");
        let app = Self::with_plan(&plan);
        let body = Order::default().body().replace("2026-11-01", "2026-10-05");
        let answer = app.deliver("order.updated", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        app.drain();
        app.make_periods();
        app
    }

    /// Those that the calendar makes by itself after a while.
    pub fn make_periods(&self) {
        let now = chrono::Utc::now();
        let make = |tx: &mut upline::db::Tx<'_>| {
            let published = Plans::default().get(tx.conn)?;
            periods::ensure(tx, &published, now)
        };
        self.db.transact(Lane::Admin, make).expect("periods");
    }

    /// A link that signs somebody else in.
    fn link_for(&self, email: &str, role: &str) -> String {
        let link = self.run(&["user", "add", email, "--role", role]).ok();
        let path = link.find("/login/").map(|at| &link[at..]).expect("a link");
        format!("{}{path}", self.base)
    }
}

#[test]
fn two_people_close_a_period() {
    let app = TestApp::with_an_ended_period();
    let Some(ann) = Chromium::open() else { return };
    ann.go(&app.login_link);
    ann.open_menu("Periods");
    ann.follow("2026-10");
    ann.see_heading("Period 2026-10");
    ann.see("Orders so far");
    ann.press("Soft close");
    ann.see("Softly closed: orders that are told from now on");
    ann.press("Freeze");
    ann.see("every run of the period starts from the same facts");
    ann.press("Start the official run");
    ann.see_heading("Run of 2026-10");
    // The page follows the run by itself.
    ann.see("somebody else has to approve it");
    for shown in ["13.00 USD", "13 %", "within the limit", "to the cent", "No earlier period was posted yet"]
    {
        ann.see(shown);
    }
    let run = ann.address();
    assert!(!ann.page_text().contains("Approve\n"), "{}", ann.page_text());

    let Some(ben) = Chromium::open() else { return };
    ben.go(&app.link_for("ben@example.test", "admin"));
    ben.see_heading("Dashboard");
    ben.see("Period 2026-10");
    ben.go(&run);
    ben.press("Approve");
    ben.see("Approved. Posting it writes the ledger.");
    ben.fill("to post", "2026-11");
    ben.press("Post to the ledger");
    ben.see("Type 2026-10 to confirm; nothing was posted.");
    ben.fill("to post", "2026-10");
    ben.press("Post to the ledger");
    ben.see("Posted to the ledger.");
    ben.see("posted");

    ben.follow("Earners");
    ben.see_heading("Earners");
    ben.fill("begins with", "Dor");
    ben.press("Filter");
    ben.see("Clear");
    ben.see("Dora");
    ben.open_first_row();
    ben.see_heading("4");
    ben.follow("why");
    ben.see_heading("Why 10.00 USD");
    for shown in ["period 2026-10", "100 × 0.1 = 10", "pool", "Posted"] {
        ben.see(shown);
    }
    let mut wrong = faults(&ben);
    ben.go(&run);
    wrong.extend(faults(&ben));
    ben.resize(1440, 1000);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    ben.open_menu("Ledger");
    ben.see("period 2026-10");
    ben.go(&format!("{}/admin/distributors/4", app.base));
    ben.see("period 2026-10");
    ben.open_menu("Periods");
    ben.see("closed");
    ben.follow("2026-10");
    ben.see("Closed");
    assert_eq!(ben.complaints(), Vec::<String>::new());
}

#[test]
fn pages_of_periods_fit_and_are_labelled_in_light_and_dark() {
    let app = TestApp::with_an_ended_period();
    let Some(browser) = Chromium::open() else { return };
    browser.go(&app.login_link);
    let period = format!("{}/admin/periods/2026-10", app.base);
    browser.go(&period);
    browser.press("Start an unofficial run");
    browser.see("it is never posted");
    let first = browser.address();
    browser.go(&period);
    browser.press("Start an unofficial run");
    browser.see("it is never posted");
    let run = browser.address();
    let other = first.rsplit('/').next().expect("an id");
    browser.go(&period);
    browser.follow("compare");
    browser.see("the same result hash");

    let simulate = format!("{}/admin/simulate", app.base);
    let pages = [
        format!("{}/admin/periods", app.base),
        period,
        run.clone(),
        format!("{run}/earners"),
        format!("{run}/earners/4"),
        format!("{run}/ranks"),
        format!("{run}/compare?with={other}"),
        simulate.clone(),
    ];
    let mut wrong = vec![];
    for theme in ["Light", "Dark"] {
        browser.resize(1440, 1000);
        browser.go(&simulate);
        browser.touch("Account of admin@localhost");
        browser.press(theme);
        browser.await_theme(theme);
        for page in &pages {
            browser.go(page);
            wrong.extend(faults(&browser).into_iter().map(|fault| format!("{page} {theme}: {fault}")));
        }
        // What only a form shows.
        browser.go(&simulate);
        let plan = std::fs::read_to_string(PLAN).expect("the sample plan");
        browser.paste("Or a document", &plan.replace("0.10", "0.20"));
        browser.press("Calculate");
        browser.see("Nothing was written.");
        browser.see("10.00 USD");
        wrong.extend(faults(&browser).into_iter().map(|fault| format!("what if, {theme}: {fault}")));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn faults(browser: &Chromium) -> Vec<String> {
    let mut found = vec![];
    for width in [1440, 390] {
        browser.resize(width, 900);
        let faults = browser.run(FAULTS, json!(width));
        found.extend(faults.as_array().expect("a list").iter().map(|fault| format!("{width}: {fault}")));
    }
    found.extend(browser.complaints());
    found
}

#[test]
fn a_viewer_reads_periods_and_changes_none() {
    let app = TestApp::with_an_ended_period();
    let viewer = Browser::by_link(&app, &app.link_for("eve@example.test", "operator"));
    let page = viewer.get("/admin/periods/2026-10");
    assert!(page.status == 200 && page.text.contains("Only an admin can do this"), "{}", page.text);
    assert!(!page.text.contains("<form method=\"post\" action=\"/admin/periods"));
    let run = "/admin/runs/0198f2a4-7c3e-7d52-9c1b-6f0f2a3b4c5d";
    for address in [
        "/admin/periods/2026-10/soft-close",
        "/admin/periods/2026-10/freeze",
        "/admin/periods/2026-10/unfreeze",
        "/admin/periods/2026-10/run",
        &format!("{run}/approve"),
        &format!("{run}/post"),
        &format!("{run}/discard"),
    ] {
        assert_eq!(viewer.send(address, &[("kind", "official")]).status, 403, "{address}");
    }
    for address in ["/admin/periods/2031-01", run, &format!("{run}/earners"), &format!("{run}/progress")] {
        assert_eq!(viewer.get(address).status, 404, "{address}");
    }

    assert_eq!(viewer.get("/admin/ledger").status, 200, "{}", viewer.get("/admin/ledger").text);

    let admin = Browser::of_admin(&app);
    let refused = admin.done("/admin/periods/2026-10/freeze", &[]).text;
    assert!(
        refused.contains("period 2026-10 is open") || refused.contains("Period 2026-10 is open"),
        "{refused}"
    );
    let refused = admin.done("/admin/periods/2026-11/soft-close", &[]).text;
    assert!(refused.contains("notice bad"), "{refused}");
}

#[test]
fn what_if_writes_nothing_and_gives_a_harmless_sheet() {
    let app = TestApp::with_an_ended_period();
    let viewer = Browser::by_link(&app, &app.link_for("eve@example.test", "viewer"));
    assert_eq!(viewer.send("/admin/simulate", &[("document", "x = 1"), ("periods", "2")]).status, 403);
    let operator = Browser::by_link(&app, &app.link_for("ops@example.test", "operator"));
    let plan = std::fs::read_to_string(PLAN).expect("the sample plan").replace("0.10", "0.20");
    let fields = [("document", plan.as_str()), ("periods", "2"), ("step", "csv")];
    let sheet = operator.send("/admin/simulate", &fields);
    assert_eq!(sheet.status, 200, "{}", sheet.text);
    let mut lines = sheet.text.lines();
    assert_eq!(lines.next(), Some("period,distributor_id,currency,as_it_was,with_this_plan,difference"));
    assert_eq!(lines.next(), Some("2026-10,4,USD,10,20,10"));
    assert_eq!(lines.next(), None, "nobody else gets another sum");
    let broken = operator.send("/admin/simulate", &[("document", "x = 1"), ("periods", "2")]);
    assert!(broken.status == 422 && broken.text.contains("problem"), "{}", broken.text);
    let none = operator.send("/admin/simulate", &[("periods", "0")]);
    assert!(none.status == 422 && none.text.contains("a number from 1 to 24"), "{}", none.text);
    assert!(viewer.get("/admin/periods/2026-10").text.contains("None yet."), "no run was made");
}

#[test]
fn programs_read_periods_runs_and_awards() {
    let app = TestApp::with_an_ended_period();
    let token = app.token("read");
    let read = |path: &str| app.read(&token, path);
    let periods = read("/api/v1/periods");
    let names: Vec<&str> = periods["periods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|period| period["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.last(), Some(&"2026-10"), "{periods}");
    let admin = Browser::of_admin(&app);
    admin.done("/admin/periods/2026-10/run", &[("kind", "unofficial")]);
    let run = crate::support::wait::until("the run", std::time::Duration::from_secs(20), || {
        let run = read("/api/v1/periods/2026-10")["runs"][0].clone();
        (run["status"] == "review").then_some(run)
    });
    assert_eq!((&run["kind"], &run["period"]), (&json!("unofficial"), &json!("2026-10")), "{run}");
    let id = run["run_id"].as_str().unwrap();
    let pools = read(&format!("/api/v1/runs/{id}"))["pools"].clone();
    assert_eq!(pools[0]["paid"], "13.00", "{pools}");
    let first = read(&format!("/api/v1/runs/{id}/awards?limit=2"));
    let after = first["next"].as_i64().expect("another page");
    let rest = read(&format!("/api/v1/runs/{id}/awards?after={after}"));
    assert_eq!(rest["next"], Value::Null);
    let all: Vec<(String, String)> = [first, rest]
        .iter()
        .flat_map(|page| page["awards"].as_array().unwrap().clone())
        .map(|award| (award["distributor_id"].to_string(), award["amount"].to_string()))
        .collect();
    let text = |who: &str, amount: &str| (format!("\"{who}\""), format!("\"{amount}\""));
    assert_eq!(all, [text("1", "1.00"), text("2", "2.00"), text("4", "10.00")]);
    let answer = app.get("/api/v1/runs/none", &[("Authorization", &format!("Bearer {token}"))]);
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_parameter"));
}

#[test]
fn what_changes_after_the_close_is_adjusted_and_explained() {
    let app = TestApp::with_an_ended_period();
    let token = app.token("read");
    let (ann, ben) =
        (Browser::of_admin(&app), Browser::by_link(&app, &app.link_for("ben@example.test", "admin")));
    ann.done("/admin/periods/2026-10/soft-close", &[]);
    ann.done("/admin/periods/2026-10/freeze", &[]);
    close(&app, &token, [&ann, &ben], "2026-10", "official");
    let newest = app.read(&token, "/api/v1/periods")["periods"][0]["name"].as_str().unwrap().to_owned();
    let open = format!("/admin/periods/{newest}");
    assert!(!ann.get(&open).text.contains("after the close"), "nothing has changed yet");

    let refunded = Order { refunds: &["100.00"], modified: "2026-11-20T10:00:00", ..Order::default() };
    let answer = app.deliver("order.updated", &refunded.body().replace("2026-11-01", "2026-10-05"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    app.drain();
    let page = ann.get(&open).text;
    assert!(page.contains("Orders of 1 closed period changed after the close"), "{page}");
    close(&app, &token, [&ann, &ben], &newest, "adjustment");
    assert!(!ann.get(&open).text.contains("after the close"), "it is adjusted");

    let entries = app.read(&token, "/api/v1/ledger/entries?distributor_id=4");
    let entries = entries["entries"].as_array().unwrap().clone();
    let events: Vec<String> = entries
        .iter()
        .flat_map(|entry| entry["postings"].as_array().unwrap().clone())
        .filter(|posting| posting["distributor_id"] == "4")
        .map(|posting| posting["event_id"].as_str().unwrap().to_owned())
        .collect();
    let explained = |event: &String| app.read(&token, &format!("/api/v1/events/{event}/explain"));
    let told: Vec<Value> = events.iter().map(explained).collect();
    let amounts: Vec<&str> = told.iter().map(|told| told["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, ["10", "-10"], "{told:?}");
    assert_eq!(told[0]["sources"][0]["rate"], "0.1", "{}", told[0]);
    assert_eq!((&told[1]["posted_into"], &told[1]["period"]), (&json!(newest), &json!("2026-10")));
    let page = ann.get(&format!("/admin/events/{}", events[1])).text;
    assert!(page.contains("0.00 − 10.00 = -10.00 USD"), "{page}");
    let answer = app.get(
        "/api/v1/events/0198f2a4-7c3e-7d52-9c1b-6f0f2a3b4c5d/explain",
        &[("Authorization", &format!("Bearer {token}"))],
    );
    assert_eq!((answer.status, answer.code().as_str()), (404, "unknown_event"));
}

/// The first starts a run, the second approves and posts it.
fn close(app: &TestApp, token: &str, [first, second]: [&Browser<'_>; 2], period: &str, kind: &str) {
    let started = first.send(&format!("/admin/periods/{period}/run"), &[("kind", kind)]);
    assert!(started.location.starts_with("/admin/runs/"), "{} {}", started.location, started.text);
    let run = started.location;
    let status = format!("/api/v1{}", run.trim_start_matches("/admin"));
    crate::support::wait::until("the run", std::time::Duration::from_secs(20), || {
        (app.read(token, &status)["status"] == "review").then_some(())
    });
    let own = first.done(&format!("{run}/approve"), &[]).text;
    assert!(own.contains("has started this run, so somebody else has to approve it"), "{own}");
    let approved = second.done(&format!("{run}/approve"), &[]).text;
    assert!(approved.contains("Approved."), "{approved}");
    let posted = second.done(&format!("{run}/post"), &[("confirm", period)]).text;
    assert!(posted.contains("Posted to the ledger."), "{posted}");
}
