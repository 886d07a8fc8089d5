//! The files of a folder.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::file::{self, Kind, Subtest};

/// What is in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The subtests, by name.
    pub subtests: Vec<Subtest>,
    /// Names for which there is a file that is no subtest, and why it is none.
    pub others: Vec<(String, String)>,
    /// Files that were meant as subtests and are none: why.
    pub slips: Vec<String>,
}

/// Looks for files `*.py` in `dir`, not in the folders below it. Hidden ones, and those that begin
/// with an underscore (`__init__.py`), are left out.
pub fn scan(dir: &Utf8Path) -> io::Result<Found> {
    let mut paths: Vec<Utf8PathBuf> = Vec::new();
    for entry in dir.read_dir()? {
        // A name that is not UTF-8 cannot be typed as a test's, either.
        let Ok(path) = Utf8PathBuf::from_path_buf(entry?.path()) else { continue };
        let name = path.file_name().unwrap_or_default();
        if path.extension() == Some("py") && !name.starts_with(['.', '_']) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut found = Found::default();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_owned();
        match file::look_at(&path) {
            Kind::Subtest(subtest) => found.subtests.push(subtest),
            Kind::Module => {
                let why = file::no_function(&path, &name);
                found.others.push((name, why));
            }
            Kind::Slip(why) => {
                found.slips.push(why.clone());
                found.others.push((name, why));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_subtests_modules_and_slips() {
        let keep = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(keep.path()).expect("UTF-8");
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("written");
        write("b.py", "'''Does b.'''\ndef run_b(test, params, env): pass");
        write("a.py", "def run_a(test, params, env): pass");
        write("tools.py", "x = 1");
        write("c.py", "def run_d(test, params, env): pass");
        write("__init__.py", "def run_x(): pass");
        write(".hidden.py", "def run_x(): pass");
        write("text.txt", "def run_text(): pass");
        std::fs::create_dir(dir.join("below.py")).expect("made");
        let found = scan(dir).expect("scanned");
        let names: Vec<&str> = found.subtests.iter().map(|subtest| subtest.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(found.subtests[1].doc, "Does b");
        let others: Vec<&str> = found.others.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(others, ["below", "c", "tools"]);
        assert_eq!(found.slips.len(), 2, "{:?}", found.slips);
        assert!(scan(&dir.join("none")).is_err());
    }
}
