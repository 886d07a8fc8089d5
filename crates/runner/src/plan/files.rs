//! Where configuration files come from: the file system, what is built into the program, and the
//! list of subtests.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest_cartesian::{Include, NotIncluded, Source};

use super::config::COMMAND_LINE;
use super::not_included::{self, Start};

/// The configuration that is built into the program, as a small file system.
pub trait Shipped {
    /// The text of `path`, relative to the folder of configurations.
    fn text(&self, path: &str) -> Option<&str>;

    /// The paths of all files, for whoever mistypes one; none where nobody asks.
    fn paths(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// The file of the shipped configuration that is read where no other is named.
pub const MAIN: &str = "tests.cfg";

/// The folder of the shipped configuration, as `include` and diagnostics name it.
pub(super) const FOLDER: &str = "<shipped>";

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
        let Some(path) = path else {
            return self.shipped(MAIN).map_err(|none| none.why);
        };
        self.read(path.as_str(), path, Start::Current).map_err(|NotIncluded { why, help }| {
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            format!("cannot read `{path}`: {why}{help}")
        })
    }

    fn shipped(&self, path: &str) -> Result<Source, NotIncluded> {
        let text = self.shipped.text(path);
        let text = text.ok_or_else(|| not_included::shipped(path, &self.shipped.paths()))?;
        Ok(Source::new(format!("{FOLDER}/{path}"), text))
    }

    /// Reads the file at `path`, which is what was `typed`.
    fn read(&mut self, typed: &str, path: &Utf8Path, start: Start) -> Result<Source, NotIncluded> {
        let path = &shown(path);
        let cannot = |error| not_included::unreadable(typed, path, start, &error);
        let real = path.canonicalize_utf8().map_err(cannot)?;
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&real).map_err(cannot)?;
        file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > LIMIT {
            return Err("it is larger than 1 GiB: no configuration is".to_owned().into());
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
    fn load(&mut self, path: &str, from: &str) -> Result<Source, NotIncluded> {
        if path == SUBTESTS {
            self.asked = true;
            return Ok(self.subtests());
        }
        if let Some(path) = inside(path).filter(|path| !path.is_empty()) {
            return self.shipped(&path);
        }
        let start = if from == COMMAND_LINE { Start::Current } else { Start::Including };
        let found = match inside(from) {
            Some(from) => {
                let folder = Utf8Path::new(&from).parent().unwrap_or(Utf8Path::new(""));
                self.shipped(folder.join(path).as_str())
            }
            None => self.read(path, &beside(path, from)?, start),
        };
        let is_special = path.starts_with('<') && path.contains('>');
        let unknown = || not_included::unknown(path, &self.shipped.paths());
        found.map_err(|none| if is_special { unknown() } else { none })
    }
}

/// A path as people are shown it: relative where it is below the current directory. What is in
/// its folder is beside it, whichever way it is written.
fn shown(path: &Utf8Path) -> Utf8PathBuf {
    let below = || {
        let is_roundabout = path.components().any(|part| part.as_str() == "..");
        if !path.is_absolute() && !is_roundabout {
            return None;
        }
        let here = Utf8PathBuf::from_path_buf(std::env::current_dir().ok()?).ok()?;
        // A link keeps its own name: only its folder is looked up.
        let folder = path.parent()?.canonicalize_utf8().ok()?;
        Some(folder.strip_prefix(here).ok()?.join(path.file_name()?))
    };
    below().unwrap_or_else(|| path.to_owned())
}

/// Where a text ceases to be one: a position in bytes helps nobody to find it.
fn no_text(path: &Utf8Path, error: &std::string::FromUtf8Error) -> NotIncluded {
    let at = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(&error.as_bytes()[..at]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let byte = error.as_bytes()[at];
    NotIncluded {
        why: format!("{path}:{line}:{column} has a byte {byte:#04x} that is no UTF-8"),
        help: Some("save the file as UTF-8".to_owned()),
    }
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
        COMMAND_LINE => Utf8Path::new(""),
        from => Utf8Path::new(from).parent().unwrap_or(Utf8Path::new("")),
    };
    Ok(folder.join(path))
}
