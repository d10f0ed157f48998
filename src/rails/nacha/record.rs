//! A NACHA file as its records: 94 columns each, a file that holds batches that hold entries that hold addenda.

/// Of every record.
pub(super) const WIDTH: usize = 94;
/// Records of a block.
pub(super) const BLOCK: usize = 10;

/// One record; columns count from 1 as in the rules.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub line: usize,
    text: String,
}

impl Record {
    /// Columns `from` to `to`, both included.
    pub fn cut(&self, from: usize, to: usize) -> &str {
        self.text.get(from.saturating_sub(1)..to).unwrap_or_default()
    }

    pub fn trimmed(&self, from: usize, to: usize) -> &str {
        self.cut(from, to).trim()
    }

    /// Digits only; blank is no number.
    pub fn number(&self, from: usize, to: usize) -> Result<u64, String> {
        let digits = self.cut(from, to);
        let fits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| fits);
        number.ok_or_else(|| format!("line {}: columns {from} to {to} have to be digits", self.line))
    }

    fn kind(&self) -> &str {
        self.cut(1, 1)
    }

    pub fn is_fill(&self) -> bool {
        self.text.bytes().all(|byte| byte == b'9')
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    pub record: Record,
    pub addenda: Vec<Record>,
}

#[derive(Debug)]
pub(super) struct Batch {
    pub header: Record,
    pub entries: Vec<Entry>,
    pub control: Record,
}

#[derive(Debug)]
pub(super) struct Ach {
    pub header: Record,
    pub batches: Vec<Batch>,
    pub control: Record,
    /// All records with those that only fill the last block.
    pub records: usize,
}

/// Lines as they came, or one run of 94 columns each. Signs that are no ASCII stand as one `?` each, so that the
/// columns stay where they are; a line that an editor cut short gets its blanks back.
fn records(bytes: &[u8]) -> Result<Vec<Record>, String> {
    let text: String = bytes
        .iter()
        .map(|byte| match byte {
            b'\r' | b'\n' | 0x20..=0x7e => char::from(*byte),
            _ => '?',
        })
        .collect();
    let mut lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    if let [only] = lines.as_slice()
        && only.len() > WIDTH
        && only.len().is_multiple_of(WIDTH)
    {
        let only = *only;
        lines = (0..only.len()).step_by(WIDTH).filter_map(|at| only.get(at..at + WIDTH)).collect();
    }
    let mut records = vec![];
    for (at, line) in lines.into_iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        if line.len() > WIDTH {
            return Err(format!("line {}: has {} columns instead of {WIDTH}", at + 1, line.len()));
        }
        records.push(Record { line: at + 1, text: format!("{line:<WIDTH$}") });
    }
    Ok(records)
}

/// The records in their order, or the first that stands where it may not.
pub(super) fn parse(bytes: &[u8]) -> Result<Ach, String> {
    let records = records(bytes)?;
    let count = records.len();
    let mut rest = records.into_iter();
    let header = rest.next().filter(|first| first.cut(1, 3) == "101").ok_or("line 1: is no file header")?;
    let mut batches: Vec<Batch> = vec![];
    let mut open: Option<(Record, Vec<Entry>)> = None;
    let mut control = None;
    for record in rest {
        let line = record.line;
        let misplaced = || format!("line {line}: a record {} may not stand here", record.kind());
        if control.is_some() {
            if !record.is_fill() {
                return Err(misplaced());
            }
            continue;
        }
        match (record.kind(), open.as_mut()) {
            ("5", None) => open = Some((record, vec![])),
            ("6", Some((_, entries))) => entries.push(Entry { record, addenda: vec![] }),
            ("7", Some((_, entries))) => match entries.last_mut() {
                Some(entry) => entry.addenda.push(record),
                None => return Err(misplaced()),
            },
            ("8", Some(_)) => {
                if let Some((header, entries)) = open.take() {
                    batches.push(Batch { header, entries, control: record });
                }
            }
            ("9", None) => control = Some(record),
            _ => return Err(misplaced()),
        }
    }
    let control = control.ok_or("the file ends without a file control: it is cut off")?;
    Ok(Ach { header, batches, control, records: count })
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Sums {
    count: u64,
    hash: u64,
    debit: u64,
    credit: u64,
}

/// The ten digits that a hash has room for.
pub(super) const HASH: u64 = 10_000_000_000;

/// Whether money goes to the receiver: codes end in 0 to 4 for credits and in 5 to 9 for debits.
pub(super) fn is_credit(transaction_code: &str) -> bool {
    transaction_code.as_bytes().get(1).is_some_and(|digit| *digit < b'5')
}

/// Counts, hashes and totals of the controls against the entries: what does not fit, all of it.
pub(super) fn sums(ach: &Ach) -> Vec<String> {
    let mut problems = vec![];
    let mut all = Sums::default();
    for batch in &ach.batches {
        let mut own = Sums::default();
        for entry in &batch.entries {
            if let Err(problem) = add(&mut own, entry) {
                problems.push(problem);
            }
        }
        let said = said(&batch.control, [(5, 10), (11, 20), (21, 32), (33, 44)]);
        problems.extend(differences(&batch.control, own, said));
        all.count += own.count;
        all.hash = (all.hash + own.hash) % HASH;
        all.debit += own.debit;
        all.credit += own.credit;
    }
    let said = said(&ach.control, [(14, 21), (22, 31), (32, 43), (44, 55)]);
    problems.extend(differences(&ach.control, all, said));
    let batches = u64::try_from(ach.batches.len()).unwrap_or(u64::MAX);
    if ach.control.number(2, 7) != Ok(batches) {
        problems.push(format!("line {}: the file has {batches} batches", ach.control.line));
    }
    problems
}

fn add(sums: &mut Sums, entry: &Entry) -> Result<(), String> {
    let amount = entry.record.number(30, 39)?;
    let bank = entry.record.number(4, 11)?;
    sums.count += 1 + u64::try_from(entry.addenda.len()).unwrap_or(0);
    sums.hash = (sums.hash + bank) % HASH;
    if is_credit(entry.record.cut(2, 3)) {
        sums.credit += amount;
    } else {
        sums.debit += amount;
    }
    Ok(())
}

fn said(control: &Record, [count, hash, debit, credit]: [(usize, usize); 4]) -> Result<Sums, String> {
    let number = |(from, to)| control.number(from, to);
    Ok(Sums { count: number(count)?, hash: number(hash)?, debit: number(debit)?, credit: number(credit)? })
}

fn differences(control: &Record, own: Sums, said: Result<Sums, String>) -> Vec<String> {
    let said = match said {
        Ok(said) => said,
        Err(problem) => return vec![problem],
    };
    let pairs = [
        ("count of entries and addenda", own.count, said.count),
        ("entry hash", own.hash, said.hash),
        ("sum of debits", own.debit, said.debit),
        ("sum of credits", own.credit, said.credit),
    ];
    let wrong = pairs.into_iter().filter(|(_, own, said)| own != said);
    let line = control.line;
    wrong
        .map(|(what, own, said)| format!("line {line}: the {what} is {said}, the entries give {own}"))
        .collect()
}
