//! The tree as it is built, checked and read; the rules of spillover are in a file of their own.

mod filling;

use super::*;
use crate::core::plan::{PlacementRule, Spillover};
use proptest::prelude::*;

fn second(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

/// Owned by a distributor of the same id, since ever.
fn place(position: &str, parent: Option<&str>, side: u16) -> PlacementVersion {
    PlacementVersion {
        position: position.to_owned(),
        owner: DistributorId::new(position),
        parent: parent.map(str::to_owned),
        side,
        from: None,
    }
}

fn moved(position: &str, parent: Option<&str>, side: u16, from: i64) -> PlacementVersion {
    PlacementVersion { from: Some(second(from)), ..place(position, parent, side) }
}

fn known(_: &DistributorId) -> bool {
    true
}

fn ids(tree: &Placement, nodes: impl IntoIterator<Item = Node>) -> Vec<String> {
    nodes.into_iter().map(|node| tree.id(node).to_owned()).collect()
}

const MATRIX: TreeKind = TreeKind::Matrix { width: 3, depth: Some(2) };

#[test]
fn a_move_counts_from_its_instant_on() {
    let tree = Placement::build([
        moved("c", Some("b"), 1, 100),
        place("a", None, 0),
        place("c", Some("a"), 1),
        place("b", Some("a"), 0),
    ])
    .unwrap();
    let node = |id| tree.node(id).unwrap();
    assert_eq!(ids(&tree, tree.children_at(node("a"), second(99))), ["b", "c"]);
    assert_eq!(ids(&tree, tree.children_at(node("a"), second(100))), ["b"]);
    assert_eq!(ids(&tree, tree.upline_at(node("c"), second(100))), ["c", "b", "a"]);
    assert_eq!(ids(&tree, tree.tops_at(second(0))), ["a"]);
    assert_eq!(tree.count_below_at(node("a"), second(100)), 2);
    assert_eq!(tree.count_below_at(node("b"), second(99)), 0);
    let all = tree.at(second(100));
    assert_eq!(
        all.iter().map(|p| (p.position.as_str(), p.side)).collect::<Vec<_>>(),
        [("a", 0), ("b", 0), ("c", 1)]
    );
    assert_eq!(all[2].parent.as_deref(), Some("b"));
    assert_eq!((tree.len(), tree.versions().count()), (3, 4));
}

#[test]
fn a_position_is_not_there_before_its_first_version() {
    let tree = Placement::build([place("a", None, 0), moved("b", Some("a"), 0, 50)]).unwrap();
    assert_eq!(tree.at(second(49)).len(), 1);
    assert!(tree.upline_at(tree.node("b").unwrap(), second(49)).next().is_none());
    assert!(tree.children_at(tree.node("a").unwrap(), second(49)).is_empty());
    assert_eq!(tree.standing_at(tree.node("b").unwrap(), second(50)).unwrap().owner, "b");
}

#[test]
fn an_owner_of_several_has_the_uppermost_first() {
    let owned = |version: PlacementVersion| PlacementVersion { owner: DistributorId::new("ann"), ..version };
    let tree = Placement::build([
        place("top", None, 0),
        owned(place("1", Some("z"), 0)),
        owned(place("z", Some("top"), 0)),
        owned(place("y", Some("top"), 1)),
        PlacementVersion { owner: DistributorId::new("bob"), ..moved("y", Some("top"), 1, 10) },
    ])
    .unwrap();
    let of = |owner: &str, at| ids(&tree, tree.of_owner_at(&DistributorId::new(owner), second(at)));
    assert_eq!(of("ann", 0), ["y", "z", "1"]);
    assert_eq!(of("ann", 10), ["z", "1"]);
    assert_eq!(of("bob", 10), ["y"]);
    assert_eq!(of("nobody", 10), Vec::<String>::new());
}

#[test]
fn every_problem_is_named_at_once() {
    let problems = Placement::build([
        place("a", None, 0),
        place("b", Some("ghost"), 0),
        place("c", Some("c"), 0),
        place("d", Some("a"), 0),
        place("e", Some("a"), 0),
        place("x", Some("y"), 0),
        place("y", Some("x"), 0),
        place("", None, 0),
        PlacementVersion { owner: DistributorId::new(""), ..place("f", Some("a"), 1) },
        moved("g", None, 0, 9),
        moved("h", Some("g"), 0, 3),
        place("i", None, 0),
        place("i", None, 0),
    ])
    .unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 8, "{told:#?}");
    for wanted in [
        "b is under ghost, which is not there",
        "c is under itself",
        "d and e are both at place 0 under a",
        "x -> y -> x",
        "empty id",
        "f has no owner",
        "h is under g from 1970-01-01T00:00:03+00:00, but g is there only from 1970-01-01T00:00:09+00:00",
        "i has two versions",
    ] {
        assert!(told.iter().any(|line| line.contains(wanted)), "{wanted} in {told:#?}");
    }
}

#[test]
fn changes_have_to_fit_the_plan_and_what_was_there_stays() {
    let tree =
        Placement::build([place("a", None, 0), place("b", Some("a"), 7), place("c", Some("b"), 0)]).unwrap();
    let check = |changes: &[PlacementVersion]| tree.check(changes, Some(MATRIX), known).map(drop);
    assert_eq!(check(&[place("d", Some("a"), 0)]), Ok(()));
    let told = |changes: &[PlacementVersion]| check(changes).unwrap_err()[0].to_string();
    assert!(told(&[place("d", Some("a"), 3)]).contains("the plan has 3 places under a position; use 0 to 2"));
    assert!(
        told(&[place("d", Some("c"), 0)])
            .contains("d would be 3 levels below the top, but the plan's matrix has 2")
    );
    // What is below a moved position comes too deep with it.
    let wanted = [place("d", Some("a"), 0), moved("b", Some("d"), 0, 5)];
    assert!(told(&wanted).contains("c would be 3 levels below the top from 1970-01-01T00:00:05+00:00"));
    assert!(tree.check(&wanted, Some(TreeKind::Binary), known).is_ok());
    let nobody = tree.check(&[place("d", Some("a"), 0)], None, |_| false).unwrap_err();
    assert!(nobody[0].to_string().contains("d is owned by d, who is not known"), "{nobody:?}");
}

#[test]
fn who_leaves_makes_room_at_that_instant() {
    let tree =
        Placement::build([place("a", None, 0), place("b", Some("a"), 0), place("c", Some("a"), 1)]).unwrap();
    // b and c change places.
    assert!(tree.check(&[moved("b", Some("a"), 1, 5), moved("c", Some("a"), 0, 5)], None, known).is_ok());
    let late =
        tree.check(&[moved("b", Some("a"), 1, 5), moved("c", Some("a"), 0, 6)], None, known).unwrap_err();
    let PlacementProblem::Taken { parent, side, at, .. } = &late[0] else { panic!("{late:?}") };
    assert_eq!((parent.as_str(), *side, *at), ("a", 1, Some(second(5))));
    // A future occupant keeps the place from then on, and not before.
    let later = tree.check(&[moved("d", Some("b"), 0, 50), moved("e", Some("b"), 0, 10)], None, known);
    assert!(later.is_err());
}

#[test]
fn a_move_is_restated_up_to_the_next_one() {
    let sold = PlacementVersion { owner: DistributorId::new("ann"), ..moved("c", Some("a"), 1, 20) };
    let tree = Placement::build([
        place("a", None, 0),
        place("b", Some("a"), 0),
        place("c", Some("a"), 1),
        sold.clone(),
        moved("c", Some("b"), 0, 30),
        moved("c", Some("a"), 1, 40),
    ])
    .unwrap();
    let wanted = moved("c", Some("b"), 1, 10);
    let changes = tree.moved(&wanted);
    let restated = PlacementVersion { parent: Some("b".to_owned()), side: 1, ..sold };
    assert_eq!(changes, [wanted, restated]);
    let changed = tree.check(&changes, None, known).unwrap();
    let under = |at| ids(&changed, changed.upline_at(changed.node("c").unwrap(), second(at)));
    assert_eq!([under(5), under(10), under(25), under(40)].map(|line| line[1].clone()), ["a", "b", "b", "a"]);
    let fresh = moved("n", Some("a"), 2, 1);
    assert_eq!(tree.moved(&fresh), [fresh]);
}

fn any_version() -> impl Strategy<Value = PlacementVersion> {
    (0u32..7, prop::option::weighted(0.8, 0u32..7), 0u16..3, prop::option::of(0i64..4)).prop_map(
        |(position, parent, side, from)| PlacementVersion {
            from: from.map(second),
            ..place(&position.to_string(), parent.map(|p| p.to_string()).as_deref(), side)
        },
    )
}

/// By looking through all versions at an instant: whether anything is wrong there.
fn is_wrong(versions: &[PlacementVersion], at: i64, depth: u32) -> bool {
    let now = |id: &str| {
        let past =
            versions.iter().filter(|v| v.position == *id && v.from.is_none_or(|from| from <= second(at)));
        past.max_by_key(|v| v.from)
    };
    let mut taken = std::collections::BTreeSet::new();
    let ids: std::collections::BTreeSet<&str> = versions.iter().map(|v| v.position.as_str()).collect();
    ids.into_iter().filter_map(now).any(|version| {
        let Some(first) = &version.parent else { return false };
        if !taken.insert((first.clone(), version.side)) {
            return true;
        }
        let (mut above, mut steps) = (Some(first.clone()), 0);
        while let Some(id) = above {
            steps += 1;
            match now(&id) {
                None => return true,
                Some(_) if steps > depth => return true,
                Some(version) => above = version.parent.clone(),
            }
        }
        false
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_tree_is_refused_exactly_when_something_is_wrong_at_some_instant(
        versions in prop::collection::vec(any_version(), 1..12),
        depth in 1u16..5,
    ) {
        let mut versions = versions;
        versions.retain(|v| v.parent.as_ref() != Some(&v.position));
        versions.sort_by_key(|v| (v.position.clone(), v.from));
        versions.dedup_by_key(|v| (v.position.clone(), v.from));
        let known_ids: Vec<String> = versions.iter().map(|v| v.position.clone()).collect();
        for v in &mut versions {
            v.parent = v.parent.take().filter(|parent| known_ids.contains(parent));
            v.side = if v.parent.is_some() { v.side } else { 0 };
        }
        let expected = (-1..4).any(|at| is_wrong(&versions, at, u32::from(depth)));
        let tree = TreeKind::Matrix { width: 3, depth: Some(depth) };
        let reversed: Vec<PlacementVersion> = versions.iter().rev().cloned().collect();
        let built = Placement::default().check(&reversed, Some(tree), known);
        prop_assert_eq!(built.is_err(), expected, "{:?}", built.err());
        if let Ok(tree) = built {
            prop_assert_eq!(tree.versions().collect::<Vec<_>>(), versions);
        }
    }
}

#[test]
fn a_chain_of_a_hundred_thousand_is_walked_and_checked_without_recursion() {
    let name = |i: u32| format!("{i:06}");
    let chain = (0..100_000u32).map(|i| place(&name(i), i.checked_sub(1).map(name).as_deref(), 0));
    let tree = Placement::build(chain).unwrap();
    assert_eq!(tree.upline_at(tree.node("099999").unwrap(), second(0)).count(), 100_000);
    assert_eq!(tree.count_below_at(tree.node("000000").unwrap(), second(0)), 99_999);
    let problems = tree.check(&[moved("000000", Some("099999"), 0, 3)], None, known).unwrap_err();
    assert!(
        matches!(problems.as_slice(), [PlacementProblem::Cycle { members, .. }] if members.len() == 100_000)
    );
}
