//! Reads the configuration: the one place that speaks to the parser of the language.

use std::collections::HashSet;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::Params;
use kvmtest::params::{Origin, Value};
use kvmtest_cartesian::{Census, Config, Diagnostic, Parser, Source, Variant};

use super::files::{Files, Shipped};
use super::known::Known;
use super::select::Choice;

/// The name of statements that are given on the command line.
pub(super) const COMMAND_LINE: &str = "<command line>";

/// What a configuration is made of.
pub(super) struct Texts<'a> {
    pub(super) shipped: &'a dyn Shipped,
    pub(super) known: &'a Known,
    /// The file to begin with; the shipped one where none is named.
    pub(super) file: Option<&'a Utf8Path>,
    /// What is given after the files.
    pub(super) statements: &'a [String],
    /// Only default variants, but for the blocks of these names.
    pub(super) defaults: Option<&'a [String]>,
}

/// A configuration whose files were read; filters may still be given.
#[derive(Clone, Default)]
pub(super) struct Read {
    parser: Parser,
}

/// A configuration that is complete.
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) warnings: Vec<Diagnostic>,
}

impl<'a> Texts<'a> {
    /// What a choice is made from.
    pub(super) fn of(choice: &'a Choice, shipped: &'a dyn Shipped, known: &'a Known) -> Self {
        Self {
            shipped,
            known,
            file: choice.config.as_deref(),
            statements: &choice.wanted.statements,
            defaults: choice.defaults.then_some(choice.expand_defaults.as_slice()),
        }
    }

    /// Reads the files, and the statements after them. Every error is told at once.
    pub(super) fn read(&self) -> Result<Read, Unreadable> {
        let (read, asked) = self.read_with(&[])?;
        if !asked {
            return Ok(read);
        }
        // What the configuration names is known only after reading it, and only then is it known
        // what `<subtests>` stands for; so it is read twice where that matters.
        let named: HashSet<&str> = read.parser.census().assigned("type").into_iter().collect();
        let rest: Vec<String> = self
            .known
            .iter()
            .map(|subtest| subtest.name.clone())
            .filter(|name| !named.contains(name.as_str()))
            .collect();
        if rest.is_empty() { Ok(read) } else { Ok(self.read_with(&rest)?.0) }
    }

    fn read_with(&self, rest: &[String]) -> Result<(Read, bool), Unreadable> {
        let mut files = Files::new(self.shipped, rest);
        let first = files
            .first(self.file)
            .map_err(|why| Unreadable::File { path: self.file.map(Utf8Path::to_owned), why })?;
        let mut parser = match self.defaults {
            Some(expand) => Parser::with_defaults(expand.iter().cloned()),
            None => Parser::new(),
        };
        parser.parse(first, &mut files);
        for statement in self.statements {
            parser.parse(Source::new(COMMAND_LINE, statement.as_str()), &mut files);
        }
        if parser.diagnostics().iter().any(Diagnostic::is_error) {
            return Err(Unreadable::Diagnostics(errors(parser.finish().1)));
        }
        Ok((Read { parser }, files.asked()))
    }
}

impl Read {
    /// What it holds.
    pub(super) fn census(&self) -> Census<'_> {
        self.parser.census()
    }

    /// What the statements of the command line say that was hardly meant.
    pub(super) fn slips(&self) -> Vec<Diagnostic> {
        self.parser.slips(COMMAND_LINE)
    }

    /// Warnings of the keys that the command line sets or deletes; what is told of each says `tell`.
    pub(super) fn keys(
        &self,
        tell: impl FnMut(&str, bool) -> Option<(String, Option<String>)>,
    ) -> Vec<Diagnostic> {
        self.parser.keys_in(COMMAND_LINE, tell)
    }

    /// Completes it with `only` statements.
    pub(super) fn finish(mut self, only: &[String]) -> Result<Loaded, Unreadable> {
        for filter in only {
            self.parser.statement(&format!("only {filter}"));
        }
        let (config, diagnostics) = self.parser.finish();
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(Unreadable::Diagnostics(errors(diagnostics)));
        }
        Ok(Loaded { config, warnings: diagnostics })
    }
}

fn errors(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.into_iter().filter(Diagnostic::is_error).collect()
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
    /// Whether all of it was typed on the command line.
    pub(super) fn is_typed(&self) -> bool {
        match self {
            Self::File { .. } => false,
            Self::Diagnostics(errors) => errors.iter().all(|one| one.file.as_ref() == COMMAND_LINE),
        }
    }

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
