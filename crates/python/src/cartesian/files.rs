//! Where the files come from that `include` names.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kvmtest_cartesian::{Diagnostic, Include, NotIncluded, Source};
use pyo3::prelude::*;

/// Finds files beside the file that includes them, and remembers which it did not find.
#[derive(Default)]
pub(crate) struct Files {
    /// How a diagnostic about an `include` that failed begins.
    missing: Vec<String>,
}

/// What the language takes of all texts together, in bytes.
const LIMIT: u64 = 1 << 30;

impl Files {
    /// Whether this is about a file that could not be included.
    pub(crate) fn is_missing(&self, found: &Diagnostic) -> bool {
        self.missing.iter().any(|beginning| found.message.starts_with(beginning))
    }
}

impl Include for Files {
    fn load(&mut self, path: &str, from: &str) -> Result<Source, NotIncluded> {
        // What is no file has no folder: its paths are relative to the current directory.
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let found = folder.join(home(path));
        read(&found).map_err(|why| {
            self.missing.push(format!("failed to include `{path}`: {why}"));
            let help = found.is_relative().then(|| relative(folder));
            NotIncluded { why, help }
        })
    }
}

fn read(path: &Path) -> Result<Source, String> {
    let shown = path.display();
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => format!("there is no file `{shown}`"),
        _ => format!("`{shown}` cannot be read: {error}"),
    };
    // Asked before it is opened: to open a pipe would wait for a writer.
    let about = std::fs::metadata(path).map_err(cannot)?;
    if !about.is_file() {
        return Err(format!("`{shown}` is no regular file"));
    }
    if about.len() > LIMIT {
        return Err(format!("`{shown}` is larger than 1 GiB: no configuration is"));
    }
    let bytes = std::fs::read(path).map_err(cannot)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].split(|byte| *byte == b'\n').count();
        format!(
            "`{shown}` is no UTF-8 text: see the byte {:#04x} in line {line}",
            error.as_bytes()[at]
        )
    })?;
    Ok(Source::new(shown.to_string(), text))
}

/// A path with the home of its user in place of `~`.
fn home(path: &str) -> PathBuf {
    let expanded = path.starts_with('~').then(|| {
        Python::attach(|py| -> PyResult<PathBuf> {
            py.import("os.path")?.call_method1("expanduser", (path,))?.extract()
        })
    });
    // A home that is nowhere is a file that is not there.
    expanded.and_then(Result::ok).unwrap_or_else(|| path.into())
}

fn relative(folder: &Path) -> String {
    if folder.as_os_str().is_empty() {
        return "the path is relative to the current directory".to_owned();
    }
    format!("the path is relative to `{}`, the folder of the including file", folder.display())
}
