//! Gates, caps and deductions of a plan document.

use rust_decimal::Decimal;

use super::{Cap, CapPer, CustomerShare, Deduction, Gate, Limits, Most, PERS, SHARE_OF};
use crate::core::bonus::{FamilyWord, Names};
use crate::core::fixed::{Fixed, Rate};
use crate::core::plan::parse::{ROUNDING_MODES, read_id};
use crate::core::plan::read::{Item, Table};
use crate::core::plan::read_condition;
use crate::core::volume::VolumeKind;

/// What can be known of the bonuses before they are read.
struct Known<'n> {
    names: &'n Names<'n>,
    /// By place: its awards stand at the close, so that a cap can lower them.
    at_close: Vec<bool>,
    /// By place: a gate reaches it, since it is paid at the close or confirmed by it.
    reached: Vec<bool>,
}

/// `names.bonuses` is in the order in which bonuses stand in a plan.
pub(in crate::core::plan) fn read(root: &Table<'_>, names: &Names<'_>) -> Limits {
    let known = Known::new(root, names);
    let mut ids: Vec<String> = names.bonuses.iter().map(|(id, _)| id.clone()).collect();
    let mut gates = entries(root, "gate", &mut ids, |table, id| read_gate(table, id, &known));
    let mut caps = entries(root, "cap", &mut ids, |table, id| read_cap(table, id, &known));
    let mut deductions = entries(root, "deduction", &mut ids, read_deduction);
    gates.sort_by(|a, b| a.id.cmp(&b.id));
    caps.sort_by(|a, b| a.id.cmp(&b.id));
    deductions.sort_by(|a, b| a.id.cmp(&b.id));
    Limits { gates, caps, deductions }
}

/// An amount of money or a volume that a limit can be: above zero.
pub(crate) fn read_amount(item: &Item<'_>) -> Option<Fixed> {
    let amount = item.amount()?;
    if amount.is_zero() {
        item.problem("zero would mean never", "write a number above 0, or remove it");
    }
    Some(amount).filter(|amount| !amount.is_zero())
}

/// All of these are named beside awards, so no two of them and no bonus may share an id.
fn entries<T>(
    root: &Table<'_>,
    key: &'static str,
    ids: &mut Vec<String>,
    read: impl Fn(&Table<'_>, &str) -> Option<T>,
) -> Vec<T> {
    let mut found = vec![];
    for item in root.optional(key).and_then(|item| item.list()).unwrap_or_default() {
        let Some(table) = item.table() else { continue };
        let id_item = table.required("id", &format!("id = \"...\" to this [[{key}]]"));
        let id = id_item.as_ref().and_then(read_id);
        if let (Some(id), Some(item)) = (&id, &id_item) {
            if ids.contains(id) {
                item.problem(
                    format!("there is another bonus, gate, cap or deduction with the id {id:?}"),
                    "give each an id of its own",
                );
            }
            ids.push(id.clone());
        }
        found.extend(read(&table, id.as_deref().unwrap_or_default()));
        table.finish();
    }
    found
}

fn read_gate(table: &Table<'_>, id: &str, known: &Known<'_>) -> Option<Gate> {
    let of = known.read_of(table, &known.reached, |item| {
        item.problem(
            "it is paid with the order, and this gate is known at the close",
            "make the bonus provisional = true or pays = \"period\", or take it out of the list",
        );
    });
    if let Some(of) = &of
        && !of.iter().any(|at| known.reached.get(usize::from(*at)).copied().unwrap_or(true))
        && table.optional("of").is_none()
    {
        table.problem(
            "every bonus is paid with the order, and this gate is known at the close",
            "make a bonus provisional = true or pays = \"period\", or remove the gate",
        );
    }
    let share = table.optional("customer_share").map(|item| read_customer_share(&item));
    let requires = table.optional("requires").map(|item| read_condition(&item, known.names));
    if share.is_none() && requires.is_none() {
        table.problem(
            "the gate asks for nothing",
            "add customer_share = { least = \"0.70\" } or requires = { pv = \"100\" }",
        );
    }
    let else_pays = table.optional("else_pays").map_or(Some(Decimal::ZERO), |item| {
        let rate = item.rate()?;
        if rate == Decimal::ONE {
            item.problem("a closed gate would take nothing", "write a share below 1, or remove the gate");
        }
        Some(rate)
    });
    Some(Gate {
        id: id.to_owned(),
        of: of?,
        customer_share: share.map_or(Some(None), |share| share.map(Some))?,
        requires: requires.map_or(Some(None), |requires| requires.map(Some))?,
        else_pays: Rate::of(else_pays?),
    })
}

fn read_customer_share(item: &Item<'_>) -> Option<CustomerShare> {
    let table = item.table()?;
    let least = table.required("least", "least = \"0.70\"").and_then(|item| {
        let least = item.rate()?;
        if least.is_zero() {
            item.problem("everybody would meet it", "write a share above 0, such as \"0.70\"");
        }
        Some((item, least))
    });
    let digits = table.required("digits", "digits = 2").and_then(|item| item.whole(0, 8));
    let mode = table.required("mode", "mode = \"down\"").and_then(|item| item.word(&ROUNDING_MODES));
    let volume = table.optional("volume").map_or(Some(VolumeKind::Pv), |item| item.word(&SHARE_OF));
    let group = table.optional("group").map_or(Some(false), |item| item.flag());
    table.finish();
    let (least_item, least) = least?;
    let digits = digits?;
    if least.scale() > u32::from(digits) {
        least_item.problem(
            format!("{least} has more digits than the share that is compared with it"),
            format!("write digits = {} or fewer digits here", least.scale()),
        );
    }
    Some(CustomerShare {
        least: Rate::of(least),
        digits: digits.into(),
        mode: mode?,
        volume: volume?,
        group: group?,
    })
}

fn read_cap(table: &Table<'_>, id: &str, known: &Known<'_>) -> Option<Cap> {
    let per_item = table.required("per", "per = \"earner\"");
    let per = per_item.as_ref().and_then(|item| item.word(&PERS));
    let of = known.read_of(table, &vec![true; known.names.bonuses.len()], |_| {});
    let (amount, share) = (table.optional("amount"), table.optional("share_of_cv"));
    let most = match (amount, share) {
        (Some(amount), None) => read_amount(&amount).map(Most::Amount),
        (None, Some(share)) => read_share_of_cv(&share).map(Most::ShareOfCv),
        _ => {
            table.problem(
                "a cap is either an amount or a share of the company's CV",
                "write amount = \"5000\" or share_of_cv = \"0.50\"",
            );
            None
        }
    };
    let (of, per) = (of?, per?);
    if !of.iter().any(|at| known.can_lower(*at, per)) {
        let (message, fix) = match per {
            CapPer::Position => {
                ("none of its bonuses pays positions", "name a binary or a matrix, or write per = \"earner\"")
            }
            _ => (
                "all of its bonuses are paid with the order, and a cap can only lower what the close pays",
                "name a bonus that is paid at the close, or make one pays = \"period\"",
            ),
        };
        table.problem(message, fix);
    }
    Some(Cap { id: id.to_owned(), of, per, most: most? })
}

fn read_share_of_cv(item: &Item<'_>) -> Option<Rate> {
    let share = item.rate()?;
    if share.is_zero() {
        item.problem("nothing would ever be paid", "write a share above 0, such as \"0.50\"");
        return None;
    }
    Some(Rate::of(share))
}

fn read_deduction(table: &Table<'_>, id: &str) -> Option<Deduction> {
    let rate = table.optional("rate").map(|item| {
        let rate = item.rate()?;
        if rate.is_zero() {
            item.problem("nothing would be taken", "write a rate above 0, or remove it");
        }
        Some(Rate::of(rate))
    });
    let amount = table.optional("amount").map(|item| read_amount(&item));
    if rate.is_none() && amount.is_none() {
        table.problem("nothing would be taken", "add rate = \"0.05\" or amount = \"2.00\"");
    }
    let (rate, amount) = (rate.unwrap_or(Some(Rate::ZERO)), amount.unwrap_or(Some(Fixed::ZERO)));
    Some(Deduction { id: id.to_owned(), rate: rate?, amount: amount? })
}

impl<'n> Known<'n> {
    fn new(root: &Table<'_>, names: &'n Names<'n>) -> Self {
        let count = names.bonuses.len();
        let mut known = Self { names, at_close: vec![true; count], reached: vec![true; count] };
        for item in root.optional("bonus").and_then(|item| item.list()).unwrap_or_default() {
            let Some(table) = item.is_table().then(|| item.table()).flatten() else { continue };
            let id = table.optional("id").and_then(|item| item.text());
            let at = names.bonuses.iter().position(|(known, _)| Some(known.as_str()) == id);
            let Some((at, (_, family))) = at.and_then(|at| Some((at, names.bonuses.get(at)?))) else {
                continue;
            };
            let word = table.optional("pays").and_then(|item| item.text());
            let at_close = word.map_or(!family.pays_with_orders(), |word| word != "order");
            let provisional = table.optional("provisional").and_then(|item| item.flag()).unwrap_or(false);
            let mark = |marks: &mut Vec<bool>, value| {
                if let Some(mark) = marks.get_mut(at) {
                    *mark = value;
                }
            };
            mark(&mut known.at_close, at_close);
            mark(&mut known.reached, at_close || provisional);
        }
        known
    }

    /// `of` by places; every bonus without it. `wrong` is told of a bonus that is named and not `allowed`.
    fn read_of(&self, table: &Table<'_>, allowed: &[bool], wrong: impl Fn(&Item<'_>)) -> Option<Vec<u16>> {
        let Some(item) = table.optional("of") else {
            return Some((0u16..).take(self.names.bonuses.len()).collect());
        };
        let ids: Vec<String> = self.names.bonuses.iter().map(|(id, _)| id.clone()).collect();
        let mut of = vec![];
        for item in item.list()? {
            let Some(id) = item.name_of("bonus", &ids) else { continue };
            let place = ids.iter().position(|known| *known == id);
            if place.and_then(|at| allowed.get(at)) == Some(&false) {
                wrong(&item);
            }
            of.extend(place.and_then(|at| u16::try_from(at).ok()));
        }
        if of.is_empty() {
            item.problem("it names no bonus", "name one, or remove of: then it is for all");
        }
        of.sort_unstable();
        of.dedup();
        Some(of)
    }

    fn can_lower(&self, at: u16, per: CapPer) -> bool {
        let at_close = self.at_close.get(usize::from(at)).copied().unwrap_or(false);
        let family = self.names.bonuses.get(usize::from(at)).map(|(_, family)| *family);
        let positions = matches!(family, Some(FamilyWord::Binary | FamilyWord::Matrix));
        at_close && (per != CapPer::Position || positions)
    }
}
