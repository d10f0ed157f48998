//! Runs that are ended on their way.

use super::*;

/// What a run has written, without its own id.
fn written(company: &Company) -> String {
    let rows = |table: &str, columns: &str| {
        company.pipeline.ask(&format!(
            "select string_agg(concat_ws('|', {columns}), ';' order by {columns}) from {table}"
        ))
    };
    [
        rows("run_awards", "award_no, bonus, distributor_id, position, base, earned, amount, kind"),
        rows("run_pools", "bonus, pool, paid, breakage, rounding"),
        rows("run_standings", "distributor_id, active, pv, gv, pgv, achieved, paid_as, title, carried"),
        rows("run_lots", "lot_no, bonus, position, side, age, period, volume"),
    ]
    .join("\n")
}

#[test]
fn ended_in_any_stage_a_run_comes_to_the_same() {
    let clean = Company::new("now");
    clean.tell(&november_orders());
    let clean_run = clean.close(NOVEMBER, december());

    let company = Company::new("now");
    company.tell(&november_orders());
    company.freeze(NOVEMBER, december());
    let run = company.start(NOVEMBER, RunKind::Official, december());
    // While it reads, before it writes, and with everything written but the end.
    for table in ["volume_facts", "run_awards", "orders"] {
        ended_at(&company, table, || company.worker(december()).work_once().map(drop));
        assert_eq!(company.run(run).status, RunStatus::Running, "{table}");
        assert_eq!(company.pipeline.ask("select count(*) from run_awards"), "0");
    }
    assert_eq!(company.pipeline.ask("select attempts from runs"), "3");
    company.pipeline.tamper("update runs set attempts = 2");
    assert!(company.worker(december()).work_once().unwrap());
    assert_eq!(company.run(run).result_hash, clean_run.result_hash);
    assert_eq!(written(&company), written(&clean));

    let stop_loss = StopLoss { most: dec!(1), is_acknowledged: false, leaves_out: false };
    company.change(|tx, _| periods::approve(tx, run, stop_loss, "bob", december())).unwrap();
    let post = || {
        let published = company.published();
        let post = |tx: &mut Tx<'_>| {
            periods::post(tx, &published, run, "bob", december()).map_err(|problem| match problem {
                PeriodProblem::Db(error) => error,
                other => DbError::Invariant(other.to_string()),
            })
        };
        company.pipeline.db.transact(Lane::Admin, post).map(drop)
    };
    ended_at(&company, "postings", post);
    assert_eq!((company.run(run).status, company.status(NOVEMBER)), (RunStatus::Approved, Status::Frozen));
    assert_eq!(company.pipeline.ask("select count(*) from commission_events where line = ''"), "0");
    post().unwrap();
    assert_eq!(company.pipeline.ask(BY_RUNS), clean.pipeline.ask(BY_RUNS));
    assert_eq!(company.pipeline.replay().stored, clean.pipeline.replay().stored);
    company.check();
}

/// Lets the work come as far as a table and ends its session there, as if its process had died.
fn ended_at(company: &Company, table: &str, work: impl FnOnce() -> Result<(), DbError> + Send) {
    let url = company.pipeline.db.url().to_owned();
    let mut keeper = PgConnection::establish(&url).unwrap();
    keeper.batch_execute(&format!("begin; lock table {table} in access exclusive mode")).unwrap();
    std::thread::scope(|threads| {
        let working = threads.spawn(work);
        let mut other = PgConnection::establish(&url).unwrap();
        wait::until("the work to come to the table", Duration::from_secs(20), || {
            let ended = sql_query(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'relation'",
            )
            .execute(&mut other)
            .unwrap();
            (ended > 0).then_some(())
        });
        assert!(working.join().unwrap().is_err(), "{table}");
    });
    keeper.batch_execute("rollback").unwrap();
}

#[test]
fn a_killed_process_leaves_a_run_that_another_one_finishes() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.freeze(NOVEMBER, december());
    let url = company.pipeline.db.url().to_owned();
    let dir = std::env::temp_dir().join(format!("upline-test-periods-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let upline = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_upline"));
        command
            .env("DATABASE_URL", &url)
            .env("UPLINE_DATA_DIR", &dir)
            .env("UPLINE_ALLOW_UNSAFE_DATABASE", "true");
        command
            .env("RUST_LOG", "error")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let run = ["period", "run", NOVEMBER, "--by", "ann", "--json"];

    let mut keeper = PgConnection::establish(&url).unwrap();
    keeper.batch_execute("begin; lock table orders in access exclusive mode").unwrap();
    let mut child = upline(&run).spawn().unwrap();
    wait::until("the rows to be written", Duration::from_secs(30), || {
        let stage = company.pipeline.ask("select coalesce(max(stage), '') from runs");
        let blocked = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        (stage == "writing" && company.pipeline.ask(blocked) != "0").then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    keeper.batch_execute("rollback").unwrap();
    assert_eq!(company.pipeline.ask("select status from runs"), "running");

    let output = upline(&run).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((told["status"].as_str(), told["kind"].as_str()), (Some("review"), Some("official")));
    assert_eq!(company.pipeline.ask("select count(*) from runs"), "1");
    let id = told["run_id"].as_str().unwrap();
    assert_eq!(company.run(id.parse().unwrap()).created_by, "console:ann");
    let secret = dir.join("secret.txt");
    std::fs::write(&secret, "the right horse\n").unwrap();
    let by = |action: &str, who: &str| {
        upline(&["period", action, id, "--by", who, "--password-file", secret.to_str().unwrap()])
            .output()
            .unwrap()
    };
    let refused = |output: std::process::Output, why: &str| {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && told.contains(why), "{why}: {told}");
    };
    refused(by("approve", "ann"), "upline user add");
    company.add_user("bob@example.com", Role::Admin, "the right horse");
    company.add_user("eve@example.com", Role::Operator, "the right horse");
    company.add_user("dan@example.com", Role::Admin, "another horse");
    for who in ["ann", "console:ann", "eve@example.com", "dan@example.com"] {
        refused(by("approve", who), "is no active admin");
    }
    assert_eq!(company.run(id.parse().unwrap()).status, RunStatus::Review);
    assert!(by("approve", "Bob@example.com").status.success());
    assert!(by("post", "bob@example.com").status.success());
    refused(by("post", "bob@example.com"), "a run is posted once");
    assert_eq!(company.run(id.parse().unwrap()).approved_by.as_deref(), Some("bob@example.com"));
    assert_eq!(company.pipeline.ask(BY_RUNS), NOVEMBER_PAYS);
    let list = String::from_utf8(upline(&["period", "list"]).output().unwrap().stdout).unwrap();
    assert!(list.contains("2026-11") && list.contains("closed"), "{list}");
    for arguments in [&["period", "review", id][..], &["period", "show", NOVEMBER], &["period", "runs"]] {
        assert!(upline(arguments).output().unwrap().status.success(), "{arguments:?}");
    }
    let next = dir.join("next.toml");
    std::fs::write(&next, plan("now", "0.20")).unwrap();
    let tried = upline(&["plan", "simulate", next.to_str().unwrap(), "--json"]).output().unwrap();
    let tried: serde_json::Value = serde_json::from_slice(&tried.stdout).unwrap();
    assert_eq!(tried["periods"][0]["difference"], "39.05");
    company.check();
    let _ = std::fs::remove_dir_all(&dir);
}

#[test]
fn a_run_that_ends_its_process_every_time_is_given_up() {
    let company = Company::new("now");
    company.tell(&november_orders());
    company.freeze(NOVEMBER, december());
    let run = company.start(NOVEMBER, RunKind::Official, december());
    let stopped = company.worker(december());
    stopped.stopped.store(true, std::sync::atomic::Ordering::Relaxed);
    stopped.work_once().unwrap();
    assert_eq!(company.pipeline.ask("select attempts from runs"), "0", "a clean stop is nobody's fault");
    company.pipeline.tamper("update runs set attempts = 3");
    assert!(company.worker(december()).work_once().unwrap());
    let run = company.run(run);
    assert_eq!(run.status, RunStatus::Failed);
    assert!(run.problem.unwrap().contains("begun 3 times"));
    company.calculated(NOVEMBER, RunKind::Official, december());
}
