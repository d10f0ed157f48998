//! Numbers of tax offices: which kind one is, whether it can be one, and how far its owner has certified it.

use serde::{Deserialize, Serialize};

use crate::core::payee::{PayeeProblem, masked};

/// What the number is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TinKind {
    /// As it was imported.
    #[default]
    Unknown,
    /// Of a person in the United States.
    Ssn,
    /// Of a company in the United States.
    Ein,
    /// Of a person without a social security number.
    Itin,
    /// Of a company in the European Union and elsewhere.
    Vat,
    /// Of another country's tax office.
    Foreign,
}

impl TinKind {
    pub const ALL: [Self; 6] = [Self::Unknown, Self::Ssn, Self::Ein, Self::Itin, Self::Vat, Self::Foreign];

    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ssn => "ssn",
            Self::Ein => "ein",
            Self::Itin => "itin",
            Self::Vat => "vat",
            Self::Foreign => "foreign",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Only who is taxed in the United States has one.
    pub fn is_american(self) -> bool {
        matches!(self, Self::Ssn | Self::Ein | Self::Itin)
    }

    /// What a number looks like, for one that came without a kind.
    pub fn of(number: &str) -> Self {
        let parts: Vec<&str> = number.trim().split('-').collect();
        let digits =
            |part: &&str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        match parts.as_slice() {
            [area, group, serial] if digits(area, 3) && digits(group, 2) && digits(serial, 4) => {
                if area.starts_with('9') { Self::Itin } else { Self::Ssn }
            }
            [prefix, serial] if digits(prefix, 2) && digits(serial, 7) => Self::Ein,
            _ => Self::Unknown,
        }
    }
}

/// How far it is certified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxStatus {
    /// Nobody has asked.
    #[default]
    None,
    /// The form was sent, and is not back.
    Requested,
    /// A signed W-9: a person of the United States has certified the number.
    W9,
    /// A signed W-8: no person of the United States.
    W8,
    /// The tax office says that name and number do not belong together.
    Mismatch,
}

impl TaxStatus {
    pub const ALL: [Self; 5] = [Self::None, Self::Requested, Self::W9, Self::W8, Self::Mismatch];

    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Requested => "requested",
            Self::W9 => "w9",
            Self::W8 => "w8",
            Self::Mismatch => "mismatch",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Whether a share is kept back for the tax office: a person of the United States has not certified a number. Who is
/// one is known by a signed form, else by the kind of number, else by the country.
pub fn withholds(kind: TinKind, status: TaxStatus, country: Option<&str>) -> bool {
    match status {
        TaxStatus::W9 | TaxStatus::W8 => false,
        TaxStatus::Mismatch => true,
        TaxStatus::None | TaxStatus::Requested => {
            kind.is_american() || country.is_some_and(|country| country.trim().eq_ignore_ascii_case("US"))
        }
    }
}

const LONGEST: usize = 40;

/// The number as it is kept, or why it can be none.
pub fn checked(kind: TinKind, number: &str) -> Result<String, PayeeProblem> {
    let wrong = |what: &str| Err(PayeeProblem::Wrong { field: "tax_id", what: what.to_owned() });
    let number = number.trim();
    let plain: String = number.chars().filter(char::is_ascii_alphanumeric).collect();
    let digits = plain.len() == 9 && plain.bytes().all(|byte| byte.is_ascii_digit());
    let begins = |prefix: &str| plain.starts_with(prefix);
    match kind {
        TinKind::Ssn | TinKind::Ein | TinKind::Itin if !digits => wrong("has to have nine digits"),
        TinKind::Ssn if begins("9") || begins("000") || begins("666") => {
            wrong("is no social security number; one that begins with 9 is an ITIN")
        }
        TinKind::Itin if !begins("9") => wrong("is no ITIN: those begin with 9"),
        TinKind::Ssn | TinKind::Ein | TinKind::Itin => Ok(plain),
        TinKind::Vat if !(4..=15).contains(&plain.len()) => wrong("has to have 4 to 15 letters and digits"),
        TinKind::Vat => Ok(plain.to_ascii_uppercase()),
        TinKind::Unknown | TinKind::Foreign => {
            if number.is_empty() || number.chars().count() > LONGEST || number.chars().any(char::is_control) {
                return wrong("has to have 1 to 40 signs");
            }
            Ok(number.to_owned())
        }
    }
}

/// The last four signs of a number that is long enough for them to say little.
pub fn shown(number: &str) -> String {
    let plain: String = number.chars().filter(|sign| sign.is_alphanumeric()).collect();
    if plain.chars().count() < 8 { masked("") } else { masked(&plain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_its_shape() {
        assert_eq!(TinKind::of("123-45-6789"), TinKind::Ssn);
        assert_eq!(TinKind::of("912-70-1234"), TinKind::Itin);
        assert_eq!(TinKind::of("12-3456789"), TinKind::Ein);
        for unknown in ["123456789", "DE123456789", "12-34", "a2-3456789"] {
            assert_eq!(TinKind::of(unknown), TinKind::Unknown, "{unknown}");
        }
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        assert_eq!(checked(TinKind::Ssn, "123-45-6789").unwrap(), "123456789");
        assert_eq!(checked(TinKind::Vat, "de 123 456 789").unwrap(), "DE123456789");
        for (kind, bad) in [
            (TinKind::Ssn, "912-70-1234"),
            (TinKind::Ssn, "000-12-3456"),
            (TinKind::Itin, "123-45-6789"),
            (TinKind::Ein, "12-345678"),
            (TinKind::Vat, "DE"),
            (TinKind::Foreign, " "),
        ] {
            let problem = checked(kind, bad).unwrap_err().to_string();
            assert!(!problem.contains(bad.trim()) || bad.trim().is_empty(), "{problem}");
        }
    }

    #[test]
    fn a_number_is_never_shown_whole() {
        assert_eq!(shown("123-45-6789"), "****6789");
        assert_eq!(shown("1234567"), "****");
    }

    #[test]
    fn withheld_is_from_people_of_the_united_states_without_a_certified_number() {
        use TaxStatus::{Mismatch, None, Requested, W8, W9};
        for (kind, status, country, expected) in [
            (TinKind::Unknown, None, Some("US"), true),
            (TinKind::Ssn, Requested, Some("us"), true),
            (TinKind::Ssn, None, Option::None, true),
            (TinKind::Ssn, W9, Some("US"), false),
            (TinKind::Foreign, W8, Some("US"), false),
            (TinKind::Ssn, Mismatch, Some("DE"), true),
            (TinKind::Vat, None, Some("DE"), false),
            (TinKind::Unknown, None, Option::None, false),
        ] {
            assert_eq!(withholds(kind, status, country), expected, "{kind:?} {status:?} {country:?}");
        }
    }
}
