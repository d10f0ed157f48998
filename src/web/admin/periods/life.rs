//! The life of a period as steps: what was done, what comes next, what it will do, and why it cannot be done yet.

use chrono::{DateTime, Utc};

use super::super::format::{Link, When};
use super::run_address;
use crate::reports::periods::{Change, Period, Run};

pub struct Step {
    pub title: &'static str,
    pub text: String,
    pub state: State,
    pub at: Option<When>,
    pub by: String,
    pub link: Option<Link>,
    pub action: Option<Action>,
    /// Why the next step cannot be done now.
    pub refused: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Done,
    Now,
    Ahead,
}

impl State {
    pub fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Ahead => "ahead",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "next",
            Self::Ahead => "later",
        }
    }
}

pub struct Action {
    pub path: String,
    pub button: &'static str,
    /// The kind of run that it starts.
    pub kind: &'static str,
}

/// Who is looking, and when; and the periods before that are not closed, by name and status, oldest first.
pub struct Onlooker<'a> {
    pub email: &'a str,
    pub is_admin: bool,
    pub now: DateTime<Utc>,
    pub before: &'a [(String, String)],
}

impl Onlooker<'_> {
    fn earlier(&self, statuses: &[&str], why: &str) -> Option<String> {
        let (name, _) = self.before.iter().find(|(_, status)| statuses.contains(&status.as_str()))?;
        Some(format!("Period {name} before it is not {why}."))
    }
}

/// `runs` newest first.
pub fn steps(period: &Period, runs: &[Run], changes: &[Change], who: &Onlooker<'_>) -> Vec<Step> {
    let run = runs
        .iter()
        .find(|run| run.kind == "official" && !matches!(run.status.as_str(), "discarded" | "failed"));
    let at = reached(period, run);
    let mut steps = vec![
        soft_close(period, who),
        freeze(period, who),
        calculate(period, run, who),
        approve(run, who),
        post(run),
    ];
    for (place, step) in steps.iter_mut().enumerate() {
        step.state = match place.cmp(&at) {
            std::cmp::Ordering::Less => State::Done,
            std::cmp::Ordering::Equal => State::Now,
            std::cmp::Ordering::Greater => State::Ahead,
        };
        if step.state != State::Now {
            (step.action, step.refused) = (None, String::new());
        } else if step.action.is_some() && !who.is_admin {
            (step.action, step.refused) = (None, "Only an admin can do this.".to_owned());
        }
    }
    date(&mut steps, changes, run);
    steps
}

/// How many steps are done.
fn reached(period: &Period, run: Option<&Run>) -> usize {
    match (period.status.as_str(), run.map(|run| run.status.as_str())) {
        ("open", _) => 0,
        ("soft_closed", _) => 1,
        ("closed", _) => 5,
        (_, Some("review")) => 3,
        (_, Some("approved")) => 4,
        (_, Some("posted")) => 5,
        _ => 2,
    }
}

fn step(title: &'static str, text: impl Into<String>) -> Step {
    Step {
        title,
        text: text.into(),
        state: State::Ahead,
        at: None,
        by: String::new(),
        link: None,
        action: None,
        refused: String::new(),
    }
}

fn act(period: &Period, path: &str, button: &'static str, kind: &'static str) -> Option<Action> {
    Some(Action { path: format!("{}/{path}", super::address(&period.name)), button, kind })
}

/// The step with its button, or with the reason why there is none.
fn unless(step: Step, refused: Option<String>, action: Option<Action>) -> Step {
    match refused {
        Some(refused) => Step { refused, ..step },
        None => Step { action, ..step },
    }
}

fn soft_close(period: &Period, who: &Onlooker<'_>) -> Step {
    let step =
        step("Soft close", "Orders that are told for the first time from then on count in the next period.");
    let goes_on = (who.now < period.ends_at)
        .then(|| format!("The period goes on until {}.", When(period.ends_at).utc()));
    let refused = goes_on.or_else(|| who.earlier(&["open"], "softly closed yet"));
    unless(step, refused, act(period, "soft-close", "Soft close", ""))
}

fn freeze(period: &Period, who: &Onlooker<'_>) -> Step {
    let text = "Notes the last fact of an order that counts, the distributors and both trees as they are known now, and \
                the plan in effect at the period's end. Every run from then on starts from the same.";
    let refused = who.earlier(&["open", "soft_closed"], "frozen yet");
    unless(step("Freeze", text), refused, act(period, "freeze", "Freeze", ""))
}

fn calculate(period: &Period, run: Option<&Run>, who: &Onlooker<'_>) -> Step {
    let step = step("Run", "Calculates who earns what and writes it down for the review. Nothing is posted.");
    let Some(run) = run else {
        let why = "closed yet, and this one builds on what it leaves";
        let refused = who.earlier(&["open", "soft_closed", "frozen"], why);
        return unless(step, refused, act(period, "run", "Start the official run", "official"));
    };
    let busy = matches!(run.status.as_str(), "queued" | "running");
    let text = if busy { "see how far it is" } else { "the run" };
    Step { link: Some(Link::new(run_address(run.run_id), text)), ..step }
}

fn approve(run: Option<&Run>, who: &Onlooker<'_>) -> Step {
    let step = step("Review and approve", "A second person looks at the run and approves it.");
    let Some(run) = run else { return step };
    let own = run.status == "review" && run.created_by == who.email;
    Step {
        link: Some(Link::new(run_address(run.run_id), "the review")),
        refused: match own {
            true => "You started the run; somebody else has to approve it.".to_owned(),
            false => String::new(),
        },
        ..step
    }
}

fn post(run: Option<&Run>) -> Step {
    let step = step(
        "Post",
        "Writes the run's commission events and journal entries, once, and closes the period. What is posted stays; \
         a correction is an adjustment in the period that is open then.",
    );
    let text = |run: &Run| if run.status == "posted" { "what was posted" } else { "post it" };
    Step { link: run.map(|run| Link::new(run_address(run.run_id), text(run))), ..step }
}

/// By whom and when, as the history has it.
fn date(steps: &mut [Step], changes: &[Change], run: Option<&Run>) {
    let latest = |word: &str| changes.iter().find(|change| change.change == word);
    let told = [
        latest("soft_closed").map(|change| (change.changed_by.clone(), Some(change.changed_at))),
        latest("frozen").map(|change| (change.changed_by.clone(), Some(change.changed_at))),
        run.map(|run| (run.created_by.clone(), run.finished_at)),
        run.and_then(|run| Some((run.approved_by.clone()?, run.approved_at))),
        run.and_then(|run| Some((run.posted_by.clone()?, run.posted_at))),
    ];
    for (step, told) in steps.iter_mut().zip(told) {
        match (step.state, told) {
            (State::Done, Some((by, at))) => (step.by, step.at) = (by, at.map(When)),
            (State::Ahead, _) => step.link = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ana, period, run};
    use super::*;

    fn who(email: &'static str, is_admin: bool, now: &str) -> Onlooker<'static> {
        Onlooker { email, is_admin, now: now.parse().unwrap(), before: &[] }
    }
    const AFTER: &str = "2026-02-01T00:00:00Z";

    fn states(steps: &[Step]) -> Vec<&'static str> {
        steps.iter().map(|step| step.state.class()).collect()
    }

    #[test]
    fn an_open_period_waits_for_its_end_and_then_offers_one_button() {
        let open = period("open");
        let early = steps(&open, &[], &[], &who(ana(), true, "2026-01-20T00:00:00Z"));
        assert_eq!(states(&early), ["now", "ahead", "ahead", "ahead", "ahead"]);
        assert!(early[0].action.is_none() && early[0].refused.contains("2026-02-01"), "{}", early[0].refused);
        let late = steps(&open, &[], &[], &who(ana(), true, AFTER));
        assert_eq!(late.iter().filter(|step| step.action.is_some()).count(), 1);
        assert_eq!(late[0].action.as_ref().unwrap().path, "/admin/periods/2026-01/soft-close");
        let viewer = steps(&open, &[], &[], &who("eve@example.test", false, AFTER));
        assert!(viewer[0].action.is_none() && viewer[0].refused.contains("admin"));
    }

    #[test]
    fn a_run_in_review_is_for_somebody_else() {
        let frozen = period("frozen");
        let runs = [run("discarded"), run("review")];
        let mine = steps(&frozen, &runs, &[], &who(ana(), true, AFTER));
        assert_eq!(states(&mine), ["done", "done", "done", "now", "ahead"]);
        assert!(mine[3].refused.contains("somebody else"));
        let theirs = steps(&frozen, &runs, &[], &who("ben@example.test", true, AFTER));
        assert!(theirs[3].refused.is_empty() && theirs[3].link.is_some());
        assert!(theirs[4].link.is_none(), "what comes later leads nowhere yet");
    }

    #[test]
    fn a_discarded_run_makes_room_for_the_next() {
        let steps =
            steps(&period("frozen"), &[run("discarded"), run("failed")], &[], &who(ana(), true, AFTER));
        assert_eq!(states(&steps), ["done", "done", "now", "ahead", "ahead"]);
        assert_eq!(steps[2].action.as_ref().unwrap().kind, "official");
    }

    #[test]
    fn periods_are_closed_one_after_the_other() {
        let before = [("2025-12".to_owned(), "frozen".to_owned())];
        let who = Onlooker { before: &before, ..who(ana(), true, AFTER) };
        let soft = steps(&period("soft_closed"), &[], &[], &who);
        assert!(soft[1].action.is_some(), "the one before is frozen");
        let frozen = steps(&period("frozen"), &[], &[], &who);
        assert!(frozen[2].action.is_none() && frozen[2].refused.contains("2025-12"), "{}", frozen[2].refused);
    }

    #[test]
    fn a_closed_period_has_nothing_left_to_do() {
        let steps = steps(&period("closed"), &[run("posted")], &[], &who(ana(), true, AFTER));
        assert!(steps.iter().all(|step| step.state == State::Done && step.action.is_none()));
    }
}
