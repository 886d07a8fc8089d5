//! The host's part in a failure: how much of everything it had, and whether it killed something.

use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// Figures of the host at one moment; two of them tell what happened between.
#[derive(Debug, Clone)]
pub struct HostFigures {
    at: Instant,
    /// Microseconds for which some task waited for a processor.
    cpu: Option<u64>,
    /// Microseconds for which nothing could go on for want of memory, and of disks.
    memory: Option<u64>,
    io: Option<u64>,
    /// How many processes the kernel has killed for want of memory.
    oom_kills: Option<u64>,
}

/// What happened on the host while a test ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostFacts {
    /// How long the test ran, in seconds.
    pub seconds: f64,
    /// The part of that time in which some task had to wait for a processor, from 0 to 1.
    pub cpu_stall: Option<f64>,
    /// ... in which no task could go on for want of memory.
    pub memory_stall: Option<f64>,
    /// ... in which no task could go on because of disks.
    pub io_stall: Option<f64>,
    /// How many processes the kernel killed for want of memory.
    pub oom_kills: u64,
    /// Memory that could be had at the end, in MiB.
    pub available_mib: Option<u64>,
}

impl HostFigures {
    /// The figures of this moment. What the kernel does not tell is not known.
    pub fn now() -> Self {
        Self::below(Utf8Path::new("/"))
    }

    fn below(root: &Utf8Path) -> Self {
        let pressure =
            |what: &str, line: &str| total(&read(&root.join("proc/pressure").join(what))?, line);
        let kills = number(&read(&root.join("proc/vmstat")).unwrap_or_default(), "oom_kill");
        let of_group = group(root).and_then(|events| number(&read(&events)?, "oom_kill"));
        Self {
            at: Instant::now(),
            cpu: pressure("cpu", "some"),
            memory: pressure("memory", "full"),
            io: pressure("io", "full"),
            oom_kills: kills.max(of_group),
        }
    }

    /// What happened since then.
    pub fn since(&self) -> HostFacts {
        let mut facts = self.until(&Self::now());
        facts.available_mib = read(Utf8Path::new("/proc/meminfo"))
            .and_then(|text| number(&text, "MemAvailable:"))
            .map(|kib| kib / 1024);
        facts
    }

    fn until(&self, after: &Self) -> HostFacts {
        let time = after.at.saturating_duration_since(self.at);
        #[expect(clippy::cast_precision_loss, reason = "a share, of which three digits are told")]
        let share = |before: Option<u64>, after: Option<u64>| {
            let stalled = after?.saturating_sub(before?) as f64;
            let share = stalled / time.as_micros().max(1) as f64;
            Some((share.min(1.0) * 1000.0).round() / 1000.0)
        };
        HostFacts {
            seconds: (time.as_secs_f64() * 1000.0).round() / 1000.0,
            cpu_stall: share(self.cpu, after.cpu),
            memory_stall: share(self.memory, after.memory),
            io_stall: share(self.io, after.io),
            oom_kills: after.oom_kills.unwrap_or(0).saturating_sub(self.oom_kills.unwrap_or(0)),
            available_mib: None,
        }
    }
}

/// Where the memory events of this process's control group are told.
fn group(root: &Utf8Path) -> Option<Utf8PathBuf> {
    let text = read(&root.join("proc/self/cgroup"))?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(root.join("sys/fs/cgroup").join(path).join("memory.events"))
}

fn read(path: &Utf8Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// `total=` of a line of a pressure file.
fn total(text: &str, line: &str) -> Option<u64> {
    let line = text.lines().find(|it| it.split_ascii_whitespace().next() == Some(line))?;
    let total = line.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok()
}

/// The number behind `key` at the beginning of a line.
fn number(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some(key)).then(|| words.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn write(root: &Utf8Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    #[test]
    fn what_the_kernel_says_is_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let nothing = HostFigures::below(root);
        assert!(nothing.cpu.is_none() && nothing.oom_kills.is_none());
        let line = "avg10=0.00 avg60=0.35 avg300=1.20 total=";
        write(root, "proc/pressure/cpu", &format!("some {line}5000000\nfull {line}7\n"));
        write(root, "proc/pressure/memory", &format!("some {line}5\nfull {line}250000\n"));
        write(root, "proc/pressure/io", "nonsense\n");
        write(root, "proc/vmstat", "nr_free_pages 9\noom_kill 3\noom_killer 8\n");
        write(root, "proc/self/cgroup", "1:name=x:/\n0::/user.slice/run\n");
        write(root, "sys/fs/cgroup/user.slice/run/memory.events", "oom 9\noom_kill 4\n");
        let after = HostFigures::below(root);
        assert_eq!((after.cpu, after.memory, after.io), (Some(5_000_000), Some(250_000), None));
        assert_eq!(after.oom_kills, Some(4));
    }

    #[test]
    fn two_moments_tell_what_happened_between() {
        let at = Instant::now();
        let before = HostFigures { at, cpu: Some(10), memory: None, io: Some(9), oom_kills: None };
        let after = HostFigures {
            at: at + Duration::from_secs(2),
            cpu: Some(1_500_010),
            memory: Some(5),
            io: Some(9_000_000),
            oom_kills: Some(2),
        };
        let facts = before.until(&after);
        assert_eq!(facts.cpu_stall, Some(0.75));
        assert_eq!(facts.memory_stall, None);
        assert_eq!(facts.io_stall, Some(1.0), "never more than all of the time");
        assert_eq!(facts.oom_kills, 2);
        assert_eq!(after.until(&before).oom_kills, 0, "never less than none");
    }
}
