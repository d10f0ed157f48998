//! The scenario files once more, this time through the whole app: signed webhooks in over HTTP, outbox drained,
//! tables read. What the pure core says of a file, the app has to say too.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use fastrand::Rng;
use upline::catalog::{self, NewMapping};
use upline::clock::Clock;
use upline::core::assess::Hold;
use upline::core::genealogy::DistributorVersion;
use upline::core::ids::{DistributorId, OrderId};
use upline::core::order::{OrderSnapshot, Report};
use upline::core::period::Span;
use upline::core::placement::PlacementVersion;
use upline::core::sku::SkuMapping;
use upline::db::{DbError, Lane};
use upline::distributors::{self, Entry};
use upline::ingest::{self, NewStore};
use upline::scenario::{Action, Scenario, Step, Store};
use upline::stores::Platform;
use upline::{orders, plans, proof};

use crate::support::closed;
use crate::support::encode::{self, Request};
use crate::support::facts::Facts;
use crate::support::hosted::RunningApp;

/// What the import of a file of distributors or of SKUs sends through assessment again.
const WAIT_FOR_DISTRIBUTORS: [Hold; 3] =
    [Hold::UnknownDistributor, Hold::AmbiguousDistributor, Hold::TerminatedDistributor];
const WAIT_FOR_SKUS: [Hold; 2] = [Hold::UnmappedSku, Hold::UnknownClass];
/// Scenarios at a time; each has an app and a database of its own.
const AT_ONCE: usize = 3;
/// How many files a platform can tell in any order, so that none silently falls out.
const LEAST_SHUFFLED: [(Platform, usize); 3] =
    [(Platform::Shopify, 36), (Platform::WooCommerce, 28), (Platform::Direct, 25)];

/// Files that tell what was before the first period: an app begins with nothing.
const WITH_A_PAST: [&str; 1] = ["opening_carry.txt"];

#[test]
fn every_scenario_holds_over_http() {
    let mut files = files();
    assert!(files.len() >= 120, "{files:?}");
    files.retain(|file| !WITH_A_PAST.iter().any(|name| file.ends_with(name)));
    let (next, wrong, shuffled) = (AtomicUsize::new(0), Mutex::new(vec![]), Mutex::new(vec![]));
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = file.file_stem().unwrap().to_string_lossy();
                    match catch_unwind(AssertUnwindSafe(|| play(&read(file)))) {
                        Ok(played) => {
                            shuffled.lock().unwrap().extend(played.shuffled);
                            let told = played.wrong.iter().map(|wrong| format!("{name}, {wrong}"));
                            wrong.lock().unwrap().extend(told);
                        }
                        Err(_) => wrong.lock().unwrap().push(format!("{name}: panicked, see above")),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let shuffled = shuffled.into_inner().unwrap();
    let counts =
        LEAST_SHUFFLED.map(|(known, _)| (known, shuffled.iter().filter(|told| **told == known).count()));
    assert!(counts.iter().zip(LEAST_SHUFFLED).all(|(found, least)| found.1 >= least.1), "only {counts:?}");
}

/// The test above can fail: an expectation that does not hold is told, by its line.
#[test]
fn what_does_not_hold_is_told() {
    let file = folder().join("refund_by_line.txt");
    let text = std::fs::read_to_string(&file).unwrap();
    let wrong = text.replacen("A 25.00", "A 25.01", 1).replacen("net 75.00", "net 74.99", 1);
    let expected = |was: &str| text.lines().position(|line| line.contains(was)).unwrap() + 1;
    let told = play(&parse(&wrong)).wrong;
    assert_eq!(
        told,
        [
            format!("line {}: expected referral level 0 to pay A 25.01, found 25", expected("A 25.00")),
            format!("line {}: expected a net of 74.99, found 75", expected("net 75.00")),
        ]
    );
}

struct Played {
    wrong: Vec<String>,
    /// By which platforms everything was told again, shuffled and thrice, to a store of its own.
    shuffled: Vec<Platform>,
}

fn play(scenario: &Scenario) -> Played {
    let mut stage = Stage::set(scenario);
    let mut wrong = vec![];
    let mut steps = scenario.steps.as_slice();
    while let Some(step) = steps.first() {
        // What is learned together is imported together.
        let people = people(steps);
        let taken = people.len().max(1);
        let played = stage.play(&step.action, &people);
        wrong.extend(played.err().map(|why| format!("line {}: {why}", step.line)));
        steps = &steps[taken..];
    }
    let mut shuffled = vec![];
    for platform in Platform::ALL.into_iter().filter(|platform| arrival_is_free(scenario, *platform)) {
        if let Some(told) = stage.shuffle(platform) {
            shuffled.push(platform);
            wrong.extend(told);
        }
    }
    wrong.extend(stage.proof());
    Played { wrong, shuffled }
}

fn first_close(scenario: &Scenario) -> Option<&Span> {
    scenario.steps.iter().find_map(|step| match &step.action {
        Action::Close(span) => Some(span),
        _ => None,
    })
}

/// The distributors that the next steps tell, each once.
fn people(steps: &[Step]) -> Vec<&DistributorVersion> {
    let mut people: Vec<&DistributorVersion> = vec![];
    for step in steps {
        match &step.action {
            Action::Distributor(version) if people.iter().all(|known| known.id != version.id) => {
                people.push(version);
            }
            _ => break,
        }
    }
    people
}

/// Whether only the deliveries decide: everything else is known before the first, no order counts for another,
/// there is one store, and the platform tells when it deletes.
fn arrival_is_free(scenario: &Scenario, platform: Platform) -> bool {
    let is_delivery = |step: &Step| matches!(step.action, Action::Deliver { .. });
    let first = scenario.steps.iter().position(is_delivery).unwrap_or_default();
    let learns = |step: &Step| !is_delivery(step) && !matches!(step.action, Action::Expect(_));
    let deletes = |step: &Step| matches!(step.action, Action::Deliver { report: Report::Deleted { .. }, .. });
    let times_deletions = platform == Platform::Shopify;
    !scenario.plan.needs_pv()
        && scenario.stores.len() == 1
        && !scenario.steps[first..].iter().any(learns)
        && (times_deletions || !scenario.steps.iter().any(deletes))
}

/// A running app with the scenario's plan and stores, and what was told to it so far.
struct Stage<'s> {
    scenario: &'s Scenario,
    app: RunningApp,
    platforms: BTreeMap<String, Platform>,
    told: Vec<(Report, Option<OrderSnapshot>)>,
    last: BTreeMap<String, OrderSnapshot>,
}

impl<'s> Stage<'s> {
    fn set(scenario: &'s Scenario) -> Self {
        let app = RunningApp::start();
        let platform = |store| encode::platform(scenario, store);
        let platforms = scenario.stores.iter().map(|store| (store.slug.clone(), platform(store))).collect();
        let stage = Self { scenario, app, platforms, told: vec![], last: BTreeMap::new() };
        stage.app.write(|tx| {
            plans::publish(tx, &scenario.plan_text, DateTime::UNIX_EPOCH, "test", now())
                .map_err(|problem| DbError::Invariant(format!("{problem:?}")))?;
            let published = stage.app.books.plans.get(tx.conn)?;
            first_close(scenario).map_or(Ok(()), |first| closed::begin(tx, &published, first))
        });
        for store in &scenario.stores {
            stage.open(store, &store.slug, stage.platforms[&store.slug]);
        }
        stage
    }

    /// Opens a store like one of the scenario's.
    fn open(&self, store: &Store, slug: &str, platform: Platform) {
        let attribution: Vec<String> =
            store.places.iter().map(|place| encode::place(platform, place)).collect();
        let new = NewStore {
            slug,
            platform: platform.as_str(),
            name: &self.scenario.title,
            attribution: &attribution,
            secret: Some(encode::SECRET),
        };
        self.app.write(|tx| {
            ingest::add_store(tx, &self.app.vault, &new, now())
                .map_err(|problem| DbError::Invariant(problem.to_string()))
        });
    }

    /// `people` are told together with the first of them.
    fn play(&mut self, action: &Action, people: &[&DistributorVersion]) -> Result<(), String> {
        match action {
            Action::Distributor(_) => self.enroll(people),
            Action::Sku { store, mapping } => self.map(store.as_deref(), mapping),
            Action::Assign { order, distributor } => self.assign(order, distributor),
            Action::Place(version) => self.place(version),
            Action::PlaceAll => self.place_all(),
            Action::Deliver { store, report } => {
                let delivered = self.deliver(store, report);
                return delivered.map_err(|why| format!("cannot be told over HTTP: {why}"));
            }
            Action::Close(span) => return closed::close(&self.app, &span.name),
            Action::Adjust => return closed::adjust(&self.app),
            Action::Carry(_) | Action::Standing { .. } => {
                return Err("the app begins without a past".to_owned());
            }
            Action::Expect(expectation) => {
                let checked = self.facts(&self.scenario.stores[0].slug).check(expectation);
                return checked.map_err(|(expected, found)| format!("expected {expected}, found {found}"));
            }
        }
        Ok(())
    }

    fn enroll(&self, people: &[&DistributorVersion]) {
        let entry = |version: &&DistributorVersion| Entry {
            version: (*version).clone(),
            country: None,
            tax_id: None,
            name: None,
            email: None,
        };
        let entries: Vec<Entry> = people.iter().map(entry).collect();
        self.app.write(|tx| {
            distributors::record(tx, &entries, "test", now())
                .map_err(|problem| DbError::Invariant(format!("{problem:?}")))?;
            orders::review_all_of(tx, &WAIT_FOR_DISTRIBUTORS, now())
        });
        self.app.drain();
    }

    /// A mapping of no store holds on every platform that may tell the file.
    fn map(&self, store: Option<&str>, mapping: &SkuMapping) {
        let stores = self.app.db.read(Lane::Admin, ingest::list_stores).unwrap();
        let platforms = match store {
            Some(slug) => vec![self.platforms[slug]],
            None if mapping.platform == Platform::Direct.as_str() => Platform::ALL.to_vec(),
            None => vec![mapping.platform.parse().unwrap()],
        };
        let new = platforms.into_iter().map(|platform| NewMapping {
            store: store.map(|slug| stores.iter().find(|known| known.slug == slug).unwrap().id),
            platform: platform.as_str().to_owned(),
            kind: mapping.kind,
            key: mapping.key.clone(),
            sku_id: mapping.sku_id.clone(),
            name: String::new(),
            category: String::new(),
            commission_class: mapping.commission_class.clone(),
            from: mapping.from,
        });
        let new: Vec<NewMapping> = new.collect();
        self.app.write(|tx| {
            catalog::record(tx, &new, None, "test", now())?;
            orders::review_all_of(tx, &WAIT_FOR_SKUS, now())
        });
        self.app.drain();
    }

    fn place(&self, version: &PlacementVersion) {
        let tree = self.scenario.plan.placement().map(|rule| rule.tree);
        self.app.write(|tx| {
            distributors::place(tx, std::slice::from_ref(version), tree, "test", now())
                .map_err(|problem| DbError::Invariant(problem.to_string()))
        });
    }

    fn place_all(&self) {
        let rule = self.scenario.plan.placement().expect("a placement tree");
        let filled = self.app.write(|tx| {
            distributors::fill(tx, rule, "test", now())
                .map_err(|problem| DbError::Invariant(problem.to_string()))
        });
        assert_eq!(filled.unplaced, []);
    }

    fn deliver(&mut self, store: &str, report: &Report) -> Result<(), String> {
        if let Report::Snapshot(order) = report {
            self.number_customers(order);
            self.last.insert(order.external_id.clone(), order.as_ref().clone());
        }
        let known = orders::order_of(report).and_then(|order| self.last.get(order)).cloned();
        self.post(store, &self.request(self.platforms[store], report, known.as_ref())?);
        self.told.push((report.clone(), known));
        self.app.drain();
        Ok(())
    }

    fn request(
        &self,
        platform: Platform,
        report: &Report,
        known: Option<&OrderSnapshot>,
    ) -> Result<Request, String> {
        encode::request(platform, report, known, self.scenario.plan.currency())
    }

    fn post(&self, store: &str, request: &Request) {
        let (status, answer) = self.app.post(&format!("/webhooks/{store}"), &request.headers, &request.body);
        assert_eq!(status, 200, "{answer}");
    }

    /// A store numbers its customers; the number is one more name of the distributor whom the file means.
    fn number_customers(&self, order: &OrderSnapshot) {
        for told in order.places.iter().filter(|told| told.place == "customer") {
            let (number, who) =
                (encode::number(&told.value).to_string(), DistributorId::new(told.value.as_str()));
            if number != told.value {
                self.app.write(|tx| {
                    let bound = distributors::bind_codes(tx, &[(&number, &who)], "test", now());
                    bound.map_err(|problem| DbError::Invariant(problem.to_string()))
                });
            }
        }
    }

    fn assign(&self, order: &str, distributor: &DistributorId) {
        let order = OrderId(self.facts(&self.scenario.stores[0].slug).order(order).unwrap().order_id);
        self.app.write(|tx| orders::attribute_manually(tx, order, distributor, "test", now()));
        self.app.drain();
    }

    fn facts(&self, store: &str) -> Facts {
        self.app.db.read(Lane::Admin, |conn| Facts::load(conn, store)).unwrap()
    }

    /// Everything that was told, thrice and in any order, by a platform to a store like the first one. What comes
    /// of it otherwise than at the first one; `None` where the platform cannot tell it.
    fn shuffle(&self, platform: Platform) -> Option<Vec<String>> {
        let once = |(report, known): &(Report, Option<OrderSnapshot>)| {
            self.request(platform, report, known.as_ref())
        };
        let requests: Vec<Request> = self.told.iter().map(once).collect::<Result<_, _>>().ok()?;
        let store = self.scenario.stores.first()?;
        let twin = format!("{}-{platform}", store.slug);
        self.open(store, &twin, platform);
        let mut told: Vec<&Request> = requests.iter().cycle().take(requests.len() * 3).collect();
        Rng::with_seed(20_260_828).shuffle(&mut told);
        told.iter().for_each(|request| self.post(&twin, request));
        self.app.drain();
        let (ordered, other) = (self.facts(&store.slug).outcome(), self.facts(&twin).outcome());
        let lost = ordered.iter().filter(|line| !other.contains(line));
        let gained = other.iter().filter(|line| !ordered.contains(line));
        let lost = lost.map(|line| format!("shuffled, by {platform}: lost {line}"));
        Some(lost.chain(gained.map(|line| format!("shuffled, by {platform}: gained {line}"))).collect())
    }

    /// The ledger holds and everything in it can be made again from the stored bodies.
    fn proof(&self) -> Vec<String> {
        let db = &self.app.db;
        let verified = db.read(Lane::Admin, |conn| proof::verify(conn, &[], |_| {})).unwrap();
        let replayed = db.read(Lane::Admin, |conn| proof::replay(conn, &self.app.books, |_| {})).unwrap();
        let problems = verified.problems.iter().map(|problem| format!("verify: {problem:?}"));
        let differences = replayed.differences.iter().map(|difference| format!("replay: {difference:?}"));
        problems.chain(differences).collect()
    }
}

fn now() -> DateTime<Utc> {
    Clock::system().now()
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios"))
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    files.sort();
    files
}

fn read(file: &Path) -> Scenario {
    parse(&std::fs::read_to_string(file).unwrap())
}

fn parse(text: &str) -> Scenario {
    let load = |path: &str| std::fs::read_to_string(folder().join(path)).map_err(|error| error.to_string());
    Scenario::parse(text, load).unwrap_or_else(|problems| panic!("{problems:#?}"))
}
