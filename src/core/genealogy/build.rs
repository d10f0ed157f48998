//! From versions in any order to the arrays of a [`Genealogy`]; every problem is named, not the first.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    DistributorVersion, Genealogy, NO_RANK, NO_SPONSOR, Node, Status, Version, cycle, from_micros, to_micros,
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

/// Everything that was given, the names in one text: a million distributors are a handful of allocations, which
/// go back as a whole once the tree is laid out.
#[derive(Default)]
struct Drafts {
    text: String,
    drafts: Vec<Draft>,
    ranks: Vec<String>,
    problems: Vec<GenealogyProblem>,
}

struct Draft {
    id: Name,
    sponsor: Option<Name>,
    from: i64,
    enrolled_at: i64,
    rank: u16,
    status: Status,
}

/// Where a name stands in the text.
#[derive(Clone, Copy)]
struct Name {
    start: u32,
    end: u32,
}

impl Drafts {
    fn add(&mut self, given: DistributorVersion) -> Result<(), GenealogyProblem> {
        if given.id.as_str().is_empty() {
            self.problems.push(GenealogyProblem::EmptyId);
            return Ok(());
        }
        let id = self.write(given.id.as_str())?;
        let own = given.sponsor.as_ref() == Some(&given.id);
        let sponsor =
            given.sponsor.filter(|_| !own).map(|sponsor| self.write(sponsor.as_str())).transpose()?;
        let rank = self.rank(given.rank)?;
        let (from, enrolled_at) = (to_micros(given.from), to_micros(given.enrolled_at));
        if own {
            self.problems.push(GenealogyProblem::SelfSponsor { distributor: given.id });
        }
        self.drafts.push(Draft { id, sponsor, from, enrolled_at, rank, status: given.status });
        Ok(())
    }

    fn write(&mut self, name: &str) -> Result<Name, GenealogyProblem> {
        let start = small(self.text.len())?;
        self.text.push_str(name);
        Ok(Name { start, end: small(self.text.len())? })
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
        let text = std::mem::take(&mut self.text);
        let mut drafts = std::mem::take(&mut self.drafts);
        drafts.sort_unstable_by(|a, b| (a.id.of(&text), a.from).cmp(&(b.id.of(&text), b.from)));
        let mut tree = self.lay_out(&text, &drafts).map_err(|problem| vec![problem])?;
        self.sponsors(&text, &drafts, &mut tree).map_err(|problem| vec![problem])?;
        drop((text, drafts));
        let (downline_versions, downline_starts) = by_sponsor(&tree.versions, tree.len());
        tree = Genealogy { downline_versions, downline_starts, ..tree };
        self.problems.extend(cycle::find(&tree));
        if self.problems.is_empty() { Ok(tree) } else { Err(sorted(self.problems)) }
    }

    /// Numbers the distributors in the order of their ids; sponsors are filled in afterwards.
    fn lay_out(&mut self, text: &str, drafts: &[Draft]) -> Result<Genealogy, GenealogyProblem> {
        let mut tree = Genealogy {
            ids: String::new(),
            id_ends: Vec::new(),
            enrolled_at: Vec::new(),
            ranks: std::mem::take(&mut self.ranks),
            versions: Vec::with_capacity(drafts.len()),
            version_starts: vec![0],
            downline_versions: Vec::new(),
            downline_starts: Vec::new(),
        };
        for versions in drafts.chunk_by(|a, b| a.id.of(text) == b.id.of(text)) {
            let Some(first) = versions.first() else { continue };
            let node = small(tree.id_ends.len())?;
            tree.ids.push_str(first.id.of(text));
            tree.id_ends.push(small(tree.ids.len())?);
            tree.enrolled_at.push(versions.iter().map(|draft| draft.enrolled_at).min().unwrap_or(i64::MIN));
            tree.versions.extend(versions.iter().map(|draft| Version {
                from: draft.from,
                node,
                sponsor: NO_SPONSOR,
                rank: draft.rank,
                status: draft.status,
            }));
            tree.version_starts.push(small(tree.versions.len())?);
            let twice = |pair: &[Draft]| match pair {
                [a, b] if a.from == b.from => Some(GenealogyProblem::Duplicate {
                    distributor: DistributorId::new(first.id.of(text)),
                    from: from_micros(a.from),
                }),
                _ => None,
            };
            self.problems.extend(versions.windows(2).filter_map(twice));
        }
        tree.ids.shrink_to_fit();
        tree.id_ends.shrink_to_fit();
        tree.enrolled_at.shrink_to_fit();
        tree.version_starts.shrink_to_fit();
        Ok(tree)
    }

    fn sponsors(
        &mut self,
        text: &str,
        drafts: &[Draft],
        tree: &mut Genealogy,
    ) -> Result<(), GenealogyProblem> {
        let mut versions = std::mem::take(&mut tree.versions);
        for (version, draft) in versions.iter_mut().zip(drafts) {
            let Some(sponsor) = draft.sponsor else { continue };
            match tree.find(sponsor.of(text)) {
                Some(node) => version.sponsor = small(node)?,
                None => self.problems.push(GenealogyProblem::UnknownSponsor {
                    distributor: DistributorId::new(draft.id.of(text)),
                    sponsor: DistributorId::new(sponsor.of(text)),
                }),
            }
        }
        tree.versions = versions;
        Ok(())
    }
}

impl Name {
    fn of(self, text: &str) -> &str {
        let (Ok(start), Ok(end)) = (usize::try_from(self.start), usize::try_from(self.end)) else {
            return "";
        };
        text.get(start..end).unwrap_or("")
    }
}

/// Counting sort of version numbers by sponsor; those without one are the last group.
fn by_sponsor(versions: &[Version], nodes: usize) -> (Vec<u32>, Vec<u32>) {
    let slot = |version: &Version| Node(version.sponsor).index().min(nodes);
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

/// The order in which versions came must not show in the answer.
fn sorted(mut problems: Vec<GenealogyProblem>) -> Vec<GenealogyProblem> {
    problems.sort_by_cached_key(ToString::to_string);
    problems
}

fn small(number: usize) -> Result<u32, GenealogyProblem> {
    u32::try_from(number).ok().filter(|number| *number != NO_SPONSOR).ok_or(GenealogyProblem::TooMany)
}
