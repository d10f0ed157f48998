//! The codes under which orders and links name a distributor, besides the distributor's id.
//!
//! A code that is given for the first time has always named its distributor: an order that waits because its code
//! names nobody is mended that way. One that changes hands, or ends, does so from now on.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use url::form_urlencoded::byte_serialize;

use super::{recorded_at, repo};
use crate::core::ids::DistributorId;
use crate::db::{DbError, Tx};

#[derive(Debug, thiserror::Error)]
pub enum CodeProblem {
    #[error("{0:?} is no code: use 1 to 200 letters, digits and signs, such as ANNA or anna-2026")]
    BadCode(String),
    #[error("there is no distributor {0:?}")]
    NoSuchDistributor(String),
    #[error("{0:?} is the id of a distributor already, which goes before any code")]
    IsAnId(String),
    #[error("the code {code:?} names {holder} already; retire it first")]
    Taken { code: String, holder: String },
    #[error("no code {0:?} is in use")]
    NotInUse(String),
    #[error("the codes could not be saved")]
    Db(#[from] DbError),
}

/// Who each code names, by lower-case code.
#[derive(Debug, Default)]
pub struct Codes(HashMap<String, Vec<Holder>>);

/// `None`: from ever; names nobody.
type Holder = (Option<DateTime<Utc>>, Option<DistributorId>);

impl Codes {
    pub(super) fn new(versions: Vec<repo::codes::CodeVersion>) -> Self {
        let mut codes: HashMap<String, Vec<Holder>> = HashMap::new();
        for version in versions {
            let holder = (version.effective_from, version.distributor_id.map(DistributorId::new));
            codes.entry(version.code).or_default().push(holder);
        }
        Self(codes)
    }

    pub fn holder(&self, code: &str, at: DateTime<Utc>) -> Option<&DistributorId> {
        let held = self.0.get(&code.trim().to_lowercase())?;
        let newest = held.iter().rev().find(|(from, _)| from.is_none_or(|from| from <= at));
        newest.and_then(|(_, holder)| holder.as_ref())
    }
}

/// Makes codes name their distributors from now on, in any case. A code that is new has always done so, one that
/// names its distributor already is left alone. All or none.
pub fn bind_codes(
    tx: &mut Tx<'_>,
    codes: &[(&str, &DistributorId)],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), CodeProblem> {
    let recorded_at = recorded_at(tx, "distributors", now)?;
    let folded: Vec<(String, &DistributorId)> =
        codes.iter().map(|(code, to)| Ok((usable(code)?, *to))).collect::<Result<_, CodeProblem>>()?;
    let names: Vec<&str> = folded.iter().map(|(code, _)| code.as_str()).collect();
    let owners: Vec<&str> = codes.iter().flat_map(|(code, to)| [to.as_str(), code.trim()]).collect();
    let ids = repo::known(tx.conn, &owners)?;
    let known = repo::codes::versions(tx.conn, Some(&names))?;
    let mut added: Vec<repo::codes::NewVersion<'_>> = vec![];
    for ((code, to), (written, _)) in folded.iter().zip(codes) {
        if !ids.contains(to.as_str()) {
            return Err(CodeProblem::NoSuchDistributor(to.0.clone()));
        }
        if ids.contains(written.trim()) && written.trim() != to.as_str() {
            return Err(CodeProblem::IsAnId(written.trim().to_owned()));
        }
        let newest = known.iter().rev().find(|version| version.code == *code);
        let holder = added.iter().rev().find(|v| v.code == code).map(|v| v.to.map(DistributorId::as_str));
        let holder = holder.unwrap_or_else(|| newest.and_then(|version| version.distributor_id.as_deref()));
        match holder {
            Some(holder) if holder == to.as_str() => {}
            Some(holder) => {
                return Err(CodeProblem::Taken { code: code.clone(), holder: holder.to_owned() });
            }
            None => added.push(repo::codes::NewVersion {
                code,
                version_no: newest.map_or(1, |version| version.version_no + 1),
                to: Some(to),
                from: newest.map(|_| recorded_at),
            }),
        }
    }
    Ok(repo::codes::insert(tx.conn, &added, by, recorded_at)?)
}

/// The code names nobody from now on; orders from before keep whom it named. Answers who that was.
pub fn retire_code(
    tx: &mut Tx<'_>,
    code: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<DistributorId, CodeProblem> {
    let recorded_at = recorded_at(tx, "distributors", now)?;
    let code = usable(code)?;
    let known = repo::codes::versions(tx.conn, Some(&[&code]))?;
    let newest = known.last().and_then(|version| Some((version.version_no, version.distributor_id.clone()?)));
    let (version_no, holder) = newest.ok_or_else(|| CodeProblem::NotInUse(code.clone()))?;
    let ended = repo::codes::NewVersion {
        code: &code,
        version_no: version_no + 1,
        to: None,
        from: Some(recorded_at),
    };
    repo::codes::insert(tx.conn, &[ended], by, recorded_at)?;
    Ok(DistributorId(holder))
}

/// The address that carries a code to the store; `base` is ours.
pub fn link(base: &str, code: &str) -> String {
    let code = byte_serialize(code.as_bytes()).collect::<String>().replace('+', "%20");
    format!("{}/r/{code}", base.trim_end_matches('/'))
}

/// Folded as it is stored. Discount codes have spaces and any letters.
pub(super) fn usable(code: &str) -> Result<String, CodeProblem> {
    let folded = code.trim().to_lowercase();
    let fits = !folded.is_empty() && folded.chars().count() <= 200;
    match fits && !folded.chars().any(char::is_control) {
        true => Ok(folded),
        false => Err(CodeProblem::BadCode(code.trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_names_whom_it_named_at_the_time() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let version = |version_no, from: Option<&str>, to: Option<&str>| repo::codes::CodeVersion {
            code: "anna".into(),
            version_no,
            distributor_id: to.map(str::to_owned),
            effective_from: from.map(at),
        };
        let codes = Codes::new(vec![
            version(1, None, Some("1")),
            version(2, Some("2026-02-01T00:00:00Z"), None),
            version(3, Some("2026-03-01T00:00:00Z"), Some("2")),
        ]);
        let named = |text| codes.holder("Anna", at(text)).map(DistributorId::as_str);
        assert_eq!(named("2020-01-01T00:00:00Z"), Some("1"));
        assert_eq!(named("2026-01-31T23:59:59Z"), Some("1"));
        assert_eq!(named("2026-02-01T00:00:00Z"), None);
        assert_eq!(named("2026-03-01T00:00:00Z"), Some("2"));
        assert_eq!(codes.holder("berta", at("2026-03-01T00:00:00Z")), None);
    }

    #[test]
    fn a_code_is_one_line_of_text() {
        assert_eq!(usable(" ANNA-2026 ").unwrap(), "anna-2026");
        assert_eq!(usable("Åsa Test 01").unwrap(), "åsa test 01");
        for code in ["", " ", "a\nb", &"x".repeat(201)] {
            assert!(usable(code).is_err(), "{code:?}");
        }
    }
}
