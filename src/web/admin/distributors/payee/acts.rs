//! What the forms of a payee do. Each act leaves its word in the audit log, in the transaction of the act.

use actix_web::HttpResponse;
use actix_web::web::Path;
use serde::Deserialize;

use super::{Draft, Told, here, show};
use crate::core::ids::DistributorId;
use crate::core::payee::{Holder, PayTo, PayeeProblem, UsAccountKind};
use crate::db::{Lane, Tx};
use crate::payees::{
    self, Address, Details, Given, PayeeError, Recorded, Revealed, TaxChange, TaxData, TaxStatus, TinKind,
};
use crate::web::admin::desk::{Desk, nothing};
use crate::web::admin::field::Wrong;
use crate::web::admin::format::{Tone, When};
use crate::web::error::Refusal;
use crate::web::session::{Admin, Denied, Form, Operator};

/// A problem that a person can mend is a value, and nothing is written.
async fn act<T: Send + 'static>(
    desk: &Desk,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, PayeeError> + Send + 'static,
) -> Result<Result<T, String>, Denied> {
    match desk.state.db.transact_or_async(Lane::Admin, work).await.map_err(Refusal::from)? {
        Ok(done) => Ok(Ok(done)),
        Err(PayeeError::Db(error)) => Err(Refusal::from(error).into()),
        Err(PayeeError::Unknown(_)) => Err(nothing("distributor")),
        Err(problem) => Ok(Err(problem.to_string())),
    }
}

#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    rail: String,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    holder: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    routing_number: String,
    #[serde(default)]
    account_number: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    iban: String,
    #[serde(default)]
    bic: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    instruction: String,
}

impl Typed {
    fn given(self) -> (Draft, Given) {
        let draft = Draft {
            rail: self.rail.clone(),
            currency: self.currency.clone(),
            name: self.name.clone(),
            holder: self.holder.clone(),
            country: self.country.clone(),
            account: self.account.clone(),
        };
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
        (draft, given)
    }
}

pub async fn change(
    operator: Operator,
    desk: Desk,
    id: Path<String>,
    form: Form<Typed>,
) -> Result<HttpResponse, Denied> {
    let id = id.into_inner();
    let (draft, given) = form.0.given();
    let details = match given.read() {
        Ok(details) => details,
        Err(problems) => {
            let mut wrong = Wrong::default();
            for PayeeProblem::Wrong { field, what } in problems {
                wrong.add(field, what);
            }
            return show(&desk, &operator, id, Told { form: draft, wrong, ..Told::default() }).await;
        }
    };
    let (by, now, vault) = (operator.email.clone(), desk.now(), desk.state.vault.clone());
    let (distributor, days) = (DistributorId::new(id.as_str()), desk.state.payees.hold_days);
    let recorded = act(&desk, move |tx| payees::set(tx, &vault, (&distributor, &details), days, &by, now));
    let told = match recorded.await? {
        Err(problem) => return Ok(desk.go(&here(&id), Tone::Bad, &problem)),
        Ok(Recorded::Unchanged) => "These details were known; nothing is changed.".to_owned(),
        Ok(Recorded::First | Recorded::Changed { .. }) => "Recorded.".to_owned(),
        Ok(Recorded::Held { until, .. }) => format!(
            "Recorded. Payouts are held until {}, or until somebody else releases them.",
            When(until).minute()
        ),
    };
    Ok(desk.done(&here(&id), &told))
}

#[derive(Deserialize)]
pub struct Seen {
    version_no: i32,
}

pub async fn release(
    operator: Operator,
    desk: Desk,
    id: Path<String>,
    form: Form<Seen>,
) -> Result<HttpResponse, Denied> {
    let (id, by, now) = (id.into_inner(), operator.email.clone(), desk.now());
    let (distributor, seen) = (DistributorId::new(id.as_str()), form.0.version_no);
    let released = act(&desk, move |tx| payees::release(tx, &distributor, seen, &by, now)).await?;
    Ok(match released {
        Ok(()) => desk.done(&here(&id), "Released; the next payout goes there."),
        Err(problem) => desk.go(&here(&id), Tone::Bad, &problem),
    })
}

#[derive(Deserialize)]
pub struct TypedTax {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    tax_id: String,
    #[serde(default)]
    legal_name: String,
    #[serde(default)]
    street: String,
    #[serde(default)]
    city: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    postal_code: String,
    #[serde(default)]
    address_country: String,
}

impl TypedTax {
    /// An empty field leaves what is known.
    fn change(self) -> TaxChange {
        let filled = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let address = Address {
            street: self.street.trim().to_owned(),
            city: self.city.trim().to_owned(),
            region: self.region.trim().to_owned(),
            postal_code: self.postal_code.trim().to_owned(),
            country: self.address_country.trim().to_ascii_uppercase(),
        };
        TaxChange {
            kind: TinKind::parse(&self.kind),
            number: filled(self.tax_id),
            status: TaxStatus::parse(&self.status),
            legal_name: filled(self.legal_name),
            address: Some(address).filter(|address| *address != Address::default()),
        }
    }
}

pub async fn tax(
    operator: Operator,
    desk: Desk,
    id: Path<String>,
    form: Form<TypedTax>,
) -> Result<HttpResponse, Denied> {
    let (id, by, now) = (id.into_inner(), operator.email.clone(), desk.now());
    let (distributor, vault, change) =
        (DistributorId::new(id.as_str()), desk.state.vault.clone(), form.0.change());
    let recorded = act(&desk, move |tx| payees::set_tax(tx, &vault, (&distributor, &change), &by, now));
    Ok(match recorded.await? {
        Ok(true) => desk.done(&here(&id), "Tax data recorded."),
        Ok(false) => desk.done(&here(&id), "This was known; nothing is changed."),
        Err(problem) => desk.go(&here(&id), Tone::Bad, &problem),
    })
}

#[derive(Deserialize)]
pub struct Asked {
    /// `bank` or `tax`.
    what: String,
    reason: String,
}

/// The answer is the page itself: what is revealed is in no address, no cookie and no cache.
pub async fn reveal(
    admin: Admin,
    desk: Desk,
    id: Path<String>,
    form: Form<Asked>,
) -> Result<HttpResponse, Denied> {
    let (id, by, now) = (id.into_inner(), admin.email.clone(), desk.now());
    let (distributor, vault) = (DistributorId::new(id.as_str()), desk.state.vault.clone());
    let Asked { what, reason } = form.0;
    let asks_tax = what == "tax";
    let revealed =
        act(&desk, move |tx| payees::reveal(tx, &vault, (&distributor, asks_tax), &reason, &by, now));
    let told = match revealed.await? {
        Ok(revealed) => Told { revealed: lines(revealed), ..Told::default() },
        Err(problem) => Told { wrong: Wrong::default().with("reason", problem), ..Told::default() },
    };
    show(&desk, &admin, id, told).await
}

fn lines(revealed: Revealed) -> Vec<(&'static str, String)> {
    revealed
        .details
        .map_or_else(Vec::new, bank)
        .into_iter()
        .chain(revealed.tax.map_or_else(Vec::new, told))
        .collect()
}

fn bank(details: Details) -> Vec<(&'static str, String)> {
    let payee = details.payee;
    let holder = match payee.holder {
        Holder::Person => "person",
        Holder::Company => "company",
    };
    let mut lines = vec![("Name", payee.name), ("Holder", holder.to_owned()), ("Country", payee.country)];
    match payee.pay_to {
        PayTo::UsBank { routing_number, account_number, account } => {
            let kind = if account == UsAccountKind::Savings { "savings" } else { "checking" };
            lines.push(("Routing number", routing_number.as_str().to_owned()));
            lines.push(("Account number", account_number.as_str().to_owned()));
            lines.push(("Account", kind.to_owned()));
        }
        PayTo::Iban { iban, bic } => {
            lines.push(("IBAN", iban.as_str().to_owned()));
            lines.extend(bic.map(|bic| ("BIC", bic.as_str().to_owned())));
        }
        PayTo::Paypal { email } | PayTo::Wise { email } => lines.push(("E-mail", email.as_str().to_owned())),
        PayTo::Other { instruction } => lines.push(("How", instruction)),
    }
    lines
}

fn told(tax: TaxData) -> Vec<(&'static str, String)> {
    let address = tax.address.map(|it| {
        let parts = [it.street, it.postal_code, it.city, it.region, it.country];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    });
    let lines = [("Tax number", tax.number), ("Legal name", tax.legal_name), ("Address", address)];
    lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

#[derive(Deserialize)]
pub struct Confirmed {
    confirm: String,
}

pub async fn erase(
    admin: Admin,
    desk: Desk,
    id: Path<String>,
    form: Form<Confirmed>,
) -> Result<HttpResponse, Denied> {
    let (id, by, now) = (id.into_inner(), admin.email.clone(), desk.now());
    if form.0.confirm.trim() != id {
        return Ok(desk.go(&here(&id), Tone::Bad, &format!("Nothing is forgotten: type {id} to confirm.")));
    }
    let distributor = DistributorId::new(id.as_str());
    let erased = act(&desk, move |tx| payees::erase(tx, &distributor, &by, now)).await?;
    Ok(match erased {
        Ok(_) => {
            desk.done(&here(&id), "Forgotten: the key is destroyed, nobody can open the details any more.")
        }
        Err(problem) => desk.go(&here(&id), Tone::Bad, &problem),
    })
}
