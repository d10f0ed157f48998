//! The default database: starts, is shared, survives every kind of killing.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Integer, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use upline::db::embedded::{Embedded, EmbeddedError};
use upline::db::migrate;

use crate::support::cluster::{StateDir, fresh_database, options};
use crate::support::wait::until;

const SOON: Duration = Duration::from_secs(60);
const OWNER_DIR: &str = "UPLINE_TEST_OWNER_DIR";

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

fn number(url: &str, query: &str) -> Option<i32> {
    let mut connection = PgConnection::establish(url).ok()?;
    Some(sql_query(query).get_result::<Number>(&mut connection).ok()?.number)
}

fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::establish(url).expect("the database answers");
    connection.batch_execute(sql).expect(sql);
}

fn start(dir: &Path) -> Embedded {
    Embedded::start(&options(dir, "upline")).expect("the database starts")
}

/// Where the cluster is: root cannot always use the directory it was told.
fn home(dir: &Path) -> PathBuf {
    let there = fs::read_link(dir.join("elsewhere")).unwrap_or_else(|_| dir.to_path_buf());
    fs::canonicalize(&there).unwrap_or(there)
}

fn postmaster(dir: &Path) -> Option<i32> {
    let text = fs::read_to_string(home(dir).join("data/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

/// Living PostgreSQL processes of the cluster; a zombie has no working directory.
fn processes(dir: &Path) -> Vec<i32> {
    let data = home(dir).join("data");
    let entries = fs::read_dir("/proc").expect("proc").flatten();
    let inside = entries.filter(|e| fs::read_link(e.path().join("cwd")).is_ok_and(|cwd| cwd == data));
    inside.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

fn signal(pid: i32, signal: i32) {
    // SAFETY: kill takes two integers.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "signal {pid}");
}

/// Leaves a backend busy in a loop: it does not notice when its postmaster dies. Gives its process id.
fn occupy(dir: &Path, url: &str) -> i32 {
    let mut connection = PgConnection::establish(url).expect("the database answers");
    let query = sql_query("select pg_backend_pid() as number");
    let pid = query.get_result::<Number>(&mut connection).expect("a process id").number;
    thread::spawn(move || {
        let _ = connection.batch_execute("do $$ begin loop end loop; end $$");
    });
    let active = format!(
        "select count(*)::int as number from pg_stat_activity where pid = {pid} and state = 'active' and query like 'do %'"
    );
    until("the backend is busy", SOON, || number(url, &active).filter(|count| *count == 1));
    assert!(processes(dir).contains(&pid));
    pid
}

#[test]
fn keeps_its_data_over_a_second_start_and_a_stale_pid_file() {
    let dir = StateDir::new("twice");
    let mut first = start(dir.path());
    assert!(!first.attached());
    execute(first.url(), "create table kept (number int); insert into kept values (42)");
    first.stop();
    assert_eq!(processes(dir.path()), Vec::<i32>::new());
    assert_eq!(number(first.url(), "select number from kept"), None, "stopped means stopped");

    // A pid file that names a living process of somebody else.
    fs::write(home(dir.path()).join("data/postmaster.pid"), "1\n/nowhere\n").expect("write the pid file");
    let second = start(dir.path());
    assert!(!second.attached());
    assert_eq!(number(second.url(), "select number from kept"), Some(42));
}

#[test]
fn a_guest_attaches_and_leaves_the_server_running() {
    let dir = StateDir::new("guest");
    let starts: Vec<_> = (0..2)
        .map(|_| {
            let dir = dir.path().to_path_buf();
            thread::spawn(move || start(&dir))
        })
        .collect();
    let mut both: Vec<Embedded> = starts.into_iter().map(|start| start.join().expect("started")).collect();
    both.sort_by_key(Embedded::attached);
    let [owner, guest] = both.try_into().expect("two");
    assert!(!owner.attached(), "exactly one of two starts at once owns the server");
    assert!(guest.attached(), "exactly one of two starts at once is a guest");
    assert_eq!(owner.url(), guest.url());
    drop(guest);
    assert_eq!(number(owner.url(), "select 1 as number"), Some(1));
}

#[test]
fn a_postmaster_that_dies_is_started_again() {
    let dir = StateDir::new("dies");
    let embedded = start(dir.path());
    execute(embedded.url(), "create table kept (number int); insert into kept values (7)");
    for _ in 0..2 {
        let busy = occupy(dir.path(), embedded.url());
        let killed = postmaster(dir.path()).expect("a running postmaster");
        signal(killed, libc::SIGKILL);
        let kept = until("the database is back", SOON, || {
            postmaster(dir.path()).filter(|pid| *pid != killed)?;
            number(embedded.url(), "select number from kept")
        });
        assert_eq!(kept, 7);
        assert!(!processes(dir.path()).contains(&busy), "the orphan was stopped");
    }
}

#[test]
fn stopping_while_the_server_is_down_leaves_nothing_running() {
    let dir = StateDir::new("down");
    let mut embedded = start(dir.path());
    signal(postmaster(dir.path()).expect("a running postmaster"), libc::SIGKILL);
    embedded.stop();
    until("no process is left", SOON, || processes(dir.path()).is_empty().then_some(()));
    assert_eq!(number(embedded.url(), "select 1 as number"), None);
    assert_eq!(number(start(dir.path()).url(), "select 1 as number"), Some(1), "it starts again");
}

/// Both halves of this test are this function: it runs itself in a second process to have an owner to kill.
#[test]
fn a_killed_owner_takes_its_server_along_and_a_killed_machine_recovers() {
    if let Some(dir) = std::env::var_os(OWNER_DIR) {
        return own_until_killed(Path::new(&dir));
    }
    let dir = StateDir::new("killed");
    let mut owner = spawn_owner(dir.path());
    let guest = attach(dir.path(), &mut owner);
    execute(guest.url(), "create table kept (number int); insert into kept values (1)");

    owner.kill().expect("kill the owner");
    owner.wait().expect("the owner ends");
    until("its server is gone", SOON, || processes(dir.path()).is_empty().then_some(()));
    assert!(!home(dir.path()).join("data/postmaster.pid").exists(), "the server shut down cleanly");

    let mut owner = spawn_owner(dir.path());
    let guest = attach(dir.path(), &mut owner);
    execute(guest.url(), "insert into kept values (2)");
    let busy = occupy(dir.path(), guest.url());
    let orphan = postmaster(dir.path()).expect("a running postmaster");
    // Held still, the owner cannot mend what is killed under it: as if the power had failed.
    signal(i32::try_from(owner.id()).expect("a process id"), libc::SIGSTOP);
    signal(orphan, libc::SIGKILL);
    owner.kill().expect("kill the owner");
    owner.wait().expect("the owner ends");
    until("the postmaster is gone", SOON, || (!processes(dir.path()).contains(&orphan)).then_some(()));
    assert!(processes(dir.path()).contains(&busy), "a backend is left over");
    assert_eq!(postmaster(dir.path()), Some(orphan), "so is the pid file");

    let mut after = start(dir.path());
    assert!(!after.attached());
    assert_eq!(number(after.url(), "select count(*)::int as number from kept"), Some(2));
    assert!(!processes(dir.path()).contains(&busy), "the orphan was stopped");
    after.stop();
}

/// Ends with its parent too: then nobody holds the other end of the standard input.
fn own_until_killed(dir: &Path) {
    let _server = start(dir);
    std::io::stdin().read_to_end(&mut Vec::new()).expect("read until the parent ends");
}

fn spawn_owner(dir: &Path) -> Child {
    let this = "embedded::a_killed_owner_takes_its_server_along_and_a_killed_machine_recovers";
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([this, "--exact", "--nocapture"]).env(OWNER_DIR, dir);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
    command.spawn().expect("run this test again as the owner")
}

/// Attaches to the owner's server, once the owner holds the lock.
fn attach(dir: &Path, owner: &mut Child) -> Embedded {
    until("the owner's server runs", SOON, || {
        assert_eq!(owner.try_wait().expect("look at the owner"), None, "the owner ended early");
        postmaster(dir).and(Some(()))
    });
    let guest = start(dir);
    assert!(guest.attached());
    guest
}

#[test]
fn a_path_too_long_for_a_socket_or_with_odd_characters_works() {
    let dir = StateDir::new("odd");
    let odd = dir.path().join(format!("{} it's, odd", "x".repeat(120)));
    let mut embedded = start(&odd);
    assert_eq!(number(embedded.url(), "select 1 as number"), Some(1));
    assert!(embedded.url().starts_with("host=/tmp/upline-"), "{}", embedded.url());
    let socket = embedded.url().split_whitespace().next().expect("host").replace("host=", "");
    embedded.stop();
    assert!(!Path::new(&socket).exists(), "the directory in /tmp is removed");
}

/// For root the server's account cannot enter it, so the cluster moves; for anybody else it just works.
#[test]
fn a_closed_directory_works_for_every_account() {
    let dir = StateDir::new("closed");
    fs::create_dir(dir.path()).expect("make the directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).expect("close it");
    let state = dir.path().join("state");
    let mut embedded = start(&state);
    execute(embedded.url(), "create table kept (number int); insert into kept values (3)");
    embedded.stop();
    let mut embedded = start(&state);
    assert_eq!(number(embedded.url(), "select number from kept"), Some(3), "the second start finds it");
    embedded.stop();
    let by_root = fs::metadata("/proc/self").expect("ourselves").uid() == 0;
    assert_eq!(home(&state).starts_with("/var/lib"), by_root, "{}", home(&state).display());
    if by_root {
        fs::remove_dir_all(home(&state)).expect("remove the moved cluster");
        fs::remove_file(state.join("elsewhere")).expect("remove the link");
    }
}

#[test]
fn a_database_that_does_not_start_says_why() {
    let dir = StateDir::new("why");
    start(dir.path()).stop();
    let settings = home(dir.path()).join("data/postgresql.conf");
    fs::write(&settings, "not_a_setting = 1\n").expect("break the settings");
    let error = Embedded::start(&options(dir.path(), "upline")).expect_err("it cannot start");
    assert!(error.to_string().contains("not_a_setting"), "{error}");
    fs::write(&settings, "").expect("mend the settings");
    assert_eq!(number(start(dir.path()).url(), "select 1 as number"), Some(1), "the lock was given back");
}

#[test]
fn a_cluster_of_another_version_is_refused() {
    let dir = StateDir::new("version");
    start(dir.path()).stop();
    fs::write(home(dir.path()).join("data/PG_VERSION"), "9\n").expect("write the version");
    let error = Embedded::start(&options(dir.path(), "upline")).expect_err("it cannot start");
    assert!(matches!(error, EmbeddedError::OtherMajor { cluster: 9, .. }), "{error}");
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    setting: String,
}

#[test]
fn a_durable_cluster_promises_what_it_must() {
    let dir = StateDir::new("durable");
    let durable = upline::db::embedded::Options { durable: true, ..options(dir.path(), "upline") };
    let embedded = Embedded::start(&durable).expect("the database starts");
    let mut connection = PgConnection::establish(embedded.url()).expect("the database answers");
    let mut setting = |name: &str| {
        let query = sql_query("select current_setting($1) as setting").bind::<Text, _>(name);
        query.get_result::<Setting>(&mut connection).expect(name).setting
    };
    for name in ["fsync", "synchronous_commit", "full_page_writes", "data_checksums", "wal_compression"] {
        assert!(["on", "pglz"].contains(&setting(name).as_str()), "{name}");
    }
    assert_eq!(setting("listen_addresses"), "");
    assert_eq!(setting("TimeZone"), "UTC");
    drop(connection);
}

#[test]
fn each_test_gets_its_own_copy_of_the_template() {
    let prepare = |url: &str| drop(migrate(url).expect("migrate the template"));
    let (one, two) = (fresh_database(prepare), fresh_database(prepare));
    execute(one.url(), "insert into cache_versions values ('mine', 1)");
    let count = "select count(*)::int as number from cache_versions where name = 'mine'";
    assert_eq!(number(one.url(), count), Some(1));
    assert_eq!(number(two.url(), count), Some(0));
}
