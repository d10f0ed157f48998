//! A figure as a page: a few numbers, then rows. What is recorded when it is given out comes with it.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::super::format::{Amount, percent};
use crate::core::money::Currency;
use crate::db::Conn;
use crate::tax::{self, Figure, Form1099, IncomeAsked, IncomeTold, ShareTold, Sheet, TaxProblem};

/// Rows that a person reads; the CSV has all.
const SHOWN: usize = 200;

pub const NAMES: [&str; 3] = ["1099", "disclosure", "customer-share"];

/// Empty fields were not asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub year: i32,
    #[serde(default)]
    pub currency: String,
    #[serde(default)]
    pub country: String,
    #[serde(default)]
    pub period: String,
    #[serde(default)]
    pub format: String,
}

pub struct View {
    pub title: String,
    pub lede: String,
    /// Path of the report; its `publish` takes the form.
    pub address: String,
    /// Names and values that ask for the same once more.
    pub asked: Vec<(&'static str, String)>,
    pub stats: Vec<Stat>,
    /// What a person has to know before it is given out.
    pub notes: Vec<String>,
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Rows that are only in the file.
    pub more: usize,
    /// Name of the file, without its ending.
    pub file: String,
    pub figure: Figure,
}

pub struct Stat {
    pub label: &'static str,
    pub value: String,
    pub under: String,
}

impl View {
    fn new(title: String, name: &str, shown: Sheet, figure: Figure) -> Self {
        Self {
            lede: String::new(),
            address: format!("/admin/reports/{name}"),
            asked: vec![],
            stats: vec![],
            notes: vec![],
            header: shown.header.iter().map(|name| name.replace('_', " ")).collect(),
            more: shown.rows.len().saturating_sub(SHOWN),
            rows: shown.rows.into_iter().take(SHOWN).collect(),
            file: title.to_lowercase().replace(' ', "-"),
            figure,
            title,
        }
    }

    /// Query of a link to the rows as a file.
    pub fn csv(&self) -> String {
        let fields = self.asked.iter().map(|(name, value)| format!("{name}={value}"));
        fields.chain(["format=csv".to_owned()]).collect::<Vec<_>>().join("&")
    }
}

/// By one of [`NAMES`].
pub fn view(conn: &mut Conn, name: &str, asked: &Asked) -> Result<View, TaxProblem> {
    match name {
        "1099" => Ok(forms(&tax::form_1099(conn, asked.year)?)),
        "disclosure" => {
            let Some(currency) = Currency::parse(&asked.currency) else {
                return Err(TaxProblem::Refused("name a currency by its three letters, as USD".into()));
            };
            let country = asked.country.trim().to_ascii_uppercase();
            let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
            if !country.is_empty() && !is_code {
                return Err(TaxProblem::Refused("name a country by its two letters, as DE".into()));
            }
            let country = Some(country).filter(|country| !country.is_empty());
            Ok(income(&tax::disclosure(conn, &IncomeAsked { year: asked.year, currency, country })?))
        }
        "customer-share" => Ok(share(&tax::customer_share(conn, asked.period.trim())?)),
        other => Err(TaxProblem::Refused(format!("there is no report {other}"))),
    }
}

fn stat(label: &'static str, value: impl ToString, under: impl Into<String>) -> Stat {
    Stat { label, value: value.to_string(), under: under.into() }
}

fn forms(told: &Form1099) -> View {
    let figure = told.figure();
    let year = told.year.year;
    let (box_1, box_4) = told.sums();
    let dollars = |amount: Decimal| match Currency::parse("USD") {
        Some(usd) => Amount::new(amount, usd).to_string(),
        None => amount.to_string(),
    };
    let mut view = View::new(format!("Form 1099-NEC {year}"), "1099", figure.sheet.clone(), figure);
    view.lede = format!(
        "Everybody in the United States who was paid in {year}, by the day on which the bank paid. A form is due from \
         {} on, from purchases for resale of {} on, and wherever tax was withheld.",
        dollars(told.year.box_1),
        dollars(told.year.box_2)
    );
    view.asked = vec![("year", year.to_string())];
    let below = format!("{} people below the thresholds", told.rows.len() - told.due().count());
    view.stats = vec![
        stat("Forms", told.due().count(), below),
        stat("Box 1", dollars(box_1), "compensation on these forms"),
        stat("Box 4", dollars(box_4), "tax withheld"),
        stat("Incomplete", told.incomplete(), "a number, a W-9 or a country is missing"),
    ];
    if !told.other_currencies.is_empty() {
        view.notes.push(format!(
            "{} payees were paid in other currencies: no box holds that before it is converted.",
            told.other_currencies.len()
        ));
    }
    view.notes.push(
        "Tax numbers are in no report: `upline tax 1099 --with-tins` writes them for who signs in.".into(),
    );
    view
}

fn income(told: &IncomeTold) -> View {
    let asked = &told.asked;
    let spread = &told.disclosure.all.gross;
    let after = &told.disclosure.all.after;
    let money = |amount: Decimal| Amount::new(amount, asked.currency).to_string();
    let country = asked.country.clone().unwrap_or_default();
    let title = format!("Income disclosure {} {} {country}", asked.year, asked.currency);
    let mut view = View::new(title.trim_end().to_owned(), "disclosure", told.sheet(), told.figure());
    view.lede = "All participants of the year, also those who earned nothing. After means after what refunds took back \
                 and what payouts cost."
        .into();
    view.asked = vec![
        ("year", asked.year.to_string()),
        ("currency", asked.currency.to_string()),
        ("country", country),
    ];
    let top = spread.top.first();
    view.stats = vec![
        stat("Participants", spread.people, format!("{} earned nothing", percent(spread.share_with_nothing))),
        stat("Median", money(spread.median), format!("{} after", money(after.median))),
        stat("Mean", money(spread.mean), format!("{} after", money(after.mean))),
        stat(
            "The best paid 1 %",
            top.and_then(|top| top.share).map_or_else(|| "nothing".to_owned(), percent),
            "of everything that was earned",
        ),
    ];
    if told.elsewhere > 0 {
        view.notes.push(format!(
            "{} participants earned in other currencies only, and are in the reports of those.",
            told.elsewhere
        ));
    }
    view
}

fn share(told: &ShareTold) -> View {
    let figure = told.figure();
    let title = format!("Customer share {}", told.period);
    let mut view = View::new(title, "customer-share", figure.sheet.clone(), figure);
    view.lede =
        "Whose purchases commissions come from: those of customers, those of the earner, and those of other \
                 distributors."
            .into();
    view.asked = vec![("period", told.period.clone())];
    let known = |share: Option<Decimal>| share.map_or_else(|| "nothing".to_owned(), percent);
    for company in told.company.iter().take(2) {
        let under = format!("of commissions of orders in {}", company.currency);
        view.stats.push(stat("From customers", known(company.customer_share), under));
        let under = format!("of net sales in {}", company.currency);
        view.stats.push(stat("Sold to customers", known(company.sales_share), under));
    }
    if !told.is_closed {
        view.notes.push(format!("{} is not closed: this can still change.", told.period));
    }
    view
}
