//! Payloads and plan documents as numbered, coloured lines.
//!
//! JSON is laid out anew from its own tokens, so every number keeps the exact text that the store sent.
//! Text that is not JSON is shown as it came.

use askama::Template;

#[derive(Clone, Debug, Template)]
#[template(path = "admin/code.html")]
pub struct Code {
    pub label: String,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub parts: Vec<Part>,
    /// A problem was found in this line.
    pub hit: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `k`ey, `s`tring, `n`umber or word, `c`omment; empty for the rest.
    pub class: &'static str,
    pub text: String,
}

impl Code {
    pub fn json(label: &str, text: &str) -> Self {
        Self { label: label.to_owned(), lines: Layout::of(text).unwrap_or_else(|| plain_lines(text)) }
    }

    pub fn text(label: &str, text: &str) -> Self {
        Self { label: label.to_owned(), lines: plain_lines(text) }
    }

    /// `hits` are one-based numbers of lines with a problem.
    pub fn toml(label: &str, text: &str, hits: &[usize]) -> Self {
        let line =
            |(at, text): (usize, &str)| Line { parts: toml_parts(text), hit: hits.contains(&(at + 1)) };
        Self { label: label.to_owned(), lines: text.lines().enumerate().map(line).collect() }
    }
}

fn plain_lines(text: &str) -> Vec<Line> {
    let whole = |line: &str| Line { parts: vec![part("", line)], hit: false };
    text.lines().map(whole).collect()
}

fn part(class: &'static str, text: &str) -> Part {
    Part { class, text: text.to_owned() }
}

fn toml_parts(line: &str) -> Vec<Part> {
    let trimmed = line.trim_start();
    if trimmed.starts_with('#') {
        return vec![part("c", line)];
    }
    if trimmed.starts_with('[') {
        return vec![part("k", line)];
    }
    let Some((key, value)) = line.split_once('=') else { return vec![part("", line)] };
    let class = match value.trim_start().chars().next() {
        Some('"' | '\'') => "s",
        Some('[' | '{') | None => "",
        Some(_) => "n",
    };
    vec![part("k", key), part("", "="), part(class, value)]
}

/// Lays valid JSON out, one value a line, without reading any number.
struct Layout {
    lines: Vec<Line>,
    current: Vec<Part>,
    depth: usize,
}

impl Layout {
    fn of(text: &str) -> Option<Vec<Line>> {
        serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
        let mut layout = Self { lines: Vec::new(), current: Vec::new(), depth: 0 };
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' => string_length(rest),
                '{' | '}' | '[' | ']' | ',' | ':' => 1,
                _ => rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()),
            };
            let (token, after) = rest.split_at_checked(length)?;
            rest = after.trim_start();
            layout.put(first, token, rest.chars().next());
        }
        layout.finish();
        Some(layout.lines)
    }

    fn put(&mut self, first: char, token: &str, next: Option<char>) {
        match first {
            '{' | '[' => {
                self.push("", token);
                if next != Some('}') && next != Some(']') {
                    self.depth += 1;
                    self.finish();
                }
            }
            '}' | ']' => {
                let empty = self.current.last().is_some_and(|last| matches!(last.text.as_str(), "{" | "["));
                if !empty {
                    self.finish();
                    self.depth = self.depth.saturating_sub(1);
                }
                self.push("", token);
            }
            ',' => {
                self.push("", ",");
                self.finish();
            }
            ':' => self.push("", ": "),
            '"' if next == Some(':') => self.push("k", token),
            '"' => self.push("s", token),
            _ => self.push("n", token),
        }
    }

    fn push(&mut self, class: &'static str, token: &str) {
        if self.current.is_empty() && self.depth > 0 {
            self.current.push(Part { class: "", text: "  ".repeat(self.depth) });
        }
        self.current.push(part(class, token));
    }

    fn finish(&mut self) {
        let parts = std::mem::take(&mut self.current);
        if !parts.is_empty() {
            self.lines.push(Line { parts, hit: false });
        }
    }
}

/// Bytes of the string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(code: &Code) -> String {
        let line = |line: &Line| line.parts.iter().map(|part| part.text.as_str()).collect::<String>();
        code.lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn numbers_keep_their_text() {
        let code =
            Code::json("", r#"{"id":450789469.10,"e":1E+2,"lines":[],"note":"a \"b\": {","x":[1.00,{}]}"#);
        let expected = "{\n  \"id\": 450789469.10,\n  \"e\": 1E+2,\n  \"lines\": [],\n  \"note\": \"a \\\"b\\\": {\",\n  \"x\": [\n    1.00,\n    {}\n  ]\n}";
        assert_eq!(shown(&code), expected);
    }

    #[test]
    fn other_text_is_shown_as_it_came() {
        assert_eq!(shown(&Code::json("", "webhook_id=7&x={")), "webhook_id=7&x={");
        let code = Code::toml("", "a = 1\nb = ?\n", &[2]);
        assert_eq!(code.lines.iter().map(|line| line.hit).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn markup_is_escaped() {
        let html = Code::json("Payload", r#"{"a":"<script>"}"#).render().unwrap();
        assert!(!html.contains("<script>"));
    }

    proptest! {
        #[test]
        fn layout_only_moves_white_space(text in "\\PC{0,40}", number in any::<f64>()) {
            let json = serde_json::json!({"a": [text, number, null, true], "b": {"c": text}}).to_string();
            let laid_out = shown(&Code::json("", &json));
            let before: serde_json::Value = serde_json::from_str(&json).unwrap();
            let after: serde_json::Value = serde_json::from_str(&laid_out).unwrap();
            prop_assert_eq!(before, after);
        }
    }
}
