//! Bonuses: the keys that all have, and those of each family.

use serde_json::{Value, json};

use super::parts::{amount, count, flag, id, list, names, rate, reference, table, told, words};
use crate::core::bonus::{BASES, FAMILIES};

/// Keys of every bonus.
const SHARED: [&str; 6] = ["id", "family", "pays", "provisional", "requires", "active"];

/// Which other keys a family has; those with an exclamation mark have to be there.
pub(super) const KEYS: [(&str, &[&str]); 11] = [
    ("direct", &["base!", "classes", "pool", "rates", "tiers", "tiers_by"]),
    (
        "unilevel",
        &["base!", "classes", "pool", "rates!", "rates_of", "start_level", "depth", "compression", "stop_at"],
    ),
    (
        "matrix",
        &["base!", "classes", "pool", "rates!", "rates_of", "start_level", "depth", "compression", "stop_at"],
    ),
    (
        "fast_start",
        &[
            "base!",
            "classes",
            "pool",
            "rates!",
            "days!",
            "depth",
            "compression",
            "stop_at",
            "cap_per_recruit",
            "withholds",
        ],
    ),
    (
        "differential",
        &["base!", "classes", "pool", "rates", "brackets", "rates_of", "by", "when_inverted", "breakaway"],
    ),
    (
        "override",
        &[
            "base!",
            "classes",
            "pool",
            "rates!",
            "rates_of",
            "boundary!",
            "differential",
            "floor",
            "generations",
            "guarantee",
        ],
    ),
    ("generation", &["base!", "classes", "pool", "rates!", "rates_of", "boundary!", "empty", "volume"]),
    (
        "binary",
        &[
            "base!",
            "classes",
            "mode!",
            "unit",
            "first_pair",
            "pay",
            "rate",
            "rates",
            "rates_by_pv",
            "carry",
            "max_carry",
            "expires_after",
            "inactive",
            "cap",
            "above_cap",
        ],
    ),
    ("matching", &["pool", "of!", "by", "boundary", "rates!", "depth", "compression", "stop_at"]),
    ("pool", &["base!", "classes", "share!", "shares", "points", "per_share_cap"]),
    ("rank_advancement", &["amounts!", "pays_for", "held", "instalments", "skipped"]),
];

/// All keys together, so that editors complete them, and by family which of them there are.
pub(super) fn bonus() -> Value {
    let mut bonus = table("", &["id", "family"], shared().into_iter().chain(climbing()).chain(closing()));
    if let Some(bonus) = bonus.as_object_mut() {
        bonus.insert("allOf".to_owned(), KEYS.iter().map(of_family).collect());
    }
    bonus
}

fn of_family((family, keys): &(&str, &[&str])) -> Value {
    let required: Vec<&str> = keys.iter().filter_map(|key| key.strip_suffix('!')).collect();
    let known: Vec<&str> =
        SHARED.into_iter().chain(keys.iter().map(|key| key.trim_end_matches('!'))).collect();
    json!({
        "if": {"properties": {"family": {"const": family}}, "required": ["family"]},
        "then": {"propertyNames": {"enum": known}, "required": required}
    })
}

fn shared() -> Vec<(&'static str, Value)> {
    let pays = "With the order, or at the close of the period; by family where it is not given.";
    let provisional = "Paid with the order, and taken back at the close from whoever does not earn then.";
    vec![
        ("id", told(id(), "Names the bonus on every event.")),
        ("family", words(&FAMILIES, "What kind of bonus it is.")),
        ("base", words(&BASES, "What rates are applied to.")),
        ("classes", of_names("Only these commission classes; all without it.")),
        ("pool", rate("The most that a line gives to this bonus, as a share of the base.")),
        ("pays", words(&[("order", ()), ("period", ())], pays)),
        ("provisional", flag(provisional)),
        ("requires", told(reference("condition"), "What an earner has to meet, besides being active.")),
        ("active", told(reference("active"), "Who counts as active here, in place of the plan's rule.")),
        ("rates", rates()),
        ("rates_of", words(&[("base", ()), ("pool", ())], "What rates are shares of; without it the base.")),
    ]
}

/// One rate, a row of them, or either by class or rank.
fn rates() -> Value {
    let row = list("", rate(""));
    let by_name = json!({"type": "object", "additionalProperties": {"anyOf": [rate(""), row]}});
    let what = "One rate, a rate per level or generation, or either by class or rank.";
    told(json!({"anyOf": [rate(""), row, by_name]}), what)
}

fn of_names(what: &str) -> Value {
    told(json!({"type": "array", "minItems": 1, "items": {"type": "string"}}), what)
}

/// From a volume on a rate.
fn steps(what: &str) -> Value {
    let keys = [
        ("from", amount("From this volume on.")),
        ("rate", rate("The rate.")),
        ("to", amount("Where it ends, for whoever reads it: where the next one begins.")),
    ];
    list(what, table("", &["from", "rate"], keys))
}

/// Direct, unilevel, matrix, fast start, matching.
fn climbing() -> Vec<(&'static str, Value)> {
    let modes = [("none", ()), ("inactive_skip", ()), ("slot_fill", ()), ("structural", ())];
    let mode = || words(&modes, "Who takes a level.");
    let with_skips = table(
        "",
        &["mode"],
        [("mode", mode()), ("max_skips", count(1, "How many are passed over at most."))],
    );
    vec![
        ("tiers", steps("direct: the rate rises with the seller's volume in the period.")),
        ("tiers_by", words(&[("customer_pv", ()), ("pv", ())], "direct: the volume that decides the tier.")),
        ("start_level", count(0, "unilevel, matrix: the level of the first column; 1 without it.")),
        ("depth", count(1, "A check: how many levels are paid.")),
        ("compression", told(json!({"anyOf": [mode(), with_skips]}), "Who takes a level.")),
        ("stop_at", names("Nobody above the first of this rank is paid.")),
        ("days", count(1, "fast_start: how long after enrolment.")),
        ("cap_per_recruit", amount("fast_start: the most that one recruit's volume pays in a period.")),
        ("withholds", of_names("fast_start: bonuses that are not paid on the same volume.")),
        ("of", of_names("matching: the bonuses that are matched.")),
    ]
}

/// What is only paid at the close.
fn closing() -> Vec<(&'static str, Value)> {
    let by = ["gv", "pgv", "cumulative_gv", "rank", "level", "generation"].map(|word| (word, ()));
    let pair = json!({"type": "array", "minItems": 2, "maxItems": 2, "items": amount("")});
    let by_rank = json!({"type": "object", "additionalProperties": amount("")});
    let points = table(
        "",
        &["of", "rate"],
        [
            ("of", words(&[("pv", ()), ("gv", ()), ("pgv", ())], "Of which volume.")),
            ("rate", amount("Points for each unit of it.")),
        ],
    );
    let pays_for = [("once", ()), ("each_period", ())];
    let carries = [("carry_forward", ()), ("net_off", ()), ("full_flush", ())];
    vec![
        ("by", words(&by, "differential: what decides the rate. matching: levels or generations.")),
        ("brackets", steps("differential: the rate of a volume.")),
        (
            "when_inverted",
            words(
                &[("clamp", ()), ("pass_up", ())],
                "differential: a leg has a higher rate than its sponsor.",
            ),
        ),
        ("breakaway", names("differential: from this rank on a leg pays nothing further up.")),
        (
            "boundary",
            names("override, generation, matching: the rank that ends a group; generation: or \"own\"."),
        ),
        ("differential", flag("override: only the difference to the leader below.")),
        ("floor", rate("override: at least this rate, whatever the difference.")),
        ("generations", list("override: rates of the second leader above, the third, and so on.", rate(""))),
        ("guarantee", amount("override: the least group volume that leaves the leader its own.")),
        (
            "empty",
            words(&[("consumes", ()), ("skips", ())], "generation: whether one without volume counts."),
        ),
        ("volume", words(&[("net", ()), ("gross", ())], "generation: without the next generation, or with.")),
        (
            "mode",
            words(&[("weak_leg", ()), ("cycles", ())], "binary: a share of the weaker side, or cycles."),
        ),
        ("unit", told(pair.clone(), "binary: what a cycle takes of both sides.")),
        ("first_pair", told(pair, "binary: what the very first cycle takes.")),
        ("pay", amount("binary: what a cycle pays.")),
        ("rate", rate("binary: what a match pays.")),
        ("rates_by_pv", steps("binary: the rate by own personal volume.")),
        ("carry", words(&carries, "binary: what becomes of volume that was not matched.")),
        ("max_carry", amount("binary: the most that is carried on a side.")),
        ("expires_after", count(1, "binary: after how many periods carried volume is lost.")),
        ("inactive", words(&[("keep", ()), ("flush", ())], "binary: what whoever is not active carries.")),
        ("cap", amount("binary: the most that a position is paid in a period.")),
        ("above_cap", words(&[("flush", ()), ("keep", ())], "binary: what becomes of volume above the cap.")),
        ("share", rate("pool: the share of the company's volume that is in it.")),
        ("shares", told(by_rank.clone(), "pool: shares by rank.")),
        ("points", told(points, "pool: points by volume.")),
        ("per_share_cap", amount("pool: the most that one share is worth.")),
        ("amounts", told(by_rank, "rank_advancement: the amount by rank.")),
        ("pays_for", words(&pays_for, "rank_advancement: for reaching a rank, or for every period in it.")),
        ("held", count(1, "rank_advancement: for how many periods in a row it has to be held.")),
        ("instalments", count(1, "rank_advancement: in how many parts it is paid.")),
        (
            "skipped",
            words(&[("pays_each", ()), ("highest", ())], "rank_advancement: when ranks are skipped."),
        ),
    ]
}
