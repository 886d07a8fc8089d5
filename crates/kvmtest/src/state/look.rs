//! Whether a state is still what was saved.

use std::fs::File;
use std::os::fd::OwnedFd;

use camino::Utf8Path;
use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;

use super::digest::{self, DigestError};
use super::found::State;
use super::manifest::{self, Manifest, Noted};
use super::recipe::digest_of_text;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::boot_id;

/// Files below this size, in bytes, are digested at each look: that takes no time, and they are
/// those in which a wrong bit does most.
const SMALL: u64 = 4 << 20;

/// What a look at the place of a state found.
#[derive(Debug)]
pub(super) enum Look {
    /// There is none.
    Absent,
    /// It is what was saved.
    Whole(State),
    /// It may be: only digesting large files would tell.
    Doubtful,
    /// It cannot be used, and why.
    Broken(String),
    /// It was made by another version of this program, and which.
    Foreign(u32),
}

/// How close a look is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// Large files that look as they did when they were digested are taken for what they were.
    Glance,
    /// All files that could have changed are digested.
    Thorough,
}

/// Looks at the state `digest` in `directory`.
///
/// Errors are those of the looking (an interrupt, a missing right, too many open files).
pub(super) fn look(directory: &Utf8Path, digest: &str, care: Care) -> Result<Look> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Before anything is read: whatever happens at the path from now on, what is looked at and
    // then linked are files of one and the same directory.
    let handle = match open(directory.as_std_path(), flags, Mode::empty()) {
        Ok(handle) => handle,
        Err(Errno::NOENT) => return Ok(Look::Absent),
        Err(Errno::NOTDIR | Errno::LOOP) => return Ok(broken("it is no directory")),
        Err(error) => return Err(error).with_context(|| format!("opening {directory}")),
    };
    let manifest = match read(directory, digest)? {
        Ok(manifest) => manifest,
        Err(look) => return Ok(look),
    };
    let is_known = manifest.boot == boot_id()?;
    let (mut noted, mut doubtful) = (Vec::new(), false);
    for file in &manifest.files {
        match look_at(&handle, file, is_known, care)? {
            OneFile::AsNoted(now) => noted.push(now),
            OneFile::Doubtful => doubtful = true,
            OneFile::Broken(why) => return Ok(Look::Broken(why)),
        }
    }
    if doubtful {
        return Ok(Look::Doubtful);
    }
    let is_noted = is_known && noted == manifest.files;
    let manifest = Manifest { files: noted, boot: boot_id()?.to_owned(), ..manifest };
    Ok(Look::Whole(State::new(digest, directory, manifest, handle).noted(is_noted)))
}

enum OneFile {
    /// It holds what was saved, and looks like this now.
    AsNoted(Noted),
    Doubtful,
    Broken(String),
}

fn look_at(handle: &OwnedFd, noted: &Noted, is_known: bool, care: Care) -> Result<OneFile> {
    let name = &noted.name;
    let doing = || format!("looking at the file `{name}` of a state");
    // Not to be kept waiting by what should be a file and is a pipe.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(handle, name.as_str(), flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(OneFile::Broken(format!("`{name}` is missing"))),
        Err(Errno::LOOP | Errno::NXIO) => {
            return Ok(OneFile::Broken(format!("`{name}` is no file")));
        }
        Err(error) => return Err(error).with_context(doing),
    };
    let metadata = file.metadata().with_context(doing)?;
    if !metadata.is_file() {
        return Ok(OneFile::Broken(format!("`{name}` is no file")));
    }
    if metadata.len() != noted.length {
        let why = format!("`{name}` has {} bytes, not {}", metadata.len(), noted.length);
        return Ok(OneFile::Broken(why));
    }
    let has_changed = !is_known || !noted.looks_like(&metadata);
    if noted.length >= SMALL {
        if !has_changed {
            return Ok(OneFile::AsNoted(noted.clone()));
        }
        if care == Care::Glance {
            return Ok(OneFile::Doubtful);
        }
    }
    match digest::of_content(&file) {
        Ok(digest) if digest == noted.sha256 => {
            Ok(OneFile::AsNoted(Noted::of(name, &metadata, digest)))
        }
        Ok(_) => Ok(OneFile::Broken(format!("`{name}` does not hold what was saved"))),
        Err(DigestError::Io(error)) if cannot_hold(&error) => {
            Ok(OneFile::Broken(format!("`{name}` cannot be read: {error}")))
        }
        Err(error) => Err(error).with_context(doing),
    }
}

/// Whether the error says that what was saved is not there any more.
fn cannot_hold(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::UnexpectedEof
        || error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

/// The manifest, or what its fault makes of the state.
fn read(directory: &Utf8Path, digest: &str) -> Result<Result<Manifest, Look>> {
    let manifest = match Manifest::read(directory) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return Ok(Err(broken(&format!("`{}` is missing", manifest::FILE)))),
        // Its content is what is wrong.
        Err(error) if error.kind() == ErrorKind::Env => {
            return Ok(Err(match Manifest::foreign_version(directory) {
                Some(version) => Look::Foreign(version),
                None => Look::Broken(error.message().to_owned()),
            }));
        }
        Err(error) => return Err(error),
    };
    if digest_of_text(&manifest.recipe) != digest {
        return Ok(Err(broken("it is of another recipe than its name says")));
    }
    let is_plain = |name: &str| {
        !matches!(name, "" | "." | ".." | manifest::FILE)
            && !name.contains(['/', '\0'])
            && name.len() < 256
    };
    if manifest.files.is_empty() || !manifest.files.iter().all(|file| is_plain(&file.name)) {
        return Ok(Err(broken("its files are not what files of a state are called")));
    }
    Ok(Ok(manifest))
}

fn broken(why: &str) -> Look {
    Look::Broken(why.to_owned())
}

impl From<Look> for Error {
    /// What a look that should have found a whole state says otherwise.
    fn from(look: Look) -> Self {
        let why = match look {
            Look::Absent => "it is gone".to_owned(),
            Look::Broken(why) => why,
            Look::Whole(_) | Look::Doubtful => "somebody changes its files".to_owned(),
            Look::Foreign(version) => format!("it is of version {version} by now"),
        };
        Self::new(ErrorKind::State, format!("a state that was made just now cannot be used: {why}"))
    }
}
