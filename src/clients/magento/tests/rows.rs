//! A table that is searched as the platform searches: groups of alternatives, sorting, pages, the count.

use super::*;

pub type Row = Value;

pub fn order(id: u64, updated: &str) -> Row {
    json!({"entity_id": id, "created_at": "2026-04-30 10:00:00", "updated_at": updated,
        "base_total_invoiced": 0, "base_total_refunded": 0})
}

fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn number(url: &Url, name: &str) -> usize {
    param(url, &format!("searchCriteria[{name}]")).unwrap().parse().unwrap()
}

/// Numbers by their value, everything else by its text.
fn key(row: &Row, field: &str) -> (u64, String) {
    match &row[field] {
        Value::Number(number) => (number.as_u64().unwrap(), String::new()),
        other => (0, other.as_str().unwrap_or_default().to_owned()),
    }
}

fn holds(row: &Row, field: &str, condition: &str, value: &str) -> bool {
    let own = key(row, field);
    let other = if row[field].is_number() && condition != "in" {
        (value.parse().unwrap(), String::new())
    } else {
        (0, value.to_owned())
    };
    match condition {
        "eq" => own == other,
        "gt" => own > other,
        "gteq" => own >= other,
        "lt" => own < other,
        "in" => value.split(',').any(|one| row[field].to_string().trim_matches('"') == one),
        other => panic!("{other}"),
    }
}

fn passes(row: &Row, url: &Url) -> bool {
    (0..)
        .map_while(|group| {
            let filter = |i: usize, part: &str| {
                param(url, &format!("searchCriteria[filter_groups][{group}][filters][{i}][{part}]"))
            };
            filter(0, "field")?;
            let mut any = (0..).map_while(|i| {
                Some(holds(row, &filter(i, "field")?, &filter(i, "condition_type")?, &filter(i, "value")?))
            });
            Some(any.any(|holds| holds))
        })
        .all(|group| group)
}

/// The page and the count; past the end the last page again, as older versions do.
pub fn search(rows: &[Row], url: &Url) -> (Vec<Row>, usize) {
    let mut found: Vec<Row> = rows.iter().filter(|row| passes(row, url)).cloned().collect();
    let sorts: Vec<String> =
        (0..).map_while(|i| param(url, &format!("searchCriteria[sortOrders][{i}][field]"))).collect();
    found.sort_by_cached_key(|row| sorts.iter().map(|field| key(row, field)).collect::<Vec<_>>());
    let (size, total) = (number(url, "pageSize"), found.len());
    let page = number(url, "currentPage").min(total.div_ceil(size).max(1));
    (found.into_iter().skip((page - 1) * size).take(size).collect(), total)
}

pub fn listed(rows: &[Row], url: &Url) -> Result<Response, ApiError> {
    let (items, total) = search(rows, url);
    answer(200, json!({"items": items, "total_count": total, "search_criteria": {}}))
}
