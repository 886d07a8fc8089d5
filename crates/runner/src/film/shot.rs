//! One screen, and whether it is one that was seen before.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

/// The screens that were seen, each kept once.
#[derive(Debug, Default)]
pub(super) struct Seen {
    files: HashMap<u64, Utf8PathBuf>,
    last: Option<u64>,
}

impl Seen {
    /// Gives the screen in the file `new` its place `path`; says whether it did. A screen that has
    /// not changed is dropped; one that comes back shares the room of the one before.
    pub(super) fn keep(&mut self, new: &Utf8Path, path: &Utf8Path) -> io::Result<bool> {
        let bytes = std::fs::read(new)?;
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let hash = hasher.finish();
        let is_last = self.last.replace(hash) == Some(hash);
        // What is kept is looked at again: a number is no proof, and a file may be gone.
        let known = self
            .files
            .get(&hash)
            .filter(|file| std::fs::read(file).is_ok_and(|kept| kept == bytes));
        match known {
            Some(_) if is_last => {
                std::fs::remove_file(new)?;
                return Ok(false);
            }
            Some(file) if std::fs::hard_link(file, path).is_ok() => std::fs::remove_file(new)?,
            _ => {
                std::fs::rename(new, path)?;
                self.files.insert(hash, path.to_owned());
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_screen_is_kept_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let mut seen = Seen::default();
        let mut keep = |screen: &str, name: &str| {
            let new = dir.join(".new");
            std::fs::write(&new, screen).expect("written");
            let kept = seen.keep(&new, &dir.join(name)).expect("kept");
            assert!(!new.exists());
            assert_eq!(kept, dir.join(name).exists(), "{name}");
            kept
        };
        assert!(keep("a", "1"));
        assert!(!keep("a", "2"));
        assert!(keep("b", "3"));
        assert!(keep("a", "4"));
        assert!(!keep("a", "5"));
        let inode = |name: &str| std::fs::metadata(dir.join(name)).expect("there").ino();
        assert_eq!(inode("1"), inode("4"));
        // Somebody has cleared up meanwhile.
        std::fs::remove_file(dir.join("1")).expect("there");
        assert!(keep("b", "6") && keep("a", "7"));
        assert_eq!(std::fs::read_to_string(dir.join("7")).expect("there"), "a");
    }
}
