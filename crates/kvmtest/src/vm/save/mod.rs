//! A machine is saved in a file, and goes on from it.

mod board;
mod disks;
mod files;
mod manifest;

use std::os::fd::AsFd;

use camino::Utf8Path;

use super::console::Line;
use super::incarnation::Incarnation;
use super::transition::{Otherwise, Transition};
use super::{Record, Restored, Vm};
use crate::doing;
use crate::error::{Context, Result};
use crate::migration::{self, Choice, Compression, Figures, Settings};
pub(super) use files::Draft;
use files::Files;
use manifest::Manifest;

/// How a machine is saved.
#[derive(Debug, Clone, Copy, Default)]
pub struct SaveOptions {
    /// Whether the file is made smaller, which takes longer.
    pub compression: Compression,
    /// Whether memory is written at fixed places of the file, so that it does not grow with what
    /// the guest writes meanwhile; from QEMU 9.0 on.
    pub mapped_ram: bool,
}

impl SaveOptions {
    fn settings(self) -> Settings {
        let mut settings = Settings::default();
        if self.mapped_ram {
            settings.capabilities.push(("mapped-ram".to_owned(), true));
        }
        settings
    }
}

impl Vm {
    /// Saves the machine in the file `path`: memory and devices in `path` itself, what was
    /// written to its overlays in the directory `path.disks`, and what they are in `path.json`.
    /// An image that is written to itself is not saved, and must not change before the machine is
    /// restored.
    ///
    /// The guest stands still meanwhile, and then goes on as before. What goes wrong leaves the
    /// machine as it was, and what was saved in `path` before.
    pub fn save_to_file(&self, path: &Utf8Path, options: SaveOptions) -> Result<()> {
        let doing = || format!("saving the VM `{}` in {path}", self.name());
        let _doing = doing::begin(doing());
        self.save(path, options).map_err(migration::refused).with_context(doing)
    }

    /// Starts the machine as it was saved in `path`; what was there of it before is destroyed.
    /// The file may be used again.
    ///
    /// Sessions of before log in anew with the next thing that is sent: on the console, that is
    /// whatever shell the saved guest had there. What one of them waits for at that moment never
    /// comes, and is an error.
    ///
    /// A file that is not as it was written, or of another machine, is an error, before anything
    /// is destroyed.
    pub fn restore_from_file(&self, path: &Utf8Path) -> Result<()> {
        let doing = || format!("restoring the VM `{}` from {path}", self.name());
        let _doing = doing::begin(doing());
        self.restore(path).map_err(migration::refused).with_context(doing)
    }

    fn save(&self, path: &Utf8Path, options: SaveOptions) -> Result<()> {
        let path = camino::absolute_utf8(path)?;
        self.verify_alive()?;
        let record = self.running()?;
        self.prepare_to_move()?;
        let monitor = self.monitor()?;
        let ran = monitor.status()? == "running";
        let draft = Draft::begin(&path)?;
        let files = draft.files();
        let what = format!("saving it in {path}");
        let transition = Transition::begin(&what, Otherwise::of(ran), Vec::new())?;
        let transition = Transition { saved: Some(path), ..transition };
        let underway = self.begin_transition(transition)?;
        if ran {
            self.pause()?;
        }
        let saved = (|| -> Result<()> {
            let settings = options.settings();
            let go_on = |_: &Figures| Choice::GoOn;
            migration::save(&monitor, &files.path, options.compression, &settings, go_on)?;
            disks::copy_all(&record, &files.disks())?;
            let mut manifest = Manifest::of(&record, &files.path, &files.disks(), options, ran)?;
            manifest.board = board::of_running(&monitor)?;
            manifest.write(&files.manifest())
        })();
        let resumed = self.go_on(ran);
        let complete = saved.map_err(|error| self.judge(error)).and_then(|()| draft.complete());
        drop(underway);
        complete.and(resumed)
    }

    fn restore(&self, path: &Utf8Path) -> Result<()> {
        let files = Files::new(camino::absolute_utf8(path)?);
        let manifest = Manifest::read(&files.manifest())?;
        manifest.verify(&files.path, &files.disks())?;
        let plan = self.plan()?;
        let mut incarnation = Incarnation::booting(self.name())?;
        let instance = incarnation.instance.clone();
        let prepared = (|| -> Result<()> {
            incarnation.seed.clone_from(&manifest.seed);
            let line = self.plain_line(&plan, &incarnation)?;
            manifest.verify_machine(&line.fingerprint())?;
            board::verify(&manifest.board, &plan, &line.args)?;
            incarnation.layers.clone_from(&manifest.layers);
            incarnation.waits = true;
            disks::copy_back(&files.disks(), &instance)
        })();
        prepared.inspect_err(|_| instance.remove())?;
        let before = self.known().inspect_err(|_| instance.remove())?;
        incarnation.restored = Some(Restored {
            path: files.path.clone(),
            before: before.as_ref().map(Record::history).unwrap_or_default(),
        });
        // Who types meanwhile types for what is restored.
        let _held = before.as_ref().and_then(Line::of).map(|line| line.shut());
        self.destroy(false).inspect_err(|_| instance.remove())?;
        self.destroy_namesake().inspect_err(|_| instance.remove())?;
        self.begin(&plan, &incarnation).inspect_err(|_| self.give_up(&instance))?;
        self.load_file(&files.path, &manifest).inspect_err(|_| self.give_up(&instance))
    }

    /// The machine as this handle or the env file knows it.
    fn known(&self) -> Result<Option<Record>> {
        self.process()?;
        match self.record() {
            Some(record) => Ok(Some(record)),
            None => Ok(self.home.file.read()?.vms.remove(self.name())),
        }
    }

    fn load_file(&self, path: &Utf8Path, manifest: &Manifest) -> Result<()> {
        let process = self.process()?.ok_or_else(|| self.death())?;
        let monitor = self.monitor()?;
        let settings = manifest.options().settings();
        migration::load(&monitor, path, &settings, process.as_fd())
            .map_err(|error| self.explain(error))?;
        self.set_up();
        if manifest.ran && !self.params().get_bool_or("start_paused", false)? {
            self.resume()?;
        }
        self.complete_record(|record| record.up = true)
    }
}
