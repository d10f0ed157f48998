//! `searchCriteria`: groups of alternatives, sorting, pages, the count, and the last page again past the end.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::dialect::{Answer, Call};

/// Rows by what they may be searched by; told only when they are on the page.
pub struct Table<'a> {
    id: &'static str,
    fields: Vec<&'static str>,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    keys: Vec<String>,
    told: Box<dyn Fn() -> Value + 'a>,
}

impl<'a> Table<'a> {
    /// Sorted by `id` where nothing else is asked for.
    pub fn new(id: &'static str, fields: &[&'static str]) -> Self {
        Self { id, fields: fields.to_vec(), rows: vec![] }
    }

    /// `keys` are of the fields, each so written that its text sorts as its value does.
    pub fn add<const N: usize>(&mut self, keys: [String; N], told: impl Fn() -> Value + 'a) {
        assert_eq!(N, self.fields.len());
        self.rows.push(Row { keys: keys.into(), told: Box::new(told) });
    }

    fn field(&self, name: &str) -> Result<usize, String> {
        let known = self.fields.iter().position(|field| *field == name);
        known.ok_or_else(|| format!("Column not found: 1054 Unknown column '{name}' in 'where clause'"))
    }
}

pub fn number(number: u64) -> String {
    format!("{number:020}")
}

pub fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Parameters in either spelling: `filterGroups` and `filter_groups`.
struct Asked<'c>(&'c Call);

impl Asked<'_> {
    fn get(&self, path: &[&str]) -> Option<&str> {
        let plain = |text: &str| text.replace('_', "").to_lowercase();
        let wanted: Vec<String> = path.iter().map(|part| plain(part)).collect();
        let wanted = format!("searchcriteria[{}]", wanted.join("]["));
        self.0.query.iter().find(|(name, _)| plain(name) == wanted).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Result<Option<usize>, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("Error converting {name}: {text}"));
        self.get(&[name]).map(number).transpose()
    }
}

enum Filter {
    Compare { at: usize, condition: String, value: String },
    In { at: usize, values: Vec<String> },
}

impl Filter {
    fn read(table: &Table<'_>, field: &str, condition: &str, value: &str) -> Result<Self, String> {
        let at = table.field(field)?;
        let is_number = field.ends_with("_id");
        let key = |text: &str| match is_number {
            true => text.trim().parse().map(number).unwrap_or_default(),
            false => text.to_owned(),
        };
        Ok(match condition {
            "in" => Self::In { at, values: value.split(',').map(key).collect() },
            _ => Self::Compare { at, condition: condition.to_owned(), value: key(value) },
        })
    }

    fn holds(&self, row: &Row<'_>) -> bool {
        match self {
            Self::In { at, values } => values.contains(&row.keys[*at]),
            Self::Compare { at, condition, value } => {
                let own = &row.keys[*at];
                match condition.as_str() {
                    "eq" => own == value,
                    "neq" => own != value,
                    "gt" => own > value,
                    "gteq" | "from" => own >= value,
                    "lt" => own < value,
                    "lteq" | "to" => own <= value,
                    other => panic!("a condition of the platform: {other}"),
                }
            }
        }
    }
}

fn groups(table: &Table<'_>, asked: &Asked<'_>) -> Result<Vec<Vec<Filter>>, String> {
    let mut groups = vec![];
    for group in 0.. {
        let mut filters = vec![];
        for filter in 0.. {
            let (group, filter) = (group.to_string(), filter.to_string());
            let part = |name: &str| asked.get(&["filter_groups", &group, "filters", &filter, name]);
            let Some(field) = part("field") else { break };
            let condition = part("condition_type").unwrap_or("eq");
            filters.push(Filter::read(table, field, condition, part("value").unwrap_or_default())?);
        }
        if filters.is_empty() {
            break;
        }
        groups.push(filters);
    }
    Ok(groups)
}

fn sorts(table: &Table<'_>, asked: &Asked<'_>) -> Result<Vec<(usize, bool)>, String> {
    let mut sorts = vec![];
    for sort in 0.. {
        let part = |name: &str| asked.get(&["sort_orders", &sort.to_string(), name]);
        let Some(field) = part("field") else { break };
        sorts.push((table.field(field)?, part("direction") == Some("ASC")));
    }
    if sorts.is_empty() {
        sorts.push((table.field(table.id)?, true));
    }
    Ok(sorts)
}

pub fn list(call: &Call, table: &Table<'_>) -> Answer {
    let page = found(call, table);
    match page {
        Ok(page) => Answer::json(200, &page),
        Err(message) => super::failed(400, &message),
    }
}

fn found(call: &Call, table: &Table<'_>) -> Result<Value, String> {
    let asked = Asked(call);
    if !call.query.iter().any(|(name, _)| name.starts_with("searchCriteria")) {
        return Err("\"searchCriteria\" is required. Enter and try again.".to_owned());
    }
    let (groups, sorts) = (groups(table, &asked)?, sorts(table, &asked)?);
    let holds = |row: &&Row<'_>| groups.iter().all(|any| any.iter().any(|filter| filter.holds(row)));
    let mut rows: Vec<&Row<'_>> = table.rows.iter().filter(holds).collect();
    rows.sort_by(|one, other| {
        let compare = |(at, ascending): &(usize, bool)| {
            let order = one.keys[*at].cmp(&other.keys[*at]);
            if *ascending { order } else { order.reverse() }
        };
        sorts.iter().map(compare).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let total = rows.len();
    let size = asked.number("page_size")?.unwrap_or(total.max(1));
    if size > 300 && asked.get(&["page_size"]).is_some() {
        return Err("Maximum SearchCriteria pageSize is 300".to_owned());
    }
    let last = total.div_ceil(size).max(1);
    let page = asked.number("current_page")?.unwrap_or(1).clamp(1, last);
    let items: Vec<Value> =
        rows.into_iter().skip((page - 1) * size).take(size).map(|row| (row.told)()).collect();
    let whole = json!({"items": items, "search_criteria": {"page_size": size}, "total_count": total});
    Ok(call.param("fields").map_or(whole.clone(), |fields| super::pruned(&whole, fields)))
}

/// `a,b[c,d],e` to (a, ""), (b, "c,d"), (e, "").
pub fn fields(text: &str) -> Vec<(&str, &str)> {
    let mut found = vec![];
    let (mut depth, mut begin) = (0, 0);
    let ends = text.char_indices().chain([(text.len(), ',')]);
    for (at, character) in ends {
        match character {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                let field = &text[begin..at];
                let (name, inner) = field.split_once('[').unwrap_or((field, ""));
                found.push((name, inner.strip_suffix(']').unwrap_or(inner)));
                begin = at + 1;
            }
            _ => {}
        }
    }
    found
}
