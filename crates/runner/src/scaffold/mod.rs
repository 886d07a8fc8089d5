//! `kvmtest new DIR`: a crate of subtests outside of this source tree.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Context, Error, ErrorKind, Result};

/// The files of a new crate: where they go, and what stands in them.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("templates/Cargo.toml.in")),
    ("build.rs", include_str!("templates/build.rs.in")),
    ("src/main.rs", include_str!("templates/main.rs.in")),
    ("src/hello.rs", include_str!("templates/hello.rs.in")),
    ("README.md", include_str!("templates/README.md.in")),
    (".gitignore", "/target\n/results\n"),
];

/// Where a new crate finds the crates that it needs.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The source tree that the program was built from; it is used where it still exists.
    pub tree: Option<&'a Utf8Path>,
    /// The program's version, for where it does not.
    pub version: &'a str,
}

/// Makes a crate of subtests in `dir`, which must not exist or be empty. Returns the files made.
pub fn scaffold(dir: &Utf8Path, origin: Origin<'_>) -> Result<Vec<Utf8PathBuf>> {
    let name = crate_name(dir)?;
    if dir.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("there are files in {dir} already: name a directory that is new");
        return Err(Error::new(ErrorKind::Io, message));
    }
    let tree = origin.tree.filter(|tree| tree.join("crates/runner/Cargo.toml").is_file());
    let fill = |template: &str| {
        template
            .replace("@NAME@", &name)
            .replace("@KVMTEST@", &dependency(tree, "kvmtest", origin.version))
            .replace("@RUNNER@", &dependency(tree, "runner", origin.version))
            .replace("@BUILD@", &dependency(tree, "build", origin.version))
    };
    let mut files: Vec<(&str, String)> =
        FILES.iter().map(|(file, template)| (*file, fill(template))).collect();
    // The versions that the tree was built with: known to fit, and on this machine already.
    if let Some(lock) = tree.and_then(|tree| std::fs::read_to_string(tree.join("Cargo.lock")).ok())
    {
        files.push(("Cargo.lock", lock));
    }
    files
        .into_iter()
        .map(|(file, text)| {
            let path = dir.join(file);
            write(&path, &text).with_context(|| format!("making {path}"))?;
            Ok(path)
        })
        .collect()
}

fn write(path: &Utf8Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut file = std::fs::File::create_new(path)?;
    io::Write::write_all(&mut file, text.as_bytes())
}

fn dependency(tree: Option<&Utf8Path>, folder: &str, version: &str) -> String {
    match tree {
        // As TOML writes a string that may hold anything: as JSON does.
        Some(tree) => {
            let path = serde_json::Value::from(tree.join("crates").join(folder).as_str());
            format!("{{ path = {path} }}")
        }
        None => format!("\"{version}\""),
    }
}

/// A name that Cargo takes, made of the directory's name.
fn crate_name(dir: &Utf8Path) -> Result<String> {
    let name = std::path::absolute(dir)?;
    let name = name.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let legal = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        && name != "kvmtest";
    if legal {
        return Ok(name);
    }
    let message = format!(
        "`{name}` cannot be the name of a crate: use letters, digits, `-` and `_`, with a letter \
         first"
    );
    Err(Error::new(ErrorKind::Io, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(dir.path().into()).expect("UTF-8");
        (dir, path)
    }

    #[test]
    fn a_crate_depends_on_the_tree_where_there_is_one() {
        let (_keep, base) = temporary();
        let tree = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        scaffold(&base.join("a"), Origin { tree: Some(&tree), version: "9.8" }).expect("made");
        let manifest = std::fs::read_to_string(base.join("a/Cargo.toml")).expect("made");
        assert!(manifest.contains(&format!("kvmtest = {{ path = \"{tree}/crates/kvmtest\" }}")));
        for tree in [None, Some(Utf8Path::new("/nowhere"))] {
            let dir = base.join(if tree.is_none() { "b" } else { "c" });
            scaffold(&dir, Origin { tree, version: "9.8" }).expect("made");
            let manifest = std::fs::read_to_string(dir.join("Cargo.toml")).expect("made");
            assert!(manifest.contains("kvmtest-build = \"9.8\""), "{manifest}");
        }
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        let (_keep, base) = temporary();
        let files = scaffold(&base.join("x"), Origin { tree: None, version: "1" }).expect("made");
        for file in files {
            let text = std::fs::read_to_string(&file).expect("made");
            assert!(!text.contains('@'), "{file}: {text}");
        }
    }

    #[test]
    fn what_is_there_is_not_touched() {
        let (_keep, base) = temporary();
        std::fs::write(base.join("build.rs"), "mine").expect("written");
        let dir = base.join("../").join(base.file_name().expect("a name"));
        scaffold(&dir, Origin { tree: None, version: "1" }).expect_err("not empty");
        assert_eq!(std::fs::read_to_string(base.join("build.rs")).expect("there"), "mine");
        assert!(!base.join("Cargo.toml").exists());
    }

    #[test]
    fn a_name_that_cargo_refuses_is_refused_before() {
        let (_keep, base) = temporary();
        for name in ["9p", "a b", "ü", "kvmtest", "-x"] {
            let error = scaffold(&base.join(name), Origin { tree: None, version: "1" });
            assert!(error.expect_err(name).to_string().contains("name of a crate"), "{name}");
        }
    }
}
