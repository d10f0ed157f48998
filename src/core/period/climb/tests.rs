use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Any machine at all: what it does is written down for everybody and every state.
#[derive(Clone, Debug)]
struct Machine {
    states: u16,
    starts: Vec<Option<u16>>,
    /// By person and state.
    steps: Vec<(Option<i64>, Option<u16>)>,
    parents: Vec<u32>,
    volumes: Vec<Fixed>,
}

impl Climb for Machine {
    fn states(&self) -> u16 {
        self.states
    }

    fn start(&self, person: u32) -> Option<u16> {
        self.starts[index(person)]
    }

    fn step(&self, person: u32, state: u16) -> Step {
        let (rate, next) = self.steps[index(person) * usize::from(self.states) + usize::from(state)];
        Step { pays: rate.map(|rate| (state, Rate(rate))), next }
    }
}

fn any_machine() -> impl Strategy<Value = Machine> {
    (1usize..30, 1u16..6).prop_flat_map(|(people, states)| {
        let step = (prop::option::of(0i64..1000), prop::option::weighted(0.9, 0..states));
        (
            prop::collection::vec(prop::option::weighted(0.9, 0..states), people),
            prop::collection::vec(step, people * usize::from(states)),
            prop::collection::vec(any::<u32>(), people),
            prop::collection::vec(prop_oneof![Just(0i64), -50i64..1000], people),
        )
            .prop_map(move |(starts, steps, above, volumes)| {
                // Parents only come before: their children need not stand side by side.
                let parent = |(at, above): (u32, u32)| match at {
                    0 => NOBODY,
                    _ if above.is_multiple_of(9) => NOBODY,
                    _ => above % at,
                };
                let parents = (0u32..).zip(above).map(parent).collect();
                Machine { states, starts, steps, parents, volumes: volumes.into_iter().map(Fixed).collect() }
            })
    })
}

/// Source by source.
fn walked(machine: &Machine) -> BTreeMap<u32, (Fixed, Exact)> {
    let mut got: BTreeMap<u32, (Fixed, Exact)> = BTreeMap::new();
    for (source, volume) in (0u32..).zip(&machine.volumes) {
        climb_from(machine, &machine.parents, source, |person, _, step| {
            if let Some((_, rate)) = step.pays {
                let (base, exact) = got.entry(person).or_default();
                (*base, *exact) = (base.add(*volume).unwrap(), exact.add(volume.times(rate)).unwrap());
            }
            true
        });
    }
    got
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_pass_is_the_sum_of_the_ways(machine in any_machine()) {
        let climbed = climb(&machine, &machine.parents, &machine.volumes).unwrap();
        prop_assert!(climbed.windows(2).all(|pair| pair[0].person > pair[1].person));
        let passed: BTreeMap<u32, (Fixed, Exact)> =
            climbed.iter().map(|got| (got.person, (got.base, got.exact))).collect();
        let mut walked = walked(&machine);
        walked.retain(|_, (_, exact)| *exact != Exact::ZERO);
        // Volumes that cancel out in one state are not paid at all there, whatever their base.
        prop_assert_eq!(passed.keys().collect::<Vec<_>>(), walked.keys().collect::<Vec<_>>());
        for (person, (base, exact)) in &walked {
            prop_assert_eq!((&passed[person].0, &passed[person].1), (base, exact));
        }
    }

    #[test]
    fn arrivals_are_the_sources_whose_way_comes_by(machine in any_machine()) {
        for person in (0u32..).take(machine.parents.len()) {
            let mut expected = vec![];
            for (source, _) in (0u32..).zip(&machine.volumes).filter(|(_, volume)| !volume.is_zero()) {
                climb_from(&machine, &machine.parents, source, |at, state, _| {
                    if at == person {
                        expected.push((source, state));
                    }
                    at != person
                });
            }
            let found = arrivals(&machine, &machine.parents, &machine.volumes, person).unwrap();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_trail_has_everybody_who_is_paid(machine in any_machine()) {
        let mut trails = Trails::new(&machine, &machine.parents);
        for source in (0u32..).take(machine.parents.len()) {
            let mut expected = vec![];
            climb_from(&machine, &machine.parents, source, |person, _, step| {
                expected.extend(step.pays.map(|(level, rate)| trails::Paid { person, level, rate }));
                true
            });
            prop_assert_eq!(trails.paid(source), expected);
        }
    }
}

/// Ten levels, of which only the top of the tree is paid: everything comes to it, however far.
struct OnlyTheTop;

impl Climb for OnlyTheTop {
    fn states(&self) -> u16 {
        10
    }

    fn start(&self, _person: u32) -> Option<u16> {
        Some(0)
    }

    fn step(&self, person: u32, state: u16) -> Step {
        let pays = (person == 0).then_some((state, Rate::ONE));
        Step { pays, next: Some(state.saturating_add(1).min(9)) }
    }
}

#[test]
fn a_chain_and_a_star_take_linear_time() {
    let chain: Vec<u32> = (0..100_000).map(|at: u32| at.checked_sub(1).unwrap_or(NOBODY)).collect();
    let star: Vec<u32> = (0..200_000).map(|at: u32| if at == 0 { NOBODY } else { 0 }).collect();
    for parents in [chain, star] {
        let volumes = vec![Fixed(1); parents.len()];
        let climbed = climb(&OnlyTheTop, &parents, &volumes).unwrap();
        let all = i64::try_from(parents.len()).unwrap();
        assert_eq!(climbed.iter().map(|got| got.base).collect::<Vec<_>>(), [Fixed(all)]);
        assert_eq!(arrivals(&OnlyTheTop, &parents, &volumes, 0).unwrap().len(), parents.len());
        let mut trails = Trails::new(&OnlyTheTop, &parents);
        let last = u32::try_from(parents.len()).unwrap();
        assert!((0..last).all(|source| trails.paid(source).len() == 1));
    }
}

#[test]
fn what_is_too_large_is_told() {
    let parents = [NOBODY, 0, 0];
    assert_eq!(climb(&OnlyTheTop, &parents, &[Fixed(0), Fixed(i64::MAX), Fixed(1)]), Err(TooLarge));
}
