//! How other files come in.

use std::sync::Arc;

/// Finds the files that `include` statements name. The library itself opens nothing.
pub trait Include {
    /// Resolves `path`, as written in an `include` statement of the source called `from`.
    ///
    /// # Errors
    /// Why there is no such text, as a lowercase fragment: it becomes part of a diagnostic.
    fn load(&mut self, path: &str, from: &str) -> Result<Source, String>;
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

/// Refuses every include: for texts that stand alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInclude;

impl Include for NoInclude {
    fn load(&mut self, _path: &str, _from: &str) -> Result<Source, String> {
        Err("nothing can be included here".to_owned())
    }
}

impl<F: FnMut(&str, &str) -> Result<Source, String>> Include for F {
    fn load(&mut self, path: &str, from: &str) -> Result<Source, String> {
        self(path, from)
    }
}
