use std::collections::BTreeSet;

use super::super::Plan;
use super::super::read::ASKED;
use super::families::KEYS;
use super::*;
use crate::core::bonus::FAMILIES;

/// What the sample plans do not have.
const REST: &str = r#"
[plan]
id = "rest"
currency = "USD"
[rounding]
mode = "down"
stage = "line"
[period]
cadence = "day"
zone = "UTC"
[active]
min_pv = "1"
window = "period_to_date"
[placement]
tree = "matrix"
width = 3
depth = 9
[[rank]]
id = "gold"
achieve = { pgv = "1", days = 30, rank = "gold" }
[[class]]
id = "standard"
cv = { per_unit = "1" }
[[bonus]]
id = "matrix"
family = "matrix"
base = "cv"
rates = ["0.05"]
"#;

fn samples() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/plans");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| std::fs::read_to_string(file).unwrap()).chain([REST.to_owned()]).collect()
}

/// The schemas of whatever stands at `path`; more than one where there are alternatives.
fn at<'s>(root: &'s Value, path: &str) -> Vec<&'s Value> {
    let path = path.replace("[\"", ".").replace('[', ".#");
    let mut found = alternatives(root, root);
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let next = |schema: &'s Value| match step.starts_with('#') {
            true => schema.get("items"),
            false => {
                let own = schema.get("properties").and_then(|keys| keys.get(step));
                own.or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()))
            }
        };
        found = found.into_iter().filter_map(next).flat_map(|schema| alternatives(root, schema)).collect();
    }
    found
}

fn alternatives<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    if let Some(part) = schema.get("$ref").and_then(Value::as_str) {
        return alternatives(root, root.pointer(part.trim_start_matches('#')).unwrap());
    }
    let of = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)).and_then(Value::as_array);
    match of {
        Some(all) => all.iter().flat_map(|one| alternatives(root, one)).collect(),
        None => vec![schema],
    }
}

/// Whatever key the reader looks for has its place in the schema.
#[test]
fn the_schema_knows_every_key_that_is_asked_for() {
    let root = schema();
    let mut missing = BTreeSet::new();
    for text in samples() {
        ASKED.with_borrow_mut(Vec::clear);
        let _ = Plan::parse(&text);
        let document: toml::Table = text.parse().unwrap();
        for (path, asked) in ASKED.with_borrow(Clone::clone) {
            let schemas = at(&root, &path);
            let knows =
                |key: &str| schemas.iter().any(|s| s.get("properties").is_some_and(|k| k.get(key).is_some()));
            missing.extend(asked.iter().filter(|key| !knows(key)).map(|key| format!("{path}: {key}")));
            let Some(place) = path.strip_prefix("bonus[").and_then(|rest| rest.strip_suffix(']')) else {
                continue;
            };
            let Ok(place) = place.parse::<usize>() else { continue };
            let family = document["bonus"][place]["family"].as_str().unwrap();
            let then = root.pointer("/properties/bonus/items/allOf").unwrap().as_array().unwrap();
            let then = then.iter().find(|one| one["if"]["properties"]["family"]["const"] == family).unwrap();
            let known = then["then"]["propertyNames"]["enum"].as_array().unwrap();
            // It is asked for so that it can be refused with a fix.
            let has_pool = !["binary", "pool", "rank_advancement"].contains(&family);
            let asked = asked.iter().filter(|key| has_pool || **key != "pool");
            let unknown = asked.filter(|key| !known.iter().any(|known| known == **key));
            missing.extend(unknown.map(|key| format!("{family}: {key}")));
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

/// What a document of today says, the schema lets pass.
#[test]
fn the_schema_lets_the_samples_pass() {
    let root = schema();
    for text in samples() {
        let document: Value = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
        let mut waiting = vec![(String::new(), &root, &document)];
        while let Some((path, schema, value)) = waiting.pop() {
            let fitting = alternatives(&root, schema).into_iter().filter(|one| fits(one, value));
            let Some(schema) = fitting.max_by_key(|one| one.get("properties").is_some()) else {
                panic!("{path}: {value} is nothing that the schema knows");
            };
            for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                waiting.push((format!("{path}[{at}]"), &schema["items"], item));
            }
            for (key, item) in value.as_object().into_iter().flatten() {
                let own = schema.get("properties").and_then(|keys| keys.get(key));
                let schema =
                    own.or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()));
                waiting.push((format!("{path}.{key}"), schema.unwrap_or(&Value::Null), item));
            }
        }
    }
}

/// By itself, without what is inside.
fn fits(schema: &Value, value: &Value) -> bool {
    let kind = match value {
        Value::String(_) => "string",
        Value::Number(_) => "integer",
        Value::Bool(_) => "boolean",
        Value::Array(_) => "array",
        _ => "object",
    };
    let keys = || value.as_object().unwrap().keys();
    let is = |key: &String, of: &str| schema.get(of).is_some_and(|known| known.get(key).is_some());
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    schema["type"] == kind
        && schema.get("enum").and_then(Value::as_array).is_none_or(|words| words.contains(value))
        && required.into_iter().all(|key| value.get(key.as_str().unwrap()).is_some())
        && (kind != "object"
            || schema["additionalProperties"].is_object()
            || keys().all(|key| is(key, "properties")))
}

#[test]
fn every_family_has_its_keys() {
    let families: BTreeSet<&str> = FAMILIES.iter().map(|(word, _)| *word).collect();
    assert_eq!(KEYS.iter().map(|(family, _)| *family).collect::<BTreeSet<_>>(), families);
    let all: BTreeSet<String> = schema()
        .pointer("/properties/bonus/items/properties")
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let by_family = KEYS.iter().flat_map(|(_, keys)| *keys).map(|key| key.trim_end_matches('!').to_owned());
    let shared = ["id", "family", "pays", "provisional", "requires", "active"].map(str::to_owned);
    assert_eq!(by_family.chain(shared).collect::<BTreeSet<_>>(), all);
}

#[test]
fn the_file_beside_the_samples_is_the_schema() {
    let file = include_str!("../../../../config/plan.schema.json");
    let schema = serde_json::to_string_pretty(&schema()).unwrap();
    assert!(file.trim_end() == schema, "write it with: upline plan schema > config/plan.schema.json");
}
