//! A distributor gets another sponsor from a day on: what has to be recorded, and whether the tree holds.

use chrono::{DateTime, Utc};

use super::{recorded_at, repo};
use crate::core::genealogy::{DistributorVersion, Genealogy, GenealogyProblem};
use crate::core::ids::DistributorId;
use crate::db::{DbError, Tx};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SponsorMove {
    pub distributor: DistributorId,
    /// Nobody: to the top.
    pub sponsor: Option<DistributorId>,
    pub from: DateTime<Utc>,
}

/// Why nobody was moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveProblem {
    #[error("there is no distributor {0}; check the id")]
    Unknown(DistributorId),
    #[error("distributor {0} is not there yet on that day; choose a later one")]
    TooEarly(DistributorId),
    #[error("distributor {0} stands there already on that day; nothing is to be moved")]
    Nothing(DistributorId),
    #[error("the sponsor tree would not hold: {}", told(.0))]
    Genealogy(Vec<GenealogyProblem>),
    #[error(transparent)]
    Db(#[from] DbError),
}

fn told(problems: &[GenealogyProblem]) -> String {
    problems.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl SponsorMove {
    /// The version that begins with the move. Versions that follow say the same sponsor then, up to the next one
    /// that had moved the distributor elsewhere.
    pub fn versions(&self, genealogy: &Genealogy) -> Result<Vec<DistributorVersion>, MoveProblem> {
        let id = &self.distributor;
        let node = genealogy.node(id).ok_or_else(|| MoveProblem::Unknown(id.clone()))?;
        let history = genealogy.history(node);
        let begun = history.partition_point(|version| version.from <= Some(self.from));
        let before = begun.checked_sub(1).and_then(|last| history.get(last));
        let before = before.ok_or_else(|| MoveProblem::TooEarly(id.clone()))?;
        if before.sponsor == self.sponsor {
            return Err(MoveProblem::Nothing(id.clone()));
        }
        let moved =
            DistributorVersion { sponsor: self.sponsor.clone(), from: Some(self.from), ..before.clone() };
        let follow = history.iter().skip(begun).take_while(|next| next.sponsor == before.sponsor);
        let restated =
            follow.map(|next| DistributorVersion { sponsor: self.sponsor.clone(), ..next.clone() });
        Ok(std::iter::once(moved).chain(restated).collect())
    }

    /// The sponsor tree as it would be.
    pub fn applied(&self, genealogy: &Genealogy) -> Result<Genealogy, MoveProblem> {
        genealogy.check(&self.versions(genealogy)?).map_err(MoveProblem::Genealogy)
    }
}

/// Records the move and answers with the sponsor tree as it is then.
pub fn move_sponsor(
    tx: &mut Tx<'_>,
    wanted: &SponsorMove,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Genealogy, MoveProblem> {
    let recorded_at = recorded_at(tx, "distributors", now)?;
    let known = super::genealogy(tx.conn, None)?;
    let versions = wanted.versions(&known)?;
    let moved = known.check(&versions).map_err(MoveProblem::Genealogy)?;
    repo::insert_versions(tx.conn, &versions.iter().collect::<Vec<_>>(), by, recorded_at)?;
    repo::show_last_version(tx.conn, &wanted.distributor)?;
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::genealogy::Status;

    fn version(id: &str, sponsor: Option<&str>, from: Option<i64>) -> DistributorVersion {
        DistributorVersion {
            id: DistributorId::new(id),
            sponsor: sponsor.map(DistributorId::new),
            status: Status::Active,
            rank: None,
            from: from.map(second),
            enrolled_at: None,
        }
    }

    fn second(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn to(id: &str, sponsor: Option<&str>, from: i64) -> SponsorMove {
        let sponsor = sponsor.map(DistributorId::new);
        SponsorMove { distributor: DistributorId::new(id), sponsor, from: second(from) }
    }

    #[test]
    fn a_move_holds_until_the_next_one() {
        let suspended = DistributorVersion { status: Status::Suspended, ..version("c", Some("a"), Some(20)) };
        let tree = Genealogy::build([
            version("a", None, None),
            version("b", Some("a"), None),
            version("c", Some("a"), Some(5)),
            suspended.clone(),
            version("c", None, Some(30)),
            version("c", Some("a"), Some(40)),
        ])
        .unwrap();
        let versions = to("c", Some("b"), 10).versions(&tree).unwrap();
        let restated = DistributorVersion { sponsor: Some(DistributorId::new("b")), ..suspended };
        assert_eq!(versions, [version("c", Some("b"), Some(10)), restated]);
        let moved = to("c", Some("b"), 10).applied(&tree).unwrap();
        let c = moved.node(&DistributorId::new("c")).unwrap();
        let sponsor = |at| moved.sponsor_at(c, second(at)).map(|node| moved.id(node).to_owned());
        assert_eq!([9, 10, 25, 35, 45].map(sponsor).map(Option::unwrap_or_default), ["a", "b", "b", "", "a"]);
    }

    #[test]
    fn what_cannot_be_moved_is_said() {
        let tree = Genealogy::build([version("a", None, None), version("b", Some("a"), Some(5))]).unwrap();
        let why = |wanted: SponsorMove| wanted.applied(&tree).unwrap_err().to_string();
        assert!(why(to("x", None, 9)).contains("there is no distributor x"));
        assert!(why(to("b", None, 4)).contains("b is not there yet"));
        assert!(why(to("b", Some("a"), 9)).contains("b stands there already"));
        assert!(why(to("a", Some("b"), 9)).contains("a -> b -> a"));
        assert!(why(to("b", Some("x"), 9)).contains("the sponsor x, who is not known"));
    }
}
