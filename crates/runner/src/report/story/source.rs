//! The line of a subtest at which it failed.

use std::fs::File;
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::tail::WIDEST;
use crate::report::text::shortened;

/// A place in a source file, with the lines around it where the file can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The place as it was told: `src/boot.rs:17:9`.
    pub place: String,
    /// The line's number, where the place has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The line and a few around it, with their numbers; none where the file cannot be read.
    pub lines: Vec<(usize, String)>,
}

impl Source {
    /// How many lines are shown before and after the one that is meant.
    pub const AROUND: usize = 2;

    /// Looks for the file of `place` in `folders`, in those above them, and in the working
    /// directory: a compiler names files as seen from the root of the workspace.
    pub(super) fn find(place: &str, folders: &[Utf8PathBuf]) -> Self {
        let mut source = Self { place: place.to_owned(), line: None, lines: Vec::new() };
        let Some((path, line)) = split(place) else { return source };
        source.line = Some(line);
        let bases = folders.iter().flat_map(|folder| folder.ancestors().take(4));
        let candidates = bases.chain([Utf8Path::new("")]).map(|base| base.join(path));
        let text = candidates.into_iter().find_map(|path| read(&path));
        let lines = text.iter().flat_map(|text| text.lines().enumerate());
        source.lines = lines
            .map(|(index, text)| (index + 1, shortened(text.trim_end(), WIDEST)))
            .filter(|(number, _)| number.abs_diff(line) <= Self::AROUND)
            .collect();
        if !source.lines.iter().any(|(number, _)| *number == line) {
            // A file that has no such line is another file.
            source.lines.clear();
        }
        source
    }

    /// The line that is meant.
    pub fn text(&self) -> Option<&str> {
        let line = self.lines.iter().find(|(number, _)| Some(*number) == self.line)?;
        Some(line.1.trim())
    }
}

/// `src/boot.rs:17:9` as a path and a line.
fn split(place: &str) -> Option<(&str, usize)> {
    let mut parts = place.rsplitn(3, ':');
    let (last, middle) = (parts.next()?, parts.next()?);
    match (parts.next(), middle.parse(), last.parse()) {
        (Some(path), Ok(line), Ok::<usize, _>(_)) => Some((path, line)),
        (None, _, Ok(line)) => Some((middle, line)),
        (Some(_), _, Ok(line)) => Some((&place[..place.len() - last.len() - 1], line)),
        _ => None,
    }
}

fn read(path: &Utf8Path) -> Option<String> {
    /// No source that a person wrote is larger.
    const LARGEST: u64 = 1 << 20;
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_apart() {
        let check = |place, expect| assert_eq!(split(place), expect, "{place}");
        check("src/boot.rs:17:9", Some(("src/boot.rs", 17)));
        check("boot.py:3", Some(("boot.py", 3)));
        check("a:b.py:3", Some(("a:b.py", 3)));
        check("boot.rs", None);
        check("boot.rs:x", None);
        check("", None);
    }

    #[test]
    fn the_line_is_found_below_and_above_the_folders() {
        let keep = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(keep.path()).expect("UTF-8");
        let folder = root.join("subtests/rust");
        std::fs::create_dir_all(folder.join("src")).expect("made");
        std::fs::write(folder.join("src/boot.rs"), "one\n  two();\nthree\nfour\n")
            .expect("written");
        let find = |place: &str| Source::find(place, std::slice::from_ref(&folder));
        for place in ["src/boot.rs:2:3", "subtests/rust/src/boot.rs:2"] {
            let found = find(place);
            assert_eq!(found.text(), Some("two();"), "{place}");
            assert_eq!(found.lines.len(), 4);
        }
        for place in ["src/boot.rs:5:1", "src/boot.rs:0", "src/gone.rs:1", "src:1", "nothing"] {
            let found = find(place);
            assert_eq!((found.text(), found.lines.len()), (None, 0), "{place}");
            assert_eq!(found.place, place);
        }
    }
}
