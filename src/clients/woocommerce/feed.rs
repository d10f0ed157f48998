//! A list of the shop as pages: which fields filter and sort it, and whether what came is whole.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::answer::{self, Answer, Listed};
use super::api::{Api, Read};
use super::paging::{self, Ask, Got, PAGE, Place, Row, Span, Step};
use crate::clients::{ApiError, WindowBy};

pub struct Feed<'a> {
    pub path: &'a str,
    pub fixed: &'a [(&'a str, &'a str)],
    pub by: WindowBy,
    /// A row that is counted and does not come is an error. Where money is not at stake it is passed over.
    pub strict: bool,
}

/// A row as the shop wrote it, and when it was asked for.
pub struct Raw {
    pub text: Box<RawValue>,
    pub read_at: DateTime<Utc>,
}

/// What places a row among its like. Rows without a time are only read by id.
#[derive(Deserialize)]
struct Head {
    id: u64,
    #[serde(default, deserialize_with = "instant")]
    date_created_gmt: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    date_modified_gmt: Option<DateTime<Utc>>,
}

/// WordPress' UTC times have no zone.
pub fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let zoned = DateTime::parse_from_rfc3339(&text).map(|at| at.with_timezone(&Utc));
    let naive = || text.parse::<chrono::NaiveDateTime>().map(|at| at.and_utc());
    zoned.or_else(|_| naive()).map(Some).map_err(|_| serde::de::Error::custom("not a time"))
}

impl Feed<'_> {
    pub fn page(&self, api: &Api, span: Option<Span>, place: Place) -> Result<Step<Raw>, ApiError> {
        paging::step(span, place, |ask| self.fetch(api, ask))
    }

    /// All of a short list.
    pub fn all(&self, api: &Api) -> Result<Vec<Raw>, ApiError> {
        let mut all = vec![];
        let mut place = Some(Place::beginning(None));
        while let Some(from) = place {
            let step = self.page(api, None, from)?;
            all.extend(step.rows.into_iter().map(|row| row.what));
            place = step.next;
        }
        Ok(all)
    }

    fn fetch(&self, api: &Api, ask: &Ask) -> Result<Got<Raw>, ApiError> {
        let query = self.query(ask);
        let Read { at, what } = api.get(self.path, &query, |answer| match answer {
            Answer::Refused(told) if !ask.by_id && told.refuses_a_parameter() => Ok(None),
            answer => self.whole(answer::list(&answer.fine()?)?, ask.offset).map(Some),
        })?;
        let Some((listed, came)) = what else { return Ok(Got::Unsorted) };
        let rows = listed.rows.into_iter().map(|text| self.row(text, at));
        Ok(Got::Rows { rows: rows.collect::<Result<_, _>>()?, came, total: listed.total })
    }

    fn query(&self, ask: &Ask) -> Vec<(&str, String)> {
        let (after, before, sorted) = match self.by {
            WindowBy::Changed => ("modified_after", "modified_before", "modified"),
            WindowBy::Ordered => ("after", "before", "date"),
        };
        let mut query: Vec<(&str, String)> =
            self.fixed.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        query.extend(ask.after.iter().map(|time| (after, time.clone())));
        query.extend(ask.before.iter().map(|time| (before, time.clone())));
        if ask.after.is_some() || ask.before.is_some() {
            query.push(("dates_are_gmt", "true".to_owned()));
        }
        query.push(("orderby", if ask.by_id { "id" } else { sorted }.to_owned()));
        query.push(("order", "asc".to_owned()));
        query.push(("per_page", PAGE.to_string()));
        if ask.offset > 0 {
            query.push(("offset", ask.offset.to_string()));
        }
        query
    }

    /// Fewer rows than the shop counts are half a page: it is asked again, in case it was in the middle of a change.
    fn whole(&self, listed: Listed, offset: u64) -> Result<(Listed, u64), ApiError> {
        let came = paging::count(listed.rows.iter());
        let due = listed.total.saturating_sub(offset).min(PAGE);
        if self.strict && came < due {
            let why = "the key's user may not see all, or an order is broken (WooCommerce > Status > Logs)";
            return Err(ApiError::Incomplete(format!("{came} of {due} {} came: {why}", self.path)));
        }
        Ok((listed, came.max(due)))
    }

    fn row(&self, text: Box<RawValue>, read_at: DateTime<Utc>) -> Result<Row<Raw>, ApiError> {
        let head: Head = answer::json(text.get().as_bytes())?;
        let at = match self.by {
            WindowBy::Changed => head.date_modified_gmt.or(head.date_created_gmt),
            WindowBy::Ordered => head.date_created_gmt,
        };
        Ok(Row { id: head.id, at: at.unwrap_or(DateTime::UNIX_EPOCH), what: Raw { text, read_at } })
    }
}
