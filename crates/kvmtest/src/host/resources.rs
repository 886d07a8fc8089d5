//! How much room the host has: disk, memory, the runtime directory.

use camino::Utf8Path;

use super::{Finding, Status};
use crate::directories;
use crate::error::Result;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Socket names end at 107 bytes, and what comes below the runtime directory takes some of them.
const LONGEST_RUNTIME_PATH: usize = 60;

/// The free disk space of the cache and of where results go.
pub(super) fn disks(results_dir: &Utf8Path) -> Vec<Finding> {
    let cache = directories::cache();
    let cache = match &cache {
        Ok(dir) => disk("free disk for the cache", dir, 2 * GIB, 512 * MIB),
        Err(error) => Finding::missing("free disk for the cache", error.to_string())
            .mended_by("export XDG_CACHE_HOME=/a/directory/of/yours".to_owned()),
    };
    vec![cache, disk("free disk for results", results_dir, GIB, 64 * MIB)]
}

/// The memory that guests can have.
pub(super) fn memory() -> Finding {
    const WHAT: &str = "free memory";
    match std::fs::read_to_string("/proc/meminfo") {
        Ok(text) => match available(&text) {
            Some(bytes) => judge(WHAT, bytes, GIB, 256 * MIB, ""),
            None => Finding::warning(WHAT, "/proc/meminfo does not tell what is available"),
        },
        Err(error) => Finding::warning(WHAT, format!("/proc/meminfo cannot be read: {error}")),
    }
}

/// Where sockets and env files lie.
pub(super) fn runtime_directory() -> Finding {
    let has_session = std::env::var("XDG_RUNTIME_DIR").is_ok_and(|dir| dir.starts_with('/'));
    let dir = directories::runtime();
    if let Ok(dir) = &dir {
        // It was made to see whether it can be; where something is in it, it stays.
        let _ = std::fs::remove_dir(dir);
    }
    judge_runtime(dir.as_ref().map(AsRef::as_ref), has_session)
}

fn judge_runtime<E: ToString>(dir: Result<&Utf8Path, E>, has_session: bool) -> Finding {
    const WHAT: &str = "runtime directory";
    let mend = "export XDG_RUNTIME_DIR=\"/run/user/$(id -u)\"".to_owned();
    match dir {
        Err(error) => Finding::missing(WHAT, error.to_string()).mended_by(mend),
        Ok(dir) if dir.as_str().len() > LONGEST_RUNTIME_PATH => {
            let detail = format!("{dir}: so long a name leaves no room for those of sockets");
            Finding::missing(WHAT, detail).mended_by(mend)
        }
        Ok(dir) if has_session => Finding::ok(WHAT, dir.as_str()),
        Ok(dir) => Finding::ok(WHAT, format!("{dir} (XDG_RUNTIME_DIR is not set)")),
    }
}

fn disk(what: &str, dir: &Utf8Path, enough: u64, least: u64) -> Finding {
    // What is not there yet will be made on the disk of what is.
    let dir = camino::absolute_utf8(dir).unwrap_or_else(|_| dir.to_owned());
    let existing = dir.ancestors().find(|dir| dir.exists()).unwrap_or(&dir);
    match rustix::fs::statvfs(existing.as_std_path()) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            judge(what, free, enough, least, &format!(" in {dir}"))
        }
        Err(error) => Finding::warning(what, format!("{existing} cannot be looked at: {error}")),
    }
}

fn judge(what: &str, bytes: u64, enough: u64, least: u64, place: &str) -> Finding {
    let shown = format!("{}{place}", size(bytes));
    let status = match bytes {
        _ if bytes >= enough => return Finding::ok(what, shown),
        _ if bytes >= least => Status::Warning,
        _ => Status::Missing,
    };
    let detail = format!("{shown}: {} or more are better", size(enough));
    Finding { status, ..Finding::ok(what, detail) }
}

/// The memory that the kernel gives without swapping, in bytes; `None` where it does not tell.
pub fn available_memory() -> Option<u64> {
    available(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
    kib.checked_mul(1024)
}

/// A size for people.
fn size(bytes: u64) -> String {
    // Tenths, rounded down: what is told is there.
    let tenths = |unit: u64| (bytes / unit, bytes % unit * 10 / unit);
    if bytes >= GIB {
        let (whole, tenth) = tenths(GIB);
        format!("{whole}.{tenth} GiB")
    } else {
        format!("{} MiB", bytes / MIB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_what_the_kernel_says() {
        let check = |text: &str, expected| assert_eq!(available(text), expected, "{text}");
        check("MemTotal:  100 kB\nMemAvailable:   2048 kB\nSwapFree: 1 kB\n", Some(2 << 20));
        check("MemAvailable:2 kB", Some(2048));
        check("MemTotal:  100 kB\n", None);
        check("MemAvailable:   many kB\n", None);
        check("MemAvailable:   18446744073709551615 kB\n", None);
        check("MemAvailable:   7\n", None);
        check("", None);
    }

    #[test]
    fn room_is_judged_by_two_marks() {
        let check = |bytes, status, detail: &str| {
            let finding = judge("free memory", bytes, GIB, 256 * MIB, " here");
            assert_eq!((finding.status, finding.detail.as_str()), (status, detail));
        };
        check(GIB, Status::Ok, "1.0 GiB here");
        check(25 * GIB + GIB / 2, Status::Ok, "25.5 GiB here");
        check(GIB - 1, Status::Warning, "1023 MiB here: 1.0 GiB or more are better");
        check(256 * MIB, Status::Warning, "256 MiB here: 1.0 GiB or more are better");
        check(0, Status::Missing, "0 MiB here: 1.0 GiB or more are better");
    }

    #[test]
    fn a_runtime_directory_has_room_for_names() {
        let check = |dir: Result<&str, &str>, has_session, status| {
            let finding = judge_runtime(dir.map(Utf8Path::new), has_session);
            assert_eq!(finding.status, status, "{dir:?}");
            assert_eq!(finding.mend.is_some(), status != Status::Ok, "{dir:?}");
        };
        check(Ok("/run/user/1000/kvmtest"), true, Status::Ok);
        check(Ok("/root/.cache/kvmtest/run"), false, Status::Ok);
        check(Ok(&format!("/{}", "x".repeat(80))), true, Status::Missing);
        check(Err("it belongs to another user"), true, Status::Missing);
    }

    #[test]
    fn a_directory_that_is_not_there_yet_has_its_parents_disk() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(dir.path()).expect("UTF-8").join("not/there/yet");
        let finding = disk("free disk", &dir, 0, 0);
        assert_eq!(finding.status, Status::Ok);
        assert!(finding.detail.ends_with(dir.as_str()), "{}", finding.detail);
    }
}
