//! One line of a scenario as words: plain ones in their order, and `key=value` ones by their key.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;

use super::ScenarioProblem;

pub(super) struct Words {
    pub line: usize,
    /// Belongs to the line above that is not indented.
    pub indented: bool,
    plain: std::collections::VecDeque<String>,
    options: Vec<(String, String)>,
}

impl Words {
    /// `None` for an empty line or a comment. A `#` after a blank begins a comment.
    pub fn split(line: usize, text: &str) -> Result<Option<Self>, ScenarioProblem> {
        let mut words = Self {
            line,
            indented: text.starts_with([' ', '\t']),
            plain: std::collections::VecDeque::new(),
            options: Vec::new(),
        };
        let mut rest = text.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = next_word(rest);
            let word = word.ok_or_else(|| words.problem("a quote is not closed"))?;
            match word.split_once('=') {
                Some((key, value)) if key.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                    words.options.push((key.to_owned(), value.to_owned()));
                }
                _ => words.plain.push_back(word),
            }
            rest = after.trim_start();
        }
        let empty = words.plain.is_empty() && words.options.is_empty();
        Ok((!empty).then_some(words))
    }

    pub fn problem(&self, message: impl Into<String>) -> ScenarioProblem {
        ScenarioProblem { line: self.line, message: message.into() }
    }

    /// The next plain word; `what` it should be is told when there is none.
    pub fn next(&mut self, what: &str) -> Result<String, ScenarioProblem> {
        self.plain.pop_front().ok_or_else(|| self.problem(format!("{what} is missing")))
    }

    pub fn first(&self) -> Option<&str> {
        self.plain.front().map(String::as_str)
    }

    pub fn next_if(&mut self, word: &str) -> bool {
        let is = self.plain.front().is_some_and(|next| next == word);
        if is {
            self.plain.pop_front();
        }
        is
    }

    /// Whether a word stands among the plain ones, wherever.
    pub fn flag(&mut self, word: &str) -> bool {
        let at = self.plain.iter().position(|known| known == word);
        at.and_then(|at| self.plain.remove(at)).is_some()
    }

    pub fn has_next(&self) -> bool {
        !self.plain.is_empty()
    }

    pub fn rest(&mut self) -> Vec<String> {
        self.plain.drain(..).collect()
    }

    pub fn next_amount(&mut self, what: &str) -> Result<Decimal, ScenarioProblem> {
        let word = self.next(what)?;
        self.amount(what, &word)
    }

    pub fn option(&mut self, key: &str) -> Option<String> {
        let at = self.options.iter().position(|(known, _)| known == key)?;
        Some(self.options.remove(at).1)
    }

    pub fn amount_option(&mut self, key: &str) -> Result<Option<Decimal>, ScenarioProblem> {
        self.option(key).map(|text| self.amount(key, &text)).transpose()
    }

    /// A day means its first moment in UTC.
    pub fn instant_option(&mut self, key: &str) -> Result<Option<DateTime<Utc>>, ScenarioProblem> {
        let Some(text) = self.option(key) else { return Ok(None) };
        let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
        let instant = text.parse::<DateTime<Utc>>().ok().or_else(day);
        instant.map(Some).ok_or_else(|| {
            self.problem(format!("{key}={text} is no instant; write 2026-01-31 or 2026-01-31T08:11:04Z"))
        })
    }

    /// Whatever is left was not understood.
    pub fn finish(self) -> Result<(), ScenarioProblem> {
        let left = self.options.iter().map(|(key, value)| format!("{key}={value}"));
        let left: Vec<String> = self.plain.iter().cloned().chain(left).collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(self.problem(format!("{} means nothing here", left.join(" "))))
    }

    pub fn amount(&self, what: &str, text: &str) -> Result<Decimal, ScenarioProblem> {
        Decimal::from_str_exact(text).map_err(|_| self.problem(format!("{what}: {text:?} is not a number")))
    }
}

/// A word ends at a blank outside of double quotes. `None` when a quote stays open.
fn next_word(text: &str) -> (Option<String>, &str) {
    let mut word = String::new();
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return (Some(word), text.get(at..).unwrap_or_default()),
            c => word.push(c),
        }
    }
    ((!quoted).then_some(word), "")
}
