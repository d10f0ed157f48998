//! Takes a TOML document apart and remembers where everything stood.
//!
//! Every question that finds something wrong notes a problem and answers `None`; the reader goes on, so that
//! one look shows them all. A key that nobody asked for is a problem as well.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;
use toml::de::{DeTable, DeValue};

use super::problem::{PlanProblem, nearest};
use crate::core::fixed::{DIGITS, Fixed};

pub(crate) struct Doc<'t> {
    text: &'t str,
    problems: RefCell<Vec<PlanProblem>>,
}

impl<'t> Doc<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, problems: RefCell::new(Vec::new()) }
    }

    pub fn problem(&self, span: &Range<usize>, path: &str, message: String, fix: String) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        self.problems.borrow_mut().push(PlanProblem { line, path: path.to_owned(), message, fix });
    }

    /// In the document's order.
    pub fn into_problems(self) -> Vec<PlanProblem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|a, b| (a.line, &a.path).cmp(&(b.line, &b.path)));
        problems.dedup();
        problems
    }
}

/// One value and where it stands.
#[derive(Clone)]
pub(crate) struct Item<'d> {
    doc: &'d Doc<'d>,
    path: String,
    span: Range<usize>,
    value: &'d DeValue<'d>,
}

impl<'d> Item<'d> {
    pub fn problem(&self, message: impl Into<String>, fix: impl Into<String>) {
        self.doc.problem(&self.span, &self.path, message.into(), fix.into());
    }

    pub fn is_array(&self) -> bool {
        self.value.is_array()
    }

    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub fn text(&self) -> Option<&'d str> {
        let text = self.value.as_str().map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            self.problem(format!("expected a text, found {}", self.found()), "write it in quotes".to_owned());
        }
        text
    }

    /// An exact number, which TOML can only carry as a text.
    pub fn decimal(&self) -> Option<Decimal> {
        let Some(text) = self.value.as_str() else {
            let written = match self.value {
                DeValue::Float(float) => float.as_str(),
                DeValue::Integer(whole) if whole.radix() == 10 => whole.as_str(),
                _ => {
                    self.problem(
                        format!("expected a number, found {}", self.found()),
                        "write it as \"0.05\"",
                    );
                    return None;
                }
            };
            self.problem(
                format!("{written} is a number without quotes, which would not be exact"),
                format!("write \"{written}\""),
            );
            return None;
        };
        let parsed = Decimal::from_str_exact(text.trim()).ok();
        if parsed.is_none() {
            self.problem(format!("{text:?} is not a number"), "write digits with a point, such as \"0.05\"");
        }
        parsed.map(|number| number.normalize())
    }

    /// A number between two bounds and with at most eight digits after the point.
    pub fn decimal_within(&self, least: Decimal, most: Decimal) -> Option<Decimal> {
        let number = self.decimal()?;
        if number < least || number > most {
            let hint = if most == Decimal::ONE && number > most { "; a tenth is \"0.10\"" } else { "" };
            self.problem(
                format!("{number} is out of bounds"),
                format!("write a number from {least} to {most}{hint}"),
            );
            return None;
        }
        if number.scale() > 8 {
            self.problem(format!("{number} has too many digits"), "keep at most eight after the point");
            return None;
        }
        Some(number)
    }

    pub fn rate(&self) -> Option<Decimal> {
        self.decimal_within(Decimal::ZERO, Decimal::ONE)
    }

    /// A volume or an amount of money, as exact as a period counts them.
    pub fn amount(&self) -> Option<Fixed> {
        self.amount_within(Decimal::ZERO, Decimal::from(100_000_000_000_u64))
    }

    pub fn amount_within(&self, least: Decimal, most: Decimal) -> Option<Fixed> {
        let number = self.decimal_within(least, most)?;
        if number.scale() > DIGITS {
            self.problem(format!("{number} has too many digits"), "keep at most four after the point");
            return None;
        }
        Fixed::of(number).ok()
    }

    pub fn whole(&self, least: u16, most: u16) -> Option<u16> {
        let digits = self.value.as_integer().filter(|whole| whole.radix() == 10).map(|whole| whole.as_str());
        let number = digits.and_then(|digits| digits.replace('_', "").parse().ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.problem(
                format!("expected a whole number, found {}", self.found()),
                format!("write one from {least} to {most}, without quotes"),
            );
        }
        number
    }

    pub fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.problem(format!("expected true or false, found {}", self.found()), "write true or false");
        }
        flag
    }

    /// One of the words of the document.
    pub fn word<T: Clone>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(value.clone());
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.unknown("word", text, &names);
        None
    }

    /// A name that is declared elsewhere in the document.
    pub fn name_of(&self, what: &str, known: &[String]) -> Option<String> {
        let text = self.text()?;
        if known.iter().any(|name| name == text) {
            return Some(text.to_owned());
        }
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        self.unknown(what, text, &names);
        None
    }

    /// The same as its place among them.
    pub fn place_of(&self, what: &str, known: &[String]) -> Option<u16> {
        let name = self.name_of(what, known)?;
        known.iter().position(|known| *known == name).and_then(|at| u16::try_from(at).ok())
    }

    pub fn unknown(&self, what: &str, wrong: &str, known: &[&str]) {
        self.problem(format!("{wrong:?} is not a known {what}"), suggestion(wrong, known));
    }

    pub fn list(&self) -> Option<Vec<Item<'d>>> {
        let Some(array) = self.value.as_array() else {
            self.problem(format!("expected a list, found {}", self.found()), "write it in [ ]");
            return None;
        };
        let item = |(at, value): (usize, &'d toml::Spanned<DeValue<'d>>)| Item {
            doc: self.doc,
            path: format!("{}[{at}]", self.path),
            span: value.span(),
            value: value.get_ref(),
        };
        Some(array.iter().enumerate().map(item).collect())
    }

    /// A table whose keys are fixed words.
    pub fn table(&self) -> Option<Table<'d>> {
        let Some(table) = self.value.as_table() else {
            self.problem(format!("expected a table, found {}", self.found()), "write key = value pairs");
            return None;
        };
        Some(Table::new(self.doc, self.path.clone(), self.span.clone(), table))
    }

    /// A table whose keys are names that the writer chose, in the order in which they stand.
    pub fn entries(&self) -> Option<Vec<(&'d str, Item<'d>)>> {
        let mut entries = self.table()?.items();
        entries.sort_by_key(|(_, item)| item.span.start);
        Some(entries)
    }

    fn found(&self) -> String {
        match self.value {
            DeValue::String(text) => format!("{text:?}"),
            DeValue::Integer(whole) => whole.to_string(),
            DeValue::Float(float) => float.to_string(),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Datetime(_) => "a date".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        }
    }
}

/// A table of fixed words; remembers which were asked for.
pub(crate) struct Table<'d> {
    doc: &'d Doc<'d>,
    path: String,
    span: Range<usize>,
    table: &'d DeTable<'d>,
    asked: RefCell<Vec<&'static str>>,
    ignored: Cell<bool>,
}

impl<'d> Table<'d> {
    pub fn new(doc: &'d Doc<'d>, path: String, span: Range<usize>, table: &'d DeTable<'d>) -> Self {
        Self { doc, path, span, table, asked: RefCell::new(Vec::new()), ignored: Cell::new(false) }
    }

    pub fn optional(&self, key: &'static str) -> Option<Item<'d>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        drop(asked);
        self.items().into_iter().find(|(name, _)| *name == key).map(|(_, item)| item)
    }

    /// The texts of each table of a list, as far as they can be had, without judging anything.
    pub fn peek(&self, key: &str) -> Vec<BTreeMap<&'d str, &'d str>> {
        let Some(DeValue::Array(list)) = self.table.get(key).map(|value| value.get_ref()) else {
            return vec![];
        };
        let texts = |table: &'d DeTable<'d>| {
            let pairs = table
                .iter()
                .filter_map(|(key, value)| Some((key.get_ref().as_ref(), value.get_ref().as_str()?.trim())));
            pairs.collect()
        };
        list.iter().filter_map(|item| item.get_ref().as_table().map(texts)).collect()
    }

    /// `example` is shown when the key is missing.
    pub fn required(&self, key: &'static str, example: &str) -> Option<Item<'d>> {
        let item = self.optional(key);
        if item.is_none() {
            self.problem(format!("{key} is missing"), format!("add {example}"));
        }
        item
    }

    pub fn problem(&self, message: impl Into<String>, fix: impl Into<String>) {
        self.doc.problem(&self.span, &self.path, message.into(), fix.into());
    }

    pub fn has_keys(&self) -> bool {
        !self.table.is_empty()
    }

    /// What else there is cannot be judged, because of a problem that was told already.
    pub fn ignore_rest(&self) {
        self.ignored.set(true);
    }

    /// Every key that was not asked for is unknown.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        if self.ignored.get() {
            return;
        }
        #[cfg(test)]
        ASKED.with_borrow_mut(|all| all.push((self.path.clone(), asked.clone())));
        for (key, value) in self.table {
            if asked.contains(&key.get_ref().as_ref()) {
                continue;
            }
            let path = join(&self.path, key.get_ref());
            let message = format!("{:?} is not a key of this table", key.get_ref());
            let span = if key.span().is_empty() { value.span() } else { key.span() };
            self.doc.problem(&span, &path, message, suggestion(key.get_ref(), &asked));
        }
    }

    fn items(&self) -> Vec<(&'d str, Item<'d>)> {
        let item =
            |(key, value): (&'d toml::Spanned<toml::de::DeString<'d>>, &'d toml::Spanned<DeValue<'d>>)| {
                let name: &'d str = key.get_ref();
                let path = join(&self.path, name);
                (name, Item { doc: self.doc, path, span: value.span(), value: value.get_ref() })
            };
        self.table.iter().map(item).collect()
    }
}

#[cfg(test)]
thread_local! {
    /// Every table that was read on this thread, and which keys of it were asked for.
    pub(super) static ASKED: RefCell<Vec<(String, Vec<&'static str>)>> = const { RefCell::new(Vec::new()) };
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn suggestion(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known) {
        Some(meant) => format!("did you mean {meant:?}?"),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("use one of {}", known.join(", ")),
    }
}
