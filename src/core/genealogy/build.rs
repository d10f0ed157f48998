//! From versions in any order to the arrays of a [`Genealogy`]; every problem is named, not the first.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::{
    DistributorVersion, Genealogy, NO_RANK, NO_SPONSOR, Node, Version, cycle, from_micros, to_micros,
};
use crate::core::ids::DistributorId;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenealogyProblem {
    #[error(
        "distributor {distributor} names the sponsor {sponsor}, who is not known; import {sponsor} too or correct the sponsor"
    )]
    UnknownSponsor { distributor: DistributorId, sponsor: DistributorId },
    #[error("distributor {distributor} is its own sponsor; leave the sponsor empty for the top of a tree")]
    SelfSponsor { distributor: DistributorId },
    #[error("the sponsors go round in a circle{}: {}; correct the sponsor of one of them", since(.at), circle(.members))]
    Cycle { at: Option<DateTime<Utc>>, members: Vec<DistributorId> },
    #[error("distributor {distributor} has two versions{}; keep one", since(.from))]
    Duplicate { distributor: DistributorId, from: Option<DateTime<Utc>> },
    #[error("a distributor has an empty id; every distributor needs one")]
    EmptyId,
    #[error("there are more distributors, versions or ranks than a tree can hold")]
    TooMany,
}

fn since(at: &Option<DateTime<Utc>>) -> String {
    at.map(|at| format!(" from {}", at.to_rfc3339())).unwrap_or_default()
}

fn circle(members: &[DistributorId]) -> String {
    let names: Vec<&str> = members.iter().chain(members.first()).map(DistributorId::as_str).collect();
    names.join(" -> ")
}

pub(super) fn build(
    versions: impl IntoIterator<Item = DistributorVersion>,
) -> Result<Genealogy, Vec<GenealogyProblem>> {
    let mut drafts = Drafts::default();
    for version in versions {
        drafts.add(version).map_err(|problem| vec![problem])?;
    }
    drafts.finish()
}

pub(super) fn with_changes(
    known: &Genealogy,
    changes: &[DistributorVersion],
) -> Result<Genealogy, Vec<GenealogyProblem>> {
    let replaced: BTreeSet<(&str, i64)> =
        changes.iter().map(|change| (change.id.as_str(), to_micros(change.from))).collect();
    let kept = known.versions().filter(|old| !replaced.contains(&(old.id.as_str(), to_micros(old.from))));
    build(kept.chain(changes.iter().cloned()))
}

/// Names become numbers as they are met; the numbers become nodes once all names are known.
#[derive(Default)]
struct Drafts {
    numbers: HashMap<Box<str>, u32>,
    /// By number: none while it was only named as a sponsor, else when it enrolled.
    enrolled: Vec<Option<i64>>,
    ranks: Vec<String>,
    versions: Vec<Version>,
    problems: Vec<GenealogyProblem>,
}

impl Drafts {
    fn add(&mut self, given: DistributorVersion) -> Result<(), GenealogyProblem> {
        if given.id.as_str().is_empty() {
            self.problems.push(GenealogyProblem::EmptyId);
            return Ok(());
        }
        let node = self.number(given.id.as_str())?;
        let sponsor = match &given.sponsor {
            Some(sponsor) if *sponsor == given.id => {
                self.problems.push(GenealogyProblem::SelfSponsor { distributor: given.id });
                NO_SPONSOR
            }
            Some(sponsor) => self.number(sponsor.as_str())?,
            None => NO_SPONSOR,
        };
        let enrolled_at = to_micros(given.enrolled_at);
        if let Some(slot) = self.enrolled.get_mut(Node(node).index()) {
            *slot = Some(slot.map_or(enrolled_at, |known| known.min(enrolled_at)));
        }
        let rank = self.rank(given.rank)?;
        self.versions.push(Version {
            from: to_micros(given.from),
            node,
            sponsor,
            rank,
            status: given.status,
        });
        Ok(())
    }

    fn number(&mut self, id: &str) -> Result<u32, GenealogyProblem> {
        if let Some(number) = self.numbers.get(id) {
            return Ok(*number);
        }
        let number = small(self.numbers.len())?;
        self.numbers.insert(id.into(), number);
        self.enrolled.push(None);
        Ok(number)
    }

    /// Ranks are few, so looking through them is quicker than hashing.
    fn rank(&mut self, rank: Option<String>) -> Result<u16, GenealogyProblem> {
        let Some(rank) = rank else { return Ok(NO_RANK) };
        let at = self.ranks.iter().position(|known| *known == rank).unwrap_or_else(|| {
            self.ranks.push(rank);
            self.ranks.len() - 1
        });
        u16::try_from(at).ok().filter(|at| *at != NO_RANK).ok_or(GenealogyProblem::TooMany)
    }

    fn finish(mut self) -> Result<Genealogy, Vec<GenealogyProblem>> {
        let mut names: Vec<(Box<str>, u32)> = std::mem::take(&mut self.numbers).into_iter().collect();
        names.sort_unstable();
        self.name_unknown_sponsors(&names);
        if !self.problems.is_empty() {
            return Err(sorted(self.problems));
        }
        let genealogy = self.lay_out(&names).map_err(|problem| vec![problem])?;
        drop(names);
        let mut problems = duplicates(&genealogy);
        problems.extend(cycle::find(&genealogy));
        if problems.is_empty() { Ok(genealogy) } else { Err(problems) }
    }

    fn name_unknown_sponsors(&mut self, names: &[(Box<str>, u32)]) {
        let unknown: HashMap<u32, &str> = names
            .iter()
            .filter(|(_, number)| self.enrolled.get(Node(*number).index()).is_some_and(Option::is_none))
            .map(|(name, number)| (*number, &**name))
            .collect();
        if unknown.is_empty() {
            return;
        }
        let known: HashMap<u32, &str> = names.iter().map(|(name, number)| (*number, &**name)).collect();
        for version in &self.versions {
            let (Some(sponsor), Some(id)) = (unknown.get(&version.sponsor), known.get(&version.node)) else {
                continue;
            };
            self.problems.push(GenealogyProblem::UnknownSponsor {
                distributor: DistributorId::new(*id),
                sponsor: DistributorId::new(*sponsor),
            });
        }
    }

    /// Renumbers by name and groups the versions by distributor and by sponsor.
    fn lay_out(&mut self, names: &[(Box<str>, u32)]) -> Result<Genealogy, GenealogyProblem> {
        let mut ids = String::with_capacity(names.iter().map(|(name, _)| name.len()).sum());
        let mut id_ends = Vec::with_capacity(names.len());
        let mut enrolled_at = Vec::with_capacity(names.len());
        let mut node_of = vec![0u32; names.len()];
        for (node, (name, number)) in names.iter().enumerate() {
            ids.push_str(name);
            id_ends.push(small(ids.len())?);
            enrolled_at.push(self.enrolled.get(Node(*number).index()).copied().flatten().unwrap_or(i64::MIN));
            if let Some(slot) = node_of.get_mut(Node(*number).index()) {
                *slot = small(node)?;
            }
        }
        let renumber = |number: u32| node_of.get(Node(number).index()).copied().unwrap_or(NO_SPONSOR);
        let mut versions = std::mem::take(&mut self.versions);
        for version in &mut versions {
            version.node = renumber(version.node);
            version.sponsor = renumber(version.sponsor);
        }
        versions.sort_unstable_by_key(|version| (version.node, version.from));
        versions.shrink_to_fit();
        small(versions.len())?;
        let (_, version_starts) = group(&versions, names.len(), |version| version.node);
        let (downline_versions, downline_starts) = group(&versions, names.len(), |version| version.sponsor);
        let ranks = std::mem::take(&mut self.ranks);
        Ok(Genealogy {
            ids,
            id_ends,
            enrolled_at,
            ranks,
            versions,
            version_starts,
            downline_versions,
            downline_starts,
        })
    }
}

/// Counting sort of version numbers by `key`; keys above `nodes` (no sponsor) go to one last group.
fn group(versions: &[Version], nodes: usize, key: impl Fn(&Version) -> u32) -> (Vec<u32>, Vec<u32>) {
    let slot = |version: &Version| Node(key(version)).index().min(nodes);
    let mut starts = vec![0u32; nodes + 2];
    for version in versions {
        if let Some(count) = starts.get_mut(slot(version) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut grouped = vec![0u32; versions.len()];
    for (number, version) in (0u32..).zip(versions) {
        let Some(place) = next.get_mut(slot(version)) else { continue };
        if let Some(entry) = grouped.get_mut(Node(*place).index()) {
            *entry = number;
        }
        *place += 1;
    }
    (grouped, starts)
}

fn duplicates(genealogy: &Genealogy) -> Vec<GenealogyProblem> {
    let twice = |pair: &[Version]| match pair {
        [a, b] if a.node == b.node && a.from == b.from => Some(GenealogyProblem::Duplicate {
            distributor: DistributorId::new(genealogy.id(Node(a.node))),
            from: from_micros(a.from),
        }),
        _ => None,
    };
    genealogy.versions.windows(2).filter_map(twice).collect()
}

/// The order in which versions came must not show in the answer.
fn sorted(mut problems: Vec<GenealogyProblem>) -> Vec<GenealogyProblem> {
    problems.sort_by_cached_key(ToString::to_string);
    problems
}

fn small(number: usize) -> Result<u32, GenealogyProblem> {
    u32::try_from(number).ok().filter(|number| *number != NO_SPONSOR).ok_or(GenealogyProblem::TooMany)
}
