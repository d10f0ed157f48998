//! What processes cost, from /proc: processor time of a whole tree, peak memory of one process.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Processor time so far of a process without its children, and of the trees below it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    pub own: Duration,
    /// The database server: children, living and dead, of the process that runs it.
    pub children: Duration,
}

/// Of a server and everything below it.
pub fn spent(pid: u32) -> Spent {
    let all = processes();
    let own = all.get(&pid).copied().unwrap_or_default();
    let mut children = own.dead_children;
    let mut below = vec![pid];
    while let Some(parent) = below.pop() {
        for (child, process) in all.iter().filter(|(_, process)| process.parent == parent) {
            children += process.own + process.dead_children;
            below.push(*child);
        }
    }
    Spent { own: own.own, children }
}

/// Processor time of everything on the machine.
pub fn machine() -> Duration {
    let stat = fs::read_to_string("/proc/stat").expect("/proc/stat");
    let fields: Vec<u64> =
        stat.lines().next().unwrap_or_default().split_whitespace().filter_map(|f| f.parse().ok()).collect();
    // user, nice, system, (idle, iowait), irq, softirq
    ticks([0, 1, 2, 5, 6].iter().filter_map(|at| fields.get(*at)).sum())
}

/// Of this very process.
pub fn ourselves() -> Duration {
    spent(std::process::id()).own
}

/// The most memory that a process ever held, in MiB.
pub fn peak_memory(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kib: f64 = line.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or_default();
    kib / 1024.0
}

#[derive(Clone, Copy, Default)]
struct Process {
    parent: u32,
    own: Duration,
    dead_children: Duration,
}

fn processes() -> BTreeMap<u32, Process> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| Some((pid, process(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect()
}

fn process(stat: &str) -> Option<Process> {
    // The name in parentheses may hold anything.
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 2..)?.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Process {
        parent: u32::try_from(number(1)?).ok()?,
        own: ticks(number(11)? + number(12)?),
        dead_children: ticks(number(13)? + number(14)?),
    })
}

/// The kernel counts in hundredths of a second for its users.
fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 10)
}
