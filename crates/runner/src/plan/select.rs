//! Chooses variants: those of the set and the filters that were asked for.

use std::fmt::Write;

use std::collections::HashSet;

use camino::Utf8PathBuf;
use kvmtest_cartesian::{Config, Diagnostic, Variant, nearest};

use super::config::{Loaded, Texts, Unreadable};
use super::files::Shipped;
use super::known::Known;
use super::what::{KEYWORDS, Wanted};
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
/// A filter that is a variant's short name of several labels, as `list` prints it, selects just
/// that variant, although labels which the short name leaves out stand between those it has. A
/// filter that names a label which no variant has is refused, whatever the others match.
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
    if let Some(refusal) = unknown_labels(&choice.wanted, &all.config) {
        return Err(refusal);
    }
    // A configuration without sets is one set, without a name.
    let sets_or_all: Vec<Option<&str>> =
        if tried.is_empty() { vec![None] } else { tried.iter().copied().map(Some).collect() };
    for set in sets_or_all {
        let restriction = set.map(|set| format!("only {set}"));
        let find = |filters: &[String]| {
            let wanted = Wanted { filters: filters.to_vec(), ..choice.wanted.clone() };
            load(&[wanted.all_statements(), restriction.iter().cloned().collect()].concat())
        };
        let Loaded { config, warnings } = find(&choice.wanted.filters)?;
        let mut variants: Vec<Variant> = Vec::new();
        let mut filters = choice.wanted.filters.clone();
        for name in choice.wanted.names() {
            let near = find(&[name.replace('.', "..")])?;
            let found: Vec<Variant> =
                near.config.variants().filter(|variant| variant.shortname() == name).collect();
            if !found.is_empty() {
                filters.retain(|filter| filter != name);
            }
            variants.extend(found);
        }
        if variants.is_empty() {
            variants.extend(config.variants());
        } else if !filters.is_empty() {
            variants.extend(find(&filters)?.config.variants());
        }
        if !variants.is_empty() {
            let mut seen = HashSet::new();
            variants.retain(|variant| seen.insert(variant.name().to_owned()));
            return Ok(Selection { variants, set: set.map(str::to_owned), warnings });
        }
    }
    Err(nothing(&choice.wanted, &tried))
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

/// A filter with a label that nobody has is a slip, and would silently be worth nothing beside
/// others that match.
fn unknown_labels(wanted: &Wanted, config: &Config) -> Option<Refusal> {
    let labels: HashSet<&str> = config.labels().collect();
    let unknown: Vec<&str> = wanted.labels().filter(|label| !labels.contains(label)).collect();
    if unknown.is_empty() {
        return None;
    }
    // Two words may have been meant as a statement.
    let spaced = wanted.filters.iter().any(|filter| filter.contains(' '));
    let keywords = if spaced { KEYWORDS } else { &[] };
    let names = || labels.iter().chain(keywords).copied();
    let near: Vec<&str> = unknown.iter().flat_map(|label| nearest(label, names(), 5)).collect();
    let mean =
        if near.is_empty() { String::new() } else { format!("; did you mean {}?", quoted(&near)) };
    let statement = if spaced { " A statement has an operator, as `mem = 1024`." } else { "" };
    let sentence = format!(
        "no variant has {}{mean}{statement} (`kvmtest list` shows what there is; a new subtest has \
         to be built in, or be in a folder that `--subtests` names)",
        quoted(&unknown)
    );
    Some(Refusal::Nothing(sentence))
}

fn nothing(wanted: &Wanted, sets: &[&str]) -> Refusal {
    let mut sentence = match (wanted.filters.as_slice(), wanted.statements.as_slice()) {
        ([], []) => "the configuration has no variants".to_owned(),
        ([], statements) => format!("no variant is left by {}", quoted(statements)),
        (filters, _) => format!("no variant matches {}", quoted(filters)),
    };
    if !sets.is_empty() {
        let noun = plural("set", sets.len());
        let _ = write!(sentence, " in {noun} {}", quoted(sets));
    }
    if !wanted.filters.is_empty() {
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
