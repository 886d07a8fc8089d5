//! What of the evidence people read: files in the test's results, and the ends of its logs.

use std::io::{Read, Seek, SeekFrom};
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::guest::sign::readable;
use kvmtest::vm::Vm;

use super::evidence::Evidence;
use super::machine::Dumps;

/// So many lines of a log are shown.
const LINES: usize = 20;
/// So many bytes of its end hold them.
const TAIL: u64 = 64 << 10;
/// No dump is larger than this.
const DUMP: usize = 512 << 10;

/// What of a failed test a person is shown first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The last lines of the console.
    pub console_tail: Vec<String>,
    /// The log that the console is in, or will be, in the test's results.
    pub console_log: Option<String>,
    /// The last lines of the session that was used last.
    pub session_tail: Vec<String>,
    /// The log that this session is in.
    pub session_log: Option<String>,
    /// The script that starts the machine by hand, in the test's results.
    pub command_script: Option<String>,
}

/// What is shown first, as it is now: the console of the machine called `main`, or of the first
/// one, and the session that spoke last. The scripts of all `vms` are kept in the test's results.
pub fn keep(results: &Utf8Path, vms: &[Vm], main: Option<&str>) -> Kept {
    let first = vms.iter().find(|vm| Some(vm.name()) == main).or(vms.first());
    for vm in vms {
        vm.keep_script();
    }
    let script = first.map(|vm| format!("qemu-{}.sh", file_name(vm.name())));
    let (console_tail, console_log) = match first {
        Some(vm) => {
            (last_lines(&console(vm)), Some(format!("serial-{}.log", file_name(vm.name()))))
        }
        // A machine that the subtest has ended left its console here.
        None => last_log(results, "serial-"),
    };
    let (session_tail, session_log) = last_log(results, "session-");
    let command_script = script.filter(|name| results.join(name).is_file());
    Kept { console_tail, console_log, session_tail, session_log, command_script }
}

/// What the console printed last in this test: a machine may have lived through others.
fn console(vm: &Vm) -> Vec<u8> {
    let Some(record) = vm.record() else { return Vec::new() };
    let log = record.instance.serial_log().metadata();
    let printed = log.map_or(0, |log| log.len().saturating_sub(record.console_offset));
    vm.console_tail(printed.min(TAIL))
}

/// Writes `evidence.json`. What cannot be written is missing from the results, and no more.
pub(super) fn write(results: &Utf8Path, evidence: &Evidence) {
    if let Ok(text) = serde_json::to_vec_pretty(evidence) {
        put(&results.join("evidence.json"), &text);
    }
}

/// Writes what QEMU printed of a machine.
pub(super) fn dump(results: &Utf8Path, vm: &Vm, dumps: &Dumps) {
    for (what, text) in [("registers", &dumps.registers), ("devices", &dumps.devices)] {
        if !text.is_empty() {
            let text = text.as_bytes();
            let name = format!("{what}-{}.txt", file_name(vm.name()));
            put(&results.join(name), &text[..text.len().min(DUMP)]);
        }
    }
}

fn put(path: &Utf8Path, bytes: &[u8]) {
    if let Err(error) = std::fs::write(path, bytes) {
        tracing::warn!("{path} was not written: {error}");
    }
}

/// The part of a file's name that a VM's name makes.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    name.chars().map(plain).collect()
}

/// The end of the log that was written last of those whose names begin so, and its name.
fn last_log(results: &Utf8Path, prefix: &str) -> (Vec<String>, Option<String>) {
    let path = newest(results, prefix);
    let said = path.as_deref().and_then(tail).unwrap_or_default();
    (last_lines(&said), path.and_then(|path| Some(path.file_name()?.to_owned())))
}

fn newest(results: &Utf8Path, prefix: &str) -> Option<Utf8PathBuf> {
    let entries = results.read_dir_utf8().ok()?.filter_map(Result::ok);
    let logs = entries.filter(|entry| {
        let name = entry.file_name();
        // Opening something else might wait for ever: a subtest may leave a pipe.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        is_file && name.starts_with(prefix) && Utf8Path::new(name).extension() == Some("log")
    });
    let changed = |path: &Utf8Path| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
    logs.map(camino::Utf8DirEntry::into_path).max_by_key(|path| changed(path))
}

fn tail(path: &Utf8Path) -> Option<Vec<u8>> {
    let mut file = std::fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The last lines that say anything, harmless for a terminal.
fn last_lines(bytes: &[u8]) -> Vec<String> {
    let text = kvmtest::session::plain(bytes);
    let mut lines: Vec<String> =
        text.split(|byte| *byte == b'\n').map(readable).filter(|line| !line.is_empty()).collect();
    lines.drain(..lines.len().saturating_sub(LINES));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_harmless_and_short() {
        let mut log = b"\x1b]0;owned\x07\x1b[2J".to_vec();
        for number in 0..50 {
            log.extend_from_slice(format!("line {number}\x1b[31m\r\n\r\n").as_bytes());
        }
        log.extend_from_slice(&b"A".repeat(50_000));
        log.extend_from_slice(b"\xff\x07\n");
        let lines = last_lines(&log);
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[LINES - 2], "line 49");
        assert!(lines[LINES - 1].len() <= 400);
        assert!(lines.iter().flat_map(|line| line.chars()).all(|c| !c.is_control()));
        assert!(last_lines(b"").is_empty());
    }

    #[test]
    fn the_session_that_spoke_last_is_shown() {
        let dir = tempfile::tempdir().expect("a directory");
        let results = Utf8Path::from_path(dir.path()).expect("UTF-8");
        assert_eq!(keep(results, &[], None), Kept::default());
        let old = SystemTime::now() - std::time::Duration::from_secs(60);
        std::fs::write(results.join("session-vm1-serial.log"), "# true\nlast\n").expect("written");
        std::fs::write(results.join("serial-vm1.log"), "that is all\n").expect("written");
        let pipe = results.join("session-vm3.log");
        let made = rustix::fs::mknodat(
            rustix::fs::CWD,
            pipe.as_std_path(),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        );
        made.expect("a pipe");
        std::fs::write(results.join("session-vm2-ssh.log"), "old\n").expect("written");
        let file = std::fs::File::options().write(true).open(results.join("session-vm2-ssh.log"));
        file.expect("opened").set_modified(old).expect("set back");
        let kept = keep(results, &[], None);
        assert_eq!(kept.session_tail, ["# true", "last"]);
        assert_eq!(kept.session_log.as_deref(), Some("session-vm1-serial.log"));
        // Its machine is gone.
        assert_eq!(kept.console_tail, ["that is all"]);
    }
}
