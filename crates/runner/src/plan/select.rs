//! Chooses variants: those of the set and the filters that were asked for.

use std::fmt::Write;

use std::collections::HashSet;

use camino::Utf8PathBuf;
use kvmtest_cartesian::{Config, Diagnostic, Variant};

use super::config::{Loaded, Texts, Unreadable};
use super::files::Shipped;
use super::known::Known;
use super::nearest::nearest;
use super::what::Wanted;
use crate::exit_code;

/// What is to be chosen.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Filters and statements.
    pub wanted: Wanted,
    /// The configuration to read; the shipped one where none is named.
    pub config: Option<Utf8PathBuf>,
    /// The set to take: one of those that the key `sets` of the configuration names. Where none is
    /// named, it is the first one that holds anything that is wanted.
    pub set: Option<String>,
}

/// The variants that were chosen.
pub struct Selection {
    /// In the order of the configuration.
    pub variants: Vec<Variant>,
    /// The set that they were found in, where the configuration has sets.
    pub set: Option<String>,
    /// What the configuration's reader found odd.
    pub warnings: Vec<Diagnostic>,
}

/// Why nothing was chosen.
#[derive(Debug)]
pub enum Refusal {
    /// The configuration cannot be read.
    Unreadable(Unreadable),
    /// Nothing matched: a sentence with the nearest names.
    Nothing(String),
}

impl Refusal {
    /// The exit code of a program that ends with this.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable(_) => exit_code::SETUP_IMPOSSIBLE,
            Self::Nothing(_) => exit_code::NOTHING_MATCHED,
        }
    }

    /// The text for a person, in colour if the terminal takes it.
    pub fn render(&self, color: bool) -> String {
        match self {
            Self::Unreadable(unreadable) => unreadable.render(color),
            Self::Nothing(sentence) => sentence.clone(),
        }
    }
}

/// Chooses variants. Without filters and without a set that is all of the first set.
///
/// A filter that is a variant's short name, as `list` prints it, selects that variant too,
/// although labels which the short name leaves out stand between those that it has.
pub fn select(choice: &Choice, shipped: &dyn Shipped, known: &Known) -> Result<Selection, Refusal> {
    let texts = Texts { shipped, known, file: choice.config.as_deref() };
    let load = |statements: &[String]| texts.load(statements).map_err(Refusal::Unreadable);
    let all = load(&[])?;
    let sets = sets(&all.config);
    let tried: Vec<&str> = match &choice.set {
        Some(set) if !sets.contains(&set.as_str()) => return Err(no_such_set(set, &sets)),
        Some(set) => vec![set],
        None => sets,
    };
    // A configuration without sets is one set, without a name.
    let sets_or_all: Vec<Option<&str>> =
        if tried.is_empty() { vec![None] } else { tried.iter().copied().map(Some).collect() };
    for set in sets_or_all {
        let restriction = set.map(|set| format!("only {set}"));
        let find =
            |wanted: Vec<String>| load(&[wanted, restriction.iter().cloned().collect()].concat());
        let Loaded { config, warnings } = find(choice.wanted.all_statements())?;
        let mut variants: Vec<Variant> = config.variants().collect();
        for name in choice.wanted.names() {
            let labels = name.replace('.', "..");
            let near =
                find([choice.wanted.statements.clone(), vec![format!("only {labels}")]].concat())?;
            variants.extend(near.config.variants().filter(|found| found.shortname() == name));
        }
        if !variants.is_empty() {
            let mut seen = HashSet::new();
            variants.retain(|variant| seen.insert(variant.name().to_owned()));
            return Ok(Selection { variants, set: set.map(str::to_owned), warnings });
        }
    }
    Err(nothing(&choice.wanted, &all.config, &tried))
}

/// The sets of a configuration: the last value that it gives to `sets`.
fn sets(config: &Config) -> Vec<&str> {
    config.assigned("sets").last().map(|sets| sets.split_whitespace().collect()).unwrap_or_default()
}

fn no_such_set(set: &str, sets: &[&str]) -> Refusal {
    let list = if sets.is_empty() {
        "the configuration has no sets (key `sets`)".to_owned()
    } else {
        format!("there are {}", quoted(sets))
    };
    Refusal::Nothing(format!("there is no set `{}`: {list}", set.escape_debug()))
}

fn nothing(wanted: &Wanted, config: &Config, sets: &[&str]) -> Refusal {
    let mut sentence = match (wanted.filters.as_slice(), wanted.statements.as_slice()) {
        ([], []) => "the configuration has no variants".to_owned(),
        ([], statements) => format!("no variant is left by {}", quoted(statements)),
        (filters, _) => format!("no variant matches {}", quoted(filters)),
    };
    if !sets.is_empty() {
        let noun = plural("set", sets.len());
        let _ = write!(sentence, " in {noun} {}", quoted(sets));
    }
    let labels: Vec<&str> = config.labels().collect();
    let mut unknown = wanted.labels().filter(|label| !labels.contains(label)).peekable();
    if unknown.peek().is_some() {
        let near: Vec<&str> =
            unknown.flat_map(|label| nearest(label, labels.iter().copied(), 5)).collect();
        if !near.is_empty() {
            let _ = write!(sentence, "; did you mean {}?", quoted(&near));
        }
    } else if !wanted.filters.is_empty() {
        sentence.push_str(": each of its labels exists, but no variant has them together");
    }
    sentence.push_str(" (`kvmtest list` shows what there is)");
    Refusal::Nothing(sentence)
}

fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

fn plural(noun: &str, count: usize) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}
