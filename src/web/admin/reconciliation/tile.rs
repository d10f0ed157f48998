//! What the dashboard says of reconciliation: how much the ledger explains, and the oldest item that nothing does.

use chrono::{DateTime, Utc};

use super::super::dashboard::{Check, Need};
use super::super::format::{self, Pill, Tone, When};
use super::super::periods::plural;
use crate::reports::reconciliation::Standing;

/// Days that the dashboard looks back.
pub const BACK: u64 = 90;

/// One for each currency that should earn something; one that says so when no day was reconciled yet.
pub fn checks(standing: &Standing, now: DateTime<Utc>) -> Vec<Check> {
    let oldest = match &standing.oldest {
        Some(oldest) => format!(
            "the oldest item that it does not explain is {} old, of {} on {}",
            age(now - oldest.at),
            oldest.store,
            oldest.day
        ),
        None => "nothing is left to explain".to_owned(),
    };
    let days = plural(standing.days, "day");
    if standing.explained.is_empty() {
        let verdict =
            if standing.days == 0 { Pill::new(Tone::Muted, "–") } else { Pill::new(Tone::Ok, "100 %") };
        let detail = match standing.days {
            0 => "no day was reconciled yet".to_owned(),
            _ => format!("nothing should earn on {days}"),
        };
        return vec![Check { name: "Explained by the ledger".to_owned(), verdict, detail, at: None }];
    }
    let many = standing.explained.len() > 1;
    let check = |of: &crate::reports::reconciliation::Explained| {
        let share = of.share().map_or_else(|| "–".to_owned(), format::percent);
        let tone = match of.off.is_zero() {
            false => Tone::Bad,
            true if of.explained == of.worth => Tone::Ok,
            true => Tone::Info,
        };
        let name = if many {
            format!("Explained by the ledger, {}", of.currency)
        } else {
            "Explained by the ledger".to_owned()
        };
        Check {
            name,
            verdict: Pill::new(tone, share),
            detail: format!("of what should earn on {days}; {oldest}"),
            at: standing.oldest.as_ref().map(|oldest| When(oldest.at)),
        }
    };
    standing.explained.iter().map(check).collect()
}

pub fn need(standing: &Standing) -> Option<Need> {
    (standing.not_ok > 0).then(|| Need {
        pill: Pill::new(Tone::Bad, "not ok"),
        text: format!("{} did not reconcile", plural(standing.not_ok, "day")),
        detail:
            "Store, evidence and ledger differ, or the store could not be read: each difference is named."
                .to_owned(),
        href: "/admin/reconciliation".to_owned(),
        action: "Look at the days".to_owned(),
    })
}

fn age(since: chrono::TimeDelta) -> String {
    match (since.num_days(), since.num_hours()) {
        (1.., _) => plural(since.num_days(), "day"),
        (_, hours) => plural(hours.max(0), "hour"),
    }
}
