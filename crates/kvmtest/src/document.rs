//! Small JSON files that processes share: versioned, written whole or not at all.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Context, Error, ErrorKind, Result};

/// No document of ours comes near; what does is not ours.
const SIZE_LIMIT: u64 = 16 << 20;

/// What can be told of a document before the rest is understood.
#[derive(serde::Deserialize)]
struct Versioned {
    version: u32,
}

/// Reads the document at `path`, which must say `"version": VERSION`; `None` if there is no file.
pub(crate) fn read<T: DeserializeOwned>(path: &Utf8Path, version: u32) -> Result<Option<T>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("opening {path}")),
    };
    let mut text = Vec::new();
    file.take(SIZE_LIMIT + 1).read_to_end(&mut text).with_context(|| format!("reading {path}"))?;
    if text.len() as u64 > SIZE_LIMIT {
        return Err(broken(path, "it is larger than any such file"));
    }
    let found: Versioned =
        serde_json::from_slice(&text).map_err(|error| broken(path, &error.to_string()))?;
    if found.version != version {
        return Err(Error::new(
            ErrorKind::Env,
            format!(
                "{path} is of version {}, and this program knows version {version}: it was \
                 written by {} kvmtest",
                found.version,
                if found.version > version { "a newer" } else { "an older" }
            ),
        ));
    }
    serde_json::from_slice(&text).map(Some).map_err(|error| broken(path, &error.to_string()))
}

/// The version that the document at `path` says it has, if that much of it can be understood.
pub(crate) fn version(path: &Utf8Path) -> Option<u32> {
    let mut text = Vec::new();
    std::fs::File::open(path).ok()?.take(SIZE_LIMIT).read_to_end(&mut text).ok()?;
    serde_json::from_slice::<Versioned>(&text).ok().map(|found| found.version)
}

/// Writes the document to a temporary file beside `path` and renames it, mode 0600.
pub(crate) fn write<T: Serialize>(path: &Utf8Path, document: &T) -> Result<()> {
    // Threads of one process may write it at one time.
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    write_by(&path.with_extension(format!("{process}-{number}.new")), path, document)
}

/// The same for who holds a lock on it, and so is the only one to write: what a writer that was
/// killed has left is written over.
pub(crate) fn write_locked<T: Serialize>(path: &Utf8Path, document: &T) -> Result<()> {
    write_by(&unfinished(path), path, document)
}

/// What [`write_locked`] leaves where it is killed.
pub(crate) fn unfinished(path: &Utf8Path) -> Utf8PathBuf {
    path.with_extension("new")
}

fn write_by<T: Serialize>(temporary: &Utf8Path, path: &Utf8Path, document: &T) -> Result<()> {
    let written = (|| -> std::io::Result<()> {
        let mut file = std::fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(temporary)?;
        file.write_all(&serde_json::to_vec(document)?)?;
        std::fs::rename(temporary, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(temporary);
    }
    written.with_context(|| format!("writing {path}"))
}

fn broken(path: &Utf8Path, why: &str) -> Error {
    Error::new(ErrorKind::Env, format!("{path} is broken: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, serde::Deserialize)]
    struct Document {
        version: u32,
        text: String,
    }

    #[test]
    fn several_threads_may_write_one_document() {
        let place = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(place.path().join("one.json")).expect("UTF-8");
        std::thread::scope(|scope| {
            for letter in ["a", "b", "c", "d"] {
                let path = &path;
                scope.spawn(move || {
                    for length in 0..100 {
                        let document = Document { version: 1, text: letter.repeat(length * 40) };
                        write(path, &document).expect("written");
                        let found: Document = read(path, 1).expect("whole").expect("there");
                        assert!(found.text.len().is_multiple_of(40));
                    }
                });
            }
        });
        assert_eq!(std::fs::read_dir(place.path()).expect("listed").count(), 1);
    }
}
