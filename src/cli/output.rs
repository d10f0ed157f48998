//! What commands print: tables for people, JSON for programs, both to stdout.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rust_decimal::Decimal;
use serde::Serialize;

pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out)?)
}

pub fn line(text: impl std::fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Beside the output, for people.
pub fn note(text: impl std::fmt::Display) -> io::Result<()> {
    writeln!(io::stderr().lock(), "{text}")
}

/// Counts up on the terminal while something takes long; silent where there is no terminal.
pub fn counter(what: &'static str) -> ProgressBar {
    spinner(what, "{spinner} {human_pos} {msg} {elapsed}")
}

/// The same for what cannot be counted.
pub fn working(what: impl Into<Cow<'static, str>>) -> ProgressBar {
    spinner(what, "{spinner} {msg} {elapsed}")
}

/// Shows how far something is that has an end, what it does and how long it still takes; silent where there is no
/// terminal.
pub fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len}, {eta} left") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn spinner(what: impl Into<Cow<'static, str>>, template: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what);
    // A template that cannot be read would only look plain.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Columns as wide as their widest value, the last one as it comes.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let widest = |at: usize| {
        let values = rows.iter().filter_map(|row| row.get(at)).map(|value| value.chars().count());
        values.chain(header.get(at).map(|name| name.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(widest).collect();
    let mut out = io::stdout().lock();
    let header: Vec<String> = header.iter().map(|name| name.to_uppercase()).collect();
    for row in std::iter::once(&header).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(value, width)| format!("{value:<width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Problems of a file, not more of them than somebody reads.
pub fn problems<P: std::fmt::Display>(problems: &[P]) -> io::Result<()> {
    const SHOWN: usize = 50;
    let mut err = io::stderr().lock();
    for problem in problems.iter().take(SHOWN) {
        writeln!(err, "  {problem}")?;
    }
    match problems.len().checked_sub(SHOWN) {
        Some(more @ 1..) => writeln!(err, "  ... and {more} more"),
        _ => Ok(()),
    }
}

/// `0.125` as `12.5%`.
pub fn percent(share: Decimal) -> String {
    format!("{}%", (share * Decimal::ONE_HUNDRED).normalize())
}
