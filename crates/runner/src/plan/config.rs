//! Reads the configuration: the one place that speaks to the parser of the language.

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::Params;
use kvmtest::params::{Origin, Value};
use kvmtest_cartesian::{Config, Diagnostic, Parser, Source, Variant};

use super::files::{Files, Shipped};
use super::known::Known;

/// The name of statements that are given on the command line.
pub(super) const COMMAND_LINE: &str = "<command line>";

/// What a configuration is made of.
pub(super) struct Texts<'a> {
    pub(super) shipped: &'a dyn Shipped,
    pub(super) known: &'a Known,
    pub(super) file: Option<&'a Utf8Path>,
}

/// A configuration that could be read.
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) warnings: Vec<Diagnostic>,
}

impl Texts<'_> {
    /// Reads the files, and `statements` after them. Every error is told at once.
    pub(super) fn load(&self, statements: &[String]) -> Result<Loaded, Unreadable> {
        // What the configuration names is known only after reading it, and only then is it known
        // what `<subtests>` stands for; so it is read twice where anything is left.
        let first = self.read(statements, &[])?;
        let named = first.config.assigned("type");
        let rest: Vec<String> = self
            .known
            .iter()
            .map(|subtest| subtest.name.clone())
            .filter(|name| !named.contains(&name.as_str()))
            .collect();
        if rest.is_empty() { Ok(first) } else { self.read(statements, &rest) }
    }

    fn read(&self, statements: &[String], rest: &[String]) -> Result<Loaded, Unreadable> {
        let mut files = Files::new(self.shipped, rest);
        let first = files
            .first(self.file)
            .map_err(|why| Unreadable::File { path: self.file.map(Utf8Path::to_owned), why })?;
        let mut parser = Parser::new();
        parser.parse(first, &mut files);
        for statement in statements {
            parser.parse(Source::new(COMMAND_LINE, statement.as_str()), &mut files);
        }
        let (config, diagnostics) = parser.finish();
        let (errors, warnings): (Vec<_>, Vec<_>) =
            diagnostics.into_iter().partition(Diagnostic::is_error);
        if errors.is_empty() {
            Ok(Loaded { config, warnings })
        } else {
            Err(Unreadable::Diagnostics(errors))
        }
    }
}

/// Why a configuration could not be read.
#[derive(Debug)]
pub enum Unreadable {
    /// There is no such file.
    File {
        /// The file that was named, if one was.
        path: Option<Utf8PathBuf>,
        /// What is wrong with it.
        why: String,
    },
    /// It is not as the language wants it: every error at once.
    Diagnostics(Vec<Diagnostic>),
}

impl Unreadable {
    /// The text for a person, in colour if the terminal takes it.
    pub fn render(&self, color: bool) -> String {
        match self {
            Self::File { why, .. } => why.clone(),
            Self::Diagnostics(diagnostics) => diagnostics
                .iter()
                .map(|diagnostic| diagnostic.render(color))
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }
}

/// The params of a variant, each with the place that set it.
pub(super) fn params(variant: &Variant) -> Params {
    let mut params = Params::new();
    for (key, text, place) in variant.iter() {
        let origin = place.map(|place| Origin { file: place.file, line: place.line });
        params.insert(key, Value { text: text.into(), origin });
    }
    params.set("name", variant.name());
    params.set("shortname", variant.shortname());
    if !variant.deps().is_empty() {
        params.set("dep", variant.deps().join(" "));
    }
    params
}
