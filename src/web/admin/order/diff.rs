//! Two revisions of an order side by side: every field that differs, by its path.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Diff, DiffRow};
use crate::reports::order as report;

pub fn against_the_one_before(order: &report::Order, number: i32) -> Option<Diff> {
    let find = |number: i32| order.revisions.iter().find(|told| told.number == number);
    let (is, was) = (find(number)?, find(number.checked_sub(1)?)?);
    Some(Diff { was: was.number.to_string(), is: is.number.to_string(), rows: rows(&was.told, &is.told) })
}

fn rows(was: &Value, is: &Value) -> Vec<DiffRow> {
    let mut fields: BTreeMap<String, (String, String)> = BTreeMap::new();
    leaves(was, String::new(), &mut |path, text| fields.entry(path).or_default().0 = text);
    leaves(is, String::new(), &mut |path, text| fields.entry(path).or_default().1 = text);
    let differs = fields.into_iter().filter(|(_, (was, is))| was != is);
    differs.map(|(field, (was, is))| DiffRow { field, was, is }).collect()
}

/// Every value that has no values in it, with its path. A stored report is never deep.
fn leaves(value: &Value, path: String, tell: &mut dyn FnMut(String, String)) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(field, path, tell);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, format!("{path}[{at}]"), tell);
            }
        }
        Value::Null => {}
        Value::String(text) => tell(path, text.clone()),
        other => tell(path, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_told() {
        let was = json!({"total": "10", "payment": "unpaid", "lines": [{"net": "10"}], "number": null});
        let is = json!({"total": "10", "payment": "paid", "lines": [{"net": "10"}, {"net": "2"}]});
        let rows: Vec<_> = rows(&was, &is).into_iter().map(|row| (row.field, row.was, row.is)).collect();
        let expected = [("lines[1].net", "", "2"), ("payment", "unpaid", "paid")];
        assert_eq!(rows, expected.map(|(field, was, is)| (field.into(), was.into(), is.into())));
    }
}
