//! `upline payee set` and `upline payee tax`.

use anyhow::bail;
use clap::Args;
use serde_json::json;

use crate::app::Backend;
use crate::cli::person::Person;
use crate::cli::{Outcome, output, transact};
use crate::clock::Clock;
use crate::core::ids::DistributorId;
use crate::payees::{self, Address, Given, Recorded, TaxChange, TaxStatus, TinKind};

/// Record where a distributor is paid; a change holds payouts
///
/// Numbers are better given by the environment: arguments can be read by everybody on the machine.
#[derive(Args)]
#[command(after_help = "Examples:
  UPLINE_PAYEE_ACCOUNT_NUMBER=... upline payee set 11043 --rail nacha --name 'Anna Winter' --routing-number 021000021 --by ann@example.com
  UPLINE_PAYEE_IBAN=... upline payee set 11043 --rail sepa --name 'Winter GmbH' --holder company --by ann@example.com
  upline payee set 11043 --rail paypal --currency USD --country US --name 'Anna Winter' --email anna@example.com --by ann@example.com --dry-run")]
pub struct Set {
    id: String,
    /// nacha, sepa, paypal, wise or csv
    #[arg(long)]
    rail: String,
    /// As the bank knows it
    #[arg(long)]
    name: String,
    /// [default: USD for nacha, EUR for sepa]
    #[arg(long, default_value = "", hide_default_value = true)]
    currency: String,
    /// person or company
    #[arg(long, default_value = "person")]
    holder: String,
    /// Two letters, such as US [default: that of the account]
    #[arg(long, default_value = "", hide_default_value = true)]
    country: String,
    /// Of a bank in the United States
    #[arg(long, value_name = "NUMBER", default_value = "", hide_default_value = true)]
    routing_number: String,
    #[arg(
        long,
        value_name = "NUMBER",
        env = "UPLINE_PAYEE_ACCOUNT_NUMBER",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    account_number: String,
    /// checking or savings
    #[arg(long, default_value = "checking")]
    account: String,
    #[arg(
        long,
        env = "UPLINE_PAYEE_IBAN",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    iban: String,
    #[arg(long, default_value = "", hide_default_value = true)]
    bic: String,
    /// Of a PayPal or Wise wallet
    #[arg(long, default_value = "", hide_default_value = true)]
    email: String,
    /// With csv: any other way, such as a cheque
    #[arg(long, default_value = "", hide_default_value = true)]
    instruction: String,
    /// Only check what is given
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    person: Person,
}

/// Record what the tax office asks for; what is not given stays as it is
#[derive(Args)]
#[command(after_help = "Examples:
  UPLINE_PAYEE_TAX_ID=... upline payee tax 11043 --kind ssn --status w9 --legal-name 'Anna Winter' --by ann@example.com
  upline payee tax 11043 --status requested --by ann@example.com")]
pub struct Tax {
    id: String,
    /// none, requested, w9, w8 or mismatch
    #[arg(long, value_parser = status)]
    status: Option<TaxStatus>,
    /// unknown, ssn, ein, itin, vat or foreign
    #[arg(long, value_parser = kind)]
    kind: Option<TinKind>,
    #[arg(long, value_name = "NUMBER", env = "UPLINE_PAYEE_TAX_ID", hide_env_values = true)]
    tax_id: Option<String>,
    /// As on the form
    #[arg(long)]
    legal_name: Option<String>,
    /// Of the address that forms are sent to; with --city and --country
    #[arg(long, requires = "city", requires = "country")]
    street: Option<String>,
    #[arg(long, requires = "street")]
    city: Option<String>,
    /// State or province
    #[arg(long, requires = "street", default_value = "", hide_default_value = true)]
    region: String,
    #[arg(long, requires = "street", default_value = "", hide_default_value = true)]
    postal_code: String,
    /// Two letters, such as US
    #[arg(long, requires = "street")]
    country: Option<String>,
    #[command(flatten)]
    person: Person,
}

fn status(text: &str) -> Result<TaxStatus, String> {
    let known = TaxStatus::ALL.map(TaxStatus::name).join(", ");
    TaxStatus::parse(text).ok_or_else(|| format!("use one of {known}"))
}

fn kind(text: &str) -> Result<TinKind, String> {
    let known = TinKind::ALL.map(TinKind::name).join(", ");
    TinKind::parse(text).ok_or_else(|| format!("use one of {known}"))
}

impl Set {
    pub fn run(self, backend: &Backend, clock: &Clock, hold_days: u32) -> anyhow::Result<Outcome> {
        let given = Given {
            rail: self.rail,
            currency: self.currency,
            name: self.name,
            holder: self.holder,
            country: self.country,
            routing_number: self.routing_number,
            account_number: self.account_number,
            account: self.account,
            iban: self.iban,
            bic: self.bic,
            email: self.email,
            instruction: self.instruction,
        };
        let details = match given.read() {
            Ok(details) => details,
            Err(problems) => {
                output::problems(&problems)?;
                bail!("nothing is recorded: {} thing(s) are wrong", problems.len());
            }
        };
        let (distributor, now) = (DistributorId::new(self.id), clock.now());
        let masked = details.payee.pay_to.masked();
        if self.dry_run {
            return tell(&distributor, &masked, None, self.person.json);
        }
        let by = self.person.sign_in(&backend.db)?;
        let recorded = transact(&backend.db, |tx| {
            payees::set(tx, &backend.vault, (&distributor, &details), hold_days, &by, now)
        })?;
        tell(&distributor, &masked, Some(recorded), self.person.json)
    }
}

fn tell(id: &DistributorId, masked: &str, recorded: Option<Recorded>, json: bool) -> anyhow::Result<Outcome> {
    let held_until = match recorded {
        Some(Recorded::Held { until, .. }) => Some(until),
        _ => None,
    };
    if json {
        let applied = recorded.is_some_and(|recorded| recorded != Recorded::Unchanged);
        output::json(
            &json!({"applied": applied, "distributor": id, "masked": masked, "held_until": held_until}),
        )?;
        return Ok(Outcome::Done);
    }
    match (recorded, held_until) {
        (None, _) => output::line(format_args!("Dry run, nothing changed. {masked} can be paid to."))?,
        (Some(Recorded::Unchanged), _) => {
            output::line(format_args!("{id}: {masked} was known; nothing is changed."))?
        }
        (Some(_), None) => output::line(format_args!("{id} is paid to {masked}."))?,
        (Some(_), Some(until)) => output::line(format_args!(
            "{id} is paid to {masked} from {} on, or once somebody else has released it: upline payee release {id}",
            until.format("%Y-%m-%d %H:%M")
        ))?,
    }
    Ok(Outcome::Done)
}

impl Tax {
    pub fn run(self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let by = self.person.sign_in(&backend.db)?;
        let address = self.street.zip(self.city).zip(self.country).map(|((street, city), country)| Address {
            street,
            city,
            region: self.region,
            postal_code: self.postal_code,
            country: country.to_ascii_uppercase(),
        });
        let change = TaxChange {
            kind: self.kind,
            number: self.tax_id.filter(|number| !number.trim().is_empty()),
            status: self.status,
            legal_name: self.legal_name,
            address,
        };
        let (distributor, now) = (DistributorId::new(self.id), clock.now());
        let (news, head) = transact(&backend.db, |tx| {
            let news = payees::set_tax(tx, &backend.vault, (&distributor, &change), &by, now)?;
            let head = payees::tax_heads(tx.conn, &[distributor.as_str()])?.remove(&distributor);
            Ok::<_, payees::PayeeError>((news, head))
        })?;
        let Some(head) = head else { bail!("there is no distributor {distributor}") };
        if self.person.json {
            output::json(&json!({"applied": news, "distributor": distributor, "kind": head.kind,
                                 "status": head.status, "masked": head.masked, "withhold": head.withhold}))?;
        } else {
            let withheld = if head.withhold { "; backup withholding applies" } else { "" };
            output::line(format_args!("{distributor}: {}, {}{withheld}.", head.status.name(), head.masked))?;
        }
        Ok(Outcome::Done)
    }
}
