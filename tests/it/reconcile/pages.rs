//! The pages of reconciled days: what they show, who may ask for another report, and what they give away.

use std::time::Duration;

use super::commands::{DAY, company, tamper};
use crate::support::browser::Browser;
use crate::support::wait;

#[test]
fn a_day_is_asked_for_and_read() {
    let app = company();
    let admin = Browser::of_admin(&app);
    let calendar = admin.get("/admin/reconciliation?store=main&month=2026-11");
    assert!(calendar.text.contains("November 2026") && calendar.text.contains("No day of these months"));
    let address = format!("/admin/reconciliation/main/{DAY}");
    assert!(admin.get(&address).text.contains("This day was not reconciled yet"));
    tamper(&app, "update orders set net = 77 where external_id = '302'");
    let asked = admin.done(&address, &[]);
    assert!(asked.text.contains("Asked for."), "{}", asked.text);
    let report = wait::until("the report", Duration::from_secs(30), || {
        let page = admin.get(&address).text;
        page.contains("Report 1").then_some(page)
    });
    for told in [
        "not ok",
        "Wrong nets (1)",
        "order 302 stands at a net of 77.00 USD; what we were told of it gives 100.00 USD",
        "The store cannot be asked",
        "sku:=NEW-1",
        "Commissionable",
        "Drift: explained by nothing",
    ] {
        assert!(report.contains(told), "{told} is not in\n{report}");
    }
    let dashboard = admin.get("/admin").text;
    assert!(dashboard.contains("1 day did not reconcile"), "{dashboard}");
    // The held order is worth as much as each of the other two; one of them is not as it should be.
    assert!(dashboard.contains("Explained by the ledger") && dashboard.contains("33.33 %"), "{dashboard}");
    assert!(admin.get("/admin/notices").text.contains("main: 2026-11-01 is not ok"));
    admin.done(&address, &[("heal", "yes")]);
    wait::until("the second report", Duration::from_secs(30), || {
        admin.get(&address).text.contains("Report 2").then_some(())
    });
    let healed = admin.get(&address).text;
    assert!(healed.contains("explained") && healed.contains("Mended (1)"), "{healed}");
    assert!(admin.get(&format!("{address}?report=1")).text.contains("This is an earlier report"));
    let calendar = admin.get("/admin/reconciliation?store=main&month=2026-11").text;
    assert!(calendar.contains("Sunday 1 November 2026: ") && calendar.contains("explained"), "{calendar}");
    assert!(admin.get("/admin/settings").text.contains("store.reconcile"));
}

#[test]
fn sheets_are_given_away_and_nobody_asks_without_leave() {
    let app = company();
    app.run(&["reconcile", "main", "--date", DAY]).ok();
    let admin = Browser::of_admin(&app);
    let address = format!("/admin/reconciliation/main/{DAY}");
    let sums = admin.get(&format!("{address}/sums.csv"));
    assert_eq!(sums.status, 200);
    assert!(
        sums.text.starts_with("store,day,report,") && sums.text.contains("\nmain,2026-11-01,1,explained,")
    );
    assert!(admin.get(&format!("{address}/differences.csv?report=1")).text.starts_with("store,day,"));
    let json: serde_json::Value =
        serde_json::from_str(&admin.get(&format!("{address}/report.json")).text).unwrap();
    assert_eq!(json["state"], "explained");
    for (path, status) in [
        (format!("{address}/sums.csv?report=9"), 404),
        (format!("{address}?report=9"), 404),
        ("/admin/reconciliation/nowhere/2026-11-01".to_owned(), 404),
        ("/admin/reconciliation/main/yesterday".to_owned(), 404),
    ] {
        assert_eq!(admin.get(&path).status, status, "{path}");
    }
    let link = app.run(&["user", "add", "vera@example.com", "--role", "viewer"]).ok();
    let link = link.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned();
    let viewer = Browser::by_link(&app, &link);
    let page = viewer.get(&address).text;
    assert!(page.contains("Operators and admins can ask"), "{page}");
    assert_eq!(viewer.send_bare(&address, &[("heal", "yes")]).status, 403);
    assert_eq!(admin.send_bare(&address, &[("heal", "yes")]).status, 403, "no token");
    assert_eq!(app.get(&address, &[]).status, 303, "nobody");
}
