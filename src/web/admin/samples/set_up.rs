//! Plans and settings.

use super::super::code::Code;
use super::super::field::Wrong;
use super::super::format::{Link, Pager, Pill, Tone};
use super::super::once::Shown;
use super::super::plan_publish::{Preview, PublishPage, Release};
use super::super::plans::{self, Change, CheckPage, Checked, PlanPage, PlansPage};
use super::super::settings::{AuditRow, SettingsPage, Token, Typed, User};
use super::super::{plan_diff, plan_words};
use super::{check, shell, usd, when};
use crate::core::plan::{Plan, PlanProblem};

const PLAN: &str = include_str!("../../../../config/plans/unilevel.toml");
const HYBRID: &str = include_str!("../../../../config/plans/hybrid.toml");

fn publication(state: Pill, last: bool) -> plans::Row {
    plans::Row {
        hash: "3f2a".repeat(16),
        name: "Sample plan".into(),
        state,
        from: when(0),
        until: (!last).then(|| when(9)),
        published_at: when(0),
        published_by: "ada@example.test".into(),
    }
}

#[test]
fn plan_pages() {
    let described = Plan::parse(PLAN).unwrap().describe();
    let rows = || {
        let earlier = Pill::new(Tone::Muted, "earlier");
        vec![publication(Pill::new(Tone::Ok, "in effect"), true), publication(earlier, false)]
    };
    check("plans", &PlansPage { shell: shell("plans"), rows: rows() });
    check("plans-none", &PlansPage { shell: shell("plans"), rows: vec![] });
    let plan = PlanPage {
        shell: shell("plans"),
        hash: described.hash.clone(),
        name: described.name.clone(),
        state: Pill::new(Tone::Ok, "in effect"),
        facts: plan_words::facts(&described),
        sections: plan_words::sections(&described),
        source: Code::toml("The document as written", PLAN, &[]),
        document: PLAN.into(),
        publications: rows(),
        may_publish: true,
    };
    check("plan", &plan);
    let checked = |problems: Vec<PlanProblem>| CheckPage {
        shell: shell("plans"),
        document: PLAN.into(),
        checked: Some(Checked {
            source: Code::toml("Document", PLAN, &[6]),
            problems,
            name: described.name.clone(),
            hash: described.hash.clone(),
            known: true,
            facts: plan_words::facts(&described),
            sections: plan_words::sections(&described),
        }),
        may_publish: true,
    };
    check("plan-sound", &checked(vec![]));
    let problem = PlanProblem {
        line: 6,
        path: "plan.currency".into(),
        message: "\"US\" is no currency".into(),
        fix: "use a code of ISO 4217, such as USD".into(),
    };
    check("plan-problems", &checked(vec![problem]));
    let hybrid = Plan::parse(HYBRID).unwrap().describe();
    let hybrid = PlanPage {
        shell: shell("plans"),
        name: hybrid.name.clone(),
        facts: plan_words::facts(&hybrid),
        sections: plan_words::sections(&hybrid),
        publications: rows(),
        ..plan
    };
    check("plan-hybrid", &hybrid);
}

#[test]
fn plan_diff_page() {
    let version =
        |hash: &str| plan_diff::Version { hash: hash.into(), name: "Sample plan".into(), from: when(30) };
    let changed = |path: &str, was: &str, is: &str| plan_diff::Changed {
        path: path.into(),
        was: was.into(),
        is: is.into(),
    };
    let page = |changes| plan_diff::DiffPage {
        shell: shell("plans"),
        versions: vec![version("aaaaaaaaaaaaaaaa"), version("bbbbbbbbbbbbbbbb")],
        from: "bbbbbbbbbbbbbbbb".into(),
        to: "aaaaaaaaaaaaaaaa".into(),
        changes,
    };
    let changes = vec![
        changed("bonus.team.rates.gold", "[0.05]", "[0.05, 0.03]"),
        changed("class.kit", "", "{}"),
        changed("standing.default_rank", "\"member\"", ""),
    ];
    check("plan-diff", &page(Some(changes)));
    check("plan-diff-same", &page(Some(vec![])));
    check("plan-diff-none", &page(None));
}

#[test]
fn plan_publish_page() {
    let described = Plan::parse(PLAN).unwrap().describe();
    let change =
        |was: &str, is: &str| Change { what: format!("Rate {was}{is}"), was: was.into(), is: is.into() };
    let page = |before: Option<Link>| PublishPage {
        shell: shell("plans"),
        document: PLAN.into(),
        name: described.name.clone(),
        hash: described.hash.clone(),
        zone: "UTC".into(),
        date: "2026-12-01".into(),
        time: "00:00".into(),
        wrong: Wrong::default().with("confirm", "Type the name."),
        previewed: "3f2a 2026-12-01 1".into(),
        preview: Some(Preview {
            from: when(0),
            until: Some(when(9)),
            sections: if before.is_none() { plan_words::sections(&described) } else { vec![] },
            before,
            changes: vec![change("5 %", "6 %"), change("", "1 %"), change("2 %", "")],
            is_past: true,
            releases: vec![Release { reason: "No plan", orders: "41".into(), amounts: vec![usd("4120")] }],
        }),
    };
    check("plan-publish-first", &page(None));
    check("plan-publish", &page(Some(Link::new("/admin/plans/1", "Sample 2025"))));
}

#[test]
fn settings_page() {
    let user = |id, disabled| User {
        id,
        email: format!("user{id}@example.test"),
        role: Pill::new(Tone::Info, "viewer"),
        has_password: id == 2,
        seen_at: (id == 1).then(|| when(0)),
        disabled,
    };
    let token = |id, revoked: bool| Token {
        id,
        name: "warehouse".into(),
        scope: Pill::new(Tone::Info, "read"),
        store: "shop-eu".into(),
        created_at: when(0),
        revoked_at: revoked.then(|| when(1)),
    };
    let page = |wrong, has_password, may_change| SettingsPage {
        shell: shell("settings"),
        users: vec![user(1, false), user(2, false), user(3, true), user(4, false)],
        tokens: vec![token(1, false), token(2, true)],
        stores: vec!["shop-eu".into()],
        audit: vec![AuditRow {
            at: when(0),
            actor: "ada@example.test".into(),
            action: "store.add".into(),
            object: "shop-eu".into(),
            detail: "platform: shopify".into(),
        }],
        pager: Pager { shown: 1, first: None, next: Some("/n".into()) },
        shown: Some(Shown::sample("The token warehouse", "upl_abc")),
        form: Typed::default(),
        wrong,
        has_password,
        may_change,
    };
    let wrong = ["email", "role", "name", "scope", "store", "users"];
    let wrong = wrong.into_iter().fold(Wrong::default(), |wrong, field| wrong.with(field, "Not so."));
    check("settings", &page(wrong, true, true));
    check("settings-viewer", &page(Wrong::default(), false, false));
}
