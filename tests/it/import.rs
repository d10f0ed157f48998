//! CSV imports with the real program: all or nothing, every problem by its line, again without harm.

use serde_json::{Value, json};

use super::support::app::{DISTRIBUTORS, Ran, SKUS, Site};

const HEADER: &str = "distributor_id,sponsor_id,status,country,tax_id,created_at";

fn distributors(site: &Site, rows: &str, more: &[&str]) -> Ran {
    let file = site.file("d.csv", &format!("{HEADER}\n{rows}"));
    site.run(&[&["import", "distributors", &file, "--json"], more].concat())
}

fn counts(told: &Value) -> [u64; 3] {
    ["new", "changed", "unchanged"].map(|name| told[name].as_u64().unwrap())
}

fn problems(ran: &Ran) -> Vec<(u64, String)> {
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["applied"], false);
    let problem = |p: &Value| (p["line"].as_u64().unwrap(), p["column"].as_str().unwrap().to_owned());
    told["problems"].as_array().unwrap().iter().map(problem).collect()
}

fn known(site: &Site) -> u64 {
    let told = distributors(site, "1,,active,US,,2020-01-01\n", &["--dry-run"]).json();
    told["unchanged"].as_u64().unwrap() + told["changed"].as_u64().unwrap()
}

#[test]
fn sponsors_may_come_later_and_again_changes_nothing() {
    let site = Site::new();
    let file = site.file("all.csv", DISTRIBUTORS);
    let import =
        |more: &[&str]| site.run(&[&["import", "distributors", &file, "--json"], more].concat()).json();
    assert_eq!(counts(&import(&["--dry-run"])), [3, 0, 0]);
    assert_eq!(counts(&import(&["--dry-run"])), [3, 0, 0], "a dry run writes nothing");
    assert_eq!(counts(&import(&[])), [3, 0, 0]);
    assert_eq!(counts(&import(&[])), [0, 0, 3]);
    assert!(site.run(&["import", "distributors", &file]).ok().contains("3 unchanged"));
}

#[test]
fn a_changed_standing_holds_from_the_day_that_is_given() {
    let site = Site::new();
    distributors(&site, "1,,active,US,,2020-01-01\n2,1,active,US,,2021-01-01\n", &[]).ok();
    let told = distributors(&site, "2,1,suspended,DE,,2021-01-01\n", &["--effective", "2026-03-01"]).json();
    assert_eq!(counts(&told), [0, 1, 0]);
    assert_eq!(
        counts(&distributors(&site, "2,1,suspended,,,2021-01-01\n", &[]).json()),
        [0, 0, 1],
        "blank keeps"
    );
}

#[test]
fn one_problem_keeps_the_whole_file_out() {
    let site = Site::new();
    let rows = "1,,active,US,,2020-01-01\n2,1,actve,US,,2020-01-01\n3,1,active,US,,yesterday\n,1,active,US,,2020-01-01\n\
                5,9,active,US,,2020-01-01\n1,,active,US,,2020-01-01\n";
    let found = problems(&distributors(&site, rows, &[]));
    for wanted in
        [(3, "status"), (4, "created_at"), (5, "distributor_id"), (6, "sponsor_id"), (7, "distributor_id")]
    {
        assert!(
            found.iter().any(|(line, column)| (*line, column.as_str()) == wanted),
            "{wanted:?} in {found:?}"
        );
    }
    assert_eq!(known(&site), 0, "nothing of it was written");
}

#[test]
fn circles_are_named_also_with_those_who_are_there() {
    let site = Site::new();
    let circle = "1,3,active,US,,2020-01-01\n2,1,active,US,,2020-01-01\n3,2,active,US,,2020-01-01\n";
    let ran = distributors(&site, circle, &[]);
    assert!(!problems(&ran).is_empty() && ran.out.contains("1 -> 3 -> 2 -> 1"), "{}", ran.out);
    distributors(&site, "1,,active,US,,2020-01-01\n2,1,active,US,,2020-01-01\n", &[]).ok();
    let ran = distributors(&site, "1,2,active,US,,2020-01-01\n", &[]);
    assert_eq!(problems(&ran)[0], (2, "sponsor_id".to_owned()));
    let ran = distributors(&site, "7,7,active,US,,2020-01-01\n", &[]);
    assert!(!problems(&ran).is_empty() && ran.out.contains("its own sponsor"));
}

#[test]
fn columns_are_told_by_name() {
    let site = Site::new();
    let file = site.file("x.csv", "distributor_id,status,created_at,shoe_size\n1,active,2020-01-01,38\n");
    let ran = site.run(&["import", "distributors", &file, "--json"]);
    let missing: Vec<String> = problems(&ran).into_iter().map(|(_, column)| column).collect();
    assert_eq!(missing, ["sponsor_id", "country", "tax_id"]);
    let file = site.file("y.csv", &format!("{HEADER},shoe_size\n1,,active,US,,2020-01-01,38\n"));
    let ran = site.run(&["import", "distributors", &file]);
    assert!(ran.err.contains("shoe_size"), "{}", ran.err);
    assert_eq!(ran.code, Some(0));
    let binary = site.file("z.csv", &format!("{HEADER}\n\u{0}"));
    assert_eq!(site.run(&["import", "distributors", &binary]).code, Some(1));
    assert_eq!(site.run(&["import", "distributors", "/nonexistent.csv"]).code, Some(1));
}

#[test]
fn mappings_are_compared_by_key() {
    let site = Site::new();
    let import = |text: &str, more: &[&str]| {
        let file = site.file("skus.csv", text);
        site.run(&[&["import", "skus", &file, "--json"], more].concat())
    };
    assert_eq!(counts(&import(SKUS, &["--dry-run"]).json()), [3, 0, 0]);
    assert_eq!(counts(&import(SKUS, &[]).json()), [3, 0, 0]);
    assert_eq!(counts(&import(SKUS, &[]).json()), [0, 0, 3]);
    let changed = SKUS.replace("Thing,things,standard", "Thing,things,premium");
    assert_eq!(counts(&import(&changed, &[]).json()), [0, 1, 2]);
    let header = "sku_id,platform,platform_sku,name,category,commission_class,store,key_kind\n";
    let rows = "A,ebay,1,,,c,,\nB,shopify,,,,c,,\nC,shopify,3,,,,,\nD,shopify,4,,,c,nowhere,\nE,shopify,5,,,c,,name\n\
                F,shopify,6,,,c,,\nG,shopify,6,,,c,,\nH,shopify,6,,,c,,product\n";
    let found = problems(&import(&format!("{header}{rows}"), &[]));
    let wanted: [(u64, &str); 6] = [
        (2, "platform"),
        (3, "platform_sku"),
        (4, "commission_class"),
        (5, "store"),
        (6, "key_kind"),
        (8, "platform_sku"),
    ];
    assert_eq!(found.iter().map(|(line, column)| (*line, column.as_str())).collect::<Vec<_>>(), wanted);
}

#[test]
fn a_class_that_no_plan_knows_is_noted() {
    let site = Site::new();
    site.run(&["plan", "publish", super::support::app::PLAN, "--from", "2020-01-01"]).ok();
    let text = SKUS.replace("things,standard", "things,standrad");
    let told = site.run(&["import", "skus", &site.file("s.csv", &text), "--json"]).json();
    assert_eq!(told["notes"].as_array().unwrap().len(), 1);
    assert!(told["notes"][0].as_str().unwrap().contains("standrad"));
    assert_eq!(told["applied"], json!(true));
}

#[test]
fn twenty_thousand_rows_in_any_order_are_one_import() {
    let site = Site::new();
    // Each sponsors the next, the lowest first in the file.
    let row = |i: u32| {
        let sponsor = if i == 1 { String::new() } else { (i - 1).to_string() };
        format!("{i},{sponsor},active,US,,2020-01-01\n")
    };
    let rows: String = (1..=20_000).rev().map(row).collect();
    assert_eq!(counts(&distributors(&site, &rows, &[]).json()), [20_000, 0, 0]);
    assert_eq!(counts(&distributors(&site, &rows, &[]).json()), [0, 0, 20_000]);
}
