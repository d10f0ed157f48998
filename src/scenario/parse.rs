//! From text to steps. Every line that is not understood is told, not the first.

use super::expect::Expectation;
use super::orders::{Draft, PLACE_OF_OWN, Told};
use super::words::Words;
use super::{Action, Scenario, ScenarioProblem, Step, Store, opening};
use crate::core::genealogy::{DistributorVersion, Status};
use crate::core::ids::DistributorId;
use crate::core::order::Report;
use crate::core::plan::Plan;
use crate::core::sku::{KeyKind, SkuMapping};

type Load<'l> = &'l dyn Fn(&str) -> Result<String, String>;

pub(super) fn parse(text: &str, load: Load<'_>) -> Result<Scenario, Vec<ScenarioProblem>> {
    let mut reader = Reader::new(load);
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let outcome = match Words::split(number, line) {
            Ok(Some(words)) => reader.statement(words, &mut lines),
            Ok(None) => Ok(()),
            Err(problem) => Err(problem),
        };
        reader.problems.extend(outcome.err());
    }
    reader.finish()
}

struct Reader<'l> {
    load: Load<'l>,
    title: String,
    plan: Option<(Plan, String)>,
    /// The plan has problems of its own; that it is missing is no further one.
    has_wrong_plan: bool,
    stores: Vec<Store>,
    told: Told,
    open: Option<Draft>,
    mappings: i64,
    steps: Vec<Step>,
    problems: Vec<ScenarioProblem>,
}

impl<'l> Reader<'l> {
    fn new(load: Load<'l>) -> Self {
        Self {
            load,
            title: String::new(),
            plan: None,
            has_wrong_plan: false,
            stores: Vec::new(),
            told: Told::default(),
            open: None,
            mappings: 0,
            steps: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn statement<'t>(
        &mut self,
        mut words: Words,
        lines: &mut impl Iterator<Item = (usize, &'t str)>,
    ) -> Result<(), ScenarioProblem> {
        // What needs the plan cannot be read without one, and says nothing new about that.
        let needs_plan = words.indented || words.first().is_some_and(|word| NEED_PLAN.contains(&word));
        if self.has_wrong_plan && needs_plan {
            return Ok(());
        }
        if words.indented {
            let Some(draft) = &mut self.open else {
                return Err(words.problem("an indented line belongs to an order; there is none above"));
            };
            draft.add(&mut words)?;
            return words.finish();
        }
        self.close_order();
        let line = words.line;
        match words.next("a word")?.as_str() {
            "title" => self.title = words.rest().join(" "),
            "plan" => self.plan(&mut words, lines)?,
            "store" => self.store(&mut words)?,
            "distributor" => {
                let version = distributor(&mut words)?;
                self.step(line, Action::Distributor(version));
            }
            "sku" => {
                let action = self.sku(&mut words)?;
                self.step(line, action);
            }
            "order" => {
                let Some((plan, _)) = &self.plan else {
                    return Err(words.problem("name the plan before the first order"));
                };
                let store = self.default_store().slug;
                self.open = Some(Draft::begin(&mut words, &self.told, &store, plan.currency())?);
            }
            "refund" => {
                let (order, report) = self.told.refund(&mut words)?;
                self.deliver(line, &order, report);
            }
            "again" => {
                let (order, report) = self.told.again(&mut words)?;
                self.deliver(line, &order, report);
            }
            "cancel" => {
                let order = words.next("the order's id")?;
                let report = self.told.change(&mut words, &order, |snapshot| snapshot.cancelled = true)?;
                self.deliver(line, &order, report);
            }
            "delete" => {
                let order = words.next("the order's id")?;
                let at = words.instant_option("at")?;
                self.deliver(line, &order.clone(), Report::Deleted { order, at });
            }
            "restore" => {
                let order = words.next("the order's id")?;
                self.deliver(line, &order.clone(), Report::Restored { order });
            }
            "assign" => {
                let order = words.next("the order's id")?;
                let distributor = DistributorId::new(words.next("the distributor")?);
                self.step(line, Action::Assign { order, distributor });
            }
            "expect" => {
                let expectation = Expectation::read(&mut words)?;
                self.step(line, Action::Expect(expectation));
            }
            other => match opening::read(other, &mut words, self.plan.as_ref().map(|(plan, _)| plan))? {
                Some(action) => self.step(line, action),
                None => return Err(words.problem(format!("{other:?} is no statement; {STATEMENTS}"))),
            },
        }
        words.finish()
    }

    /// `plan FILE`, or `plan <<END` and the document up to a line `END`.
    fn plan<'t>(
        &mut self,
        words: &mut Words,
        lines: &mut impl Iterator<Item = (usize, &'t str)>,
    ) -> Result<(), ScenarioProblem> {
        let from = words.next("the plan's file")?;
        let (text, first_line) = match from.strip_prefix("<<") {
            Some(end) => {
                let body: Vec<&str> =
                    lines.map(|(_, line)| line).take_while(|line| line.trim() != end).collect();
                (body.join("\n"), Some(words.line))
            }
            None => {
                let loaded = (self.load)(&from);
                (loaded.map_err(|why| words.problem(format!("the plan {from} cannot be read: {why}")))?, None)
            }
        };
        match Plan::parse(&text) {
            Ok(plan) => self.plan = Some((plan, text)),
            Err(problems) => {
                self.has_wrong_plan = true;
                self.problems.extend(problems.into_iter().map(|problem| ScenarioProblem {
                    line: first_line.map_or(words.line, |first| first + problem.line),
                    message: match first_line {
                        Some(_) => format!("{}: {}; {}", problem.path, problem.message, problem.fix),
                        None => format!("{from}: {problem}"),
                    },
                }));
            }
        }
        Ok(())
    }

    fn store(&mut self, words: &mut Words) -> Result<(), ScenarioProblem> {
        let slug = words.next("the store's slug")?;
        let platform = words.option("platform").unwrap_or_else(|| "direct".to_owned());
        let places = words.option("places").unwrap_or_else(|| "distributor_ref".to_owned());
        let places = places.split(',').map(str::to_owned).collect();
        self.stores.push(Store { slug, platform, places });
        Ok(())
    }

    fn default_store(&self) -> Store {
        let shop = || Store {
            slug: "shop".to_owned(),
            platform: "direct".to_owned(),
            places: vec!["distributor_ref".to_owned()],
        };
        self.stores.first().cloned().unwrap_or_else(shop)
    }

    /// `sku SKU class=CLASS [store=] [id=] [from=] [key=sku|variant|product]`
    fn sku(&mut self, words: &mut Words) -> Result<Action, ScenarioProblem> {
        let key = words.next("the SKU")?;
        let commission_class = words.option("class").ok_or_else(|| words.problem("class= is missing"))?;
        let kind = words.option("key").unwrap_or_else(|| "sku".to_owned());
        let kind =
            KeyKind::parse(&kind).ok_or_else(|| words.problem("key= is none of sku, variant, product"))?;
        let store = words.option("store");
        let platform = match &store {
            Some(slug) => self.known_store(words, slug)?.platform,
            None => words.option("platform").unwrap_or_else(|| self.default_store().platform),
        };
        self.mappings += 1;
        let mapping = SkuMapping {
            mapping_id: self.mappings,
            store: None,
            platform,
            kind,
            sku_id: words.option("id").unwrap_or_else(|| key.clone()),
            key,
            commission_class,
            from: words.instant_option("from")?,
        };
        Ok(Action::Sku { store, mapping })
    }

    fn known_store(&self, words: &Words, slug: &str) -> Result<Store, ScenarioProblem> {
        let known = self.stores.iter().find(|store| store.slug == slug).cloned();
        known.ok_or_else(|| words.problem(format!("there is no store {slug} above")))
    }

    fn deliver(&mut self, line: usize, order: &str, report: Report) {
        let store = self.told.store_of(order).map(str::to_owned).unwrap_or_else(|| self.default_store().slug);
        self.step(line, Action::Deliver { store, report });
    }

    fn close_order(&mut self) {
        let Some(draft) = self.open.take() else { return };
        let line = draft.line;
        let (store, snapshot) = draft.finish();
        let report = self.told.tell(&store, snapshot);
        self.step(line, Action::Deliver { store, report });
    }

    fn step(&mut self, line: usize, action: Action) {
        self.steps.push(Step { line, action });
    }

    fn finish(mut self) -> Result<Scenario, Vec<ScenarioProblem>> {
        self.close_order();
        if self.stores.is_empty() {
            let mut shop = self.default_store();
            if self.told.has_own() {
                shop.places.push(PLACE_OF_OWN.to_owned());
            }
            self.stores.push(shop);
        }
        for step in &self.steps {
            if let Action::Deliver { store, .. } = &step.action
                && !self.stores.iter().any(|known| known.slug == *store)
            {
                let message = format!("there is no store {store}");
                self.problems.push(ScenarioProblem { line: step.line, message });
            }
        }
        match self.plan {
            Some((plan, plan_text)) if self.problems.is_empty() => {
                Ok(Scenario { title: self.title, plan, plan_text, stores: self.stores, steps: self.steps })
            }
            None if self.problems.is_empty() => {
                Err(vec![ScenarioProblem { line: 1, message: "the scenario names no plan".to_owned() }])
            }
            _ => Err(self.problems),
        }
    }
}

const STATEMENTS: &str = "use one of title, plan, store, distributor, place, standing, carry, sku, order, refund, \
                          cancel, delete, restore, again, assign, close, adjust, expect";

const NEED_PLAN: [&str; 12] = [
    "order", "refund", "again", "cancel", "delete", "restore", "assign", "place", "standing", "carry",
    "close", "adjust",
];

/// `distributor ID [sponsor=] [status=] [rank=] [from=] [enrolled=]`
fn distributor(words: &mut Words) -> Result<DistributorVersion, ScenarioProblem> {
    let id = DistributorId::new(words.next("the distributor's id")?);
    let status = match words.option("status") {
        Some(name) => Status::parse(&name).ok_or_else(|| words.problem(format!("{name:?} is no status")))?,
        None => Status::Active,
    };
    Ok(DistributorVersion {
        id,
        sponsor: words.option("sponsor").map(DistributorId::new),
        status,
        rank: words.option("rank"),
        from: words.instant_option("from")?,
        enrolled_at: words.instant_option("enrolled")?,
    })
}
