//! Snapshots of a whole machine inside its qcow2 images: `savevm`, `loadvm`, `delvm`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::news::News;
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;
use crate::params::name::shown;

/// Tells apart the jobs of this process.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// How many snapshots are told of where one is not there.
const LISTED: usize = 10;

/// A snapshot in the images of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The name that it was given.
    pub name: String,
    /// How many bytes the machine's memory and devices take; 0 for a snapshot of a disk alone.
    pub vm_size: u64,
}

/// The snapshots that the image has in which the machine's state would be saved; none where there
/// is no such image.
pub fn snapshots(monitor: &QmpMonitor) -> Result<Vec<Snapshot>> {
    let disks = Disks::of(monitor)?;
    Ok(disks.snapshots)
}

/// Saves the machine as `name` in its images, all of which that it can write to must be qcow2. A
/// machine that runs stands still meanwhile. There must be no snapshot of this name.
pub fn save_snapshot(monitor: &QmpMonitor, name: &str, timeout: Duration) -> Result<()> {
    let doing = || format!("saving the machine as the snapshot `{name}`");
    let _doing = doing::begin(doing());
    let save = || {
        verify_name(name)?;
        let disks = Disks::writable(monitor)?;
        if disks.snapshots.iter().any(|snapshot| snapshot.name == name) {
            let message = format!("there is a snapshot `{name}` already: `delvm` removes it");
            return Err(Error::new(ErrorKind::MigrateFailed, message));
        }
        let words = Words { command: "snapshot-save", human: "savevm", name };
        words.carry_out(monitor, &disks, timeout)
    };
    save().with_context(doing)
}

/// Sets the machine back to the snapshot `name`. It runs afterwards if it ran before.
pub fn load_snapshot(monitor: &QmpMonitor, name: &str, timeout: Duration) -> Result<()> {
    let doing = || format!("restoring the snapshot `{name}`");
    let _doing = doing::begin(doing());
    let load = || {
        let disks = Disks::writable(monitor)?;
        disks.get(name)?;
        let words = Words { command: "snapshot-load", human: "loadvm", name };
        words.carry_out(monitor, &disks, timeout)
    };
    load().with_context(doing)
}

/// Removes the snapshot `name` from the machine's images.
pub fn delete_snapshot(monitor: &QmpMonitor, name: &str, timeout: Duration) -> Result<()> {
    let doing = || format!("deleting the snapshot `{name}`");
    let _doing = doing::begin(doing());
    let delete = || {
        let disks = Disks::writable(monitor)?;
        disks.get(name)?;
        let words = Words { command: "snapshot-delete", human: "delvm", name };
        words.carry_out(monitor, &disks, timeout)
    };
    delete().with_context(doing)
}

/// The block nodes that a snapshot is made of.
struct Disks {
    nodes: Vec<String>,
    /// What cannot hold one, and is written to.
    unfit: Vec<String>,
    snapshots: Vec<Snapshot>,
}

impl Disks {
    fn of(monitor: &QmpMonitor) -> Result<Self> {
        let answer = monitor.cmd("query-block", Value::Null)?;
        let mut disks = Self { nodes: Vec::new(), unfit: Vec::new(), snapshots: Vec::new() };
        for inserted in answer.as_array().into_iter().flatten().map(|device| &device["inserted"]) {
            let is_writable = inserted["ro"] == false;
            let Some(node) = inserted["node-name"].as_str().filter(|_| is_writable) else {
                continue;
            };
            if inserted["drv"] != "qcow2" {
                let format = inserted["drv"].as_str().unwrap_or("unknown");
                disks.unfit.push(format!("`{node}` ({format})"));
                continue;
            }
            if disks.nodes.is_empty() {
                let list = inserted["image"]["snapshots"].as_array().into_iter().flatten();
                disks.snapshots = list.filter_map(snapshot).collect();
            }
            disks.nodes.push(node.to_owned());
        }
        Ok(disks)
    }

    fn writable(monitor: &QmpMonitor) -> Result<Self> {
        let disks = Self::of(monitor)?;
        if !disks.unfit.is_empty() {
            let message = format!(
                "every disk that the machine writes to must be qcow2: {}",
                disks.unfit.join(", ")
            );
            return Err(Error::new(ErrorKind::MigrateBlocked, message));
        }
        if disks.nodes.is_empty() {
            let message =
                "the machine has no qcow2 disk that it writes to, where it could be saved";
            return Err(Error::new(ErrorKind::MigrateBlocked, message));
        }
        Ok(disks)
    }

    fn get(&self, name: &str) -> Result<&Snapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.name == name).ok_or_else(|| {
            let names = self.snapshots.iter().take(LISTED);
            let mut there: Vec<_> =
                names.map(|snapshot| format!("`{}`", shown(&snapshot.name))).collect();
            let more = self.snapshots.len().saturating_sub(LISTED);
            if more > 0 {
                there.push(format!("and {more} more"));
            }
            let there = match there.join(", ") {
                none if none.is_empty() => "they have none: `savevm` makes one".to_owned(),
                names => format!("they have {names}"),
            };
            let name = shown(name);
            let message = format!("the machine's images have no snapshot `{name}`: {there}");
            Error::new(ErrorKind::MigrateFailed, message)
        })
    }
}

fn snapshot(value: &Value) -> Option<Snapshot> {
    let name = value["name"].as_str()?.to_owned();
    Some(Snapshot { name, vm_size: value["vm-state-size"].as_u64().unwrap_or_default() })
}

/// What is to be done, in both languages.
struct Words<'a> {
    command: &'a str,
    human: &'a str,
    name: &'a str,
}

impl Words<'_> {
    fn carry_out(&self, monitor: &QmpMonitor, disks: &Disks, timeout: Duration) -> Result<()> {
        let deadline = Deadline::after(timeout);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = format!("kvmtest-{}-{number}", std::process::id());
        let mut arguments = json!({"job-id": id, "tag": self.name, "devices": disks.nodes});
        if self.command != "snapshot-delete" {
            arguments["vmstate"] = json!(disks.nodes[0]);
        }
        let news = News::of(monitor)?;
        match monitor.cmd_timeout(self.command, arguments, deadline.remaining()) {
            Ok(_) => finish(news, &id, deadline),
            Err(error) if is_unknown(&error) => self.say(monitor, deadline),
            Err(error) => Err(error),
        }
    }

    /// In the words of the human monitor, which prints nothing unless something is wrong.
    fn say(&self, monitor: &QmpMonitor, deadline: Deadline) -> Result<()> {
        let line = format!("{} {}", self.human, quoted(self.name)?);
        let arguments = json!({ "command-line": line });
        let timeout = deadline.remaining();
        let answer = monitor.cmd_timeout("human-monitor-command", arguments, timeout)?;
        let words = answer.as_str().unwrap_or_default().trim().to_owned();
        if words.is_empty() {
            return Ok(());
        }
        let message = format!("QEMU refused `{}`: {words}", self.human);
        Err(Error::new(ErrorKind::MigrateFailed, message))
    }
}

/// Waits for the end of a job, and takes it off the list.
fn finish(mut news: News<'_>, id: &str, deadline: Deadline) -> Result<()> {
    let monitor = news.monitor();
    loop {
        // It does not answer while it writes.
        let patience = deadline.remaining().max(Duration::from_secs(1));
        let jobs = monitor.cmd_timeout("query-jobs", Value::Null, patience)?;
        let Some(job) = jobs.as_array().into_iter().flatten().find(|job| job["id"] == id) else {
            let message = "QEMU does not know the job any more: did somebody else dismiss it?";
            return Err(Error::new(ErrorKind::MigrateFailed, message));
        };
        if job["status"] == "concluded" {
            let words = job["error"].as_str().map(str::to_owned);
            monitor.cmd("job-dismiss", json!({ "id": id }))?;
            let failed = |words| Error::new(ErrorKind::MigrateFailed, words);
            return words.map_or(Ok(()), |words| Err(failed(words)));
        }
        if deadline.expired() {
            let message = format!("not done in time: the job is {}", job["status"]);
            return Err(Error::new(ErrorKind::MigrateTimeout, message));
        }
        news.wait(deadline, |event| event.name == "JOB_STATUS_CHANGE" && event.data["id"] == id)?;
    }
}

fn is_unknown(error: &Error) -> bool {
    error.kind() == ErrorKind::MonitorCommand && error.message().ends_with("(CommandNotFound)")
}

/// One that cannot be told in a line of the human monitor would be there for ever.
fn verify_name(name: &str) -> Result<()> {
    if name.is_empty() || name.chars().any(char::is_control) {
        let name = shown(name);
        let message = format!("the name of a snapshot must be a line of text: `{name}`");
        return Err(Error::new(ErrorKind::Params, message));
    }
    Ok(())
}

/// A word of the human monitor.
fn quoted(name: &str) -> Result<String> {
    verify_name(name)?;
    Ok(format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")))
}
