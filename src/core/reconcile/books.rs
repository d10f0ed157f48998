//! The second and the third seam: our evidence against the order's head, the head against the ledger.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::difference::Found;
use super::{Kind, Ledger, Ours, Part, Seam};
use crate::core::assess::AssessedLine;

/// Half of the last digit that the table keeps.
const KEPT: Decimal = Decimal::from_parts(5, 0, 0, false, 7);

/// The head has to be what assessing the evidence gives.
pub(super) fn compare_head(found: &mut Found, ours: &Ours<'_>) {
    let (assessed, head) = (ours.assessed, ours.head);
    let name = found.name();
    if head.status != assessed.verdict.name() {
        let what = format!(
            "{name} stands as {}; what we were told of it gives {}",
            head.status,
            assessed.verdict.name()
        );
        found.add((Seam::Head, Kind::OtherState), None, (Some(assessed.net), Some(head.net)), what);
    }
    let who = assessed.attributed.as_ref().map(|to| to.distributor.as_str());
    if head.distributor.as_deref() != who {
        let told = |who: Option<&str>| who.unwrap_or("nobody").to_owned();
        let what = format!("{name} stands for {}; it names {}", told(head.distributor.as_deref()), told(who));
        found.add((Seam::Head, Kind::OtherAttribution), None, (None, None), what);
    }
    let lines = each_line(&assessed.lines, &head.lines, |_| true);
    for (line, should, is) in &lines {
        let what = format!(
            "line {line} of {name} stands at a net of {}; what we were told of it gives {}",
            found.told(*is),
            found.told(*should)
        );
        let part = Some(Part::Line(line.clone()));
        found.add((Seam::Head, Kind::WrongNet), part, (Some(*should), Some(*is)), what);
    }
    if lines.is_empty() && (assessed.net - head.net).abs() > KEPT {
        let what = format!(
            "{name} stands at a net of {}; what we were told of it gives {}",
            found.told(head.net),
            found.told(assessed.net)
        );
        found.add((Seam::Head, Kind::WrongNet), None, (Some(assessed.net), Some(head.net)), what);
    }
}

/// What is posted has to be what the head says.
pub(super) fn compare_ledger(found: &mut Found, ours: &Ours<'_>) {
    let head = ours.head;
    let (name, earns) = (found.name(), head.status == "commissionable");
    let Some(ledger) = ours.ledger else {
        if earns {
            let what = format!("{name} of {} earns and was never calculated", found.told(head.net));
            found.add((Seam::Ledger, Kind::NotCalculated), None, (Some(head.net), None), what);
        }
        return;
    };
    if earns != ledger.earns {
        let (now, then) = if earns { ("earns", "at zero") } else { ("earns nothing", "as if it earned") };
        let what = format!("{name} {now}, and stands in the ledger {then}");
        let (should, is) = (if earns { head.net } else { Decimal::ZERO }, ledger.net());
        found.add((Seam::Ledger, Kind::WrongLedger), None, (Some(should), Some(is)), what);
    } else if earns {
        compare_calculated(found, ours, ledger, &name);
    }
    compare_posted(found, ledger, &name);
}

fn compare_calculated(found: &mut Found, ours: &Ours<'_>, ledger: &Ledger, name: &str) {
    if ours.head.distributor != ledger.distributor {
        let told = |who: &Option<String>| who.clone().unwrap_or_else(|| "nobody".to_owned());
        let what = format!(
            "{name} is calculated for {}, it stands for {}",
            told(&ledger.distributor),
            told(&ours.head.distributor)
        );
        found.add((Seam::Ledger, Kind::OtherAttribution), None, (None, None), what);
    }
    for (line, should, is) in each_line(&ours.head.lines, &ledger.lines, AssessedLine::earns) {
        let what = format!(
            "line {line} of {name} is calculated on a net of {}, it stands at {}",
            found.told(is),
            found.told(should)
        );
        let part = Some(Part::Line(line));
        found.add((Seam::Ledger, Kind::WrongLedger), part, (Some(should), Some(is)), what);
    }
}

fn compare_posted(found: &mut Found, ledger: &Ledger, name: &str) {
    if ledger.events != ledger.paid {
        let what = format!(
            "the commission events of {name} come to {}, its newest calculation to {}",
            found.told(ledger.events),
            found.told(ledger.paid)
        );
        found.add((Seam::Ledger, Kind::WrongEvents), None, (Some(ledger.paid), Some(ledger.events)), what);
    }
    if ledger.entries != i64::from(ledger.calculations) {
        let what = format!(
            "{name} was calculated {} times and has {} journal entries",
            ledger.calculations, ledger.entries
        );
        found.add((Seam::Ledger, Kind::MissingEntry), None, (None, None), what);
    }
    let accounts = [
        ("payable", ledger.paid, ledger.payable),
        ("expense", ledger.pool, ledger.expense),
        ("breakage", ledger.breakage, ledger.posted_breakage),
        ("rounding", ledger.rounding, ledger.posted_rounding),
    ];
    for (account, should, is) in accounts.into_iter().filter(|(_, should, is)| should != is) {
        let what = format!(
            "the postings of {name} to {account} come to {}, its newest calculation to {}",
            found.told(is),
            found.told(should)
        );
        found.add((Seam::Ledger, Kind::WrongPostings), None, (Some(should), Some(is)), what);
    }
}

impl Ledger {
    /// What the order earns on as it is posted.
    pub fn net(&self) -> Decimal {
        if self.earns { earning(&self.lines) } else { Decimal::ZERO }
    }
}

/// Net of the lines that earn.
pub(super) fn earning(lines: &[AssessedLine]) -> Decimal {
    lines.iter().filter(|line| line.earns()).map(|line| line.net).sum()
}

/// The lines whose net differs, each with what it should be and what it is.
pub(super) fn each_line(
    should: &[AssessedLine],
    is: &[AssessedLine],
    counts: impl Fn(&AssessedLine) -> bool,
) -> Vec<(String, Decimal, Decimal)> {
    let nets = |lines: &[AssessedLine]| {
        let mut nets: BTreeMap<String, Decimal> = BTreeMap::new();
        for line in lines.iter().filter(|line| counts(line)) {
            *nets.entry(line.line.clone()).or_default() += line.net;
        }
        nets
    };
    let (should, is) = (nets(should), nets(is));
    let of = |nets: &BTreeMap<String, Decimal>, line: &str| nets.get(line).copied().unwrap_or_default();
    let all: BTreeSet<&String> = should.keys().chain(is.keys()).collect();
    let both = all.into_iter().map(|line| (line.clone(), of(&should, line), of(&is, line)));
    both.filter(|(_, should, is)| should != is).collect()
}
