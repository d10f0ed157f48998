//! The JSON Schema of plan documents, for editors that complete keys and underline what is wrong.
//!
//! The reader knows more than a schema can say: names that are declared elsewhere, sums, cycles. What it asks
//! for and what is here are kept in step by a test.

mod families;
mod parts;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::parse::{CADENCES, REFUND_POLICIES, ROUNDING_MODES, STAGES};
use super::placement::SPILLOVERS;
use super::ranks::PROMOTIONS;
use super::volumes::GROUP_VOLUMES;
use parts::{amount, count, flag, id, list, names, rate, reference, table, told, words};

/// Draft 2020-12.
pub fn schema() -> Value {
    let mut document = table(
        "A plan: what a company pays. docs/plan.md explains every key.",
        &["plan", "rounding", "period", "class", "bonus"],
        [
            ("plan", head()),
            ("rounding", rounding()),
            ("period", period()),
            ("active", told(reference("active"), "Who counts as active; without it: status active.")),
            ("refunds", refunds()),
            ("volumes", volumes()),
            ("market", list("Stores whose orders have volumes of their own.", market())),
            ("class", list("Commission classes; SKUs are mapped to them.", class())),
            ("qualification", list("Conditions with a name.", qualification())),
            ("rank", list("Ranks, lowest first.", rank())),
            ("ranks", ranks()),
            ("standing", standing()),
            ("placement", placement()),
            ("bonus", list("What is paid.", families::bonus())),
            ("gate", list("What an earner has to meet so that some bonuses are paid.", gate())),
            ("cap", list("The most that some bonuses pay.", cap())),
            ("deduction", list("What is taken from what an earner is paid.", deduction())),
        ],
    );
    let parts = [("active", active()), ("condition", condition()), ("volume", volume())];
    if let Some(document) = document.as_object_mut() {
        document.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        document.insert("title".to_owned(), json!("upline plan"));
        document.insert("$defs".to_owned(), keyed(parts));
    }
    document
}

fn keyed<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

fn head() -> Value {
    let currency = json!({"type": "string", "pattern": "^[A-Z]{3}$",
        "description": "Of ISO 4217, such as \"USD\"; orders in another are held."});
    let name = json!({"type": "string", "description": "For people."});
    table("The plan itself.", &["id", "currency"], [("id", id()), ("name", name), ("currency", currency)])
}

fn rounding() -> Value {
    let mode = words(&ROUNDING_MODES, "How a fraction of the smallest unit is decided.");
    let stage = words(&STAGES, "line: every award for itself; order: once per earner, level and order.");
    table("How cents are decided.", &["mode", "stage"], [("mode", mode), ("stage", stage)])
}

fn period() -> Value {
    let zone = json!({"type": "string", "description": "IANA name, such as \"America/New_York\"."});
    let cadence = words(&CADENCES, "How long a period is; a week begins on Monday.");
    table("Periods.", &["cadence", "zone"], [("cadence", cadence), ("zone", zone)])
}

fn active() -> Value {
    let status = words(&[("prospect", ()), ("active", ()), ("suspended", ()), ("terminated", ())], "");
    let statuses = json!({"type": "array", "minItems": 1, "items": status});
    let window = words(&[("period_to_date", ())], "Of what min_pv is asked; the only window.");
    let keys = [
        ("statuses", statuses),
        ("min_pv", amount("Least personal volume in the period.")),
        ("window", window),
    ];
    table("Who counts as active.", &[], keys)
}

fn refunds() -> Value {
    let policy = words(&REFUND_POLICIES, "What a refund after the close of its period does.");
    table("Refunds after the close.", &["policy"], [("policy", policy)])
}

fn volumes() -> Value {
    let keys = [
        ("group", words(&GROUP_VOLUMES, "Which volume group volume is the sum of; without it qv.")),
        ("group_includes_own", flag("Whether the own volume is part of it; without it yes.")),
        ("breakaway_rank", names("From this rank on a leg breaks away: pgv does not count it.")),
    ];
    table("Group volume.", &[], keys)
}

fn market() -> Value {
    let stores = json!({"type": "array", "minItems": 1, "items": {"type": "string"},
        "description": "Slugs of stores."});
    table("", &["id", "stores"], [("id", id()), ("stores", stores)])
}

fn volume() -> Value {
    let of_net = amount("A share of the line's net.");
    let per_unit = amount("So much per unit, whatever was paid.");
    let one_of =
        [table("", &["of_net"], [("of_net", of_net)]), table("", &["per_unit"], [("per_unit", per_unit)])];
    json!({"oneOf": one_of})
}

fn class() -> Value {
    let volume = |what| told(reference("volume"), what);
    let volumes = || {
        [
            ("pv", volume("Personal volume: what makes a distributor active.")),
            ("qv", volume("Qualifying volume: what counts towards ranks.")),
            ("cv", volume("Commissionable volume: what bonuses are paid on.")),
            ("wholesale", volume("The wholesale price; without one there is no margin.")),
        ]
    };
    let markets = json!({"type": "object", "additionalProperties": table("", &[], volumes()),
        "description": "Where a market has other volumes, by market."});
    let [pv, qv, cv, wholesale] = volumes();
    table("", &["id"], [("id", id()), pv, qv, cv, wholesale, ("markets", markets)])
}

fn qualification() -> Value {
    let keys = [
        ("id", id()),
        ("carried", count(0, "For how many periods after it was met it still holds.")),
        ("condition", reference("condition")),
    ];
    table("", &["id", "condition"], keys)
}

fn rank() -> Value {
    let achieve = told(reference("condition"), "To reach the rank; without it the rank is given by hand.");
    let maintain = told(reference("condition"), "To keep it; the same as achieve where it is not given.");
    table("", &["id"], [("id", id()), ("achieve", achieve), ("maintain", maintain)])
}

fn ranks() -> Value {
    let promotion = words(&PROMOTIONS, "From when on bonuses pay by a rank that a period gave.");
    table("All ranks together.", &["promotion"], [("promotion", promotion)])
}

fn standing() -> Value {
    let rank = names("The rank of a distributor who has none.");
    table("Where everybody begins.", &["default_rank"], [("default_rank", rank)])
}

fn placement() -> Value {
    let keys = [
        ("tree", words(&[("binary", ()), ("matrix", ())], "Two places under everybody, or width.")),
        ("width", count(2, "Of a matrix: places under everybody.")),
        ("depth", count(1, "Of a matrix: how many levels there are.")),
        ("spillover", words(&SPILLOVERS, "Where somebody goes whose sponsor has no free place.")),
    ];
    table("The placement tree.", &["tree"], keys)
}

fn condition() -> Value {
    let leg =
        table("", &["rank"], [("rank", names("This rank or higher.")), ("count", count(1, "1 without it."))]);
    let leg_volume = table(
        "So many legs of at least so much group volume.",
        &["count", "least"],
        [("count", count(1, "How many legs.")), ("least", amount("Group volume of each."))],
    );
    let keys = [
        ("active", flag("Active by the plan's own rule.")),
        ("pv", amount("Personal volume.")),
        ("customer_pv", amount("Personal volume of customers' orders.")),
        ("gv", amount("Group volume.")),
        ("max_per_leg", rate("Of one leg at most this share of gv counts.")),
        ("pgv", amount("Group volume without legs that broke away.")),
        ("outside_strongest", amount("Group volume outside of the strongest leg.")),
        ("legs", list("So many legs, each with somebody of a rank.", leg)),
        ("leg_volume", leg_volume),
        ("recruits", count(1, "So many personally sponsored who are active.")),
        ("weaker_side", amount("Group volume of the weaker side of the binary tree.")),
        (
            "qualified",
            json!({"type": "array", "items": {"type": "string"}, "description": "Qualifications."}),
        ),
        ("rank", names("This rank or higher; in a rank's own condition: before this period.")),
        ("days", count(1, "Enrolled for at least so many days at the end of the period.")),
    ];
    table("All of it has to be met; what is not named is not asked.", &[], keys)
}

fn of_bonuses() -> Value {
    json!({"type": "array", "minItems": 1, "items": {"type": "string"},
        "description": "Ids of bonuses; all without it."})
}

fn gate() -> Value {
    let share = table(
        "Least share of customers in the volume.",
        &["least", "digits", "mode"],
        [
            ("least", rate("The least share.")),
            ("digits", count(0, "To how many digits the share is rounded before it is compared.")),
            ("mode", words(&ROUNDING_MODES, "How it is rounded.")),
            ("volume", words(&GROUP_VOLUMES, "Of which volume; without it pv.")),
            ("group", flag("Of the whole group's volume and not only of the own orders'.")),
        ],
    );
    let keys = [
        ("id", id()),
        ("of", of_bonuses()),
        ("customer_share", share),
        ("requires", reference("condition")),
        ("else_pays", rate("What stays of an award behind a closed gate; without it nothing.")),
    ];
    table("", &["id"], keys)
}

fn cap() -> Value {
    let per = words(&[("earner", ()), ("position", ()), ("company", ())], "Whose awards it limits.");
    let keys = [
        ("id", id()),
        ("of", of_bonuses()),
        ("per", per),
        ("amount", amount("At most so much in a period.")),
        ("share_of_cv", rate("At most this share of the company's CV in the period.")),
    ];
    table("", &["id", "per"], keys)
}

fn deduction() -> Value {
    let keys = [
        ("id", id()),
        ("rate", rate("A share of what the period pays.")),
        ("amount", amount("An amount in every period.")),
    ];
    table("", &["id"], keys)
}
