//! Starts a QEMU process, and waits until it answers.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use camino::Utf8Path;
use serde_json::Value;

use super::command::CommandLine;
use super::create::Plan;
use super::incarnation::Incarnation;
use super::{Record, Running, Vm};
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::lease::{self, Lease, Start};
use crate::storage;

/// How long QEMU has to open its monitors.
const START: Duration = Duration::from_secs(20);

impl Vm {
    /// Starts QEMU for `incarnation`, held by `holder`. Nobody but this handle knows of it then.
    pub(super) fn launch(
        &self,
        plan: &Plan,
        incarnation: &Incarnation,
        holder: ProcessId,
    ) -> Result<Record> {
        let line = self.line(plan, incarnation)?;
        make_overlays(&line)?;
        if let Some(memory) = incarnation.memory.as_ref().filter(|memory| !memory.path.exists()) {
            verify_room(&memory.path, &line)?;
        }
        let by_hand = match (&incarnation.memory, &incarnation.layers, incarnation.waits) {
            (None, None, false) => None,
            _ => Some(self.plain_line(plan, incarnation)?),
        };
        let instance = &incarnation.instance;
        let env = self.home.file.path();
        Lease::held(self.name(), instance, Some(env), holder).write()?;
        let guard = match self.home.file.read()?.guard {
            Some(guard) => guard,
            None => lease::program()?,
        };
        let mut command = vec![line.program.to_string()];
        command.extend(incarnation.arguments(&line));
        let environment = line.environment.clone();
        let request = Start { instance: instance.clone(), command, environment };
        let process = lease::start(&guard, &request)?;
        tracing::info!("the VM `{}` is process {}", self.name(), process.pid);
        let record = Record {
            name: self.name().to_owned(),
            instance: instance.clone(),
            process,
            line,
            accel: plan.accel.clone(),
            params: self.params(),
            created: jiff::Timestamp::now(),
            seed: Some(incarnation.seed.clone()),
            ancestors: incarnation.ancestors.clone(),
            restored: incarnation.restored.clone(),
            memory: incarnation.memory.clone(),
            layers: incarnation.layers.clone(),
            state: None,
            soiled: false,
            entered: false,
            up: false,
            by_hand,
            console_offset: 0,
        };
        self.state().running = Some(Running::new(record.clone()));
        Ok(record)
    }

    /// Who holds the machines of this env.
    pub(super) fn holder(&self) -> Result<ProcessId> {
        match self.home.file.read()?.holder {
            Some(holder) => Ok(holder),
            None => ProcessId::own(),
        }
    }

    /// Waits until QEMU has opened its monitors and answers on ours; fails at once with its own
    /// words if it ends.
    pub(super) fn greet(&self) -> Result<()> {
        let record = self.running()?;
        let deadline = Deadline::after(START);
        let refused = || match self.is_dead() {
            Ok(true) => Error::new(ErrorKind::VmCreate, self.death().message()),
            _ => Error::new(
                ErrorKind::VmCreate,
                format!("QEMU did not open its monitors within {START:?}"),
            ),
        };
        let Some(process) = record.process.open()? else { return Err(refused()) };
        // The last one that QEMU opens: when it is there, all are.
        for monitor in &record.line.monitors {
            let instance = &record.instance;
            if !instance.wait_for_file(&monitor.socket, Some(process.as_fd()), deadline)? {
                return Err(refused());
            }
        }
        match self.monitor() {
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(_) if self.ends_within(Duration::from_millis(100))? => Err(refused()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }
}

/// Refuses memory in a file for which there is no room: the guest would die of it (SIGBUS) at some
/// moment, and nobody would say why.
fn verify_room(path: &Utf8Path, line: &CommandLine) -> Result<()> {
    let objects = line.args.iter().filter_map(|arg| serde_json::from_str::<Value>(arg).ok());
    let mut sizes = objects.filter(|object| object["mem-path"] == path.as_str());
    let Some(wanted) = sizes.find_map(|object| object["size"].as_u64()) else { return Ok(()) };
    let directory = path.parent().unwrap_or(path);
    let disk = rustix::fs::statvfs(directory.as_std_path())
        .with_context(|| format!("asking for the room in {directory}"))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= wanted {
        return Ok(());
    }
    let mib = |bytes: u64| bytes >> 20;
    let message = format!(
        "no space left for the guest's memory, which is to lie in a file: it has {} MiB, and {} MiB \
         are free in {directory}",
        mib(wanted),
        mib(free)
    );
    Err(Error::new(ErrorKind::Io, message))
}

fn make_overlays(line: &CommandLine) -> Result<()> {
    for image in &line.images {
        if !image.path.exists() && image.overlay.is_some() {
            return Err(Error::new(
                ErrorKind::Image,
                format!("the image `{}` is not there: {}", image.name, image.path),
            ));
        }
        let Some(overlay) = &image.overlay else { continue };
        // Kept from an earlier machine, or moved here with this one.
        if overlay.exists() {
            continue;
        }
        let (backing, format) = image.backing();
        // What is relative is relative to our working directory, not to the overlay's.
        let beside = backing.file_name().filter(|_| image.layers > 0);
        if beside.is_some() || backing.is_absolute() && storage::is_plain(&backing, format) {
            // A layer lies beside it, wherever both are moved.
            let named = beside.map_or(backing.as_std_path(), Path::new);
            storage::make_overlay(overlay, named, format, None)?;
            continue;
        }
        // What there may be more to say about: its words are better than ours.
        let arguments = image.overlay_args().unwrap_or_default();
        let output = Command::new("qemu-img").args(&arguments).output().map_err(|error| {
            Error::new(
                ErrorKind::Host,
                "`qemu-img` is needed to make disk overlays: apt install qemu-utils",
            )
            .caused_by(error)
        })?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(Error::new(
                ErrorKind::Image,
                format!("no overlay could be made of {}: {}", image.path, words.trim()),
            ));
        }
    }
    Ok(())
}
