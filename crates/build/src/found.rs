//! The files in a folder, and what is wrong with those that are no subtests.

use std::io;
use std::path::{Path, PathBuf};

use crate::source::Source;

/// A file that may be a subtest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `boot` for `boot.rs`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The first line of its own documentation.
    pub doc: String,
    /// What keeps it from being a subtest.
    pub problem: Option<Problem>,
}

/// What keeps a file from being a subtest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Its name cannot be the name of a function.
    Name,
    /// It has no `pub fn run_<name>`.
    Function,
}

/// The subtests in `folder`, by name: every `*.rs` except `lib.rs` and `main.rs`.
pub(crate) fn scan(folder: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_subtest = path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_none_or(|name| name != "lib.rs" && name != "main.rs")
            && path.is_file();
        if is_subtest {
            found.push(look_at(path)?);
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn look_at(path: PathBuf) -> io::Result<Found> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // A file that is not UTF-8 is told so by the compiler.
    let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
    let source = Source::new(&text);
    let problem = if !is_identifier(&name) {
        Some(Problem::Name)
    } else if source.has_public_function(&format!("run_{name}")) {
        None
    } else {
        Some(Problem::Function)
    };
    Ok(Found { doc: source.first_doc_line().to_owned(), name, path, problem })
}

/// Whether this can be a module's name; the words that Rust keeps for itself can be written `r#…`,
/// but for these.
fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(name, "_" | "crate" | "self" | "super" | "Self")
}
