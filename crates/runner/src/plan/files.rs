//! Where configuration files come from: the file system, what is built into the program, and the
//! list of subtests.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest_cartesian::{Include, Source};

/// The configuration that is built into the program, as a small file system.
pub trait Shipped {
    /// The text of `path`, relative to the folder of configurations.
    fn text(&self, path: &str) -> Option<&str>;
}

/// The file of the shipped configuration that is read where no other is named.
pub const MAIN: &str = "tests.cfg";

/// The folder of the shipped configuration, as `include` and diagnostics name it.
const FOLDER: &str = "<shipped>";

/// The list of subtests that nothing in the configuration names.
pub(super) const SUBTESTS: &str = "<subtests>";

/// What the language takes of all texts together, in bytes.
const LIMIT: u64 = 1 << 30;

/// Finds the files that `include` names.
pub(super) struct Files<'a> {
    shipped: &'a dyn Shipped,
    /// The subtests that `<subtests>` stands for.
    rest: &'a [String],
    /// Whether anything included `<subtests>`.
    asked: bool,
    /// Files by what they really are, so that one file has one name however it is reached.
    names: HashMap<Utf8PathBuf, Arc<str>>,
}

impl<'a> Files<'a> {
    pub(super) fn new(shipped: &'a dyn Shipped, rest: &'a [String]) -> Self {
        Self { shipped, rest, asked: false, names: HashMap::new() }
    }

    /// Whether it matters what `<subtests>` stands for: something included it.
    pub(super) fn asked(&self) -> bool {
        self.asked
    }

    /// The file to begin with: one of the user's, or the shipped one.
    pub(super) fn first(&mut self, path: Option<&Utf8Path>) -> Result<Source, String> {
        match path {
            Some(path) => self.read(path),
            None => self.shipped(MAIN),
        }
    }

    fn shipped(&self, path: &str) -> Result<Source, String> {
        let text = self
            .shipped
            .text(path)
            .ok_or_else(|| format!("there is no `{path}` among the shipped configurations"))?;
        Ok(Source::new(format!("{FOLDER}/{path}"), text))
    }

    fn read(&mut self, path: &Utf8Path) -> Result<Source, String> {
        let cannot = |error: std::io::Error| format!("cannot read `{path}`: {error}");
        let real = path.canonicalize_utf8().map_err(cannot)?;
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&real).map_err(cannot)?;
        file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > LIMIT {
            return Err(format!("`{path}` is larger than 1 GiB: no configuration is"));
        }
        let text = String::from_utf8(bytes).map_err(|error| no_text(path, &error))?;
        let name = self.names.entry(real).or_insert_with(|| path.as_str().into()).clone();
        Ok(Source { name, text })
    }

    /// One variant for each subtest that nothing names; where there is none, the variant around
    /// the `include` is none, either.
    fn subtests(&self) -> Source {
        let text = if self.rest.is_empty() {
            "only no_subtest_is_left\n".to_owned()
        } else {
            let mut text = "variants:\n".to_owned();
            for name in self.rest {
                text.extend(["    - ", name, ":\n        type = ", name, "\n"]);
            }
            text
        };
        Source::new(SUBTESTS, text)
    }
}

impl Include for Files<'_> {
    fn load(&mut self, path: &str, from: &str) -> Result<Source, String> {
        if path == SUBTESTS {
            self.asked = true;
            return Ok(self.subtests());
        }
        if let Some(path) = inside(path) {
            return self.shipped(&path);
        }
        match inside(from) {
            Some(from) => {
                let folder = Utf8Path::new(&from).parent().unwrap_or(Utf8Path::new(""));
                self.shipped(folder.join(path).as_str())
            }
            None => self.read(&beside(path, from)?),
        }
    }
}

/// Where a text ceases to be one: a position in bytes helps nobody to find it.
fn no_text(path: &Utf8Path, error: &std::string::FromUtf8Error) -> String {
    let at = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(&error.as_bytes()[..at]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let byte = error.as_bytes()[at];
    format!(
        "{path}:{line}:{column} has a byte {byte:#04x} that is no UTF-8: save the file as UTF-8"
    )
}

/// The path inside the shipped folder.
fn inside(path: &str) -> Option<String> {
    Some(path.strip_prefix(FOLDER)?.strip_prefix('/')?.to_owned())
}

/// `path` as the file `from` means it: relative to the folder of `from`, `~` being the user's home.
/// The command line is in the current directory.
fn beside(path: &str, from: &str) -> Result<Utf8PathBuf, String> {
    if let Some(rest) = path.strip_prefix('~')
        && (rest.is_empty() || rest.starts_with('/'))
    {
        let home = std::env::var("HOME").map_err(|_| "`~` is nowhere: HOME is not set")?;
        return Ok(Utf8PathBuf::from(home).join(rest.trim_start_matches('/')));
    }
    let folder = match from {
        super::config::COMMAND_LINE => Utf8Path::new(""),
        from => Utf8Path::new(from).parent().unwrap_or(Utf8Path::new("")),
    };
    Ok(folder.join(path))
}
