//! The state of a machine in a file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use camino::Utf8Path;

use super::pump::Pump;
use super::settings::MAPPED;
use super::unfinished::Unfinished;
use super::{Choice, Figures, Settings, Source, Target, listen, start};
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;

/// No file is faster than this; QEMU has no word for it.
const UNLIMITED: u64 = 1 << 50;

/// How long after QEMU the thread may end that (de)compresses.
const REST: Duration = Duration::from_secs(60);

const GZIP: [u8; 2] = [0x1f, 0x8b];
const PLAIN: [u8; 4] = *b"QEVM";

/// How a saved machine is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// As `gzip -1` does, by a thread of this process.
    Gzip,
}

/// Writes the state of the machine behind `monitor` into the file `path`, which takes its name when
/// it is complete; what was there before stays until then. A machine that runs goes on until the
/// end and is paused then: one that is paused before is saved faster.
///
/// There is no limit to the bandwidth unless `settings` have one. With the capability `mapped-ram`,
/// where QEMU has it, the file cannot be compressed.
///
/// `on_progress` and the errors are as in [`Outgoing::wait`](super::Outgoing::wait).
pub fn save(
    monitor: &QmpMonitor,
    path: &Utf8Path,
    compression: Compression,
    settings: &Settings,
    on_progress: impl FnMut(&Figures) -> Choice,
) -> Result<Figures> {
    let doing = || format!("saving a machine to {path}");
    let _doing = doing::begin(doing());
    save_to(monitor, path, compression, settings, on_progress).with_context(doing)
}

/// Has the QEMU behind `monitor`, which was started with `-incoming defer`, take its state from the
/// file `path`, compressed or not; returns when the machine is there, see
/// [`Incoming::wait`](super::Incoming::wait). `settings` must have the capabilities with which it
/// was saved.
pub fn load(
    monitor: &QmpMonitor,
    path: &Utf8Path,
    settings: &Settings,
    process: BorrowedFd<'_>,
) -> Result<()> {
    let doing = || format!("restoring a machine from {path}");
    let _doing = doing::begin(doing());
    load_from(monitor, path, settings, process).with_context(doing)
}

fn save_to(
    monitor: &QmpMonitor,
    path: &Utf8Path,
    compression: Compression,
    settings: &Settings,
    on_progress: impl FnMut(&Figures) -> Choice,
) -> Result<Figures> {
    let is_mapped = settings.has_capability(MAPPED);
    if is_mapped && compression != Compression::None {
        let message = format!("`{MAPPED}` and compression exclude each other");
        return Err(Error::new(ErrorKind::Params, message));
    }
    let bandwidth = settings.bandwidth.or(Some(UNLIMITED));
    let settings = Settings { bandwidth, ..settings.clone() };
    let (unfinished, file) = Unfinished::create(path)?;
    let (pump, target) = match compression {
        Compression::None => (None, Target::Descriptor(file.into())),
        Compression::Gzip => {
            let (pump, to) = Pump::pack(file)?;
            (Some(pump), Target::Descriptor(to))
        }
    };
    let saved = start(monitor, target, &settings).and_then(|mut outgoing| {
        let deadline = outgoing.deadline();
        outgoing.wait(deadline, on_progress)
    });
    let figures = with_pump(saved, pump).map_err(|error| explain(error, path))?;
    unfinished.complete()?;
    Ok(figures)
}

fn load_from(
    monitor: &QmpMonitor,
    path: &Utf8Path,
    settings: &Settings,
    process: BorrowedFd<'_>,
) -> Result<()> {
    let deadline = Deadline::after(settings.timeout);
    let mut file = File::open(path)?;
    let is_packed = is_packed(&mut file)?;
    let (pump, source) = if is_packed && !settings.has_capability(MAPPED) {
        let (pump, from) = Pump::unpack(file)?;
        (Some(pump), Source::Descriptor(from))
    } else {
        (None, Source::Descriptor(OwnedFd::from(file)))
    };
    let is_hopeless = || pump.as_ref().is_some_and(Pump::has_failed);
    let loaded = listen(monitor, source, settings)
        .and_then(|mut incoming| incoming.wait_unless(deadline, process, is_hopeless));
    with_pump(loaded, pump).map(drop)
}

/// What QEMU's part came to, unless the thread has something worse to tell: it knows why.
fn with_pump<T>(result: Result<T>, pump: Option<Pump>) -> Result<T> {
    let Some(pump) = pump else { return result };
    match (result, pump.finish(Deadline::after(REST))) {
        (Ok(value), Ok(())) => Ok(value),
        (Ok(_), Err(error)) => Err(pumping(error)),
        (Err(error), Err(why)) if is_of_file(&error, &why) => Err(pumping(why)),
        (Err(error), _) => Err(error),
    }
}

/// Whether QEMU failed because our side of the pipe did.
fn is_of_file(error: &Error, why: &Error) -> bool {
    error.kind() == ErrorKind::MigrateFailed && why.kind() == ErrorKind::Io
}

fn pumping(error: Error) -> Error {
    if error.kind() != ErrorKind::Io {
        return error;
    }
    Error::new(ErrorKind::MigrateFailed, "its file is damaged, or cannot be written")
        .caused_by(error)
}

/// Some versions do not say that the disk is full.
fn explain(error: Error, path: &Utf8Path) -> Error {
    let directory = path.parent().filter(|parent| !parent.as_str().is_empty());
    let free = rustix::fs::statvfs(directory.unwrap_or(Utf8Path::new(".")).as_std_path());
    let is_full = free.is_ok_and(|free| free.f_bavail == 0);
    if error.kind() == ErrorKind::MigrateFailed && is_full {
        return Error::new(ErrorKind::MigrateFailed, "no space left on the disk").caused_by(error);
    }
    error
}

/// Whether it is compressed; an error if it is no saved machine.
fn is_packed(file: &mut File) -> Result<bool> {
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    let is_packed = start.starts_with(&GZIP);
    if !is_packed && start != PLAIN {
        return Err(Error::new(ErrorKind::MigrateFailed, "it is no saved machine"));
    }
    Ok(is_packed)
}
