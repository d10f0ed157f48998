//! A NACHA file that is about to leave, read again from its bytes by the rules of the format.

use crate::core::payee::RoutingNumber;

use super::record::{Ach, Batch, Entry, Record, WIDTH, is_credit, parse, sums};

/// What speaks against the file; none if a bank can take it. Never a number of an account.
pub fn check(bytes: &[u8]) -> Vec<String> {
    let mut problems = vec![];
    if !bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0x20..=0x7e)) {
        problems.push("the file has signs that are no printable ASCII".to_owned());
    }
    let text = String::from_utf8_lossy(bytes);
    for (at, line) in text.lines().enumerate().filter(|(_, line)| line.len() != WIDTH) {
        problems.push(format!("line {}: has {} columns instead of {WIDTH}", at + 1, line.len()));
    }
    let ach = match parse(bytes) {
        Ok(ach) => ach,
        Err(problem) => {
            problems.push(problem);
            return problems;
        }
    };
    problems.extend(file(&ach));
    problems.extend(sums(&ach));
    for (number, batch) in (1u64..).zip(&ach.batches) {
        problems.extend(self::batch(batch, number));
        for entry in &batch.entries {
            problems.extend(self::entry(entry));
        }
        problems.extend(traces(batch));
    }
    problems
}

/// Columns that have to hold something that is known.
fn fixed(record: &Record, wanted: &[(usize, usize, &str, &str)]) -> Vec<String> {
    let wrong = wanted.iter().filter(|(from, to, value, _)| record.cut(*from, *to) != *value);
    wrong.map(|(_, _, value, what)| format!("line {}: the {what} has to be {value:?}", record.line)).collect()
}

/// Columns that have to hold digits only, or something at all.
fn filled(record: &Record, digits: &[(usize, usize)], anything: &[(usize, usize, &str)]) -> Vec<String> {
    let numbers = digits.iter().filter_map(|(from, to)| record.number(*from, *to).err());
    let blank = anything.iter().filter(|(from, to, _)| record.trimmed(*from, *to).is_empty());
    let blank = blank.map(|(_, _, what)| format!("line {}: the {what} is empty", record.line));
    numbers.chain(blank).collect()
}

fn file(ach: &Ach) -> Vec<String> {
    let header = &ach.header;
    let constants =
        [(2, 3, "01", "priority code"), (35, 37, "094", "record size"), (38, 39, "10", "blocking factor")];
    let mut problems = fixed(header, &constants);
    problems
        .extend(fixed(header, &[(40, 40, "1", "format code"), (4, 4, " ", "sign before the destination")]));
    problems.extend(filled(header, &[(24, 29), (30, 33)], &[(14, 23, "immediate origin")]));
    problems.extend(routing(header, 5));
    if !header.cut(34, 34).bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        problems.push("line 1: the file id modifier has to be a capital letter or a digit".into());
    }
    let blocks = ach.records.div_ceil(super::record::BLOCK);
    if !ach.records.is_multiple_of(super::record::BLOCK) {
        problems.push(format!("the file has {} records, which is no multiple of ten", ach.records));
    }
    if ach.control.number(8, 13) != Ok(u64::try_from(blocks).unwrap_or(u64::MAX)) {
        problems.push(format!("line {}: the file has {blocks} blocks", ach.control.line));
    }
    if ach.batches.is_empty() {
        problems.push("the file has no batch".into());
    }
    problems
}

fn batch(batch: &Batch, number: u64) -> Vec<String> {
    let (header, control) = (&batch.header, &batch.control);
    let mut problems = filled(
        header,
        &[(64, 69), (70, 75), (80, 87), (88, 94)],
        &[(5, 20, "company name"), (41, 50, "company identification"), (54, 63, "entry description")],
    );
    problems.extend(fixed(header, &[(76, 78, "   ", "settlement date"), (79, 79, "1", "originator status")]));
    if !["CCD", "PPD"].contains(&header.cut(51, 53)) {
        problems.push(format!("line {}: the class is neither CCD nor PPD", header.line));
    }
    if header.number(88, 94) != Ok(number) {
        problems.push(format!("line {}: the batch number has to be {number}", header.line));
    }
    let same = [
        (header.cut(2, 4), control.cut(2, 4), "service class"),
        (header.cut(41, 50), control.cut(45, 54), "company identification"),
        (header.cut(80, 87), control.cut(80, 87), "originating bank"),
        (header.cut(88, 94), control.cut(88, 94), "batch number"),
    ];
    for (_, _, what) in same.iter().filter(|(left, right, _)| left != right) {
        problems.push(format!("line {}: the {what} is another one than in the header", control.line));
    }
    let credits = batch.entries.iter().filter(|entry| is_credit(entry.record.cut(2, 3))).count();
    let service = match (credits, batch.entries.len()) {
        (0, _) => "225",
        (credits, all) if credits == all => "220",
        _ => "200",
    };
    problems.extend(fixed(header, &[(2, 4, service, "service class")]));
    if control.cut(21, 32) != control.cut(33, 44) {
        problems.push(format!("line {}: the batch is not balanced", control.line));
    }
    problems
}

fn entry(entry: &Entry) -> Vec<String> {
    let record = &entry.record;
    let mut problems = filled(
        record,
        &[(80, 94)],
        &[(13, 29, "account number"), (40, 54, "identification"), (55, 76, "name")],
    );
    problems.extend(routing(record, 4));
    let code = record.cut(2, 3);
    if !["22", "27", "32", "37"].contains(&code) {
        problems.push(format!("line {}: the transaction code {code} is none of a live entry", record.line));
    }
    if record.cut(79, 79) != if entry.addenda.is_empty() { "0" } else { "1" } {
        problems.push(format!("line {}: the addenda indicator does not fit", record.line));
    }
    if record.number(30, 39) == Ok(0) {
        problems.push(format!("line {}: the amount is zero", record.line));
    }
    problems
}

fn routing(record: &Record, from: usize) -> Option<String> {
    let wrong = RoutingNumber::parse(record.cut(from, from + 8)).is_err();
    wrong.then(|| format!("line {}: the routing number's check digit does not fit", record.line))
}

/// A trace begins with the originating bank and grows within a batch.
fn traces(batch: &Batch) -> Vec<String> {
    let mut problems = vec![];
    let mut last = 0;
    for entry in &batch.entries {
        let record = &entry.record;
        if record.cut(80, 87) != batch.header.cut(80, 87) {
            problems.push(format!("line {}: the trace number is of another bank", record.line));
        }
        let number = record.number(80, 94).unwrap_or(0);
        if number <= last {
            problems.push(format!("line {}: the trace number does not grow", record.line));
        }
        last = number;
    }
    problems
}
