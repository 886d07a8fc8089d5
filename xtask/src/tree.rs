//! The files of the repository, read into memory.

use std::path::Path;
use std::{fs, io};

use crate::code::Code;

/// Directories that hold what was built or run, not what was written.
const NOT_WRITTEN: [&str; 3] = ["target", "results", "book"];
/// The only directories that are looked into though their names begin with a dot.
const DOTTED: [&str; 3] = [".cargo", ".ci", ".github"];

/// All text files of the repository, by path.
#[derive(Debug, Default)]
pub struct Tree {
    files: Vec<File>,
}

/// A text file.
#[derive(Debug)]
pub struct File {
    /// Relative to the root, parts joined by `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl Tree {
    /// Reads what is below `root`; files that are not UTF-8 are left out.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.read_directory(root, "")?;
        Ok(tree)
    }

    /// A tree of the given paths and texts.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self { files: files.iter().map(file).collect() }
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The files whose names end with `.extension`.
    pub fn with_extension(&self, extension: &str) -> impl Iterator<Item = &File> {
        self.files().filter(move |file| file.extension() == Some(extension))
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Whether there is a file or a directory of that path.
    pub fn has(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        self.files().any(|file| file.path == path || file.path.starts_with(&inside))
    }

    fn read_directory(&mut self, directory: &Path, prefix: &str) -> io::Result<()> {
        let mut entries: Vec<_> = fs::read_dir(directory)?.collect::<io::Result<_>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                let skipped = NOT_WRITTEN.contains(&name.as_str())
                    || name.starts_with('.') && !DOTTED.contains(&name.as_str());
                if !skipped {
                    self.read_directory(&entry.path(), &format!("{path}/"))?;
                }
            } else if kind.is_file()
                && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
            {
                self.files.push(File { path, text });
            }
        }
        Ok(())
    }
}

impl File {
    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// What follows the last dot of the name.
    pub fn extension(&self) -> Option<&str> {
        self.name().rsplit_once('.').map(|(_, extension)| extension)
    }

    /// The name without its extension.
    pub fn stem(&self) -> &str {
        self.name().rsplit_once('.').map_or(self.name(), |(stem, _)| stem)
    }

    /// Whether the whole file is test code: a `tests` module or directory, or the benches.
    pub fn is_test(&self) -> bool {
        self.stem() == "tests"
            || self.path.split('/').any(|part| part == "tests" || part == "benches")
    }

    /// The lines of Rust that are no test code: their numbers, counted from 1, and what is left of
    /// them without comments and the contents of strings.
    pub fn product_lines(&self) -> Vec<(usize, String)> {
        if self.is_test() {
            return Vec::new();
        }
        let code = Code::new(&self.text);
        code.lines().filter(|line| !line.is_test).map(|line| (line.number, line.code)).collect()
    }

    /// All lines of Rust, tests too, as in [`product_lines`](Self::product_lines).
    pub fn code_lines(&self) -> Vec<(usize, String)> {
        Code::new(&self.text).lines().map(|line| (line.number, line.code)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_or_is_no_text_is_not_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let add = |path: &str, bytes: &[u8]| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            fs::write(path, bytes).expect("written");
        };
        add("a/b.rs", b"//! b\n");
        add(".ci/run", b"run");
        add("picture.png", &[0x89, 0xff]);
        add("target/debug/x.rs", b"x");
        add(".git/config", b"x");
        let tree = Tree::read(dir.path()).expect("read");
        let paths: Vec<&str> = tree.files().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, [".ci/run", "a/b.rs"]);
        assert_eq!(tree.text("a/b.rs"), Some("//! b\n"));
        assert!(tree.has("a") && !tree.has("b.rs"));
    }

    #[test]
    fn test_files_are_known_by_their_place() {
        let check = |path: &str, expected: bool| {
            let file = File { path: path.into(), text: String::new() };
            assert_eq!(file.is_test(), expected, "{path}");
        };
        check("crates/a/src/x.rs", false);
        check("crates/a/src/test_utils.rs", false);
        check("crates/a/src/x/tests.rs", true);
        check("crates/a/src/x/tests/y.rs", true);
        check("crates/a/tests/y.rs", true);
        check("tests/src/lib.rs", true);
        check("benches/benches/run.rs", true);
    }
}
