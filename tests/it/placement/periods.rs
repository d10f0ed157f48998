//! What a move does to the bonuses of periods.

use super::*;

/// Levels and both sides, at the close of the period; 2 and 3 stand below 1, and 4 below 2.
fn company_paid_by_periods() -> (TestApp, String, String) {
    let plan = std::fs::read_to_string(PLAN)
        .unwrap()
        .replace("family = \"unilevel\"", "family = \"unilevel\"\npays = \"period\"")
        .replace("id = \"standard\"", "id = \"standard\"\ncv = { of_net = \"1\" }");
    let sides = "\n[[bonus]]\nid = \"sides\"\nfamily = \"binary\"\nbase = \"cv\"\nmode = \"weak_leg\"\nrate = \"0.10\"\n";
    let app = TestApp::with_plan(&format!("{plan}{sides}{BINARY}"));
    let file = app.file("3.csv", &format!("{HEADER}\n3,1,active,US,,2020-06-01\n"));
    app.run(&["import", "distributors", &file]).ok();
    let periods = app.run(&["period", "list", "--json"]).json();
    let now = periods.as_array().unwrap().last().unwrap().clone();
    let text = |name: &str| now[name].as_str().unwrap().to_owned();
    let (name, day) = (text("name"), text("starts_at")[..10].to_owned());
    let at = format!("{day}T00:00:01");
    for (id, who, net) in [(301, "4", "80.00"), (302, "2", "40.00"), (303, "3", "100.00")] {
        let order = Order {
            id,
            distributor: Some(who),
            net,
            total: net,
            created: &at,
            modified: &at,
            ..Order::default()
        };
        deliver(&app, &order);
    }
    (app, name, day)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Who is paid before and after, and the difference.
fn earners(told: &Value) -> Vec<(String, [String; 3])> {
    let number = |value: &Value| value.as_str().unwrap().parse::<Decimal>().unwrap().normalize().to_string();
    let earner = |earner: &Value| {
        let sums = ["before", "after", "difference"].map(|name| number(&earner[name]));
        (earner["distributor_id"].as_str().unwrap().to_owned(), sums)
    };
    told["earners"].as_array().unwrap().iter().map(earner).collect()
}

#[test]
fn a_move_shows_whose_bonuses_of_open_periods_rise_and_fall() {
    let (app, name, day) = company_paid_by_periods();
    let sums = |id: &str, sums: [&str; 3]| (id.to_owned(), sums.map(str::to_owned));
    let written = "select (select count(*) from placement_versions) + (select count(*) from runs)
                        + (select count(*) from commission_events) + (select count(*) from distributor_versions)
                        + (select count(*) from audit_log) as number";
    let written = || {
        let number = |conn: &mut _| Ok(sql_query(written).get_result::<Number>(conn)?.number);
        app.db.read(Lane::Admin, number).unwrap()
    };
    // To sign in is written down too.
    let admin = Browser::of_admin(&app);
    let before = written();

    // 100 on the left of 1 and 120 on the right pay 1; below 2 it is 80 and 100, and 1 has one side only.
    let place = ["distributor", "place", "3", "--under", "2", "--side", "right", "--from", &day, "--dry-run"];
    let told = app.run(&[&place[..], &["--json"]].concat()).json();
    let period = &told["periods"][0];
    assert_eq!((&told["applied"], &period["period"]), (&json!(false), &json!(name)), "{told}");
    assert_eq!(told["periods"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(
        earners(period),
        [sums("1", ["13.6", "3.6", "-10"]), sums("2", ["5.6", "13.6", "8"])],
        "{told}"
    );
    assert_eq!(
        (&period["before"], &period["after"], &period["difference"]),
        (&json!("37.2"), &json!("35.2"), &json!("-2"))
    );
    let told = app.run(&place).ok();
    assert!(
        told.contains(&format!(
            "Bonuses of period {name} (open), with what is known now: 37.2 USD, after the move 35.2"
        )),
        "{told}"
    );

    // By sponsors only the levels change: 3 comes between 1 and 2.
    let sponsor = ["distributor", "move", "2", "--sponsor", "3", "--from", &day, "--dry-run"];
    let told = app.run(&[&sponsor[..], &["--json"]].concat()).json();
    assert_eq!(
        earners(&told["periods"][0]),
        [sums("3", ["10", "11.6", "1.6"]), sums("1", ["13.6", "12.4", "-1.2"])],
        "{told}"
    );

    let fields = [("under", "2"), ("side", "right"), ("place_from", day.as_str()), ("step", "preview")];
    let page = admin.send("/admin/distributors/3/place", &fields).text;
    assert!(page.contains("Whose bonuses of periods rise and fall") && page.contains("-10.00"), "{page}");
    let fields = [("sponsor", "3"), ("sponsor_from", day.as_str()), ("step", "preview")];
    let page = admin.send("/admin/distributors/2/move", &fields).text;
    assert!(page.contains("Whose bonuses of periods rise and fall") && page.contains("-1.20"), "{page}");
    assert_eq!(written(), before, "a preview writes nothing");
}

#[test]
fn a_move_does_not_reach_what_is_frozen_but_what_follows_it() {
    let (app, _, day) = company_paid_by_periods();
    app.sql(
        "update periods set status = 'frozen', late_after_seq = 1000, cutoff_seq = 1000, known_at = now(),
                plan_hash = (select plan_hash from plans)",
    );
    let place = ["distributor", "place", "3", "--under", "2", "--side", "right", "--from", &day, "--dry-run"];
    let told = app.run(&place).ok();
    assert!(told.contains("No period that is not frozen yet is reached."), "{told}");
    app.sql(
        "insert into periods (period_id, name, starts_at, ends_at, created_at)
         select gen_random_uuid(), 'next', ends_at, ends_at + interval '1 month', now()
         from periods order by starts_at desc limit 1",
    );
    let periods = app.run(&["period", "list", "--json"]).json();
    let next = periods.as_array().unwrap().iter().find(|period| period["name"] == "next").unwrap();
    let at = format!("{}T00:00:01", &next["starts_at"].as_str().unwrap()[..10]);
    deliver(
        &app,
        &Order { id: 304, distributor: Some("3"), created: &at, modified: &at, ..Order::default() },
    );
    let told = app.run(&[&place[..], &["--json"]].concat()).json();
    let sums = |id: &str, sums: [&str; 3]| (id.to_owned(), sums.map(str::to_owned));
    assert_eq!(told["periods"].as_array().unwrap().len(), 1, "{told}");
    // 20 on the right of 1 and 80 on the left of 2 are left over.
    assert_eq!(
        earners(&told["periods"][0]),
        [sums("2", ["0", "8", "8"]), sums("1", ["4", "2", "-2"])],
        "{told}"
    );
}
