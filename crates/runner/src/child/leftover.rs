//! Processes that a child left behind in its process group.

use rustix::process::Pid;

/// A process that was still there when its test had ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its id.
    pub pid: u32,
    /// Its command line, arguments joined by blanks.
    pub command: String,
}

impl std::fmt::Display for Leftover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (`{}`)", self.pid, self.command)
    }
}

/// The living processes of the process group `group` other than its leader.
///
/// To be called while the leader is dead but not yet waited for: only so long is it certain that
/// the group's id means this group.
pub(super) fn of_group(group: Pid) -> Vec<Leftover> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| i64::from(*pid) != i64::from(group.as_raw_pid()))
        .filter(|pid| is_living_member(*pid, group))
        .map(|pid| Leftover { pid, command: command_line(pid) })
        .collect()
}

fn is_living_member(pid: u32, group: Pid) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The name in parentheses may hold anything, a closing parenthesis as well.
    let Some((_, rest)) = stat.rsplit_once(')') else { return false };
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next();
    let process_group = fields.nth(1).and_then(|field| field.parse::<i32>().ok());
    process_group == Some(group.as_raw_pid()) && !matches!(state, Some("Z" | "X"))
}

fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.split('\0').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
