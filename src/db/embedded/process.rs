//! The three system calls that the standard library does not offer. All unsafe code of the room is here.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Sends `signal` to `pid`. That the process is already gone is not an error.
pub fn send(pid: i32, signal: libc::c_int) -> io::Result<()> {
    // SAFETY: kill takes two integers and touches no memory of ours.
    if unsafe { libc::kill(pid, signal) } == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(libc::ESRCH) { Ok(()) } else { Err(error) }
}

/// Lets the kernel interrupt the child when the *thread* that spawns it ends, and keeps its files private.
///
/// So a server never outlives its application, however that one ends, and still shuts down cleanly.
pub fn die_with_parent(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: the closure runs between fork and exec; it only makes system calls that are safe there
    // (prctl, getppid, umask), allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(move || {
            let signal = libc::c_ulong::from(libc::SIGINT.unsigned_abs());
            if libc::prctl(libc::PR_SET_PDEATHSIG, signal) != 0 {
                return Err(io::Error::last_os_error());
            }
            if u32::try_from(libc::getppid()) != Ok(parent) {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            libc::umask(0o077);
            Ok(())
        });
    }
}
