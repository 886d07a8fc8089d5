//! What was read so far.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kvmtest_cartesian::{Config, Diagnostic, Parser, Source};
use pyo3::prelude::*;

use super::diagnosis::Diagnosis;
use super::files::Files;
use super::variants::CartesianVariants;

/// Reads texts one after another, all into the same outermost scope: what
/// `kvmtest.cartesian.Parser` is made of.
#[pyclass(frozen, module = "kvmtest._kvmtest")]
pub(crate) struct CartesianReader {
    /// Locked only while detached from the interpreter: whoever reads may have to ask it for
    /// something.
    read: Mutex<Read>,
}

#[derive(Clone, Default)]
struct Read {
    parser: Parser,
    /// What came of it, for whoever asks again.
    config: Option<(Config, Defaults)>,
}

/// Not `None`: only defaults, except in the blocks of these names.
type Defaults = Option<Vec<String>>;

#[pymethods]
impl CartesianReader {
    #[new]
    fn new() -> Self {
        Self { read: Mutex::default() }
    }

    /// Reads a text; `name` is the path of its file, or what stands for one.
    ///
    /// Gives back what was found. With an error among it, nothing of the text was taken in.
    fn read(&self, py: Python<'_>, name: &str, text: String) -> Vec<Diagnosis> {
        let source = Source::new(name, text);
        py.detach(|| self.lock().take_in(source))
    }

    /// An iterator over the dictionaries of what was read so far. Not `None`: only the default of
    /// each block, except in the blocks of these names.
    #[pyo3(signature = (expand_defaults=None))]
    fn variants(&self, py: Python<'_>, expand_defaults: Defaults) -> CartesianVariants {
        CartesianVariants::new(py.detach(|| self.lock().config(expand_defaults)))
    }

    /// Another reader that has read the same, and goes on by itself.
    fn copy(&self, py: Python<'_>) -> Self {
        Self { read: Mutex::new(py.detach(|| self.lock().clone())) }
    }
}

impl CartesianReader {
    fn lock(&self) -> MutexGuard<'_, Read> {
        // Nothing is changed before all that can go wrong is over.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read {
    fn take_in(&mut self, source: Source) -> Vec<Diagnosis> {
        if source.text.len() <= STATEMENT && !source.text.contains("include") {
            let mut alone = Parser::new();
            let found = read_into(&mut alone, source.clone());
            if !found.iter().any(Diagnosis::is_error) {
                read_into(&mut self.parser, source);
                self.config = None;
            }
            return found;
        }
        let mut parser = self.parser.clone();
        let found = read_into(&mut parser, source);
        if !found.iter().any(Diagnosis::is_error) {
            *self = Self { parser, config: None };
        }
        found
    }

    fn config(&mut self, defaults: Defaults) -> Config {
        if let Some((config, made_with)) = &self.config
            && *made_with == defaults
        {
            return config.clone();
        }
        let mut parser = self.parser.clone();
        parser.set_defaults(defaults.clone());
        let (config, _) = parser.finish();
        self.config = Some((config.clone(), defaults));
        config
    }
}

/// What is no longer than this, in bytes, is tried by itself, since its errors do not depend on
/// what was read before: to copy everything that was read would cost more.
const STATEMENT: usize = 1 << 12;

fn read_into(parser: &mut Parser, source: Source) -> Vec<Diagnosis> {
    let mut files = Files::default();
    parser.parse(source, &mut files);
    let found: Vec<Diagnostic> = parser.take_diagnostics();
    found.iter().map(|one| Diagnosis::new(one, files.is_missing(one))).collect()
}
