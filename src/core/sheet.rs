//! A CSV file by the names of its columns; what is wrong with it is said by row and column, all of it.
//!
//! Used by the imports. It knows no table and decides nothing about the values. What goes out as CSV passes
//! [`harmless`], so that no spreadsheet takes a value for a formula.

use std::collections::HashMap;

use serde::Serialize;

/// One thing to mend. Serious ones keep the whole file out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowProblem {
    /// Line of the file, from 1; the header is line 1.
    pub line: u64,
    pub column: String,
    pub message: String,
}

impl std::fmt::Display for RowProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, {}: {}", self.line, self.column, self.message)
    }
}

pub struct Sheet {
    columns: HashMap<String, usize>,
    /// Columns that nobody asked for.
    pub ignored: Vec<String>,
    rows: Vec<(u64, csv::StringRecord)>,
}

/// A row with at least one value.
#[derive(Clone, Copy)]
pub struct Row<'s> {
    sheet: &'s Sheet,
    record: &'s csv::StringRecord,
    /// Line of the file, from 1.
    pub line: u64,
}

impl Sheet {
    /// Commas or semicolons, with or without a byte order mark; the order of the columns does not matter.
    pub fn read(bytes: &[u8], required: &[&str], optional: &[&str]) -> Result<Self, Vec<RowProblem>> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(bytes))
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(bytes);
        let header = reader.headers().map_err(|error| vec![unreadable(&error, bytes)])?.clone();
        let mut sheet = Self { columns: HashMap::new(), ignored: vec![], rows: vec![] };
        let mut problems = sheet.name_columns(&header, required, optional);
        for record in reader.into_records() {
            match record {
                Ok(record) if record.iter().all(str::is_empty) => {}
                Ok(record) => {
                    let line = record.position().map_or(0, |position| line_of(position, bytes));
                    problems.extend(surplus(line, &record, header.len()));
                    sheet.rows.push((line, record));
                }
                Err(error) => problems.push(unreadable(&error, bytes)),
            }
        }
        if problems.is_empty() { Ok(sheet) } else { Err(problems) }
    }

    fn name_columns(
        &mut self,
        header: &csv::StringRecord,
        required: &[&str],
        optional: &[&str],
    ) -> Vec<RowProblem> {
        let mut problems = vec![];
        for (at, name) in header.iter().enumerate() {
            let name = name.to_ascii_lowercase();
            if !required.contains(&name.as_str()) && !optional.contains(&name.as_str()) {
                self.ignored.push(name);
            } else if self.columns.insert(name.clone(), at).is_some() {
                problems.push(in_header(&name, "is there twice; remove one".to_owned()));
            }
        }
        for name in required.iter().filter(|name| !self.columns.contains_key(**name)) {
            let all = [required, optional].concat().join(", ");
            problems.push(in_header(name, format!("is missing; the columns are {all}")));
        }
        problems
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row { sheet: self, record, line: *line })
    }

    pub fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }
}

impl<'s> Row<'s> {
    /// `None`: empty, or the file has no such column.
    pub fn get(&self, column: &str) -> Option<&'s str> {
        let at = self.sheet.columns.get(column)?;
        self.record.get(*at).filter(|value| !value.is_empty())
    }

    pub fn required(&self, column: &str, problems: &mut Vec<RowProblem>) -> &'s str {
        self.get(column).unwrap_or_else(|| {
            problems.push(self.problem(column, "is empty"));
            ""
        })
    }

    pub fn problem(&self, column: &str, message: impl Into<String>) -> RowProblem {
        RowProblem { line: self.line, column: column.to_owned(), message: message.into() }
    }
}

/// The value with an apostrophe in front where a spreadsheet would calculate it.
pub fn harmless(value: &str) -> std::borrow::Cow<'_, str> {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{value}").into()
    } else {
        value.into()
    }
}

fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if header.contains(&b';') && !header.contains(&b',') { b';' } else { b',' }
}

fn surplus(line: u64, record: &csv::StringRecord, columns: usize) -> Option<RowProblem> {
    let message = || format!("has {} values for {columns} columns; quote values with commas", record.len());
    (record.len() > columns).then(|| RowProblem { line, column: "row".to_owned(), message: message() })
}

fn in_header(column: &str, message: String) -> RowProblem {
    RowProblem { line: 1, column: column.to_owned(), message }
}

/// The reader counts empty lines to the row after them.
fn line_of(position: &csv::Position, bytes: &[u8]) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let empty = bytes.get(from..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let empty = empty.filter(|byte| **byte == b'\n').count();
    position.line().saturating_add(u64::try_from(empty).unwrap_or(u64::MAX))
}

fn unreadable(error: &csv::Error, bytes: &[u8]) -> RowProblem {
    let line = error.position().map_or(1, |position| line_of(position, bytes));
    let message = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the file as UTF-8".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    RowProblem { line, column: "row".to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [&str; 2] = ["id", "name"];

    #[test]
    fn columns_by_name_in_any_order() {
        for text in
            ["\u{feff}Name,id,shoe\n Ann ,1,38\n,,\n\"B, C\",2,39\n", "name;id;shoe\nAnn;1;38\n\"B, C\";2;39"]
        {
            let sheet = Sheet::read(text.as_bytes(), &REQUIRED, &["note"]).unwrap();
            assert_eq!(sheet.ignored, ["shoe"]);
            let rows: Vec<_> =
                sheet.rows().map(|row| (row.get("id"), row.get("name"), row.get("note"))).collect();
            assert_eq!(rows, [(Some("1"), Some("Ann"), None), (Some("2"), Some("B, C"), None)]);
        }
    }

    #[test]
    fn every_problem_has_its_line() {
        let problems = Sheet::read(b"id,id\n1,2\n", &REQUIRED, &[]).err().unwrap();
        assert_eq!(problems.len(), 2);
        let sheet = Sheet::read(b"id,name\n1,A\n2\n\n3,C,D\n4,\xff\n", &REQUIRED, &[]).err().unwrap();
        assert_eq!(sheet.iter().map(|problem| problem.line).collect::<Vec<_>>(), [5, 6]);
        let short = Sheet::read(b"id,name\n2\n", &REQUIRED, &[]).unwrap();
        let mut problems = vec![];
        assert_eq!(short.rows().next().unwrap().required("name", &mut problems), "");
        assert_eq!(problems.first().unwrap().to_string(), "line 2, name: is empty");
    }

    #[test]
    fn formulas_are_made_harmless() {
        assert_eq!(harmless("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(harmless("@SUM(1)"), "'@SUM(1)");
        assert_eq!(harmless("SUPP001"), "SUPP001");
    }
}
