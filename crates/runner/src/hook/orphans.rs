//! What the commands of a run that was killed have left.
//!
//! The kernel kills a command with its run, but not what the command had started. Each of those has
//! in its environment whose it is.

use kvmtest::host::ProcessId;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The variable that says which run a process belongs to.
const HOLDER: &str = "KVMTEST_HOLDER";

/// The variable and its value for the processes of `holder`.
pub(super) fn mark(holder: &ProcessId) -> (&'static str, String) {
    (HOLDER, format!("{} {} {}", holder.pid, holder.start_time, holder.boot_id))
}

/// Kills what runs that are gone have left in the process group of one of their commands. What has
/// made a group or a session of its own was to outlive them.
pub(crate) fn collect() {
    let Ok(entries) = std::fs::read_dir("/proc") else { return };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    for pid in pids {
        // With the descriptor in hand first: what is read afterwards is of the same process, or of
        // one that is not an orphan.
        let Some(number) = Pid::from_raw(pid) else { continue };
        let Ok(pidfd) = pidfd_open(number, PidfdFlags::empty()) else { continue };
        if is_orphan(pid) {
            tracing::warn!("killing process {pid}, which a run that was killed has left");
            // What ended just now takes no signal.
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        }
    }
}

fn is_orphan(pid: i32) -> bool {
    let file = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let Some(holder) = holder(&file("environ")) else { return false };
    let Some(group) = group(&String::from_utf8_lossy(&file("stat"))) else { return false };
    let leads = std::fs::exists(format!("/proc/{group}")).unwrap_or(true);
    !leads && holder.is_alive().is_ok_and(|alive| !alive)
}

/// Whose process this is, by its environment.
fn holder(environment: &[u8]) -> Option<ProcessId> {
    let mut variables = environment.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| {
        std::str::from_utf8(variable).ok()?.strip_prefix(HOLDER)?.strip_prefix('=')
    })?;
    let mut words = value.split(' ');
    Some(ProcessId {
        pid: words.next()?.parse().ok()?,
        start_time: words.next()?.parse().ok()?,
        boot_id: words.next()?.to_owned(),
    })
}

/// The process group, in what `/proc/<pid>/stat` says.
fn group(stat: &str) -> Option<u32> {
    // The name in parentheses may hold anything, a closing parenthesis as well.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_found_again() {
        let own = ProcessId::own().expect("we live");
        let (name, value) = mark(&own);
        let environment = format!("PATH=/bin\0X{name}=1 2 3\0{name}={value}\0");
        assert_eq!(holder(environment.as_bytes()), Some(own));
        for other in ["", "KVMTEST_HOLDER", "KVMTEST_HOLDER=", "KVMTEST_HOLDER=1 x y", "A=\u{1}"] {
            assert_eq!(holder(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_group_is_read_whatever_the_name() {
        assert_eq!(group("7 (a) b) S 1 42 9 0"), Some(42));
        assert_eq!(group("7 (a"), None);
        assert_eq!(group(""), None);
    }
}
