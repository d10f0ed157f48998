use super::*;
use proptest::prelude::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn version(id: &str, sponsor: Option<&str>) -> DistributorVersion {
    DistributorVersion {
        id: DistributorId::new(id),
        sponsor: sponsor.map(DistributorId::new),
        status: Status::Active,
        rank: None,
        from: None,
        enrolled_at: None,
    }
}

fn moved(id: &str, sponsor: Option<&str>, second: i64) -> DistributorVersion {
    DistributorVersion { from: Some(at(second)), ..version(id, sponsor) }
}

fn upline(tree: &Genealogy, id: &str, second: i64) -> Vec<String> {
    let node = tree.node(&DistributorId::new(id)).unwrap();
    tree.upline_at(node, at(second)).map(|(node, _)| tree.id(node).to_owned()).collect()
}

fn ids(tree: &Genealogy, nodes: impl Iterator<Item = Node>) -> Vec<String> {
    nodes.map(|node| tree.id(node).to_owned()).collect()
}

#[test]
fn a_move_counts_from_its_instant_on() {
    let tree = Genealogy::build([
        moved("c", Some("b"), 100),
        version("a", None),
        version("b", Some("a")),
        version("c", Some("a")),
    ])
    .unwrap();
    assert_eq!(upline(&tree, "c", 99), ["c", "a"]);
    assert_eq!(upline(&tree, "c", 100), ["c", "b", "a"]);
    let a = tree.node(&DistributorId::new("a")).unwrap();
    assert_eq!(ids(&tree, tree.children_at(a, at(99))), ["b", "c"]);
    assert_eq!(ids(&tree, tree.children_at(a, at(100))), ["b"]);
    assert_eq!(ids(&tree, tree.roots_at(at(0))), ["a"]);
    assert_eq!(tree.child_count_at(a, at(100)), 1);
    let levels: Vec<(String, u32)> =
        tree.downline_at(a, at(100)).map(|(node, level)| (tree.id(node).to_owned(), level)).collect();
    assert_eq!(levels, [("b".to_owned(), 1), ("c".to_owned(), 2)]);
    assert_eq!((tree.len(), tree.version_count()), (3, 4));
}

#[test]
fn whoever_was_below_at_any_time_is_found() {
    let tree = Genealogy::build([
        version("a", None),
        version("b", Some("a")),
        version("c", Some("b")),
        moved("c", Some("d"), 5),
        version("d", None),
        moved("d", Some("c"), 9),
        moved("c", Some("b"), 9),
    ])
    .unwrap();
    let of = |id: &str| ids(&tree, tree.ever_below(tree.node(&DistributorId::new(id)).unwrap()).into_iter());
    assert_eq!((of("b"), of("d")), (vec!["b".into(), "c".into(), "d".into()], vec!["c".into(), "d".into()]));
    let c = tree.history(tree.node(&DistributorId::new("c")).unwrap());
    assert_eq!(c, [version("c", Some("b")), moved("c", Some("d"), 5), moved("c", Some("b"), 9)]);
}

#[test]
fn a_distributor_is_not_there_before_its_first_version_and_cannot_earn_before_enrolment() {
    let late = DistributorVersion { enrolled_at: Some(at(80)), ..moved("b", Some("a"), 50) };
    let ranked =
        DistributorVersion { rank: Some("gold".into()), status: Status::Suspended, ..version("a", None) };
    let tree = Genealogy::build([ranked, late, version("c", Some("b"))]).unwrap();
    assert_eq!(upline(&tree, "c", 49), ["c"]);
    assert_eq!(upline(&tree, "c", 50), ["c", "b", "a"]);
    let b = tree.node(&DistributorId::new("b")).unwrap();
    assert_eq!(tree.standing_at(b, at(49)), None);
    assert!(!tree.standing_at(b, at(79)).unwrap().enrolled);
    assert!(tree.standing_at(b, at(80)).unwrap().enrolled);
    let a = tree.node(&DistributorId::new("a")).unwrap();
    let standing = tree.standing_at(a, at(0)).unwrap();
    assert_eq!((standing.status, standing.rank), (Status::Suspended, Some("gold")));
    assert_eq!(tree.node(&DistributorId::new("nobody")), None);
}

#[test]
fn every_problem_is_named_at_once() {
    let problems = Genealogy::build([
        version("a", Some("a")),
        version("below a", Some("a")),
        version("b", Some("ghost")),
        version("c", Some("phantom")),
        version("", None),
        version("x", Some("y")),
        version("y", Some("x")),
    ])
    .unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told.iter().any(|line| line.contains("b names the sponsor ghost")), "{told:?}");
    assert!(told.iter().any(|line| line.contains("c names the sponsor phantom")), "{told:?}");
    assert!(told.iter().any(|line| line.contains("x -> y -> x")), "{told:?}");
    let twice = |from| GenealogyProblem::Duplicate { distributor: DistributorId::new("a"), from };
    assert_eq!(Genealogy::build([version("a", None), version("a", None)]).unwrap_err(), [twice(None)]);
    let later = [version("a", None), moved("a", None, 5), moved("a", None, 5)];
    assert_eq!(Genealogy::build(later).unwrap_err(), [twice(Some(at(5)))]);
}

#[test]
fn a_circle_is_named_with_its_members_and_its_instant() {
    let base =
        [version("a", None), version("b", Some("a")), version("c", Some("b")), version("d", Some("c"))];
    let tree = Genealogy::build(base).unwrap();
    let problems = tree.check(&[moved("b", Some("c"), 7)]).unwrap_err();
    let members = vec![DistributorId::new("b"), DistributorId::new("c")];
    assert_eq!(problems, [GenealogyProblem::Cycle { at: Some(at(7)), members }]);
    let always = Genealogy::build([version("x", Some("y")), version("y", Some("x"))]).unwrap_err();
    assert!(
        matches!(always.as_slice(), [GenealogyProblem::Cycle { at: None, members }] if members.len() == 2)
    );
}

#[test]
fn two_who_change_places_at_one_instant_make_no_circle() {
    let tree = Genealogy::build([version("a", None), version("b", Some("a"))]).unwrap();
    let changed = tree.check(&[moved("a", Some("b"), 5), moved("b", None, 5)]).unwrap();
    assert_eq!(upline(&changed, "a", 5), ["a", "b"]);
    assert_eq!(upline(&changed, "b", 4), ["b", "a"]);
    assert!(tree.check(&[moved("a", Some("b"), 5), moved("b", None, 6)]).is_err());
}

#[test]
fn a_change_replaces_the_version_of_the_same_instant() {
    let tree = Genealogy::build([version("a", None), version("b", None), version("c", Some("a"))]).unwrap();
    let changed = tree.check(&[version("c", Some("b"))]).unwrap();
    assert_eq!(upline(&changed, "c", 0), ["c", "b"]);
    assert_eq!(changed.version_count(), 3);
}

#[test]
fn a_chain_of_a_hundred_thousand_is_walked_and_checked_without_recursion() {
    let name = |i: u32| format!("{i:06}");
    let chain = (0..100_000u32).map(|i| version(&name(i), i.checked_sub(1).map(name).as_deref()));
    let tree = Genealogy::build(chain).unwrap();
    assert_eq!(upline(&tree, "099999", 0).len(), 100_000);
    let top = tree.node(&DistributorId::new("000000")).unwrap();
    assert_eq!(tree.downline_at(top, at(0)).last().map(|(_, level)| level), Some(99_999));
    let problems = tree.check(&[moved("000000", Some("099999"), 3)]).unwrap_err();
    assert!(
        matches!(problems.as_slice(), [GenealogyProblem::Cycle { members, .. }] if members.len() == 100_000)
    );
}

#[test]
fn a_million_distributors_stay_under_a_hundred_megabytes() {
    let name = |i: u32| format!("D{i:07}");
    let star = (0..1_000_000u32).map(|i| version(&name(i), (i > 0).then(|| name((i - 1) / 3)).as_deref()));
    let tree = Genealogy::build(star).unwrap();
    assert!(tree.heap_bytes() < 100_000_000, "{} bytes", tree.heap_bytes());
    assert_eq!(upline(&tree, "D0999999", 0).last().map(String::as_str), Some("D0000000"));
}

fn any_version() -> impl Strategy<Value = DistributorVersion> {
    (0u32..8, prop::option::of(0u32..8), prop::option::of(0i64..6)).prop_map(|(id, sponsor, from)| {
        DistributorVersion {
            from: from.map(at),
            ..version(&id.to_string(), sponsor.map(|s| s.to_string()).as_deref())
        }
    })
}

/// Sponsors at an instant by looking through all versions, and whether anybody is above itself.
fn has_circle(versions: &[DistributorVersion], second: i64) -> bool {
    let sponsor = |id: &DistributorId| {
        let past = versions.iter().filter(|v| v.id == *id && v.from.is_none_or(|from| from <= at(second)));
        past.max_by_key(|v| v.from).and_then(|v| v.sponsor.clone())
    };
    versions.iter().any(|start| {
        let mut above = sponsor(&start.id);
        for _ in 0..versions.len() {
            match above {
                Some(id) if id == start.id => return true,
                Some(id) => above = sponsor(&id),
                None => return false,
            }
        }
        false
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_tree_is_refused_for_a_circle_exactly_when_one_exists_at_some_instant(
        versions in prop::collection::vec(any_version(), 1..14),
    ) {
        let mut versions = versions;
        versions.retain(|v| v.sponsor.as_ref() != Some(&v.id));
        versions.sort_by_key(|v| (v.id.clone(), v.from));
        versions.dedup_by_key(|v| (v.id.clone(), v.from));
        let known: Vec<DistributorId> = versions.iter().map(|v| v.id.clone()).collect();
        for v in &mut versions {
            v.sponsor = v.sponsor.take().filter(|sponsor| known.contains(sponsor));
        }
        let expected = (-1..6).any(|second| has_circle(&versions, second));
        let built = Genealogy::build(versions.iter().rev().cloned());
        prop_assert_eq!(built.is_err(), expected, "{:?}", built.err());
        if let Ok(tree) = Genealogy::build(versions.clone()) {
            let again: Vec<DistributorVersion> = tree.versions().collect();
            prop_assert_eq!(again, versions);
        }
    }
}
