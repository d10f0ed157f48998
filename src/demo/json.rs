//! JSON as the platforms write it: fields in the platform's own order, decimals as their exact text, and,
//! for the two that are written in PHP, `\/` and `\uXXXX`.
//!
//! `serde_json::Value` can do neither (it sorts the fields and keeps numbers as floats).

use std::io;

use rust_decimal::Decimal;
use serde::ser::{Error, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};
use serde_json::value::RawValue;

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    /// A bare number with exactly these digits: `12.50` stays `12.50`.
    Number(Decimal),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
    /// With names that are not known beforehand.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// An amount as a JSON string with two digits.
    pub fn money(amount: Decimal) -> Self {
        let mut amount = amount;
        amount.rescale(2);
        Self::Text(amount.to_string())
    }

    /// As JavaScript and most encoders write it.
    pub fn plain(&self) -> Vec<u8> {
        self.written_by(CompactFormatter)
    }

    /// As PHP's `json_encode` writes it by default.
    pub fn php(&self) -> Vec<u8> {
        self.written_by(PhpFormatter)
    }

    fn written_by<F: Formatter>(&self, formatter: F) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4096);
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        match self.serialize(&mut serializer) {
            Ok(()) => bytes,
            // Writing to memory cannot fail, and every value of this type has a JSON form.
            Err(refusal) => refusal.to_string().into_bytes(),
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Number(number) => {
                RawValue::from_string(number.to_string()).map_err(S::Error::custom)?.serialize(serializer)
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(fields) => {
                let mut object = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
            Self::Map(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
    }
}

macro_rules! json_from {
    ($($source:ty => |$value:ident| $json:expr),+ $(,)?) => {
        $(impl From<$source> for Json {
            fn from($value: $source) -> Self {
                $json
            }
        })+
    };
}

json_from! {
    bool => |truth| Self::Bool(truth),
    u64 => |number| Self::Number(number.into()),
    i32 => |number| Self::Number(number.into()),
    Decimal => |number| Self::Number(number),
    &str => |text| Self::Text(text.to_owned()),
    String => |text| Self::Text(text),
    Vec<Json> => |items| Self::List(items),
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// `object! { "id": 1u64, "name": "x" }`, in that order.
macro_rules! object {
    ($($name:literal : $value:expr),* $(,)?) => {
        $crate::demo::json::Json::Object(vec![$(($name, $crate::demo::json::Json::from($value))),*])
    };
}
pub(crate) use object;

struct PhpFormatter;

impl Formatter for PhpFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for character in fragment.chars() {
            match character {
                '/' => writer.write_all(b"\\/")?,
                plain if plain.is_ascii() => write!(writer, "{plain}")?,
                wide => {
                    for unit in wide.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_fields_their_order() {
        let json = object! { "b": Decimal::new(1250, 2), "a": 820_982_911_946_154_508u64, "c": Json::Null };
        assert_eq!(json.plain(), br#"{"b":12.50,"a":820982911946154508,"c":null}"#);
    }

    #[test]
    fn php_escapes_slashes_and_everything_wide() {
        let json = object! { "name": "Zoë 1/2 \"☕\" 𝄞" };
        assert_eq!(json.php(), br#"{"name":"Zo\u00eb 1\/2 \"\u2615\" \ud834\udd1e"}"#);
        let read: serde_json::Value = serde_json::from_slice(&json.php()).unwrap();
        assert_eq!(read["name"], "Zoë 1/2 \"☕\" 𝄞");
    }
}
