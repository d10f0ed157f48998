//! Reading a payload: checked text, typed borrowed structs and exact scalars.
//!
//! Runs when a stored delivery is parsed. It never goes through a float: a number is read from its own
//! literal, and one that cannot be taken exactly becomes a [`Problem`], never a nearby number.

use chrono::{DateTime, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::core::order::Problem;

/// The nesting that serde_json itself allows; checked on the whole body, skipped fields included.
const MAX_DEPTH: usize = 128;
/// A single amount or quantity is below 10^12 with at most 10 digits after the point, so that sums over a
/// whole order and the product of two amounts stay inside a 96-bit decimal.
const MAX_DIGITS_AFTER_POINT: u32 = 10;
const LIMIT: i64 = 1_000_000_000_000;

/// Why a delivery cannot be read as an order. Shown to the person who looks at the held delivery.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("the body is not UTF-8 at byte {at}")]
    NotUtf8 { at: usize },
    #[error("the body holds a NUL character at byte {at}")]
    Nul { at: usize },
    #[error("the body is nested deeper than {MAX_DEPTH} levels at byte {at}")]
    TooDeep { at: usize },
    #[error("line {line}, column {column}: {message}")]
    Json { line: usize, column: usize, message: String },
    #[error("the payload has no {field}")]
    Missing { field: &'static str },
    #[error("{} of the payload cannot be used: {}", count(.0), listed(.0))]
    Fields(Vec<Problem>),
}

fn count(problems: &[Problem]) -> String {
    if problems.len() == 1 { "one field".to_owned() } else { format!("{} fields", problems.len()) }
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("{} {}", p.field, p.message)).collect::<Vec<_>>().join("; ")
}

impl From<serde_json::Error> for ParseError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        Self::Json { line: error.line(), column: error.column(), message: without_values(message) }
    }
}

/// serde_json quotes the value it did not expect; a customer's name must not reach a log that way.
fn without_values(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(from), Some(to)) if from < to => {
            let before = message.get(..from).unwrap_or_default();
            format!("{before}\"...\"{}", message.get(to + 1..).unwrap_or_default())
        }
        _ => message.to_owned(),
    }
}

/// The body as text that is safe to read and to store anywhere: UTF-8, no NUL, bounded nesting.
pub fn text(body: &[u8]) -> Result<&str, ParseError> {
    let text = std::str::from_utf8(body).map_err(|error| ParseError::NotUtf8 { at: error.valid_up_to() })?;
    match nul(text)
        .map(|at| ParseError::Nul { at })
        .or_else(|| too_deep(body).map(|at| ParseError::TooDeep { at }))
    {
        Some(error) => Err(error),
        None => Ok(text),
    }
}

/// Where a NUL stands, raw or as an escape whose backslash is not itself escaped.
fn nul(text: &str) -> Option<usize> {
    let escaped = |at: usize| {
        text.get(..at).unwrap_or_default().bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
    };
    let mut escapes = text.match_indices("\\u0000").map(|(at, _)| at);
    text.find('\0').or_else(|| escapes.find(|at| !escaped(*at)))
}

/// Where the nesting passes its limit. Few bodies have that many brackets at all, so most are only counted.
fn too_deep(body: &[u8]) -> Option<usize> {
    if body.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= MAX_DEPTH {
        return None;
    }
    let mut depth = 0usize;
    let mut bytes = body.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(at);
        }
    }
    None
}

fn skip_string<'a>(bytes: &mut impl Iterator<Item = (usize, &'a u8)>) {
    while let Some((_, byte)) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
}

/// Reads `text` as `T`. A key that `T` knows and that comes twice is refused, as is anything after the end.
pub fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ParseError> {
    Ok(serde_json::from_str(text)?)
}

/// One JSON value, unread: platforms send the same field as string, number, null or "".
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Scalar<'a>(#[serde(borrow)] Option<&'a RawValue>);

impl<'a> Scalar<'a> {
    /// The literal as it stands in the payload; `None` for a missing field, null and "".
    pub fn literal(&self) -> Option<&'a str> {
        self.0.map(RawValue::get).filter(|literal| !matches!(*literal, "null" | "\"\""))
    }

    /// A string's text, a number's or a boolean's literal. Arrays and objects have none.
    pub fn text(&self) -> Option<String> {
        let literal = self.literal()?;
        match literal.as_bytes().first()? {
            b'"' => serde_json::from_str(literal).ok(),
            b'{' | b'[' => None,
            _ => Some(literal.to_owned()),
        }
    }

    pub fn is_true(&self) -> bool {
        matches!(self.literal(), Some("true" | "\"true\"" | "1" | "\"1\""))
    }

    /// An id exactly as it was written: never through a number, so that ids above 2^53 keep every digit.
    pub fn id(&self) -> Result<Option<String>, String> {
        let Some(literal) = self.literal() else { return Ok(None) };
        let Some(id) = self.text().map(|id| id.trim().to_owned()) else {
            return Err("is not an id".to_owned());
        };
        let whole = literal.starts_with('"') || id.bytes().all(|byte| byte.is_ascii_digit());
        match whole && !id.is_empty() && id.len() <= 255 {
            true => Ok(Some(id)),
            false => Err("is not an id".to_owned()),
        }
    }

    pub fn decimal(&self) -> Result<Option<Decimal>, String> {
        let Some(literal) = self.literal() else { return Ok(None) };
        let text = self.text().ok_or_else(|| "is not a number".to_owned())?;
        if text.is_empty() {
            return Ok(None);
        }
        exact(&text).map(Some).map_err(|why| format!("{why}: {}", shortened(literal)))
    }

    /// RFC 3339, or a date and time without a zone, which every platform here means as UTC.
    pub fn instant(&self) -> Result<Option<DateTime<Utc>>, String> {
        let Some(text) = self.text() else { return Ok(None) };
        instant(&text).map(Some).ok_or_else(|| "is not a time".to_owned())
    }
}

pub fn shortened(literal: &str) -> String {
    literal.chars().take(40).collect()
}

pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.with_timezone(&Utc));
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|naive| naive.and_utc())
}

/// A decimal that is exactly what the text says, or why not.
pub fn exact(text: &str) -> Result<Decimal, &'static str> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let plain = mantissa.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    if !plain || !mantissa.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err("is not a number");
    }
    let mantissa = Decimal::from_str_exact(mantissa).map_err(|_| "has too many digits")?.normalize();
    let exponent: i64 = exponent.parse().map_err(|_| "is not a number")?;
    if mantissa.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let scale = i64::from(mantissa.scale()) - exponent;
    let value = Decimal::try_from_i128_with_scale(mantissa.mantissa(), 0).map_err(|_| "is out of range")?;
    let value = match u32::try_from(scale) {
        Ok(scale) if scale <= 28 => {
            Decimal::try_from_i128_with_scale(value.mantissa(), scale).map_err(|_| "is out of range")?
        }
        Ok(_) => return Err("has too many digits"),
        Err(_) => scaled_up(value, -scale).ok_or("is out of range")?,
    };
    let value = value.normalize();
    if value.scale() > MAX_DIGITS_AFTER_POINT {
        return Err("has too many digits");
    }
    if value.abs() >= Decimal::from(LIMIT) {
        return Err("is out of range");
    }
    Ok(value)
}

fn scaled_up(value: Decimal, zeros: i64) -> Option<Decimal> {
    let zeros = u32::try_from(zeros).ok().filter(|zeros| *zeros <= 15)?;
    value.checked_mul(Decimal::from(10u64.checked_pow(zeros)?))
}

/// `a * b` when no digit is lost.
pub fn product(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (a, b) = (a.normalize(), b.normalize());
    let product = a.checked_mul(b)?;
    let lossless = product.is_zero() || product.scale() == a.scale() + b.scale();
    (lossless && product.abs() < Decimal::from(LIMIT)).then(|| product.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Deserialize)]
    struct One<'a> {
        #[serde(borrow, default)]
        v: Scalar<'a>,
    }

    fn scalar(literal: &str) -> Result<Option<Decimal>, String> {
        let body = format!("{{\"v\":{literal}}}");
        read::<One<'_>>(&body).unwrap().v.decimal()
    }

    #[test]
    fn numbers_are_read_from_their_own_text() {
        for (literal, value) in [
            ("\"12.50\"", "12.5"),
            ("25.87", "25.87"),
            ("-0.00", "0"),
            ("1e2", "100"),
            ("2.5E-3", "0.0025"),
            ("\"-26.67\"", "-26.67"),
            ("0e400", "0"),
        ] {
            assert_eq!(scalar(literal), Ok(Some(value.parse().unwrap())), "{literal}");
        }
        for literal in ["null", "\"\""] {
            assert_eq!(scalar(literal), Ok(None));
        }
    }

    #[test]
    fn what_is_not_exactly_a_number_is_refused() {
        for literal in [
            "1e400",
            "1e-400",
            "\"NaN\"",
            "\"1,50\"",
            "\"1_000\"",
            "\"+1\"",
            "\" 1\"",
            "\"-\"",
            "\"1.2.3\"",
            "true",
            "[1]",
            "{}",
            "0.2996666666666667",
            "9223372036854775808",
            "-79228162514264337593543950336",
            "1e12",
            "\"0.00000000000000000000000000000001\"",
            "\"12 EUR\"",
            "\"\\u0661\"",
            "1e99999999999999999999",
        ] {
            assert!(scalar(literal).is_err(), "{literal} gave {:?}", scalar(literal));
        }
    }

    #[test]
    fn ids_keep_every_digit() {
        let body = r#"{"v":820982911946154508}"#;
        assert_eq!(read::<One<'_>>(body).unwrap().v.id(), Ok(Some("820982911946154508".to_owned())));
        assert!(read::<One<'_>>(r#"{"v":1.5}"#).unwrap().v.id().is_err());
        assert!(read::<One<'_>>(r#"{"v":{}}"#).unwrap().v.id().is_err());
    }

    #[test]
    fn hostile_bodies_are_named() {
        assert_eq!(text(b"{\"a\":\"\xff\"}"), Err(ParseError::NotUtf8 { at: 6 }));
        assert_eq!(text(b"{\"a\":\"\\u0000\"}"), Err(ParseError::Nul { at: 6 }));
        assert!(text(br#"{"a":"\\u0000"}"#).is_ok());
        assert_eq!(text(b"{\0}"), Err(ParseError::Nul { at: 1 }));
        assert_eq!(text("[".repeat(100_000).as_bytes()), Err(ParseError::TooDeep { at: 128 }));
        assert_eq!(text(br#"{"a":"\\\u0000"}"#), Err(ParseError::Nul { at: 8 }));
        let quoted = format!("{}\"\\\"]]]\"{}", "[".repeat(100), "[".repeat(100));
        assert_eq!(text(quoted.as_bytes()), Err(ParseError::TooDeep { at: 135 }));
        assert!(text(format!("[\"{}\"]", "[".repeat(1000)).as_bytes()).is_ok());
        assert!(matches!(read::<One<'_>>(r#"{"v":1,"v":2}"#), Err(ParseError::Json { .. })));
    }

    #[test]
    fn errors_do_not_repeat_values() {
        let error = read::<One<'_>>(r#""zoe@example.test""#).err().unwrap();
        assert!(!error.to_string().contains("zoe"), "{error}");
    }

    proptest! {
        #[test]
        fn exact_never_rounds(mantissa in -999_999_999_999i64..999_999_999_999, scale in 0u32..=10) {
            let value = Decimal::new(mantissa, scale);
            prop_assert_eq!(exact(&value.to_string()), Ok(value));
        }

        #[test]
        fn exact_never_panics(text in "[-+0-9.eE_]{0,60}") {
            let _ = exact(&text);
        }

        #[test]
        fn products_are_exact_or_refused(a in any::<i64>(), b in any::<i64>(), scale in 0u32..=10) {
            let (a, b) = (Decimal::new(a % LIMIT, scale), Decimal::new(b % LIMIT, scale));
            if let Some(found) = product(a, b) {
                prop_assert_eq!(found.mantissa() * 10i128.pow(2 * scale - found.scale()), a.mantissa() * b.mantissa());
            }
        }
    }
}
