//! The pieces that a schema is made of.

use serde_json::{Map, Value, json};

/// Fixed keys and no others.
pub(super) fn table<'k>(
    what: &str,
    required: &[&str],
    keys: impl IntoIterator<Item = (&'k str, Value)>,
) -> Value {
    let keys: Map<String, Value> = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let mut table = json!({"type": "object", "additionalProperties": false, "properties": keys});
    if !required.is_empty() {
        table = with(table, "required", json!(required));
    }
    told(table, what)
}

pub(super) fn list(what: &str, items: Value) -> Value {
    told(json!({"type": "array", "items": items}), what)
}

/// An exact number, which TOML can only carry as a text.
pub(super) fn amount(what: &str) -> Value {
    told(json!({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?$"}), what)
}

/// From 0 to 1.
pub(super) fn rate(what: &str) -> Value {
    told(json!({"type": "string", "pattern": "^(0(\\.[0-9]{1,8})?|1(\\.0{1,8})?)$"}), what)
}

pub(super) fn count(least: u16, what: &str) -> Value {
    told(json!({"type": "integer", "minimum": least}), what)
}

pub(super) fn flag(what: &str) -> Value {
    told(json!({"type": "boolean"}), what)
}

pub(super) fn words<T>(words: &[(&str, T)], what: &str) -> Value {
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    told(json!({"type": "string", "enum": words}), what)
}

/// A name that is declared elsewhere in the document.
pub(super) fn names(what: &str) -> Value {
    told(json!({"type": "string", "minLength": 1}), what)
}

/// A name that the writer chooses.
pub(super) fn id() -> Value {
    let what = "At most 64 letters, digits, _ - . and spaces; unique among its kind.";
    told(json!({"type": "string", "minLength": 1, "maxLength": 64}), what)
}

pub(super) fn reference(part: &str) -> Value {
    json!({"$ref": format!("#/$defs/{part}")})
}

pub(super) fn told(schema: Value, what: &str) -> Value {
    if what.is_empty() { schema } else { with(schema, "description", json!(what)) }
}

fn with(mut schema: Value, key: &str, value: Value) -> Value {
    if let Some(table) = schema.as_object_mut() {
        table.insert(key.to_owned(), value);
    }
    schema
}
