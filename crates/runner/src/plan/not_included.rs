//! What is told where a file cannot be read: what is wrong, and for each way to go wrong what
//! would be right.

use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest_cartesian::{NotIncluded, nearest};

use super::files::{FOLDER, SUBTESTS};

/// How many files are named that may have been meant.
const NAMED: usize = 3;

/// How many entries of a folder are looked at.
const LOOKED_AT: usize = 10_000;

/// Where a path begins that is relative.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// The folder of the file that includes.
    Including,
    /// The current directory.
    Current,
}

/// There is no such file among the shipped ones, which are `all`.
pub(super) fn shipped(path: &str, all: &[&str]) -> NotIncluded {
    let why = format!("there is no `{path}` among the shipped configurations");
    let near = alike(path, all);
    let written = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{FOLDER}/{name}`")).collect();
        names.join(", ")
    };
    let help = match near.as_slice() {
        [] if all.is_empty() => None,
        [] => Some(format!("there are {}", written(all))),
        near => Some(format!("did you mean {}?", written(near))),
    };
    NotIncluded { why, help }
}

/// `<something>`: it stands for nothing.
pub(super) fn unknown(path: &str, all: &[&str]) -> NotIncluded {
    if path.trim_end_matches('/') == FOLDER {
        let first = all.first().copied().unwrap_or("NAME.cfg");
        let help = Some(format!("name one of its files, as `{FOLDER}/{first}`"));
        return NotIncluded { why: "that is a folder".to_owned(), help };
    }
    let help = format!(
        "`{FOLDER}/NAME.cfg` is a file that ships, `{SUBTESTS}` the subtests that nothing names"
    );
    NotIncluded { why: "that stands for nothing".to_owned(), help: Some(help) }
}

/// What was `typed` means `path`, which cannot be read.
pub(super) fn unreadable(
    typed: &str,
    path: &Utf8Path,
    start: Start,
    error: &std::io::Error,
) -> NotIncluded {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => missing(typed, path, start),
        ErrorKind::IsADirectory => {
            let help = Some(match cfg_files(path).as_slice() {
                [] => "write the path of a file".to_owned(),
                files => format!("name a file in it: {}", listed(typed, files)),
            });
            NotIncluded { why: "that is a directory".to_owned(), help }
        }
        ErrorKind::PermissionDenied => {
            let help = Some(format!("`ls -ld {path}` tells who may read it"));
            NotIncluded { why: error.to_string(), help }
        }
        _ => NotIncluded { why: error.to_string(), help: None },
    }
}

fn missing(typed: &str, path: &Utf8Path, start: Start) -> NotIncluded {
    let why = if typed == path {
        "there is no such file".to_owned()
    } else {
        format!("there is no file `{path}`")
    };
    NotIncluded { why, help: instead(typed, path, start) }
}

/// What may have been meant by the path of a file that is not there.
fn instead(typed: &str, path: &Utf8Path, start: Start) -> Option<String> {
    if typed.starts_with('~') && !typed.starts_with("~/") {
        return Some("`~` is your own home directory; write the one of another in full".to_owned());
    }
    let (folder, name) = (path.parent()?, path.file_name()?);
    let folder = if folder == "" { Utf8Path::new(".") } else { folder };
    if !folder.is_dir() {
        return Some(format!("there is no folder `{folder}`"));
    }
    let names = names(folder);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = alike(name, &names);
    if !near.is_empty() {
        let typed_folder = Utf8Path::new(typed).parent().unwrap_or(Utf8Path::new(""));
        let near: Vec<String> = near.iter().map(|name| (*name).to_owned()).collect();
        return Some(format!("did you mean {}?", listed(typed_folder.as_str(), &near)));
    }
    let is_relative = !Utf8Path::new(typed).is_absolute() && !typed.starts_with('~');
    is_relative.then(|| {
        let folder = match start {
            Start::Including => "the folder of the including file",
            Start::Current => "the current directory",
        };
        format!("a relative path starts at {folder}")
    })
}

/// The files that are called nearly so. Their extensions do not count: most have the same.
fn alike<'a>(name: &str, names: &[&'a str]) -> Vec<&'a str> {
    let stem = |name: &'a str| Utf8Path::new(name).file_stem().unwrap_or(name);
    let wanted = Utf8Path::new(name).file_stem().unwrap_or(name);
    let near = nearest(wanted, names.iter().map(|name| stem(name)), NAMED);
    let of_stem = |near: &'a str| names.iter().copied().filter(move |name| stem(name) == near);
    near.into_iter().flat_map(of_stem).take(NAMED).collect()
}

/// Files of configurations in a folder, by name.
fn cfg_files(folder: &Utf8Path) -> Vec<String> {
    let mut names = names(folder);
    names.retain(|name| Utf8Path::new(name).extension() == Some("cfg"));
    names.truncate(NAMED);
    names
}

/// What is in a folder, by name; nothing where that cannot be told.
fn names(folder: &Utf8Path) -> Vec<String> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten().take(LOOKED_AT);
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_owned()).collect();
    names.sort_unstable();
    names
}

/// The files as they may be typed.
fn listed(folder: &str, names: &[String]) -> String {
    let folder = Utf8PathBuf::from(folder);
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", folder.join(name))).collect();
    names.join(", ")
}
