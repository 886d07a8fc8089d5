//! What was chosen of a configuration.

use kvmtest_cartesian::{Config, Diagnostic, Variant};

/// The variants that were chosen. None of them is made before it is asked for, and none is kept:
/// a selection is as small with millions of them as with one.
pub struct Selection {
    /// First the ones that were called by their names, then all the others.
    pub(super) parts: Vec<Part>,
    /// The set that they were found in, where the configuration has sets.
    pub set: Option<String>,
    /// The words of the filters that find nothing in it.
    pub idle: Vec<String>,
    /// What the configuration's reader found odd.
    pub warnings: Vec<Diagnostic>,
}

/// Variants of a configuration.
pub(super) struct Part {
    pub(super) config: Config,
    /// Only those with this name, short or full.
    pub(super) name: Option<String>,
}

impl Selection {
    /// The variants, one after another: those that were called by their names in the order in
    /// which these were given, then the others in the order of the configuration.
    pub fn variants(&self) -> impl Iterator<Item = Variant> + Send {
        self.parts.iter().enumerate().flat_map(|(at, part)| {
            let before = &self.parts[..at];
            part.variants().filter(move |variant| !before.iter().any(|part| part.has(variant)))
        })
    }

    /// Whether a variant may have exactly this name; false is certain.
    pub(super) fn may_hold(&self, name: &str) -> bool {
        !name.is_empty() && self.parts.iter().any(|part| part.config.census().may_be_called(name))
    }

    /// How many variants there are; no dictionary is built for that.
    pub fn count(&self) -> usize {
        match self.parts.as_slice() {
            [Part { config, name: None }] => config.variants().count(),
            _ => self.variants().count(),
        }
    }
}

impl Part {
    pub(super) fn variants(&self) -> impl Iterator<Item = Variant> {
        self.config.variants().filter(|variant| self.has(variant))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.variants().next().is_none()
    }

    fn has(&self, variant: &Variant) -> bool {
        self.name.as_ref().is_none_or(|name| variant.shortname() == name || variant.name() == name)
    }
}
