//! Values on their way from a row to a file: text as PostgreSQL writes it, with the type of their column.

use chrono::DateTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::problem::WarehouseProblem;

/// The cells of a row in the order of the columns; `None` is null.
pub type Row = Vec<Option<String>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv,
    Parquet,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Json,
    Integer,
    BigInteger,
    Boolean,
    /// To the microsecond, UTC.
    Timestamp,
    Decimal {
        precision: u8,
        scale: u8,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

impl Kind {
    /// Of a type of PostgreSQL by its internal name and modifier.
    pub fn of(type_name: &str, modifier: i32) -> Option<Self> {
        Some(match type_name {
            "text" | "uuid" | "bpchar" | "varchar" => Self::Text,
            "jsonb" => Self::Json,
            "int2" | "int4" => Self::Integer,
            "int8" => Self::BigInteger,
            "bool" => Self::Boolean,
            "timestamptz" => Self::Timestamp,
            // A number without a fixed scale has no place in a file.
            "numeric" => {
                let modifier = modifier.checked_sub(4).filter(|modifier| *modifier >= 0)?;
                let precision = u8::try_from(modifier >> 16).ok().filter(|digits| *digits <= 28)?;
                Self::Decimal { precision, scale: u8::try_from(modifier & 0x7ff).ok()? }
            }
            _ => return None,
        })
    }

    /// As it is told in a manifest.
    pub fn name(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Json => "json".into(),
            Self::Integer => "int32".into(),
            Self::BigInteger => "int64".into(),
            Self::Boolean => "boolean".into(),
            Self::Timestamp => "timestamp".into(),
            Self::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        }
    }
}

impl Column {
    /// What selects the column as text that is the same on every server.
    pub fn expression(&self) -> String {
        let name = format!("\"{}\"", self.name);
        match self.kind {
            Kind::Timestamp => {
                format!("to_char({name} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            }
            _ => format!("{name}::text"),
        }
    }

    pub fn integer<T: std::str::FromStr>(&self, value: &str) -> Result<T, WarehouseProblem> {
        value.parse().map_err(|_| self.refuse(value, "integer"))
    }

    pub fn boolean(&self, value: &str) -> Result<bool, WarehouseProblem> {
        self.integer(value).map_err(|_| self.refuse(value, "boolean"))
    }

    pub fn decimal(&self, value: &str) -> Result<Decimal, WarehouseProblem> {
        Decimal::from_str_exact(value).map_err(|_| self.refuse(value, "decimal"))
    }

    /// Microseconds since 1970.
    pub fn micros(&self, value: &str) -> Result<i64, WarehouseProblem> {
        let instant = DateTime::parse_from_rfc3339(value).map_err(|_| self.refuse(value, "instant"))?;
        Ok(instant.timestamp_micros())
    }

    /// The unscaled number at the scale of the column, big-endian, in as many bytes as its precision takes.
    pub fn unscaled(&self, value: &str, precision: u8, scale: u8) -> Result<Vec<u8>, WarehouseProblem> {
        let mut decimal = self.decimal(value)?;
        let exact = decimal;
        decimal.rescale(u32::from(scale));
        let bytes = decimal.mantissa().to_be_bytes();
        let fits = decimal == exact && decimal.mantissa().unsigned_abs() < 10_u128.pow(precision.into());
        let kept = bytes.len().checked_sub(width(precision)).and_then(|skip| bytes.get(skip..));
        kept.filter(|_| fits).map(<[u8]>::to_vec).ok_or_else(|| self.refuse(value, "decimal of its scale"))
    }

    fn refuse(&self, value: &str, kind: &'static str) -> WarehouseProblem {
        WarehouseProblem::NoSuchValue { column: self.name.clone(), value: value.to_owned(), kind }
    }
}

/// How many bytes hold every signed number of so many decimal digits.
pub fn width(precision: u8) -> usize {
    let most = 10_i128.checked_pow(precision.into()).unwrap_or(i128::MAX);
    (1..16).find(|bytes| 1_i128 << (8 * bytes - 1) >= most).unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_takes_as_many_bytes_as_its_digits_need() {
        assert_eq!([1, 2, 3, 9, 18, 20, 24, 28].map(width), [1, 1, 2, 4, 8, 9, 11, 12]);
    }

    #[test]
    fn a_decimal_is_exact_or_refused() {
        let amount = Column { name: "amount".into(), kind: Kind::Decimal { precision: 20, scale: 4 } };
        assert_eq!(amount.unscaled("-0.0001", 20, 4).unwrap(), [0xff; 9]);
        assert_eq!(amount.unscaled("12.3", 20, 4).unwrap(), [0, 0, 0, 0, 0, 0, 1, 0xe0, 0x78]);
        assert_eq!(amount.unscaled("9999999999999999.9999", 20, 4).unwrap().len(), 9);
        for wrong in ["0.00001", "10000000000000000.0000", "NaN", ""] {
            assert!(amount.unscaled(wrong, 20, 4).is_err(), "{wrong}");
        }
    }

    #[test]
    fn types_of_the_database_have_a_kind() {
        let modifier = (20 << 16) + 4 + 4;
        assert_eq!(Kind::of("numeric", modifier), Some(Kind::Decimal { precision: 20, scale: 4 }));
        assert_eq!(Kind::of("numeric", -1), None);
        assert_eq!(Kind::of("bytea", -1), None);
        let at = Column { name: "at".into(), kind: Kind::Timestamp };
        assert_eq!(at.micros("1970-01-01T00:00:01.000002Z").unwrap(), 1_000_002);
    }
}
