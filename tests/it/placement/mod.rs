//! Both trees with the real app: places imported and filled, moves previewed, done, and posted orders that follow.

mod periods;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use upline::db::Lane;
use upline::ledger;

use crate::support::app::{PLAN, Ran, Site, TestApp};
use crate::support::browser::Browser;
use crate::support::payload::Order;

const HEADER: &str = "distributor_id,sponsor_id,status,country,tax_id,created_at";
const MATRIX: &str =
    "\n[placement]\ntree = \"matrix\"\nwidth = 3\ndepth = 3\nspillover = \"breadth_first\"\n";
const BINARY: &str = "\n[placement]\ntree = \"binary\"\nspillover = \"weaker\"\n";

/// Root sponsors A to D, in the order of their ids.
const FIVE: &str = "D,Root,active,US,,2022-01-05\nB,Root,active,US,,2022-01-03\nRoot,,active,US,,2022-01-01\n\
                    C,Root,active,US,,2022-01-04\nA,Root,active,US,,2022-01-02\n";

fn publish(site: &Site, placement: &str) {
    let plan = format!("{}{placement}", std::fs::read_to_string(PLAN).unwrap());
    site.run(&["plan", "publish", &site.file("plan.toml", &plan), "--from", "2020-01-01"]).ok();
}

fn import(site: &Site, columns: &str, rows: &str, more: &[&str]) -> Ran {
    let file = site.file("d.csv", &format!("{HEADER}{columns}\n{rows}"));
    site.run(&[&["import", "distributors", &file, "--json"], more].concat())
}

/// The way up and the places of those below, of a distributor's only position.
fn position(site: &Site, id: &str, more: &[&str]) -> (Vec<String>, Vec<(u64, String)>) {
    let told = site.run(&[&["distributor", "show", id, "--json"], more].concat()).json();
    let positions = told["positions"].as_array().unwrap();
    assert_eq!(positions.len(), 1, "{told}");
    let upline = positions[0]["upline"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
    let below = positions[0]["below"].as_array().unwrap().iter();
    let below = below.map(|b| (b["side"].as_u64().unwrap(), b["position"].as_str().unwrap().to_owned()));
    (upline.collect(), below.collect())
}

fn problems(ran: &Ran) -> Vec<(u64, String, String)> {
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let problem = |p: &Value| (p["line"].as_u64().unwrap(), text(&p["column"]), text(&p["message"]));
    told["problems"].as_array().unwrap().iter().map(problem).collect()
}

#[test]
fn newcomers_are_placed_by_the_plans_rule() {
    let site = Site::new();
    publish(&site, MATRIX);
    let told = import(&site, "", FIVE, &[]).json();
    assert_eq!((&told["new"], &told["placed"], &told["filled"]), (&json!(5), &json!(0), &json!(5)));
    let side = |side, id: &str| (side, id.to_owned());
    assert_eq!(position(&site, "Root", &[]), (vec![], vec![side(0, "A"), side(1, "B"), side(2, "C")]));
    assert_eq!(position(&site, "D", &[]), (vec!["A".to_owned(), "Root".to_owned()], vec![]));
    // Not before the enrolment.
    assert_eq!(position(&site, "A", &["--as-of", "2022-01-04"]).1, []);
    assert_eq!(position(&site, "A", &["--as-of", "2022-01-05"]).1, [side(0, "D")]);
    let again = import(&site, "", FIVE, &[]).json();
    assert_eq!((&again["unchanged"], &again["filled"]), (&json!(5), &json!(0)));
}

#[test]
fn filling_can_wait_and_is_shown_first() {
    let site = Site::new();
    let bare = site.run(&["distributor", "fill"]);
    assert!(bare.code == Some(1) && bare.err.contains("no [placement]"), "{}", bare.err);
    publish(&site, MATRIX);
    assert_eq!(import(&site, "", FIVE, &["--no-fill"]).json()["filled"], 0);
    assert!(site.run(&["distributor", "show", "D"]).ok().contains("has no position"));
    let shown = site.run(&["distributor", "fill", "--dry-run", "--json"]).json();
    let last = &shown["placed"][4];
    assert_eq!((&last["position"], &last["under"], &last["side"]), (&json!("D"), &json!("A"), &json!(0)));
    assert!(
        site.run(&["distributor", "show", "D"]).ok().contains("has no position"),
        "a dry run writes nothing"
    );
    assert!(site.run(&["distributor", "fill"]).ok().contains("5 placed"));
    assert!(site.run(&["distributor", "fill"]).ok().contains("0 placed"));
    assert!(site.run(&["distributor", "show", "D"]).ok().contains("position D, place 0: A > Root"));
}

#[test]
fn a_full_matrix_is_told_and_the_rest_is_placed() {
    let site = Site::new();
    publish(&site, &MATRIX.replace("width = 3\ndepth = 3", "width = 2\ndepth = 1"));
    let told = import(&site, "", FIVE, &[]).json();
    assert_eq!((&told["filled"], told["notes"].as_array().unwrap().len()), (&json!(3), 2));
    assert!(
        told["notes"][0].as_str().unwrap().starts_with("C has no place: nothing is free below"),
        "{told}"
    );
}

#[test]
fn places_come_with_the_file() {
    let site = Site::new();
    publish(&site, BINARY);
    let columns = ",placement_parent,placement_side,position";
    let rows = "A,Root,active,US,,2022-01-02,Root,right,\nRoot,,active,US,,2022-01-03,,,\n\
                B,A,active,US,,2022-01-03,Root,left,B-1\nC,A,active,US,,2022-01-04,,,\n";
    let told = import(&site, columns, rows, &[]).json();
    assert_eq!((&told["placed"], &told["filled"]), (&json!(3), &json!(1)));
    let side = |side, id: &str| (side, id.to_owned());
    assert_eq!(position(&site, "Root", &[]).1, [side(0, "B-1"), side(1, "A")]);
    assert_eq!(position(&site, "A", &[]).1, [side(0, "C")], "placed by the rule, under the sponsor");
    // Enrolled before the one above: there since that one is.
    assert!(site.run(&["distributor", "show", "A", "--as-of", "2022-01-02"]).ok().contains("no position"));
    let again = import(&site, columns, rows, &[]).json();
    assert_eq!((&again["placed"], &again["filled"]), (&json!(0), &json!(0)));
    // Somebody moves from a day on.
    let moved = rows.replace("Root,left,B-1", "A,1,B-1");
    assert_eq!(import(&site, columns, &moved, &["--effective", "2026-03-01"]).json()["placed"], 1);
    assert_eq!(position(&site, "B", &["--as-of", "2026-02-28"]).0, ["Root"]);
    assert_eq!(position(&site, "B", &["--as-of", "2026-03-01"]).0, ["A", "Root"]);
}

#[test]
fn one_wrong_place_keeps_the_file_out() {
    let site = Site::new();
    publish(&site, BINARY);
    let columns = ",placement_parent,placement_side,position";
    let rows = "Root,,active,US,,2022-01-01,,,\nA,Root,active,US,,2022-01-02,Root,up,\nB,Root,active,US,,2022-01-02,,left,\n\
                C,Root,active,US,,2022-01-02,Ghost,left,\nD,Root,active,US,,2022-01-02,Root,,\n\
                E,Root,active,US,,2022-01-02,Root,2,\nF,Root,active,US,,2022-01-02,G,0,\nG,Root,active,US,,2022-01-02,F,0,\n\
                H,Root,active,US,,2022-01-02,Root,0,\nI,Root,active,US,,2022-01-02,Root,left,\n\
                J,Root,active,US,,2022-01-02,H,left,X\nK,Root,active,US,,2022-01-02,H,right,X\n";
    let found = problems(&import(&site, columns, rows, &[]));
    for (line, column, told) in [
        (3, "placement_side", "\"up\" is no side"),
        (4, "placement_side", "needs a placement_parent"),
        (5, "placement_parent", "Ghost, which is not there"),
        (6, "placement_side", "is empty; write left, right"),
        (7, "placement_side", "the plan has 2 places"),
        (8, "placement_parent", "F -> G -> F"),
        (11, "placement_side", "both at place 0 under Root"),
        (13, "position", "X is in line 12 already"),
    ] {
        let is_it = |(l, c, t): &(u64, String, String)| *l == line && c == column && t.contains(told);
        assert!(found.iter().any(is_it), "line {line}, {column}: {told} in {found:#?}");
    }
    assert_eq!(site.run(&["distributor", "show", "Root"]).code, Some(1), "nothing was written");
}

#[test]
fn a_position_is_placed_and_moved_by_hand() {
    let site = Site::new();
    publish(&site, BINARY);
    import(&site, "", FIVE, &[]).ok();
    let place = |id: &str, more: &[&str]| site.run(&[&["distributor", "place", id], more].concat());
    let taken = place("D", &["--under", "Root", "--side", "left"]);
    assert!(taken.code == Some(1) && taken.err.contains("both at place 0 under Root"), "{}", taken.err);
    let wide = place("D", &["--under", "B", "--side", "2"]);
    assert!(wide.err.contains("the plan has 2 places under a position"), "{}", wide.err);
    let circle = place("A", &["--under", "C", "--side", "right"]);
    assert!(circle.err.contains("A -> C -> A"), "{}", circle.err);
    assert!(place("Nobody", &["--top"]).err.contains("Nobody, who is not known"));
    assert_eq!(place("D", &["--under", "B"]).code, Some(2), "a side is asked for");

    let told = place("C", &["--under", "B", "--side", "left", "--from", "2026-05-01", "--dry-run"]).ok();
    assert!(told.contains("Dry run, nothing changed. Position C of C stands under B, place 0"), "{told}");
    assert_eq!(position(&site, "C", &[]).0, ["A", "Root"]);
    let told = place("C", &["--under", "B", "--side", "left", "--from", "2026-05-01", "--json"]).json();
    assert_eq!((&told["applied"], &told["below"]), (&json!(true), &json!(0)));
    assert_eq!(position(&site, "C", &["--as-of", "2026-04-30"]).0, ["A", "Root"]);
    assert_eq!(position(&site, "C", &["--as-of", "2026-05-01"]).0, ["B", "Root"]);
    // A second position of the same distributor, and the place that C left.
    place("C", &["--position", "C-2", "--under", "A", "--side", "0", "--from", "2026-05-01"]).ok();
    let told = site.run(&["distributor", "show", "C", "--json"]).json();
    let ids: Vec<&Value> = told["positions"].as_array().unwrap().iter().map(|p| &p["position"]).collect();
    assert_eq!(ids, ["C", "C-2"]);
}

/// 4 sells under 2, 2 under 1; 3 beside them. 10 % for the seller, 2 % and 1 % for the two above.
fn company() -> TestApp {
    let app = TestApp::with_company();
    let file = app.file("3.csv", &format!("{HEADER}\n3,1,active,US,,2020-06-01\n"));
    app.run(&["import", "distributors", &file]).ok();
    app
}

fn deliver(app: &TestApp, order: &Order<'_>) {
    assert_eq!(app.deliver("order.updated", &order.body()).status, 200);
    app.drain();
}

/// What stands to be paid to 1, 2, 3 and 4.
fn payable(app: &TestApp) -> [String; 4] {
    ["1", "2", "3", "4"].map(|id| {
        let balances = app.db.read(Lane::Admin, |conn| ledger::payable(conn, id)).unwrap();
        let sum: Decimal = balances.iter().map(|balance| -balance.amount).sum();
        sum.normalize().to_string()
    })
}

fn is_sound(app: &TestApp) {
    app.run(&["verify"]).ok();
    app.run(&["replay", "--check"]).ok();
}

fn move_2_under_3(app: &TestApp, more: &[&str]) -> Ran {
    app.run(&[&["distributor", "move", "2", "--sponsor", "3", "--from", "2026-10-15"], more].concat())
}

#[test]
fn a_move_says_first_who_loses_and_who_gains() {
    let app = company();
    deliver(&app, &Order::default());
    deliver(&app, &Order { id: 302, distributor: Some("3"), ..Order::default() });
    let told = move_2_under_3(&app, &["--dry-run", "--json"]).json();
    let effect = &told["effect"];
    assert_eq!(
        (&told["applied"], &effect["orders"], &effect["changed"]),
        (&json!(false), &json!(1), &json!(1))
    );
    let share = |at: usize| {
        let share = &effect["shares"][at];
        ["distributor", "posted", "wanted"].map(|name| share[name].as_str().unwrap().to_owned())
    };
    let number = |text: &String| text.parse::<Decimal>().unwrap().normalize().to_string();
    assert_eq!(
        (&share(0)[0], number(&share(0)[1]), number(&share(0)[2])),
        (&"1".into(), "1".into(), "0".into())
    );
    assert_eq!(
        (&share(1)[0], number(&share(1)[1]), number(&share(1)[2])),
        (&"3".into(), "0".into(), "1".into())
    );
    let told = move_2_under_3(&app, &["--dry-run"]).ok();
    assert!(told.contains("1 USD would go to others.") && told.contains("unless --recalculate"), "{told}");
    assert_eq!(payable(&app), ["3", "2", "10", "10"], "nothing was done");
    // Later than the order: it is not reached.
    let later =
        app.run(&["distributor", "move", "2", "--sponsor", "3", "--from", "2026-11-02", "--dry-run"]).ok();
    assert!(later.contains("0 order(s) of open periods are reached"), "{later}");
    let circle =
        app.run(&["distributor", "move", "1", "--sponsor", "4", "--from", "2026-11-02", "--dry-run"]);
    assert!(circle.code == Some(1) && circle.err.contains("1 -> 4 -> 2 -> 1"), "{}", circle.err);
    let nothing = app.run(&["distributor", "move", "2", "--sponsor", "1", "--from", "2026-11-02"]);
    assert!(nothing.err.contains("stands there already"), "{}", nothing.err);
}

#[test]
fn a_move_alone_leaves_posted_orders_alone() {
    let app = company();
    deliver(&app, &Order::default());
    assert!(move_2_under_3(&app, &[]).ok().contains("keep their upline"));
    app.drain();
    assert_eq!(payable(&app), ["1", "2", "0", "10"]);
    // A refund takes back from those who were paid; another order pays by the moved tree.
    let refunded = Order { modified: "2026-11-02T10:00:00", refunds: &["50.00"], ..Order::default() };
    deliver(&app, &refunded);
    assert_eq!(payable(&app), ["0.5", "1", "0", "5"]);
    deliver(&app, &Order { id: 302, ..Order::default() });
    assert_eq!(payable(&app), ["0.5", "3", "1", "15"]);
    is_sound(&app);
    let told = app.run(&["distributor", "show", "4", "--as-of", "2026-10-14", "--json"]).json();
    assert_eq!(told["upline"], json!(["2", "1"]));
    let told = app.run(&["distributor", "show", "4", "--as-of", "2026-10-15", "--json"]).json();
    assert_eq!(told["upline"], json!(["2", "3", "1"]));
}

#[test]
fn posted_orders_follow_when_asked_and_stay_so() {
    let app = company();
    deliver(&app, &Order::default());
    deliver(&app, &Order { id: 302, distributor: Some("3"), ..Order::default() });
    // This one stands at zero for now.
    deliver(&app, &Order { id: 303, ..Order::default() });
    let cancelled =
        Order { id: 303, status: "cancelled", modified: "2026-11-02T10:00:00", ..Order::default() };
    deliver(&app, &cancelled);
    assert_eq!(payable(&app), ["3", "2", "10", "10"]);
    let told = move_2_under_3(&app, &["--recalculate", "--json"]).json();
    assert_eq!((&told["effect"]["orders"], &told["effect"]["changed"]), (&json!(2), &json!(1)));
    app.drain();
    assert_eq!(payable(&app), ["2", "2", "11", "10"]);
    is_sound(&app);
    // What comes later is compared with the moved upline.
    deliver(&app, &Order { modified: "2026-11-03T10:00:00", refunds: &["50.00"], ..Order::default() });
    assert_eq!(payable(&app), ["2", "1", "10.5", "5"]);
    deliver(&app, &Order { id: 303, modified: "2026-11-03T10:00:00", ..Order::default() });
    assert_eq!(payable(&app), ["2", "3", "11.5", "15"], "the cancelled one came back under the moved upline");
    is_sound(&app);
    // And back again.
    app.run(&["distributor", "move", "2", "--sponsor", "1", "--from", "2026-10-20", "--recalculate"]).ok();
    app.drain();
    assert_eq!(payable(&app), ["3.5", "3", "10", "15"]);
    is_sound(&app);
    assert_eq!(move_2_under_3(&app, &["--recalculate"]).code, Some(1), "it stands there on that day");
}

#[test]
fn orders_of_closed_periods_stay_as_they_are() {
    let app = company();
    deliver(&app, &Order::default());
    app.sql(
        "insert into periods (period_id, name, starts_at, ends_at, status, late_after_seq, cutoff_seq, known_at,
                              plan_hash, created_at)
         values (gen_random_uuid(), '2026-11', '2026-11-01', '2026-12-01', 'frozen', 0, 1000, now(), '\\x00', now())",
    );
    let reached = |more: &[&str]| {
        let effect = &move_2_under_3(&app, &[&["--json"], more].concat()).json()["effect"];
        ["orders", "changed", "closed"].map(|name| effect[name].as_u64().unwrap())
    };
    assert_eq!(reached(&["--dry-run"]), [1, 1, 0], "it came after the period had been closed to orders");
    app.sql("update periods set late_after_seq = 1000");
    assert_eq!(reached(&["--recalculate"]), [0, 0, 1]);
    app.drain();
    assert_eq!(payable(&app), ["1", "2", "0", "10"]);
}

#[test]
fn an_admin_moves_on_the_pages_after_a_look() {
    let app = company();
    deliver(&app, &Order::default());
    let admin = Browser::of_admin(&app);
    assert!(admin.get("/admin/distributors/2").text.contains("/admin/distributors/2/move"));
    let page = admin.get("/admin/distributors/2/move");
    assert_eq!((page.status, page.field("sponsor")), (200, "1".to_owned()));
    let send = |fields: &[(&str, &str)]| admin.send("/admin/distributors/2/move", fields);
    let fields = [("sponsor", "3"), ("sponsor_from", "2026-10-15"), ("step", "preview")];
    let preview = send(&fields);
    assert_eq!(preview.status, 200, "{}", preview.text);
    for told in ["2 goes to sponsor 3 from 2026-10-15 on", "-1.00", "Calculate the 1 posted order again"] {
        assert!(preview.text.contains(told), "{told} in {}", preview.text);
    }
    assert_eq!(payable(&app), ["1", "2", "0", "10"]);
    let refused = send(&[("sponsor", "4"), ("sponsor_from", "2026-10-15"), ("step", "move")]);
    assert!(refused.status == 422 && refused.text.contains("go round in a circle"), "{}", refused.text);
    assert_eq!(send(&[("sponsor", "3"), ("step", "move")]).status, 422, "a day is asked for");
    let fields = [("sponsor", "3"), ("sponsor_from", "2026-10-15"), ("recalculate", "yes"), ("step", "move")];
    let done = admin.done("/admin/distributors/2/move", &fields);
    assert!(
        done.text.contains("Orders that are calculated again: 1.") && done.text.contains("under <a"),
        "{}",
        done.text
    );
    app.drain();
    assert_eq!(payable(&app), ["0", "2", "1", "10"]);
    assert!(admin.get("/admin/settings").text.contains("distributor.move"));
}

#[test]
fn the_placement_tree_opens_on_the_pages() {
    let app = company();
    let admin = Browser::of_admin(&app);
    assert!(!admin.get("/admin/distributors/1").text.contains("Placement tree"));
    let place = |id: &str, fields: &[(&str, &str)]| {
        let path = format!("/admin/distributors/{id}/place");
        admin.send(&path, &[&[("place_from", "2026-06-01")], fields].concat())
    };
    assert_eq!(place("1", &[("step", "place")]).status, 303);
    let preview = place("2", &[("under", "1"), ("side", "left"), ("step", "preview")]);
    assert!(
        preview.text.contains("Position 2 goes under 1, place 0 from 2026-06-01 on."),
        "{}",
        preview.text
    );
    assert_eq!(place("2", &[("under", "1"), ("side", "left"), ("step", "place")]).status, 303);
    assert_eq!(place("4", &[("under", "2"), ("side", "right"), ("step", "place")]).status, 303);
    let taken = place("3", &[("under", "1"), ("side", "left"), ("step", "place")]);
    assert!(taken.status == 422 && taken.text.contains("both at place 0 under 1"), "{}", taken.text);
    assert_eq!(place("3", &[("under", "1"), ("side", "up"), ("step", "place")]).status, 422);

    let page = admin.get("/admin/distributors/1").text;
    assert!(page.contains("Placement tree") && page.contains("2 below in all"), "{page}");
    let branch = admin.get("/admin/distributors/2/places?position=2");
    assert!(branch.status == 200 && branch.text.contains("/admin/distributors/4?"), "{}", branch.text);
    let before = admin.get("/admin/distributors/2?as_of=2026-05-31").text;
    assert!(before.contains("2 has no position as of 2026-05-31"), "{before}");
    assert!(admin.get("/admin/settings").text.contains("position.place"));

    let link = app.run(&["user", "add", "eve@example.com", "--role", "operator", "--json"]).json();
    let operator = Browser::by_link(&app, link["login_url"].as_str().unwrap());
    assert!(!operator.get("/admin/distributors/2").text.contains("/move\""));
    assert_eq!(operator.get("/admin/distributors/2/move").status, 403);
    assert_eq!(operator.send("/admin/distributors/2/place", &[("step", "place")]).status, 403);
}
