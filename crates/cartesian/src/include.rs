//! How other files come in.

use std::sync::Arc;

/// Finds the files that `include` statements name. The library itself opens nothing.
pub trait Include {
    /// Resolves `path`, as written in an `include` statement of the source called `from`.
    ///
    /// # Errors
    /// There is no such text; what is told of that becomes a diagnostic.
    fn load(&mut self, path: &str, from: &str) -> Result<Source, NotIncluded>;
}

/// A text and the name that diagnostics show for it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Shown in diagnostics and places; two includes of the same file must give the same name,
    /// since this is how a cycle is seen.
    pub name: Arc<str>,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A source of this name and text.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// Why a path could not be included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotIncluded {
    /// What is wrong: a lowercase fragment that fits after "failed to include `path`:".
    pub why: String,
    /// What would be right, where that is known.
    pub help: Option<String>,
}

impl From<String> for NotIncluded {
    fn from(why: String) -> Self {
        Self { why, help: None }
    }
}

/// Refuses every include: for texts that stand alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInclude;

impl Include for NoInclude {
    fn load(&mut self, _path: &str, _from: &str) -> Result<Source, NotIncluded> {
        Err("nothing can be included here".to_owned().into())
    }
}

/// For those who have nothing to say of what would be right.
impl<F: FnMut(&str, &str) -> Result<Source, String>> Include for F {
    fn load(&mut self, path: &str, from: &str) -> Result<Source, NotIncluded> {
        self(path, from).map_err(NotIncluded::from)
    }
}
