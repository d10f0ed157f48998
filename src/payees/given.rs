//! What a person types or a file tells, as details that can be paid: every field that is wrong is named, none of the
//! numbers is repeated.

use crate::core::money::Currency;
use crate::core::payee::{
    Bic, Holder, Iban, PayTo, Payee, PayeeProblem, RoutingNumber, UsAccountKind, UsAccountNumber, WalletEmail,
};
use crate::core::payout::Rail;

/// Fields as they were typed; the empty ones were left out. No `Debug`: some of them are numbers of accounts.
#[derive(Clone, Default)]
pub struct Given {
    pub rail: String,
    pub currency: String,
    pub name: String,
    /// `person` (default) or `company`.
    pub holder: String,
    /// Two letters of ISO 3166.
    pub country: String,
    pub routing_number: String,
    pub account_number: String,
    /// `checking` (default) or `savings`.
    pub account: String,
    pub iban: String,
    pub bic: String,
    pub email: String,
    pub instruction: String,
}

/// Details that can be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    pub rail: Rail,
    pub currency: Currency,
    pub payee: Payee,
}

const NAME_LONGEST: usize = 140;
const INSTRUCTION_LONGEST: usize = 500;

/// Collects what is wrong and goes on.
#[derive(Default)]
struct Problems(Vec<PayeeProblem>);

impl Problems {
    fn wrong<T>(&mut self, field: &'static str, what: impl Into<String>) -> Option<T> {
        self.0.push(PayeeProblem::Wrong { field, what: what.into() });
        None
    }

    fn take<T>(&mut self, read: Result<T, PayeeProblem>) -> Option<T> {
        read.map_err(|problem| self.0.push(problem)).ok()
    }
}

impl Given {
    pub fn read(&self) -> Result<Details, Vec<PayeeProblem>> {
        let mut problems = Problems::default();
        let rail = Rail::parse(self.rail.trim());
        if rail.is_none() {
            let known = Rail::ALL.map(Rail::name).join(", ");
            problems.wrong::<()>("rail", format!("has to be one of {known}"));
        }
        let name = self.name(&mut problems);
        let holder = self.holder(&mut problems);
        let pay_to = rail.and_then(|rail| self.pay_to(rail, &mut problems));
        let currency = rail.and_then(|rail| self.currency(rail, &mut problems));
        let country = self.country(pay_to.as_ref(), &mut problems);
        let (Some(rail), Some(currency), Some(name), Some(holder), Some(country), Some(pay_to)) =
            (rail, currency, name, holder, country, pay_to)
        else {
            return Err(problems.0);
        };
        Ok(Details { rail, currency, payee: Payee { name, holder, country, pay_to } })
    }

    fn name(&self, problems: &mut Problems) -> Option<String> {
        let name = self.name.split_whitespace().collect::<Vec<_>>().join(" ");
        let length = name.chars().count();
        if length == 0 || length > NAME_LONGEST || name.chars().any(char::is_control) {
            return problems.wrong("name", format!("has to have 1 to {NAME_LONGEST} signs"));
        }
        Some(name)
    }

    fn holder(&self, problems: &mut Problems) -> Option<Holder> {
        match self.holder.trim() {
            "" | "person" => Some(Holder::Person),
            "company" => Some(Holder::Company),
            _ => problems.wrong("holder", "has to be person or company"),
        }
    }

    /// Some rails carry one currency only.
    fn currency(&self, rail: Rail, problems: &mut Problems) -> Option<Currency> {
        let only = match rail {
            Rail::Nacha => Some("USD"),
            Rail::Sepa => Some("EUR"),
            Rail::Paypal | Rail::Wise | Rail::Csv => None,
        };
        let told = if self.currency.trim().is_empty() { only.unwrap_or_default() } else { &self.currency };
        let known = Currency::parse(told).filter(|currency| currency.exponent().is_some());
        match (known, only) {
            (Some(currency), Some(only)) if currency.code() != only => {
                problems.wrong("currency", format!("has to be {only} for {}", rail.name()))
            }
            (Some(currency), _) => Some(currency),
            (None, _) => problems.wrong("currency", "has to be a currency of ISO 4217, such as USD"),
        }
    }

    /// An IBAN names its country itself, an account in the United States has one.
    fn country(&self, pay_to: Option<&PayTo>, problems: &mut Problems) -> Option<String> {
        let told = self.country.trim().to_ascii_uppercase();
        let by_account = match pay_to {
            Some(PayTo::Iban { iban, .. }) => iban.country().to_owned(),
            Some(PayTo::UsBank { .. }) => "US".to_owned(),
            _ => String::new(),
        };
        let country = if told.is_empty() { by_account } else { told };
        let fits = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        match (fits, pay_to) {
            (true, _) => Some(country),
            // What is wrong with the account comes first.
            (false, None) if country.is_empty() => None,
            (false, _) => problems.wrong("country", "has to be two letters, such as US or DE"),
        }
    }

    fn pay_to(&self, rail: Rail, problems: &mut Problems) -> Option<PayTo> {
        let filled = |field: &str| !field.trim().is_empty();
        match rail {
            Rail::Nacha => self.us_bank(problems),
            Rail::Sepa => self.iban(problems),
            Rail::Paypal => {
                problems.take(WalletEmail::parse(&self.email)).map(|email| PayTo::Paypal { email })
            }
            Rail::Wise => problems.take(WalletEmail::parse(&self.email)).map(|email| PayTo::Wise { email }),
            Rail::Csv if filled(&self.iban) => self.iban(problems),
            Rail::Csv if filled(&self.account_number) => self.us_bank(problems),
            Rail::Csv => self.other(problems),
        }
    }

    fn us_bank(&self, problems: &mut Problems) -> Option<PayTo> {
        let routing_number = problems.take(RoutingNumber::parse(&self.routing_number));
        let account_number = problems.take(UsAccountNumber::parse(&self.account_number));
        let account = match self.account.trim() {
            "" | "checking" => Some(UsAccountKind::Checking),
            "savings" => Some(UsAccountKind::Savings),
            _ => problems.wrong("account", "has to be checking or savings"),
        };
        Some(PayTo::UsBank {
            routing_number: routing_number?,
            account_number: account_number?,
            account: account?,
        })
    }

    fn iban(&self, problems: &mut Problems) -> Option<PayTo> {
        let iban = problems.take(Iban::parse(&self.iban));
        let bic = match self.bic.trim() {
            "" => Some(None),
            bic => problems.take(Bic::parse(bic)).map(Some),
        };
        Some(PayTo::Iban { iban: iban?, bic: bic? })
    }

    fn other(&self, problems: &mut Problems) -> Option<PayTo> {
        let instruction = self.instruction.trim();
        let length = instruction.chars().count();
        if length == 0 || length > INSTRUCTION_LONGEST || instruction.chars().any(char::is_control) {
            let what =
                format!("has to have 1 to {INSTRUCTION_LONGEST} signs, or give an IBAN or an account number");
            return problems.wrong("instruction", what);
        }
        Some(PayTo::Other { instruction: instruction.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(rail: &str) -> Given {
        Given { rail: rail.into(), name: "Ann  Winter".into(), ..Given::default() }
    }

    fn fields(given: &Given) -> Vec<&'static str> {
        let problems = given.read().unwrap_err();
        problems.into_iter().map(|PayeeProblem::Wrong { field, .. }| field).collect()
    }

    #[test]
    fn each_rail_has_its_account() {
        let us = Given {
            routing_number: "021000021".into(),
            account_number: "123 456 789".into(),
            account: "savings".into(),
            ..given("nacha")
        };
        let us = us.read().unwrap();
        assert_eq!((us.currency.code(), us.payee.country.as_str()), ("USD", "US"));
        assert_eq!(us.payee.name, "Ann Winter");
        assert_eq!(us.payee.pay_to.masked(), "US bank ****6789");
        let sepa =
            Given { iban: "DE89 3704 0044 0532 0130 00".into(), bic: "deutdeff".into(), ..given("sepa") };
        let sepa = sepa.read().unwrap();
        assert_eq!((sepa.currency.code(), sepa.payee.country.as_str()), ("EUR", "DE"));
        let wallet = Given {
            email: "ann@example.test".into(),
            currency: "gbp".into(),
            country: "gb".into(),
            ..given("paypal")
        };
        assert_eq!(wallet.read().unwrap().currency.code(), "GBP");
        let cheque = Given {
            instruction: "cheque".into(),
            currency: "USD".into(),
            country: "US".into(),
            ..given("csv")
        };
        assert!(matches!(cheque.read().unwrap().payee.pay_to, PayTo::Other { .. }));
        let iban = Given { iban: "GB29NWBK60161331926819".into(), currency: "GBP".into(), ..given("csv") };
        assert_eq!(iban.read().unwrap().payee.country, "GB");
    }

    #[test]
    fn everything_that_is_wrong_is_named_and_no_number_repeated() {
        assert_eq!(fields(&Given::default()), ["rail", "name"]);
        assert_eq!(fields(&given("nacha")), ["routing_number", "account_number"]);
        let dollars =
            Given { currency: "USD".into(), iban: "DE89370400440532013000".into(), ..given("sepa") };
        assert_eq!(fields(&dollars), ["currency"]);
        let typo = Given { iban: "DE89370400440532013001".into(), bic: "x".into(), ..given("sepa") };
        assert_eq!(fields(&typo), ["iban", "bic"]);
        assert!(typo.read().unwrap_err().iter().all(|problem| !problem.to_string().contains("3704")));
        let wallet = Given { email: "ann@example.test".into(), holder: "club".into(), ..given("wise") };
        assert_eq!(fields(&wallet), ["holder", "currency", "country"]);
    }
}
