//! Who is paid and where to: bank accounts that can exist, told apart from those that cannot.
//!
//! A number is checked as far as a number can be: digits, length and check digits. Whether the account is the
//! person's is for the bank to say. None of these types shows its number by accident: `Debug` is masked.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayeeProblem {
    #[error("{field} {what}")]
    Wrong { field: &'static str, what: String },
}

fn wrong<T>(field: &'static str, what: impl Into<String>) -> Result<T, PayeeProblem> {
    Err(PayeeProblem::Wrong { field, what: what.into() })
}

macro_rules! masked {
    ($name:ident) => {
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The last four signs.
            pub fn masked(&self) -> String {
                masked(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.masked())
            }
        }
    };
}

/// `****` and the last four signs, of anything that has more than that.
pub fn masked(text: &str) -> String {
    let signs: Vec<char> = text.chars().collect();
    let shown = if signs.len() > 4 { signs.len().saturating_sub(4) } else { signs.len() };
    let end: String = signs.into_iter().skip(shown).collect();
    format!("****{end}")
}

/// An international bank account number, without spaces.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Iban(String);
masked!(Iban);

impl Iban {
    /// ISO 13616: country, two check digits, up to 30 letters and digits; modulo 97 has to be 1.
    pub fn parse(text: &str) -> Result<Self, PayeeProblem> {
        let iban: String =
            text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        let signs = iban.as_bytes();
        let (Some((country, rest)), true) = (signs.split_at_checked(2), (15..=34).contains(&signs.len()))
        else {
            return wrong("iban", "has to have 15 to 34 signs");
        };
        let digits = rest.iter().take(2).all(u8::is_ascii_digit);
        if !country.iter().all(u8::is_ascii_uppercase)
            || !digits
            || !signs.iter().all(u8::is_ascii_alphanumeric)
        {
            return wrong(
                "iban",
                "has to begin with a country and two check digits, and have only letters and digits",
            );
        }
        let turned = signs.iter().skip(4).chain(signs.iter().take(4));
        let remainder = turned.fold(0u32, |sum, sign| match char::from(*sign).to_digit(36) {
            Some(value) if value > 9 => (sum * 100 + value) % 97,
            Some(value) => (sum * 10 + value) % 97,
            None => sum,
        });
        if remainder != 1 {
            return wrong("iban", "has check digits that do not fit: one of its signs is wrong");
        }
        Ok(Self(iban))
    }

    pub fn country(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }
}

/// A bank's identifier of ISO 9362, 8 or 11 signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bic(String);

impl Bic {
    pub fn parse(text: &str) -> Result<Self, PayeeProblem> {
        let bic = text.trim().to_ascii_uppercase();
        let signs = bic.as_bytes();
        let shape = matches!(signs.len(), 8 | 11)
            && signs.iter().take(6).all(u8::is_ascii_uppercase)
            && signs.iter().all(u8::is_ascii_alphanumeric);
        if shape {
            Ok(Self(bic))
        } else {
            wrong("bic", "has to have 8 or 11 letters and digits, six letters first")
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A routing number of the American Bankers Association.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoutingNumber(String);

impl RoutingNumber {
    /// Nine digits; weighted by 3, 7, 1 they are a multiple of ten.
    pub fn parse(text: &str) -> Result<Self, PayeeProblem> {
        let number = text.trim();
        if number.len() != 9 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong("routing_number", "has to have nine digits");
        }
        let digits = number.bytes().map(|byte| u32::from(byte - b'0'));
        let sum: u32 = digits.zip([3, 7, 1].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
        if sum == 0 || !sum.is_multiple_of(10) {
            return wrong(
                "routing_number",
                "has a check digit that does not fit: one of its digits is wrong",
            );
        }
        Ok(Self(number.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An account at a bank of the United States: up to 17 letters, digits and hyphens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsAccountNumber(String);
masked!(UsAccountNumber);

impl UsAccountNumber {
    pub fn parse(text: &str) -> Result<Self, PayeeProblem> {
        let number: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let fits = number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !(4..=17).contains(&number.len()) || !fits {
            return wrong("account_number", "has to have 4 to 17 letters, digits or hyphens");
        }
        Ok(Self(number))
    }
}

/// Where a wallet finds its owner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WalletEmail(String);
masked!(WalletEmail);

impl WalletEmail {
    pub fn parse(text: &str) -> Result<Self, PayeeProblem> {
        let email = text.trim();
        let parts = email.split_once('@');
        let fits = parts.is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
        });
        if !fits || email.len() > 254 || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return wrong("email", "is no e-mail address");
        }
        Ok(Self(email.to_owned()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsAccountKind {
    Checking,
    Savings,
}

/// Whose account it is: NACHA pays companies by CCD and people by PPD, a 1099 asks for it as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    Person,
    Company,
}

/// Where the money goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PayTo {
    UsBank {
        routing_number: RoutingNumber,
        account_number: UsAccountNumber,
        account: UsAccountKind,
    },
    Iban {
        iban: Iban,
        bic: Option<Bic>,
    },
    Paypal {
        email: WalletEmail,
    },
    Wise {
        email: WalletEmail,
    },
    /// By some way of the company's own, such as a cheque.
    Other {
        instruction: String,
    },
}

impl PayTo {
    /// For a page: never the number.
    pub fn masked(&self) -> String {
        match self {
            Self::UsBank { account_number, .. } => format!("US bank {}", account_number.masked()),
            Self::Iban { iban, .. } => format!("IBAN {} {}", iban.country(), iban.masked()),
            Self::Paypal { email } => format!("PayPal {}", email.masked()),
            Self::Wise { email } => format!("Wise {}", email.masked()),
            Self::Other { .. } => "other".to_owned(),
        }
    }
}

/// Who is paid, as the bank has to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payee {
    pub name: String,
    pub holder: Holder,
    /// Two letters of ISO 3166.
    pub country: String,
    pub pay_to: PayTo,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_are_checked_by_their_digits() {
        for good in ["DE89 3704 0044 0532 0130 00", "gb29nwbk60161331926819", "NO9386011117947"] {
            assert!(Iban::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "DE89370400440532013001",
            "DE8937040044",
            "8937DE0400440532013000",
            "DE89-3704-0044-0532-0130-00",
        ] {
            assert!(Iban::parse(bad).is_err(), "{bad}");
        }
        let iban = Iban::parse("DE89370400440532013000").unwrap();
        assert_eq!((iban.country(), iban.masked().as_str()), ("DE", "****3000"));
        assert_eq!(format!("{iban:?}"), "****3000");
    }

    #[test]
    fn routing_numbers_are_checked_by_their_weights() {
        for good in ["021000021", "011401533", "091000019"] {
            assert!(RoutingNumber::parse(good).is_ok(), "{good}");
        }
        for bad in ["021000022", "000000000", "02100002", "02100002a"] {
            assert!(RoutingNumber::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_rest_has_a_shape() {
        assert!(Bic::parse("deutdeff").is_ok() && Bic::parse("DEUTDEFF500").is_ok());
        assert!(Bic::parse("DEUTDEF").is_err() && Bic::parse("1EUTDEFF").is_err());
        assert!(UsAccountNumber::parse("123 456 7890").is_ok() && UsAccountNumber::parse("1;2345").is_err());
        assert!(WalletEmail::parse("a@b.example").is_ok() && WalletEmail::parse("a b@c.example").is_err());
        assert_eq!(masked("abc"), "****");
        assert_eq!(masked("12345"), "****2345");
    }
}
