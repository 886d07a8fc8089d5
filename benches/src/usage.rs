//! What a command costs: processor time and memory, which a busy host changes less than time.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What one process used from its start to its end.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// In the process and in the kernel for it.
    pub cpu: Duration,
    /// From before its start to after its end.
    pub wall: Duration,
    /// The most memory that it had at once, in KiB.
    pub peak: i64,
}

/// Runs a command whose output nobody reads; anything but success is the end of the bench.
pub fn usage(command: &mut Command) -> Usage {
    let start = Instant::now();
    let child = command.stdout(Stdio::null()).spawn().expect("the command can be started");
    wait(child, start)
}

/// Runs a command; gives back what it printed, too, which has to be little.
pub fn usage_and_output(command: &mut Command) -> (Usage, String) {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the command can be started");
    let mut text = String::new();
    let stdout = child.stdout.take().expect("it is a pipe");
    std::io::Read::read_to_string(&mut BufReader::new(stdout), &mut text).expect("it is text");
    (wait(child, start), text)
}

/// From the start of a command to the first line that it prints; the rest nobody reads.
pub fn first_line(command: &mut Command) -> Duration {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the command can be started");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("it is text");
    let time = start.elapsed();
    assert!(!line.trim().is_empty(), "nothing was printed by {command:?}");
    let _ = child.wait();
    time
}

#[expect(clippy::needless_pass_by_value, reason = "it is waited for here, and gone then")]
#[expect(clippy::cast_sign_loss, reason = "the kernel gives times of no less than zero")]
fn wait(child: Child, start: Instant) -> Usage {
    let pid = libc::pid_t::try_from(child.id()).expect("a process number");
    let mut status = 0;
    // SAFETY: `rusage` is plain numbers, for which all zeros is a value.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live variables, and nobody else waits for this child.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut used) };
    let wall = start.elapsed();
    assert_eq!((waited, status), (pid, 0), "the command failed");
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    Usage { cpu: time(used.ru_utime) + time(used.ru_stime), wall, peak: used.ru_maxrss }
}
