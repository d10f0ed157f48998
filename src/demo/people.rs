//! The sample company's distributors: one sponsor tree, grown in the order in which people joined.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, TimeZone, Utc};
use fastrand::Rng;

/// One distributor with the columns of the distributor import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distributor {
    pub id: String,
    pub sponsor_id: Option<String>,
    pub status: &'static str,
    pub rank: &'static str,
    pub country: &'static str,
    pub tax_id: String,
    pub name: String,
    pub email: String,
    pub created_at: DateTime<Utc>,
}

/// The people of the two example orders, each buyer with the sponsor who referred the order.
pub const EXAMPLES: [(u32, Option<u32>); 4] =
    [(10_090, None), (11_043, None), (11_150, Some(10_090)), (11_200, Some(11_043))];

const COUNT: usize = 420;
const FIRST_ID: u32 = 10_001;
const COUNTRIES: [&str; 8] = ["US", "US", "US", "GB", "DE", "CA", "FR", "NL"];
const GIVEN: [&str; 16] = [
    "Ana", "Ben", "Chloé", "David", "Elif", "Farah", "Grace", "Hugo", "Ines", "Jonas", "Kofi", "Lena",
    "Mateo", "Nora", "Omar", "Zoë",
];
const FAMILY: [&str; 16] = [
    "Adams",
    "Becker",
    "Costa",
    "Dubois",
    "Evans",
    "Fischer",
    "García",
    "Hansen",
    "Ivanov",
    "Jansen",
    "Khan",
    "López",
    "Müller",
    "Novak",
    "O’Brien",
    "Park",
];

/// Everybody, in the order in which they joined: a sponsor always comes before those he sponsors. The same for
/// every seed of the demo, so that a second run adds orders to the company that is there.
pub fn distributors() -> Vec<Distributor> {
    let mut rng = Rng::with_seed(0x5eed_0001);
    let ids = ids(&mut rng);
    let sponsors = sponsors(&ids, &mut rng);
    let ranks = ranks(&ids, &sponsors);
    let mut joined = Utc.timestamp_opt(1_673_254_800, 0).single().unwrap_or_default();
    ids.iter()
        .map(|id| {
            joined += Duration::minutes(rng.i64(600..5_400));
            let (name, email) = person(u64::from(*id));
            Distributor {
                id: id.to_string(),
                sponsor_id: sponsors.get(id).map(u32::to_string),
                status: status(*id, &sponsors, &mut rng),
                rank: ranks.get(id).copied().unwrap_or("member"),
                country: rng.choice(COUNTRIES).unwrap_or("US"),
                tax_id: format!("9{:02}-{:02}-{:04}", rng.u32(0..100), rng.u32(70..89), rng.u32(0..10_000)),
                name,
                email,
                created_at: joined,
            }
        })
        .collect()
}

/// An invented name and address that goes with a number.
pub fn person(number: u64) -> (String, String) {
    let mut rng = Rng::with_seed(number);
    let name = format!("{} {}", rng.choice(GIVEN).unwrap_or("Ana"), rng.choice(FAMILY).unwrap_or("Adams"));
    (name, format!("person.{number}@example.test"))
}

/// Rising numbers with gaps, as after years of people leaving, the examples among them.
fn ids(rng: &mut Rng) -> Vec<u32> {
    let mut ids: Vec<u32> = EXAMPLES.map(|(id, _)| id).to_vec();
    let mut next = FIRST_ID;
    while ids.len() < COUNT {
        if !ids.contains(&next) {
            ids.push(next);
        }
        next += rng.u32(1..=5);
    }
    ids.sort_unstable();
    ids
}

/// Half follow somebody who joined shortly before (depth), half somebody who already sponsors (width).
fn sponsors(ids: &[u32], rng: &mut Rng) -> BTreeMap<u32, u32> {
    let mut sponsors: BTreeMap<u32, u32> = BTreeMap::new();
    for (position, id) in ids.iter().enumerate().skip(1) {
        let earlier = ids.get(..position).unwrap_or_default();
        let chosen = EXAMPLES.iter().find(|(example, _)| example == id).and_then(|(_, sponsor)| *sponsor);
        let recent = earlier.get(position.saturating_sub(25)..).unwrap_or_default();
        let busy: Vec<u32> = sponsors.values().copied().collect();
        let picked = match rng.u8(0..10) {
            0..=4 => rng.choice(recent).copied(),
            5..=7 => rng.choice(busy),
            _ => rng.choice(earlier).copied(),
        };
        if let Some(sponsor) = chosen.or(picked).or_else(|| earlier.first().copied()) {
            sponsors.insert(*id, sponsor);
        }
    }
    sponsors
}

/// A rank for the size of the downline. The ids rise with time, so one pass from the youngest suffices.
fn ranks(ids: &[u32], sponsors: &BTreeMap<u32, u32>) -> BTreeMap<u32, &'static str> {
    let mut downline: BTreeMap<u32, u32> = BTreeMap::new();
    for id in ids.iter().rev() {
        let own = downline.get(id).copied().unwrap_or(0);
        if let Some(sponsor) = sponsors.get(id) {
            *downline.entry(*sponsor).or_default() += own + 1;
        }
    }
    let rank = |size: u32| match size {
        0..=1 => "member",
        2..=6 => "bronze",
        7..=19 => "silver",
        20..=59 => "gold",
        _ => "diamond",
    };
    ids.iter().map(|id| (*id, rank(downline.get(id).copied().unwrap_or(0)))).collect()
}

/// The founder and the people of the example orders stay active; of the others about one in seven does not.
fn status(id: u32, sponsors: &BTreeMap<u32, u32>, rng: &mut Rng) -> &'static str {
    let drawn = match rng.u8(0..100) {
        0..=4 => "suspended",
        5..=9 => "terminated",
        10..=13 => "prospect",
        _ => "active",
    };
    let fixed = !sponsors.contains_key(&id) || EXAMPLES.iter().any(|(example, _)| *example == id);
    if fixed { "active" } else { drawn }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tree_deep_enough_for_levels_with_the_example_people_in_it() {
        let people = distributors();
        assert_eq!(people, distributors());
        assert_eq!(people.len(), COUNT);
        let mut depth: BTreeMap<&str, usize> = BTreeMap::new();
        for person in &people {
            let level = match &person.sponsor_id {
                Some(sponsor) => depth[sponsor.as_str()] + 1,
                None => 0,
            };
            depth.insert(&person.id, level);
        }
        assert_eq!(depth.values().filter(|level| **level == 0).count(), 1, "one root");
        assert!(depth.values().max().unwrap() >= &8, "deep enough: {:?}", depth.values().max());
        let by_id = |id: &str| people.iter().find(|person| person.id == id).unwrap();
        assert_eq!(by_id("11200").sponsor_id.as_deref(), Some("11043"));
        assert_eq!(by_id("11150").sponsor_id.as_deref(), Some("10090"));
        for status in ["active", "suspended", "terminated", "prospect"] {
            assert!(people.iter().any(|person| person.status == status), "{status}");
        }
        for rank in ["member", "bronze", "silver", "gold", "diamond"] {
            assert!(people.iter().any(|person| person.rank == rank), "{rank}");
        }
    }
}
