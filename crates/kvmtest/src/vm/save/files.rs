//! The files of a saved machine, and where they are while they are written.

use std::fs::DirBuilder;
use std::io::ErrorKind::NotFound;
use std::os::unix::fs::DirBuilderExt;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Context, Error, ErrorKind, Result};
use crate::lock::Lock;

/// The files of a saved machine.
pub(super) struct Files {
    /// Memory and devices.
    pub(super) path: Utf8PathBuf,
}

impl Files {
    pub(super) fn new(path: Utf8PathBuf) -> Self {
        Self { path }
    }

    /// The directory with what was written to its disks.
    pub(super) fn disks(&self) -> Utf8PathBuf {
        format!("{}.disks", self.path).into()
    }

    /// What says what they are: nothing is a saved machine without it.
    pub(super) fn manifest(&self) -> Utf8PathBuf {
        format!("{}.json", self.path).into()
    }
}

/// The files of a machine that is being saved, in a private directory beside where they are to be.
/// What is not complete goes when this is dropped, and what was there before stays.
pub(in crate::vm) struct Draft {
    becomes: Files,
    directory: Utf8PathBuf,
    // Whoever is killed lets go of it, so that others know that nobody is at it.
    _lock: Lock,
}

impl Draft {
    /// For a machine that is to be saved in `path`: what somebody who was killed has left of that
    /// is removed.
    pub(super) fn begin(path: &Utf8Path) -> Result<Self> {
        if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
            let message = format!("the directory {parent} is not there");
            return Err(Error::new(ErrorKind::Io, message));
        }
        if path.is_dir() {
            return Err(Error::new(ErrorKind::Io, format!("{path} is a directory")));
        }
        let Some(draft) = Self::take(path)? else {
            let message = format!("somebody else is saving a machine in {path}");
            return Err(Error::new(ErrorKind::Io, message));
        };
        gone(std::fs::remove_dir_all(&draft.directory))
            .with_context(|| format!("removing {}", draft.directory))?;
        DirBuilder::new()
            .mode(0o700)
            .create(&draft.directory)
            .with_context(|| format!("making the directory {}", draft.directory))?;
        Ok(draft)
    }

    /// Makes an end of what somebody who was killed has left: says what was done, if there was
    /// anything, and nobody is at it again.
    pub(in crate::vm) fn settle(path: &Utf8Path) -> Result<Option<&'static str>> {
        if path.parent().is_none_or(|parent| !parent.is_dir()) {
            return Ok(None);
        }
        let Some(draft) = Self::take(path)? else { return Ok(None) };
        if draft.files().manifest().exists() {
            draft.complete()?;
            return Ok(Some("what was saved of it is whole"));
        }
        Ok(draft.directory.exists().then_some("what was written of it was removed"))
    }

    /// Where to write them; the manifest last.
    pub(super) fn files(&self) -> Files {
        Files::new(self.directory.join("machine"))
    }

    /// Gives them the place of what was there before. Whoever is killed in the middle of this has
    /// left what [`settle`](Self::settle) goes on with.
    pub(super) fn complete(self) -> Result<()> {
        let (from, to) = (self.files(), &self.becomes);
        let complete = || -> std::io::Result<()> {
            gone(std::fs::remove_file(to.manifest()))?;
            if from.disks().exists() {
                gone(std::fs::remove_dir_all(to.disks()))?;
                std::fs::rename(from.disks(), to.disks())?;
            }
            gone(std::fs::rename(&from.path, &to.path))?;
            std::fs::rename(from.manifest(), to.manifest())
        };
        complete().with_context(|| format!("naming the files of {}", to.path))
    }

    fn take(path: &Utf8Path) -> Result<Option<Self>> {
        let Some(name) = path.file_name() else {
            let message = format!("`{path}` is not the name of a file");
            return Err(Error::new(ErrorKind::Io, message));
        };
        let directory = path.with_file_name(format!(".{name}.saving"));
        let lock = Lock::try_take(&path.with_file_name(format!(".{name}.saving.lock")))?;
        let becomes = Files::new(path.to_owned());
        Ok(lock.map(|lock| Self { becomes, directory, _lock: lock }))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // What cannot be removed now is by whoever saves here next.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// What need not be there.
fn gone(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(error) if error.kind() == NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        _keep: tempfile::TempDir,
        root: Utf8PathBuf,
    }

    fn place() -> Place {
        let keep = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(keep.path()).expect("UTF-8").to_owned();
        Place { _keep: keep, root }
    }

    impl Place {
        fn path(&self) -> Utf8PathBuf {
            self.root.join("vm")
        }

        /// All files, with what is in them.
        fn all(&self) -> Vec<String> {
            let mut all = below(&self.root);
            all.sort();
            all
        }
    }

    fn below(directory: &Utf8Path) -> Vec<String> {
        let entries = directory.read_dir_utf8().expect("there");
        let read = |entry: std::io::Result<camino::Utf8DirEntry>| {
            let entry = entry.expect("there");
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() {
                return below(path).iter().map(|part| format!("{name}/{part}")).collect();
            }
            vec![format!("{name}={}", std::fs::read_to_string(path).expect("text"))]
        };
        entries.flat_map(read).collect()
    }

    /// Writes everything but the manifest.
    fn write(files: &Files, text: &str) {
        std::fs::create_dir(files.disks()).expect("made");
        std::fs::write(files.disks().join("a"), text).expect("written");
        std::fs::write(&files.path, text).expect("written");
    }

    fn write_all(files: &Files, text: &str) {
        write(files, text);
        std::fs::write(files.manifest(), text).expect("written");
    }

    fn whole(text: &str) -> [String; 3] {
        ["vm.disks/a=", "vm.json=", "vm="].map(|name| format!("{name}{text}"))
    }

    #[test]
    fn what_is_complete_takes_the_place_of_what_was_there() {
        let place = place();
        for text in ["first", "second"] {
            let draft = Draft::begin(&place.path()).expect("begun");
            write_all(&draft.files(), text);
            draft.complete().expect("complete");
            assert_eq!(place.all(), whole(text));
        }
        // What is not leaves it as it was.
        let draft = Draft::begin(&place.path()).expect("begun");
        write(&draft.files(), "third");
        assert!(place.all().len() > 3);
        drop(draft);
        assert_eq!(place.all(), whole("second"));
    }

    #[test]
    fn two_do_not_save_in_one_place_at_once() {
        let place = place();
        let draft = Draft::begin(&place.path()).expect("begun");
        let error = Draft::begin(&place.path()).err().expect("somebody is at it");
        assert!(error.message().contains("somebody else is saving a machine in "), "{error}");
        assert_eq!(Draft::settle(&place.path()).expect("looked"), None);
        write(&draft.files(), "first");
        drop(draft);
        assert_eq!(place.all(), [""; 0]);
        drop(Draft::begin(&place.path()).expect("nobody is"));
    }

    #[test]
    fn a_place_where_nothing_can_be_saved() {
        let place = place();
        std::fs::create_dir(place.path()).expect("made");
        for (path, words) in [
            (place.path(), "is a directory"),
            (place.root.join("no/vm"), "/no is not there"),
            (place.root.join("vm/.."), "is a directory"),
        ] {
            let error = Draft::begin(&path).err().expect("refused");
            assert!(error.message().contains(words), "{path}: {error}");
        }
    }

    /// What somebody has left who was killed when he had written `left` of a machine.
    fn left(place: &Place, left: impl FnOnce(&Files)) {
        let directory = place.root.join(".vm.saving");
        std::fs::create_dir(&directory).expect("made");
        std::fs::write(place.root.join(".vm.saving.lock"), "").expect("made");
        left(&Files::new(directory.join("machine")));
    }

    #[test]
    fn what_a_killed_saver_left_goes() {
        let place = place();
        let done = Draft::settle(&place.path()).expect("settled");
        assert_eq!(done, None, "there is nothing");
        left(&place, |files| write(files, "half"));
        let done = Draft::settle(&place.path()).expect("settled");
        assert_eq!(done, Some("what was written of it was removed"));
        assert_eq!(place.all(), [""; 0]);
        // Whoever saves there next does the same.
        left(&place, |files| write(files, "half"));
        let draft = Draft::begin(&place.path()).expect("begun");
        assert_eq!(place.all(), [".vm.saving.lock="]);
        drop(draft);
    }

    #[test]
    fn what_was_complete_is_kept_wherever_the_saver_was_killed() {
        for step in 0..4 {
            let place = place();
            write_all(&Files::new(place.path()), "before");
            left(&place, |from| {
                write_all(from, "new");
                let to = Files::new(place.path());
                let steps: [&dyn Fn() -> std::io::Result<()>; 3] = [
                    &|| std::fs::remove_file(to.manifest()),
                    &|| {
                        std::fs::remove_dir_all(to.disks())?;
                        std::fs::rename(from.disks(), to.disks())
                    },
                    &|| std::fs::rename(&from.path, &to.path),
                ];
                steps[..step].iter().for_each(|step| step().expect("done"));
            });
            let done = Draft::settle(&place.path()).expect("settled");
            assert_eq!(done, Some("what was saved of it is whole"), "{step}");
            assert_eq!(place.all(), whole("new"), "{step}");
        }
    }
}
