//! Periods, runs and what is looked at before money is posted.

use super::super::field::Wrong;
use super::super::format::{Pager, Pill, Tone};
use super::super::periods::compare::{ComparePage, Side};
use super::super::periods::earners::{AwardRow, EarnerPage, EarnersPage, LotRow, Row as EarnerRow};
use super::super::periods::life::{Action, State, Step};
use super::super::periods::one::{Adjustment, Done, Figure, PeriodPage, RunRow};
use super::super::periods::ranks::{RanksPage, Row as RankChange};
use super::super::periods::review::{Before, CorrectedRow, Limit, Mover, PoolRow, RankRow, Review};
use super::super::periods::run::{Next, Progress, RunPage};
use super::super::periods::{PeriodsPage, Row};
use super::super::simulate::{self, Outcome, PeriodRow, SimulatePage};
use super::{check, link, shell, usd, when};

fn pager() -> Pager {
    Pager { shown: 2, first: None, next: Some("/n".into()) }
}

fn row(name: &str, closed: bool) -> Row {
    Row {
        link: link(name),
        starts: when(0),
        ends: when(9),
        status: Pill::new(Tone::Ok, if closed { "closed" } else { "open" }),
        orders: "1,204".into(),
        cv: if closed { "98,120".into() } else { String::new() },
        paid: closed.then(|| usd("37120.5")),
        share: if closed { "37.83 %".into() } else { String::new() },
        held: (!closed).then(|| usd("412")),
        held_orders: "4 orders".into(),
        next: if closed { String::new() } else { "soft close".into() },
    }
}

#[test]
fn the_list() {
    let page = |rows| PeriodsPage { shell: shell("periods"), rows, pager: pager() };
    check("periods", &page(vec![row("2026-02", false), row("2026-01", true)]));
    check("periods-empty", &page(vec![]));
}

fn figure(label: &str, href: &str) -> Figure {
    Figure {
        label: label.into(),
        value: "37,120.50 USD".into(),
        under: "37.83 % of CV".into(),
        href: href.into(),
    }
}

fn step(title: &'static str, state: State) -> Step {
    let now = state == State::Now;
    let done = state == State::Done;
    Step {
        title,
        text: "Notes the last fact of an order that counts.".into(),
        state,
        at: done.then(|| when(4)),
        by: if done { "ada@example.test".into() } else { String::new() },
        link: done.then(|| link("the run")),
        action: now.then(|| Action {
            path: "/admin/periods/2026-01/run".into(),
            button: "Start the official run",
            kind: "official",
        }),
        refused: if state == State::Ahead { String::new() } else { "The period runs until tomorrow.".into() },
    }
}

#[test]
fn one_period() {
    let run = |kind: &str, compare: bool| RunRow {
        link: link("2026-02-03 09:00"),
        kind: Pill::new(Tone::Ok, kind),
        status: Pill::new(Tone::Warn, "review"),
        paid: Some(usd("37120.5")),
        share: "37.83 %".into(),
        hash: "0a1b2c3d4e5f".into(),
        by: "ada@example.test".into(),
        at: when(5),
        compare: compare.then(|| "/admin/runs/1/compare?with=2".into()),
    };
    let page = PeriodPage {
        shell: shell("periods"),
        backlog: "3 events not processed yet may count in the next period".into(),
        name: "2026-01".into(),
        address: "/admin/periods/2026-01".into(),
        status: Pill::new(Tone::Violet, "frozen"),
        starts: when(0),
        ends: when(9),
        steps: vec![
            step("Soft close", State::Done),
            step("Freeze", State::Done),
            step("Run", State::Now),
            step("Review and approve", State::Ahead),
        ],
        figures: vec![figure("Orders", ""), figure("Held value", "/admin/held")],
        facts: vec![("Cut-off".into(), "fact 1,204".into())],
        plan: Some(link("Hybrid")),
        runs: vec![run("official", true), run("unofficial", false)],
        history: vec![Done {
            text: "Frozen".into(),
            detail: "cutoff seq 1204".into(),
            by: "ada@example.test".into(),
            at: when(4),
        }],
        is_admin: true,
        can_unfreeze: true,
        adjustment: Some(Adjustment {
            periods: vec![link("2025-12")],
            text: "Orders of 1 closed period changed after the close.".into(),
        }),
    };
    check("period", &page);
}

fn review() -> Review {
    let before = |current| Before {
        period: link("2026-01"),
        paid: usd("37120.5"),
        cv: "98,120".into(),
        share: "37.83 %".into(),
        change: if current { String::new() } else { "+4.1 %".into() },
        current,
    };
    Review {
        figures: vec![figure("Commissions", ""), figure("Earners", "/admin/runs/1/earners")],
        limit: Some(Limit {
            verdict: Pill::new(Tone::Ok, "within the limit"),
            text: "37.83 % of CV is paid; the stop-loss is 42 %.".into(),
            is_over: false,
        }),
        notes: vec!["The period before is not closed yet.".into()],
        corrected: vec![CorrectedRow {
            period: link("2025-12"),
            policy: "same period".into(),
            awards: "4".into(),
            amount: usd("-12.4"),
        }],
        before: vec![before(true), before(false)],
        against: Some(link("2025-12")),
        movers: vec![mover()],
        pools: vec![PoolRow {
            period: "2026-01".into(),
            bonus: "team".into(),
            pool: usd("1000"),
            paid: usd("812.44"),
            breakage: usd("187.57"),
            rounding: usd("-0.01"),
            closes: true,
        }],
        ranks: vec![RankRow { was: "silver".into(), now: "gold".into(), distributors: "7".into() }],
    }
}

fn mover() -> Mover {
    Mover {
        distributor: link("11043"),
        name: "Anna Winter".into(),
        was: usd("10"),
        now: usd("412.9"),
        change: usd("402.9"),
    }
}

#[test]
fn one_run() {
    let page = |progress, review, next| RunPage {
        shell: shell("periods"),
        address: "/admin/runs/1".into(),
        id: "0193".into(),
        period: link("2026-01"),
        kind: Pill::new(Tone::Ok, "official"),
        status: Pill::new(Tone::Warn, "review"),
        facts: vec![("Cut-off".into(), "fact 1,204".into())],
        plan: Some(link("Hybrid")),
        hash: "ab".repeat(32),
        progress,
        problem: String::new(),
        review,
        next,
        over: true,
        left_out: true,
    };
    let progress = |total| Progress {
        address: "/admin/runs/1".into(),
        stage: "calculating".into(),
        done: 250,
        total,
        counted: "250 of 1,000".into(),
        percent: "25 %".into(),
        eta: "about 42 s".into(),
        since: Some(when(1)),
    };
    check("run-working", &page(Some(progress(1000)), None, Next::default()));
    check("run-queued", &page(Some(progress(0)), None, Next::default()));
    let refused = Next { refused: "Somebody else has to approve it.".into(), ..Next::default() };
    check("run-own", &page(None, Some(review()), refused));
    let all = Next { approve: true, post: true, discard: true, refused: String::new() };
    check("run-review", &page(None, Some(review()), all));
    let bare =
        Review { against: None, movers: vec![], ranks: vec![], pools: vec![], limit: None, ..review() };
    let failed = RunPage { problem: "The plan is gone.".into(), ..page(None, Some(bare), Next::default()) };
    check("run-first", &failed);
}

#[test]
fn earners_of_a_run() {
    let page = |rows| EarnersPage {
        shell: shell("periods"),
        run: link("Run of 2026-01"),
        address: "/admin/runs/1".into(),
        status: Pill::new(Tone::Ok, "posted"),
        q: "110".into(),
        rows,
        pager: pager(),
    };
    let row = EarnerRow {
        link: link("11043"),
        name: "Anna Winter".into(),
        rank: "gold".into(),
        awards: "3".into(),
        earned: usd("450"),
        amount: usd("412.9"),
    };
    check("run-earners", &page(vec![row]));
    check("run-earners-empty", &page(vec![]));
    let earner = EarnerPage {
        shell: shell("periods"),
        run: link("Run of 2026-01"),
        address: "/admin/runs/1".into(),
        distributor: link("11043 · Anna Winter"),
        sum: usd("412.9"),
        standing: vec![("Paid as".into(), "gold".into())],
        awards: vec![AwardRow {
            period: "2026-01".into(),
            bonus: "binary".into(),
            position: "11043-2".into(),
            base: "4,500".into(),
            earned: usd("450"),
            cuts: vec![("weekly cap".into(), usd("-37.1"))],
            amount: usd("412.9"),
            explain: Some(link("why")),
        }],
        lots: vec![LotRow {
            bonus: "binary".into(),
            position: "11043".into(),
            side: "left".into(),
            period: "2025-12".into(),
            age: "one period old".into(),
            volume: "1,200".into(),
        }],
    };
    check("run-earner", &earner);
    let ranks = |rows| RanksPage {
        shell: shell("periods"),
        run: link("Run of 2026-01"),
        against: Some(link("2025-12")),
        rows,
        pager: pager(),
    };
    let moved = RankChange {
        distributor: link("11043"),
        name: "Anna Winter".into(),
        was: "silver".into(),
        now: "gold".into(),
        change: Pill::new(Tone::Ok, "promotion"),
    };
    check("run-ranks", &ranks(vec![moved]));
    check("run-ranks-empty", &ranks(vec![]));
}

#[test]
fn two_runs() {
    let side = |hash: &str| Side {
        run: link("official run of 2026-01"),
        hash: hash.into(),
        paid: Some(usd("37120.5")),
        cutoff: "fact 1204".into(),
    };
    let page = |same, rows| ComparePage {
        shell: shell("periods"),
        period: link("2026-01"),
        sides: [side(if same { "ab" } else { "cd" }), side("ab")],
        same,
        rows,
        more: true,
    };
    check("run-compare", &page(false, vec![mover()]));
    check("run-compare-same", &page(true, vec![]));
}

#[test]
fn what_if() {
    let page = |outcome, problems| SimulatePage {
        shell: shell("periods"),
        plans: vec![("ab".repeat(32), "Hybrid".into())],
        plan: String::new(),
        document: "[plan]\n".into(),
        periods: "3".into(),
        wrong: Wrong::default().with("periods", "Write a number."),
        problems,
        outcome,
    };
    let period = PeriodRow {
        name: "2026-01".into(),
        cv: "98,120".into(),
        was: usd("37120.5"),
        was_share: "37.83 %".into(),
        then: usd("38000"),
        then_share: "38.73 %".into(),
        difference: usd("879.5"),
    };
    let rank = simulate::RankRow {
        distributor: link("11043"),
        period: "2026-01".into(),
        was: "silver".into(),
        now: "gold".into(),
        change: Pill::new(Tone::Ok, "promotion"),
    };
    let outcome = |earners, ranks| Outcome {
        plan: "Hybrid".into(),
        uncounted: "It is in another currency than 2 orders, and does not count them.".into(),
        periods: vec![],
        earners,
        more: "And 12 more earners; the CSV has everybody.".into(),
        ranks,
        more_ranks: String::new(),
    };
    let full = Outcome { periods: vec![period], ..outcome(vec![mover()], vec![rank]) };
    check("what-if", &page(Some(full), vec![]));
    check("what-if-same", &page(Some(outcome(vec![], vec![])), vec![]));
    let problems = crate::core::plan::Plan::parse("x = 1").unwrap_err();
    check("what-if-problems", &page(None, problems));
}
