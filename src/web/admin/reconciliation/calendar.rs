//! The days of a store, month by month, and those of them that need a person.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use chrono::{Datelike, Months, NaiveDate};
use serde::Deserialize;

use super::super::desk::Desk;
use super::super::format::{Link, Pill, Tone, When, count};
use super::super::shell::Shell;
use super::super::words;
use super::{address, state};
use crate::ingest;
use crate::reports::reconciliation::{self as report, Head};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/reconciliation.html")]
pub struct CalendarPage {
    pub shell: Shell,
    /// All stores; the one that is shown is marked.
    pub stores: Vec<(Link, bool)>,
    pub months: Vec<Month>,
    pub earlier: String,
    pub later: Option<String>,
    pub bad: Vec<Bad>,
    /// How many days of the shown months have a report.
    pub reported: usize,
}

pub struct Month {
    /// `November 2026`
    pub name: String,
    /// From Monday; `None` outside of the month.
    pub weeks: Vec<Vec<Option<Cell>>>,
}

pub struct Cell {
    pub number: u32,
    /// `Friday 20 November 2026`, for those who hear it.
    pub date: String,
    pub state: Option<Pill>,
    /// Empty for days to come.
    pub href: String,
}

/// A day that is not as it should be.
pub struct Bad {
    pub day: Link,
    pub state: Pill,
    pub differences: String,
    pub why: String,
    pub at: When,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    store: String,
    /// The last month that is shown, as 2026-11.
    #[serde(default)]
    month: String,
}

/// Months on one page.
const SHOWN: u32 = 3;

pub async fn page(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let today = desk.now().date_naive();
    let this_month = first_of_month(today);
    let wanted = format!("{}-01", asked.month).parse::<NaiveDate>().ok();
    let last = wanted.unwrap_or(this_month).min(this_month);
    let first = last.checked_sub_months(Months::new(SHOWN - 1)).unwrap_or(last);
    let end = last.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(last);
    let wanted = asked.store.clone();
    let read = desk.read(&viewer, "reconciliation", move |conn| {
        let mut stores = ingest::list_stores(conn)?;
        stores.retain(|store| store.active);
        // The store of the direct API is always there; the others are what one looks for.
        stores.sort_by_key(|store| (store.platform == "direct", store.slug.clone()));
        let known = stores.iter().find(|store| store.slug == wanted).or(stores.first());
        let shown = known.map(|store| store.slug.clone()).unwrap_or_default();
        let days = report::days(conn, &shown, first, end)?;
        Ok((stores.into_iter().map(|store| store.slug).collect::<Vec<_>>(), shown, days))
    });
    let (shell, (stores, shown, days)) = read.await?;
    let by_day: BTreeMap<NaiveDate, &Head> = days.iter().map(|head| (head.day, head)).collect();
    let months = (0..SHOWN).rev().filter_map(|back| last.checked_sub_months(Months::new(back)));
    let at = |month: NaiveDate| {
        let month = month.format("%Y-%m").to_string();
        words::address("/admin/reconciliation", &[("store", &shown), ("month", &month)])
    };
    let link = |slug: &String| {
        let month = if last == this_month { String::new() } else { last.format("%Y-%m").to_string() };
        let href = words::address("/admin/reconciliation", &[("store", slug), ("month", &month)]);
        (Link::new(href, slug.as_str()), *slug == shown)
    };
    let next = last.checked_add_months(Months::new(SHOWN)).map(|next| next.min(this_month));
    let page = CalendarPage {
        shell,
        stores: stores.iter().map(link).collect(),
        months: months.map(|first| month(&shown, first, today, &by_day)).collect(),
        earlier: first.pred_opt().map(at).unwrap_or_default(),
        later: next.filter(|_| last < this_month).map(at),
        bad: days.iter().rev().filter(|head| head.state == "not_ok").map(bad).collect(),
        reported: days.len(),
    };
    desk.show(&page)
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn month(store: &str, first: NaiveDate, today: NaiveDate, days: &BTreeMap<NaiveDate, &Head>) -> Month {
    let before = first.weekday().num_days_from_monday();
    let of_month = first.iter_days().take_while(|day| day.month() == first.month());
    let cell = |day: NaiveDate| {
        let head = days.get(&day);
        Cell {
            number: day.day(),
            date: day.format("%A %-d %B %Y").to_string(),
            state: head.map(|head| state(&head.state, head.incomplete.is_none())),
            href: if day <= today { address(store, day) } else { String::new() },
        }
    };
    let mut cells: Vec<Option<Cell>> = (0..before).map(|_| None).collect();
    cells.extend(of_month.map(|day| Some(cell(day))));
    let mut weeks = vec![];
    let mut cells = cells.into_iter().peekable();
    while cells.peek().is_some() {
        let mut week: Vec<Option<Cell>> = cells.by_ref().take(7).collect();
        week.resize_with(7, || None);
        weeks.push(week);
    }
    Month { name: first.format("%B %Y").to_string(), weeks }
}

fn bad(head: &Head) -> Bad {
    Bad {
        day: Link::new(address(&head.store, head.day), head.day.to_string()),
        state: state(&head.state, head.incomplete.is_none()),
        differences: count(head.differences.into()),
        why: head.incomplete.clone().unwrap_or_default(),
        at: When(head.finished_at),
    }
}

impl CalendarPage {
    /// What the colours and words mean.
    pub fn legend(&self) -> [(Pill, &'static str); 4] {
        [
            (Pill::new(Tone::Ok, "ok"), "store, evidence and ledger agree, and nothing waits"),
            (Pill::new(Tone::Info, "explained"), "they agree; what does not earn waits for a named reason"),
            (Pill::new(Tone::Bad, "not ok"), "a difference is left: open the day"),
            (Pill::new(Tone::Warn, "incomplete"), "the store could not be read to the end of the day"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_on_its_weekday_and_ends_in_full_weeks() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        // The 1st of November 2026 is a Sunday.
        let november = month("main", day("2026-11-01"), day("2026-11-20"), &BTreeMap::new());
        assert_eq!((november.name.as_str(), november.weeks.len()), ("November 2026", 6));
        assert!(november.weeks.iter().all(|week| week.len() == 7));
        assert!(november.weeks[0][..6].iter().all(Option::is_none));
        let cells: Vec<&Cell> = november.weeks.iter().flatten().flatten().collect();
        assert_eq!((cells.len(), cells[0].number, cells[29].number), (30, 1, 30));
        assert_eq!(cells[19].href, "/admin/reconciliation/main/2026-11-20");
        assert!(cells[20].href.is_empty(), "nobody reconciles tomorrow");
        assert_eq!(cells[0].date, "Sunday 1 November 2026");
    }
}
