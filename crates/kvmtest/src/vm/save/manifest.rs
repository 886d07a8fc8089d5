//! What a saved machine is, so that nothing else is taken for it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::SaveOptions;
use crate::document;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::state;
use crate::vm::Record;
use crate::vm::command::Layers;

const VERSION: u32 = 1;

/// What lies beside a saved machine, as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u32,
    /// What the machine is, an option a line.
    machine: String,
    /// What its board is in QEMU.
    pub(super) board: String,
    pub(super) seed: String,
    pub(super) layers: Option<Layers>,
    /// Whether the guest ran until it was saved.
    pub(super) ran: bool,
    mapped_ram: bool,
    /// Memory and devices.
    state: Part,
    /// What was written to the disks, by the names of the files.
    disks: BTreeMap<String, Part>,
}

/// What a file was when it was written.
#[derive(Serialize, Deserialize)]
struct Part {
    length: u64,
    digest: String,
}

impl Manifest {
    /// Of the machine of `record`, saved in `path` and `disks`.
    pub(super) fn of(
        record: &Record,
        path: &Utf8Path,
        disks: &Utf8Path,
        options: SaveOptions,
        ran: bool,
    ) -> Result<Self> {
        Ok(Self {
            version: VERSION,
            machine: record.line.fingerprint(),
            board: String::new(),
            seed: record.seed().to_owned(),
            layers: record.layers.clone(),
            ran,
            mapped_ram: options.mapped_ram,
            state: Part::of(path)?,
            disks: files_in(disks)?
                .map(|path| Ok((path.file_name().unwrap_or_default().to_owned(), Part::of(&path)?)))
                .collect::<Result<_>>()?,
        })
    }

    /// How it was saved, as far as whoever reads it has to know.
    pub(super) fn options(&self) -> SaveOptions {
        SaveOptions { mapped_ram: self.mapped_ram, ..SaveOptions::default() }
    }

    pub(super) fn write(&self, path: &Utf8Path) -> Result<()> {
        document::write(path, self)
    }

    pub(super) fn read(path: &Utf8Path) -> Result<Self> {
        // Of documents in general it is said that they belong to an env.
        let read = document::read(path, VERSION).map_err(|error| {
            let message = error.message().to_owned();
            error.reworded(ErrorKind::Image, message)
        });
        read?.ok_or_else(|| {
            let message = format!("{path} is not there: a machine that was saved has it");
            Error::new(ErrorKind::Image, message)
        })
    }

    /// Refuses files that are not as they were written.
    pub(super) fn verify(&self, path: &Utf8Path, disks: &Utf8Path) -> Result<()> {
        self.state.verify(path)?;
        for (name, part) in &self.disks {
            part.verify(&disks.join(name))?;
        }
        let mut there = files_in(disks)?;
        let is_known = |path: &Utf8PathBuf| self.disks.contains_key(path.file_name().unwrap_or(""));
        there.find(|path| !is_known(path)).map_or(Ok(()), |path| {
            let message = format!("{path} is no part of what was saved");
            Err(Error::new(ErrorKind::Image, message))
        })
    }

    /// Refuses another machine than the one that was saved.
    pub(super) fn verify_machine(&self, machine: &str) -> Result<()> {
        if machine == self.machine {
            return Ok(());
        }
        let only = |one: &str, other: &str| {
            let lines = one.lines().filter(|line| !other.lines().any(|it| it == *line));
            lines.map(|line| format!("`{line}`")).collect::<Vec<_>>().join(", ")
        };
        let message = format!(
            "another machine was saved: it had {}, and this one has {}",
            only(&self.machine, machine),
            only(machine, &self.machine)
        );
        Err(Error::new(ErrorKind::Params, message))
    }
}

impl Part {
    fn of(path: &Utf8Path) -> Result<Self> {
        Ok(Self { length: std::fs::metadata(path)?.len(), digest: state::digest_of(path)? })
    }

    fn verify(&self, path: &Utf8Path) -> Result<()> {
        let broken = |what: String| {
            let message = format!("{path} is not as it was written: {what}");
            Err(Error::new(ErrorKind::Image, message))
        };
        let length = std::fs::metadata(path).with_context(|| format!("reading {path}"))?.len();
        if length != self.length {
            return broken(format!("it has {length} bytes, and had {}", self.length));
        }
        if state::digest_of(path)? != self.digest {
            return broken("its digest differs".to_owned());
        }
        Ok(())
    }
}

fn files_in(directory: &Utf8Path) -> Result<impl Iterator<Item = Utf8PathBuf>> {
    let entries = directory.read_dir_utf8().with_context(|| format!("reading {directory}"))?;
    let paths = entries.map(|entry| entry.map(camino::Utf8DirEntry::into_path));
    Ok(paths.collect::<Result<Vec<_>, _>>()?.into_iter())
}
