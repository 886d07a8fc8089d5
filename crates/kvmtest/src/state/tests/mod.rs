mod builders;
mod damage;
mod eviction;
mod full;
mod linking;
mod processes;
mod removal;
mod waiting;
mod warnings;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use serde_json::json;

use super::contents::{Kind, items};
use super::*;
use crate::deadline::Deadline;
use crate::error::Result;
use camino::{Utf8Path, Utf8PathBuf};

/// Large enough to be digested only when it has to be.
const MEMORY: u64 = 6 << 20;

/// A store of its own for a test, and a place on the same file system.
struct Room {
    _keep: tempfile::TempDir,
    store: Store,
    place: Utf8PathBuf,
}

impl Room {
    fn new() -> Self {
        let keep = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
        let store = Store::at(&path.join("states")).expect("opened");
        Self { _keep: keep, store, place: path }
    }

    /// A new directory beside the store.
    fn scratch(&self, name: &str) -> Utf8PathBuf {
        let path = self.place.join(name);
        std::fs::create_dir(&path).expect("made");
        path
    }

    /// The state of `recipe`, and whether it was made for that.
    fn want(&self, recipe: &Recipe) -> (State, bool) {
        let found = self.store.find_or_build(recipe, long(), fill).expect("found or made");
        (found.state, found.built.is_some())
    }

    /// What lies in the store besides states.
    fn leftovers(&self) -> Vec<Utf8PathBuf> {
        let items = items(self.store.directory()).expect("readable");
        items.into_iter().filter(|item| item.kind != Kind::State).map(|item| item.path).collect()
    }

    #[track_caller]
    fn has_nothing(&self) {
        let entries = self.store.directory().read_dir_utf8().expect("readable");
        let left: Vec<_> = entries.map(|entry| entry.expect("listed").into_path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn long() -> Deadline {
    Deadline::after(Duration::from_secs(600))
}

fn recipe(name: &str) -> Recipe {
    Recipe::new(name).expect("a name").about("a machine").with("made for", name)
}

/// What makes a state: a large file that is mostly a hole, and small ones.
fn fill(draft: &Draft) -> Result<Facts> {
    leave(draft, "")?;
    Ok(json!({"mac": "52:54:00:00:00:01"}).into())
}

/// Leaves files that hold `mark`.
fn leave(draft: &Draft, mark: &str) -> Result<()> {
    let memory = File::create(draft.directory().join("memory"))?;
    memory.set_len(MEMORY)?;
    memory.write_all_at(format!("a kernel {mark}").as_bytes(), 1 << 20)?;
    for name in ["devices", "disk-data.0.qcow2"] {
        std::fs::write(draft.directory().join(name), format!("{name} {mark}"))?;
    }
    Ok(())
}

/// Lets the manifest of a state say something else.
fn edit(directory: &Utf8Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = directory.join(manifest::FILE);
    let text = std::fs::read_to_string(&path).expect("readable");
    let mut value = serde_json::from_str(&text).expect("JSON");
    change(&mut value);
    std::fs::write(&path, value.to_string()).expect("written");
}
