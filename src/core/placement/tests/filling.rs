//! The rules of spillover against rules that look everywhere each time.

use super::*;
use crate::core::placement::spill::{Filled, Newcomer, Unplaced, fill};
use std::collections::BTreeMap;

fn newcomer(id: &str, sponsor: Option<&str>, enrolled: i64) -> Newcomer {
    Newcomer {
        id: DistributorId::new(id),
        sponsor: sponsor.map(DistributorId::new),
        enrolled_at: Some(second(enrolled)),
    }
}

fn matrix(width: u16, depth: Option<u16>, spillover: Spillover) -> PlacementRule {
    PlacementRule { tree: TreeKind::Matrix { width, depth }, spillover }
}

fn binary(spillover: Spillover) -> PlacementRule {
    PlacementRule { tree: TreeKind::Binary, spillover }
}

fn fresh(rule: &PlacementRule, newcomers: Vec<Newcomer>) -> Filled {
    fill(&Placement::default(), rule, newcomers, second(1_000_000))
}

/// `who: under/side`
fn told(filled: &Filled) -> Vec<String> {
    let told = |version: &PlacementVersion| {
        format!("{}: {}/{}", version.position, version.parent.as_deref().unwrap_or("-"), version.side)
    };
    filled.placed.iter().map(told).collect()
}

fn all_under_root(count: i64) -> Vec<Newcomer> {
    let name = |i: i64| char::from(b'A' + u8::try_from(i).unwrap()).to_string();
    let below = (0..count).map(|i| newcomer(&name(i), Some("Root"), i + 1));
    std::iter::once(newcomer("Root", None, 0)).chain(below).collect()
}

#[test]
fn a_matrix_of_three_spills_to_the_first_child() {
    let filled = fresh(&matrix(3, Some(3), Spillover::BreadthFirst), all_under_root(4));
    assert_eq!(told(&filled), ["Root: -/0", "A: Root/0", "B: Root/1", "C: Root/2", "D: A/0"]);
    assert_eq!(filled.placed[4].from, Some(second(4)));
}

#[test]
fn each_rule_has_its_own_way() {
    let ways = [
        (Spillover::BreadthFirst, ["A: Root/0", "B: Root/1", "C: A/0", "D: A/1", "E: B/0", "F: B/1"]),
        (Spillover::DepthFirst, ["A: Root/0", "B: Root/1", "C: A/0", "D: A/1", "E: C/0", "F: C/1"]),
        (Spillover::Left, ["A: Root/0", "B: A/0", "C: B/0", "D: C/0", "E: D/0", "F: E/0"]),
        (Spillover::Right, ["A: Root/1", "B: A/1", "C: B/1", "D: C/1", "E: D/1", "F: E/1"]),
        (Spillover::Weaker, ["A: Root/0", "B: Root/1", "C: A/0", "D: B/1", "E: C/0", "F: D/1"]),
    ];
    for (spillover, wanted) in ways {
        assert_eq!(told(&fresh(&binary(spillover), all_under_root(6)))[1..], wanted, "{spillover:?}");
    }
}

#[test]
fn a_full_matrix_loses_nobody() {
    let spillovers = [
        (Spillover::BreadthFirst, 12),
        (Spillover::DepthFirst, 12),
        (Spillover::Left, 2),
        (Spillover::Weaker, 4),
    ];
    for (spillover, room) in spillovers {
        let filled = fresh(&matrix(3, Some(2), spillover), all_under_root(20));
        assert_eq!((filled.placed.len(), filled.unplaced.len()), (room + 1, 20 - room), "{spillover:?}");
        assert!(
            filled.unplaced[0].to_string().contains("nothing is free below the position of the sponsor Root")
        );
    }
}

#[test]
fn nobody_is_placed_before_the_sponsor() {
    let early = vec![newcomer("a", Some("b"), 1), newcomer("b", None, 9), newcomer("c", Some("ghost"), 2)];
    let filled = fresh(&binary(Spillover::Left), early);
    assert_eq!(told(&filled), ["b: -/0", "a: b/0"]);
    assert_eq!(filled.placed[1].from, Some(second(9)), "not before the place is there");
    assert!(matches!(&filled.unplaced[..], [Unplaced::NoSponsor { id, .. }] if id.as_str() == "c"));
}

#[test]
fn places_that_are_taken_now_or_later_are_not_given() {
    let known_tree = Placement::build([
        place("Root", None, 0),
        place("a", Some("Root"), 0),
        moved("a", Some("b"), 0, 500),
        place("b", Some("Root"), 1),
        moved("later", Some("b"), 1, 2_000_000),
        PlacementVersion { owner: DistributorId::new("Root"), ..place("m", Some("a"), 0) },
    ])
    .unwrap();
    let newcomers = vec![
        newcomer("n1", Some("Root"), 100),
        newcomer("n2", Some("b"), 200),
        newcomer("m", Some("b"), 300),
        newcomer("a", Some("b"), 300),
    ];
    let filled = fill(&known_tree, &binary(Spillover::BreadthFirst), newcomers, second(1_000_000));
    assert_eq!(told(&filled), ["n1: Root/0", "n2: a/1"]);
    assert_eq!(filled.placed[0].from, Some(second(500)), "from when the place was left");
    assert!(matches!(&filled.unplaced[..], [Unplaced::IdTaken { id, .. }] if id.as_str() == "m"));
    assert!(known_tree.check(&filled.placed, Some(TreeKind::Binary), known).is_ok());
    let free = |under| known_tree.free_place(&binary(Spillover::Left), under, second(1_000_000));
    assert_eq!(free("Root"), Some(("Root".to_owned(), 0)));
    assert_eq!(free("b"), Some(("m".to_owned(), 0)));
    assert_eq!(free("nowhere"), None);
}

/// The same rules by looking everywhere each time.
struct Naive {
    places: BTreeMap<(String, u16), String>,
    depth: BTreeMap<String, u16>,
    rule: PlacementRule,
}

impl Naive {
    fn find(&self, under: &str) -> Option<(String, u16)> {
        let width = self.rule.tree.width();
        match self.rule.spillover {
            Spillover::BreadthFirst => {
                let mut level = vec![under.to_owned()];
                while !level.is_empty() {
                    if let Some(found) = level.iter().find_map(|position| self.free(position, 0..width)) {
                        return Some(found);
                    }
                    level = level.iter().flat_map(|position| self.below(position)).collect();
                }
                None
            }
            Spillover::DepthFirst => {
                let mut open = vec![under.to_owned()];
                while let Some(position) = open.pop() {
                    if let Some(found) = self.free(&position, 0..width) {
                        return Some(found);
                    }
                    open.extend(self.below(&position).into_iter().rev());
                }
                None
            }
            Spillover::Left => self.edge(under, 0),
            Spillover::Right => self.edge(under, width - 1),
            Spillover::Weaker => {
                let size =
                    |side: u16| self.places.get(&(under.to_owned(), side)).map_or(0, |id| self.size(id));
                let sides = if size(width - 1) < size(0) { [width - 1, 0] } else { [0, width - 1] };
                sides.into_iter().find_map(|side| self.edge(under, side))
            }
        }
    }

    fn edge(&self, under: &str, side: u16) -> Option<(String, u16)> {
        let mut position = under.to_owned();
        while let Some(next) = self.places.get(&(position.clone(), side)) {
            position.clone_from(next);
        }
        self.free(&position, side..side + 1)
    }

    fn free(&self, position: &str, sides: std::ops::Range<u16>) -> Option<(String, u16)> {
        let most = match self.rule.tree {
            TreeKind::Matrix { depth, .. } => depth,
            TreeKind::Binary => None,
        };
        let may = most.is_none_or(|most| self.depth[position] < most);
        let place = |side| (position.to_owned(), side);
        sides.map(place).find(|place| may && !self.places.contains_key(place))
    }

    fn below(&self, position: &str) -> Vec<String> {
        (0..self.rule.tree.width())
            .filter_map(|side| self.places.get(&(position.to_owned(), side)).cloned())
            .collect()
    }

    fn size(&self, position: &str) -> usize {
        1 + self.below(position).iter().map(|child| self.size(child)).sum::<usize>()
    }

    fn fill(&mut self, newcomers: &[(String, Option<String>)]) -> Vec<(String, Option<(String, u16)>)> {
        let mut placed = vec![];
        for (id, sponsor) in newcomers {
            let place = match sponsor {
                None => None,
                Some(sponsor) if !self.depth.contains_key(sponsor) => continue,
                Some(sponsor) => match self.find(sponsor) {
                    None => continue,
                    found => found,
                },
            };
            let depth = place.as_ref().map_or(0, |(parent, _)| self.depth[parent] + 1);
            self.depth.insert(id.clone(), depth);
            if let Some(place) = &place {
                self.places.insert(place.clone(), id.clone());
            }
            placed.push((id.clone(), place));
        }
        placed
    }
}

fn any_rule() -> impl Strategy<Value = PlacementRule> {
    let spillover = prop::sample::select(vec![
        Spillover::BreadthFirst,
        Spillover::DepthFirst,
        Spillover::Left,
        Spillover::Right,
        Spillover::Weaker,
    ]);
    let tree = prop_oneof![
        Just(TreeKind::Binary),
        (1u16..4, prop::option::of(1u16..5)).prop_map(|(width, depth)| TreeKind::Matrix { width, depth }),
    ];
    (tree, spillover).prop_map(|(tree, spillover)| PlacementRule { tree, spillover })
}

/// Each sponsored by one before it, or by nobody.
fn any_company() -> impl Strategy<Value = Vec<(String, Option<String>)>> {
    prop::collection::vec(any::<prop::sample::Index>(), 1..40).prop_map(|sponsors| {
        let name = |i: usize| format!("{i:02}");
        let person = |(i, sponsor): (usize, &prop::sample::Index)| {
            // Mostly the first ones, so that there is spillover.
            let sponsor = (i > 0).then(|| sponsor.index(i + 1)).map(|at| if at % 3 == 0 { 0 } else { at });
            (name(i), sponsor.filter(|at| *at < i).map(name))
        };
        sponsors.iter().enumerate().map(person).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_rules_place_as_if_they_looked_everywhere(rule in any_rule(), company in any_company(), cut in 0usize..40) {
        let mut naive = Naive { places: BTreeMap::new(), depth: BTreeMap::new(), rule };
        let wanted = naive.fill(&company);
        let newcomers: Vec<Newcomer> = company
            .iter()
            .zip(0i64..)
            .map(|((id, sponsor), enrolled)| newcomer(id, sponsor.as_deref(), enrolled))
            .collect();
        let place = |v: &PlacementVersion| (v.position.clone(), v.parent.clone().map(|parent| (parent, v.side)));
        let filled = fresh(&rule, newcomers.clone());
        prop_assert_eq!(filled.placed.iter().map(place).collect::<Vec<_>>(), wanted);
        prop_assert_eq!(filled.placed.len() + filled.unplaced.len(), company.len(), "nobody is lost");
        // No place twice, depth and width hold at every instant.
        let tree = Placement::default().check(&filled.placed, Some(rule.tree), known);
        prop_assert!(tree.is_ok(), "{:?}", tree.err());
        // In any order, and in two goes.
        let reversed: Vec<Newcomer> = newcomers.iter().rev().cloned().collect();
        prop_assert_eq!(&fresh(&rule, reversed), &filled);
        let (first, second_half) = newcomers.split_at(cut.min(newcomers.len()));
        let first = fresh(&rule, first.to_vec());
        let half = Placement::build(first.placed.iter().cloned()).unwrap();
        let rest = fill(&half, &rule, second_half.to_vec(), second(1_000_000));
        let both: Vec<PlacementVersion> = first.placed.into_iter().chain(rest.placed).collect();
        prop_assert_eq!(both, filled.placed);
    }
}

/// A million would be right too; this many already hurt where a rule starts from the top each time.
#[test]
fn many_newcomers_of_one_sponsor_and_of_a_long_line_cost_little() {
    let many = 100_000i64;
    let name = |i: i64| format!("{i:06}");
    let star = (0..many).map(|i| newcomer(&name(i), (i > 0).then(|| name(0)).as_deref(), i));
    let line =
        (0..many).map(|i| newcomer(&name(i), (i > 0).then(|| name(i / 2 + (i - 1) / 2)).as_deref(), i));
    for newcomers in [star.collect::<Vec<_>>(), line.collect()] {
        for spillover in [Spillover::BreadthFirst, Spillover::DepthFirst, Spillover::Left, Spillover::Weaker]
        {
            assert_eq!(fresh(&binary(spillover), newcomers.clone()).placed.len(), 100_000, "{spillover:?}");
        }
    }
}
