//! Snapshots in an image, by both languages of QEMU.

use std::process::Command;

use serde_json::{Value, json};

use super::*;
use crate::error::{ErrorKind, Result};
use crate::monitor::QmpMonitor;
use crate::monitor::tests::scripted::{fake, say};

/// A machine with a disk of this format; nothing where QEMU is not installed.
fn machine(format: &str) -> Option<(Machine, tempfile::TempDir)> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("disk");
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-f", format])
        .arg(&path)
        .arg("1M")
        .status()
        .is_ok_and(|status| status.success());
    let node =
        format!("driver={format},node-name=d,file.driver=file,file.filename={}", path.display());
    let args = ["-blockdev", &node, "-device", "virtio-blk-pci,drive=d"];
    made.then(|| Machine::start(&args)).flatten().map(|machine| (machine, directory))
}

fn list(monitor: &QmpMonitor) -> Vec<String> {
    snapshots(monitor).expect("asked").into_iter().map(|snapshot| snapshot.name).collect()
}

#[test]
fn a_machine_goes_back_to_a_snapshot() {
    let Some((machine, _disk)) = machine("qcow2") else { return };
    let monitor = &machine.monitor;
    let error = load_snapshot(monitor, "one", PATIENCE).expect_err("there is none");
    let words = "the machine's images have no snapshot `one`: they have none: `savevm` makes one";
    assert_eq!(error.message(), words);
    for name in ["one", "name with \"quotes\" and \\"] {
        save_snapshot(monitor, name, PATIENCE).expect("saved");
    }
    assert_eq!(list(monitor), ["one", "name with \"quotes\" and \\"]);
    assert!(snapshots(monitor).expect("asked")[0].vm_size > 0);
    for name in ["", "two\nlines"] {
        let error = save_snapshot(monitor, name, PATIENCE).expect_err("no name");
        assert_eq!(error.kind(), ErrorKind::Params);
        assert!(error.message().contains("must be a line of text: `"), "{error}");
    }
    let error = save_snapshot(monitor, "one", PATIENCE).expect_err("there is one");
    assert!(error.to_string().contains("there is a snapshot `one` already"), "{error}");
    load_snapshot(monitor, "one", PATIENCE).expect("restored");
    delete_snapshot(monitor, "one", PATIENCE).expect("deleted");
    assert_eq!(list(monitor).len(), 1);
    for act in [load_snapshot, delete_snapshot] {
        let error = act(monitor, "one", PATIENCE).expect_err("it is deleted");
        assert_eq!(error.kind(), ErrorKind::MigrateFailed);
        let words = "the machine's images have no snapshot `one`: they have `name with";
        assert!(error.message().starts_with(words), "{error}");
    }
    let jobs = monitor.cmd("query-jobs", Value::Null).expect("asked");
    assert_eq!(jobs, json!([]), "none is left");
}

#[test]
fn a_machine_without_room_for_snapshots_says_so() {
    let Some((machine, _disk)) = machine("raw") else { return };
    let error = save_snapshot(&machine.monitor, "one", PATIENCE).expect_err("raw");
    assert!(error.to_string().contains("must be qcow2: `d` (raw)"), "{error}");
    assert_eq!(error.kind(), ErrorKind::MigrateBlocked);
    let bare = Machine::start(&[]).expect("installed");
    let error = save_snapshot(&bare.monitor, "one", PATIENCE).expect_err("no disk");
    assert!(error.to_string().contains("no qcow2 disk"), "{error}");
    assert_eq!(error.kind(), ErrorKind::MigrateBlocked);
    assert_eq!(list(&bare.monitor), [""; 0]);
}

/// Saves on a QEMU whose jobs go through `jobs`; without any, it has none and its human monitor
/// prints `human`.
fn save_on(jobs: Option<Vec<Value>>, human: &'static str) -> (Result<()>, Vec<String>) {
    let (tell, told) = std::sync::mpsc::channel();
    let mut id = Value::Null;
    let mut jobs = jobs.map(Vec::into_iter);
    let monitor = fake(move |command, stream| {
        let name = command["execute"].as_str().unwrap_or_default();
        let mut answer = json!({});
        let mut known = true;
        match name {
            "query-block" => {
                answer = json!([{}, {"inserted": {"ro": true, "node-name": "b", "drv": "raw"}},
                    {"inserted": {"ro": false, "node-name": "d", "drv": "qcow2", "image": {}}}]);
            }
            "snapshot-save" => {
                known = jobs.is_some();
                id = command["arguments"]["job-id"].clone();
            }
            "query-jobs" => {
                let mut job = jobs.as_mut().and_then(Iterator::next).unwrap_or_default();
                if job.is_object() {
                    job["id"] = id.clone();
                }
                answer = json!([{"id": "other", "status": "concluded", "error": "not ours"}, job]);
            }
            "human-monitor-command" => answer = human.into(),
            _ => {}
        }
        let line = command["arguments"]["command-line"].as_str().unwrap_or(name);
        let _ = tell.send(line.to_owned());
        let error = json!({"class": "CommandNotFound", "desc": "what?"});
        let (key, value) = if known { ("return", answer) } else { ("error", error) };
        say(stream, &json!({key: value, "id": command["id"]}));
    });
    let saved = save_snapshot(&monitor.expect("connects"), "a \"b\"", PATIENCE);
    (saved, told.try_iter().collect())
}

#[test]
fn a_job_is_followed_to_its_end() {
    let running = json!({"status": "running"});
    let (saved, told) = save_on(Some(vec![running.clone(), json!({"status": "concluded"})]), "");
    saved.expect("saved");
    assert_eq!(told, ["query-block", "snapshot-save", "query-jobs", "query-jobs", "job-dismiss"]);
    let failed = json!({"status": "concluded", "error": "disk full"});
    let (saved, told) = save_on(Some(vec![running, failed]), "");
    let error = saved.expect_err("failed");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed);
    assert!(error.to_string().contains("disk full"), "{error}");
    assert!(told.ends_with(&["job-dismiss".to_owned()]), "it is taken off the list");
    let (saved, _) = save_on(Some(vec![]), "");
    assert!(saved.expect_err("it is gone").to_string().contains("dismiss"));
}

#[test]
fn what_the_human_monitor_prints_is_an_error() {
    let (saved, told) = save_on(None, "");
    saved.expect("it printed nothing");
    assert_eq!(told[2], "savevm \"a \\\"b\\\"\"");
    let (saved, _) = save_on(None, "Error: Device 'd' is writable but\r\n");
    let error = saved.expect_err("it printed something");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed);
    assert!(error.to_string().contains("QEMU refused `savevm`: Error: Device 'd'"), "{error}");
}
