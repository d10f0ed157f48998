//! Distributors from a CSV file: read, compared with what is there, checked as a whole, then all or nothing.
//!
//! Nothing is written by a file with a single problem. Whoever records an [`Import`] also sends the orders that
//! waited for a distributor through assessment again; that is not done here.

mod codes;
pub mod places;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;

use super::{Entry, Networks, Placements, Profile, RecordProblem, bind_codes, place, profiles, record};
use crate::core::genealogy::{DistributorVersion, GenealogyProblem, Status};
use crate::core::ids::DistributorId;
use crate::core::placement::PlacementVersion;
use crate::core::plan::TreeKind;
use crate::core::sheet::{Row, RowProblem, Sheet};
use crate::db::{Conn, DbError, Tx};

pub const REQUIRED: [&str; 6] = ["distributor_id", "sponsor_id", "status", "country", "tax_id", "created_at"];
pub const OPTIONAL: [&str; 7] =
    ["name", "email", "rank", "codes", "placement_parent", "placement_side", "position"];

/// What a file would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Import {
    pub new: usize,
    pub changed: usize,
    pub unchanged: usize,
    /// Positions that are placed or moved.
    pub placed: usize,
    /// Codes that will name somebody.
    pub codes: usize,
    /// Any of them keeps the whole file out.
    pub problems: Vec<RowProblem>,
    pub ignored_columns: Vec<String>,
    /// What the file tells for the tax office, of all its rows; `payees` compares and seals it.
    #[serde(skip)]
    pub tax_ids: Vec<(DistributorId, String)>,
    #[serde(skip)]
    entries: Vec<Entry>,
    #[serde(skip)]
    places: Vec<PlacementVersion>,
    #[serde(skip)]
    bindings: Vec<(String, DistributorId)>,
    #[serde(skip)]
    tree: Option<TreeKind>,
}

/// Both trees, which the file has to fit.
#[derive(Clone, Copy)]
pub struct Trees<'a> {
    pub networks: &'a Networks,
    pub placements: &'a Placements,
    /// What the plan allows.
    pub tree: Option<TreeKind>,
}

/// `effective`: from when a changed sponsor, status, rank or place holds. Somebody new has held since ever.
pub fn preview(
    conn: &mut Conn,
    trees: Trees<'_>,
    csv: &[u8],
    effective: DateTime<Utc>,
) -> Result<Import, DbError> {
    let sheet = match Sheet::read(csv, &REQUIRED, &OPTIONAL) {
        Ok(sheet) => sheet,
        Err(problems) => return Ok(Import { problems, ..Import::default() }),
    };
    let File { told, places, codes, problems } = read(&sheet);
    let (ignored_columns, tree) = (sheet.ignored.clone(), trees.tree);
    let mut import = Import { problems, ignored_columns, tree, ..Import::default() };
    let ids: Vec<String> = told.iter().map(|told| told.entry.version.id.0.clone()).collect();
    let known: HashMap<String, Profile> =
        profiles(conn, &ids)?.into_iter().map(|profile| (profile.distributor_id.clone(), profile)).collect();
    let mut lines = BTreeMap::new();
    for told in told {
        lines.insert(told.entry.version.id.clone(), told.line);
        let number = told.entry.tax_id.clone();
        import.tax_ids.extend(number.map(|number| (told.entry.version.id.clone(), number)));
        import.add(told, &known, sheet.has("rank"), effective);
    }
    let changes: Vec<DistributorVersion> = import.entries.iter().map(|entry| entry.version.clone()).collect();
    let network = trees.networks.get(conn)?;
    if let Err(problems) = network.genealogy.check(&changes) {
        import.problems.extend(problems.iter().map(|problem| at_its_row(problem, &lines)));
    }
    import.bindings = codes::changes(&codes, &network, &mut import.problems);
    import.codes = import.bindings.len();
    import.problems.extend(places::twice(&places));
    if !places.is_empty() {
        let known = trees.placements.get(conn)?;
        import.places = places::changes(&known, &places, effective);
        let placed: HashSet<&str> = import.places.iter().map(|place| place.position.as_str()).collect();
        import.placed = placed.len();
        if let Err(problems) = known.check(&import.places, tree, |owner| lines.contains_key(owner)) {
            import.problems.extend(places::at_their_rows(&problems, &places));
        }
    }
    import.problems.sort_by_key(|problem| problem.line);
    Ok(import)
}

impl Import {
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Writes what [`preview`] has found. The tree is checked again, under lock.
    pub fn record(&self, tx: &mut Tx<'_>, by: &str, now: DateTime<Utc>) -> Result<(), RecordProblem> {
        if !self.entries.is_empty() {
            record(tx, &self.entries, by, now)?;
        }
        if !self.places.is_empty() {
            place(tx, &self.places, self.tree, by, now)?;
        }
        if !self.bindings.is_empty() {
            let codes: Vec<_> = self.bindings.iter().map(|(code, to)| (code.as_str(), to)).collect();
            bind_codes(tx, &codes, by, now)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        told: Told,
        known: &HashMap<String, Profile>,
        has_rank: bool,
        effective: DateTime<Utc>,
    ) {
        let Told { line, mut entry } = told;
        let Some(profile) = known.get(entry.version.id.as_str()) else {
            self.new += 1;
            self.entries.push(entry);
            return;
        };
        if !has_rank {
            entry.version.rank.clone_from(&profile.rank);
        }
        if entry.version.enrolled_at != Some(profile.created_at) {
            let message = format!(
                "is another day than the recorded {}; an enrolment does not change",
                profile.created_at.to_rfc3339()
            );
            self.problems.push(RowProblem { line, column: "created_at".to_owned(), message });
        }
        if is_same(&entry, profile) {
            self.unchanged += 1;
            return;
        }
        entry.version.from = Some(effective);
        self.changed += 1;
        self.entries.push(entry);
    }
}

/// An empty field of the profile says nothing; it does not take away what is known.
fn is_same(entry: &Entry, profile: &Profile) -> bool {
    let keeps = |told: &Option<String>, known: &Option<String>| told.is_none() || told == known;
    let Entry { version, country, name, email, tax_id: _ } = entry;
    version.sponsor.as_ref().map(DistributorId::as_str) == profile.sponsor_id.as_deref()
        && version.status.name() == profile.status
        && version.rank == profile.rank
        && keeps(country, &profile.country)
        && keeps(name, &profile.name)
        && keeps(email, &profile.email)
}

struct Told {
    line: u64,
    entry: Entry,
}

/// What the rows say.
#[derive(Default)]
struct File {
    told: Vec<Told>,
    places: Vec<places::Told>,
    codes: Vec<codes::Told>,
    problems: Vec<RowProblem>,
}

fn read(sheet: &Sheet) -> File {
    let File { mut told, mut places, mut codes, mut problems } = File::default();
    let mut lines: HashMap<&str, u64> = HashMap::new();
    let has_places = sheet.has("placement_parent");
    for row in sheet.rows() {
        let id = row.required("distributor_id", &mut problems);
        if let Some(first) = lines.insert(id, row.line).filter(|_| !id.is_empty()) {
            problems.push(
                row.problem("distributor_id", format!("{id} is in line {first} already; keep one of them")),
            );
            continue;
        }
        let status = status(&row, &mut problems);
        let enrolled_at = created_at(&row, &mut problems);
        let text = |column: &str| row.get(column).map(str::to_owned);
        let (Some(status), Some(enrolled_at)) = (status, enrolled_at) else { continue };
        let version = DistributorVersion {
            id: DistributorId::new(id),
            sponsor: row.get("sponsor_id").map(DistributorId::new),
            status,
            rank: text("rank"),
            from: None,
            enrolled_at: Some(enrolled_at),
        };
        let entry = Entry {
            version,
            country: text("country"),
            tax_id: text("tax_id"),
            name: text("name"),
            email: text("email"),
        };
        places.extend(places::read(&row, id, enrolled_at, has_places, &mut problems));
        codes.extend(codes::read(&row, id, &mut problems));
        told.push(Told { line: row.line, entry });
    }
    File { told, places, codes, problems }
}

fn status(row: &Row<'_>, problems: &mut Vec<RowProblem>) -> Option<Status> {
    let text = row.required("status", problems);
    let status = Status::parse(&text.to_ascii_lowercase());
    if status.is_none() && !text.is_empty() {
        let known = Status::ALL.map(Status::name).join(", ");
        problems.push(row.problem("status", format!("{text:?} is no status; use one of {known}")));
    }
    status
}

fn created_at(row: &Row<'_>, problems: &mut Vec<RowProblem>) -> Option<DateTime<Utc>> {
    let text = row.required("created_at", problems);
    let at = instant(text);
    if at.is_none() && !text.is_empty() {
        let message = format!("{text:?} is no date; write 2025-08-28 or 2025-08-28T08:11:04Z");
        problems.push(row.problem("created_at", message));
    }
    at
}

/// A date (its first instant in UTC), a date with a time in UTC, or an RFC 3339 instant.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let utc = |text: &str| chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok();
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .ok()
        .or_else(|| utc(text).map(|at| at.and_utc()))
        .or_else(|| text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN).and_utc()))
}

fn at_its_row(problem: &GenealogyProblem, lines: &BTreeMap<DistributorId, u64>) -> RowProblem {
    let named = match problem {
        GenealogyProblem::UnknownSponsor { distributor, .. }
        | GenealogyProblem::SelfSponsor { distributor }
        | GenealogyProblem::Duplicate { distributor, .. } => lines.get(distributor),
        GenealogyProblem::Cycle { members, .. } => members.iter().find_map(|member| lines.get(member)),
        GenealogyProblem::EmptyId | GenealogyProblem::TooMany => None,
    };
    let line = named.copied().unwrap_or(1);
    RowProblem { line, column: "sponsor_id".to_owned(), message: problem.to_string() }
}
