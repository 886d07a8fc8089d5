//! Chooses variants: those of the set and the filters that were asked for.

use std::collections::HashSet;
use std::fmt::Write;

use camino::Utf8PathBuf;
use kvmtest_cartesian::{Census, Diagnostic, Finding, Variant, nearest};

use super::config::{Loaded, Read, Texts, Unreadable};
use super::files::Shipped;
use super::filter;
use super::known::Known;
use super::selection::{Part, Selection};
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
    /// Only the default variant of each block that has one, as long as that leaves anything.
    pub defaults: bool,
    /// The named blocks that give all their variants nevertheless.
    pub expand_defaults: Vec<String>,
    /// Besides, only the variants of these full names, and some that have such a name in theirs.
    pub names: Option<Vec<String>>,
}

/// Why nothing was chosen.
#[derive(Debug)]
pub enum Refusal {
    /// The configuration cannot be read.
    Unreadable(Unreadable),
    /// Nothing matched: a sentence with the nearest names.
    Nothing(String),
    /// What was asked for cannot be done, or not with this configuration.
    Impossible(String),
}

impl Refusal {
    /// The exit code of a program that ends with this.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable(_) | Self::Impossible(_) => exit_code::SETUP_IMPOSSIBLE,
            Self::Nothing(_) => exit_code::NOTHING_MATCHED,
        }
    }

    /// The text for a person, in colour if the terminal takes it.
    pub fn render(&self, color: bool) -> String {
        match self {
            Self::Unreadable(unreadable) => unreadable.render(color),
            Self::Nothing(sentence) | Self::Impossible(sentence) => sentence.clone(),
        }
    }
}

/// Chooses variants. Without filters and without a set that is all of the first set.
///
/// A filter that is a variant's name, short or full, of several labels, as `list` prints it,
/// selects just that variant, although labels which the short name leaves out stand between those
/// it has. A filter that names a label which no variant has is refused, whatever the others match;
/// a statement that does so is warned of.
///
/// The files are read once, and again only where they include `<subtests>`.
pub fn select(choice: &Choice, shipped: &dyn Shipped, known: &Known) -> Result<Selection, Refusal> {
    let mut read = Texts::of(choice, shipped, known).read().map_err(Refusal::Unreadable)?;
    let sets = chosen_sets(choice, read.census())?;
    check_blocks(&choice.expand_defaults, read.census())?;
    check_labels(&choice.wanted, read.census(), known)?;
    let slips = read.slips();
    let names: Vec<String> = choice
        .wanted
        .names()
        .filter(|name| read.census().may_be_called(name))
        .map(str::to_owned)
        .collect();
    // A configuration without sets is one set, without a name.
    let tried = sets.len().max(1);
    for at in 0..tried {
        let set = sets.get(at);
        // What was read is large: it is copied only where it is needed again.
        let read = if at + 1 == tried { std::mem::take(&mut read) } else { read.clone() };
        if let Some(mut selection) = within(choice, &names, set, read)? {
            selection.warnings.extend(slips);
            return Ok(selection);
        }
    }
    Err(nothing(&choice.wanted, &sets, &slips))
}

/// What is chosen of a set; `None` where that is nothing.
fn within(
    choice: &Choice,
    names: &[String],
    set: Option<&String>,
    read: Read,
) -> Result<Option<Selection>, Refusal> {
    let filters = &choice.wanted.filters;
    let of_names = choice.names.as_deref().and_then(|names| any_of(names, read.census()));
    let finish = |read: Read, filter: Option<String>| {
        let only: Vec<String> =
            filter.into_iter().chain(set.cloned()).chain(of_names.clone()).collect();
        read.finish(&only).map_err(Refusal::Unreadable)
    };
    let mut parts = Vec::new();
    for name in names {
        let filter = (!read.census().has_joins()).then(|| name.replace('.', ".."));
        let near = finish(read.clone(), filter)?;
        let part = Part { config: near.config, name: Some(name.clone()) };
        if !part.is_empty() {
            parts.push(part);
        }
    }
    let called = |filter: &&String| parts.iter().any(|part| part.name.as_ref() == Some(filter));
    let others: Vec<&str> =
        filters.iter().filter(|filter| !called(filter)).map(String::as_str).collect();
    let filter = (!others.is_empty()).then(|| others.join(", "));
    let all_called = filter.is_none() && !parts.is_empty();
    let Loaded { config, warnings } = finish(read, filter)?;
    if !all_called {
        parts.push(Part { config, name: None });
    }
    let set = set.cloned();
    Ok((!parts.iter().all(Part::is_empty)).then_some(Selection { parts, set, warnings }))
}

/// A filter that variants of these full names pass; none where it would say nothing, or too much
/// to be worth it.
fn any_of(names: &[String], census: Census<'_>) -> Option<String> {
    const MANY: usize = 1000;
    let is_filter = names.iter().all(|name| filter::is_filter(name));
    (is_filter && !census.has_joins() && (1..=MANY).contains(&names.len()))
        .then(|| names.join(", "))
}

/// What is there of `choice` for dependencies: the variants whose names have one of `deps`, in the
/// set of the selection that has them. Filters of `choice` do not count, its statements do.
pub(super) fn select_dependencies(
    choice: &Choice,
    set: Option<&str>,
    deps: &[String],
    shipped: &dyn Shipped,
    known: &Known,
) -> Result<Vec<Variant>, Refusal> {
    /// A filter is judged again for each label of a name.
    const AT_ONCE: usize = 100;
    let read = Texts::of(choice, shipped, known).read().map_err(Refusal::Unreadable)?;
    let deps: Vec<&str> =
        deps.iter().map(String::as_str).filter(|dep| filter::is_filter(dep)).collect();
    let mut found = Vec::new();
    for deps in deps.chunks(AT_ONCE) {
        let only: Vec<String> =
            std::iter::once(deps.join(", ")).chain(set.map(str::to_owned)).collect();
        let loaded = read.clone().finish(&only).map_err(Refusal::Unreadable)?;
        found.extend(loaded.config.variants());
    }
    Ok(found)
}

/// The sets to look in: the one that was asked for, or all of them.
fn chosen_sets(choice: &Choice, census: Census<'_>) -> Result<Vec<String>, Refusal> {
    // A later value is the one that counts.
    let sets = census.assigned("sets").pop().unwrap_or_default();
    let sets: Vec<&str> = sets.split_whitespace().collect();
    match &choice.set {
        Some(set) if !sets.contains(&set.as_str()) => Err(no_such_set(set, &sets)),
        Some(set) => Ok(vec![set.clone()]),
        None => Ok(sets.into_iter().map(str::to_owned).collect()),
    }
}

fn no_such_set(set: &str, sets: &[&str]) -> Refusal {
    let list = if sets.is_empty() {
        "the configuration has no sets (key `sets`)".to_owned()
    } else {
        format!("there are {}", quoted(sets))
    };
    Refusal::Nothing(format!("there is no set `{}`: {list}", set.escape_debug()))
}

/// A block that is not there cannot be expanded.
fn check_blocks(names: &[String], census: Census<'_>) -> Result<(), Refusal> {
    let blocks: HashSet<&str> = census.blocks().collect();
    let Some(unknown) = names.iter().find(|name| !blocks.contains(name.as_str())) else {
        return Ok(());
    };
    let near = nearest(unknown, blocks.iter().copied(), 3);
    let hint = match near.as_slice() {
        [] if blocks.is_empty() => {
            "; no block of the configuration has a name (`variants NAME:`)".to_owned()
        }
        [] => String::new(),
        near => format!("; did you mean {}?", quoted(near)),
    };
    let unknown = unknown.escape_debug();
    Err(Refusal::Nothing(format!("there is no block of variants called `{unknown}`{hint}")))
}

/// A filter with a label that nobody has is a slip, and would silently be worth nothing beside
/// others that match.
fn check_labels(wanted: &Wanted, census: Census<'_>, subtests: &Known) -> Result<(), Refusal> {
    if wanted.filters.is_empty() {
        return Ok(());
    }
    let labels: HashSet<&str> = census.labels().collect();
    let named: HashSet<(&str, &str)> = census.named_labels().collect();
    let is_known = |label: &&str| match filter::taken_apart(label) {
        Some((Some(block), name)) => named.contains(&(block, name)),
        Some((None, name)) => labels.contains(name),
        None => labels.contains(label),
    };
    let unknown: Vec<&str> = wanted.labels().filter(|label| !is_known(label)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    if let Some(why) = unknown.iter().find_map(|label| subtests.why_not(label, None)) {
        return Err(Refusal::Nothing(why));
    }
    // Two words may have been meant as a statement.
    let spaced = wanted.filters.iter().any(|filter| filter.contains(' '));
    let keywords = if spaced { KEYWORDS } else { &[] };
    let written: Vec<String> =
        named.iter().map(|(block, name)| format!("({block}={name})")).collect();
    let names = || labels.iter().chain(keywords).copied().chain(written.iter().map(String::as_str));
    let near: Vec<&str> = unknown.iter().flat_map(|label| nearest(label, names(), 5)).collect();
    let mean =
        if near.is_empty() { String::new() } else { format!("; did you mean {}?", quoted(&near)) };
    let statement = if spaced { " A statement has an operator, as `mem = 1024`." } else { "" };
    if let Some(keyword) = unknown.iter().find(|label| KEYWORDS.contains(label)) {
        return Err(Refusal::Nothing(format!(
            "`{keyword}` alone is no statement: write it and what follows as one word, `'{keyword} …'`"
        )));
    }
    let sentence = format!(
        "no variant has {}{mean}{statement} (`kvmtest list` shows what there is; a new subtest has \
         to be built in, or be in a folder that `--subtests` names)",
        quoted(&unknown)
    );
    Err(Refusal::Nothing(sentence))
}

fn nothing(wanted: &Wanted, sets: &[String], slips: &[Diagnostic]) -> Refusal {
    let mut sentence = match (wanted.filters.as_slice(), wanted.statements.as_slice()) {
        ([], []) => "the configuration has no variants".to_owned(),
        ([], statements) => format!("no variant is left by {}", quoted(statements)),
        (filters, []) => format!("no variant matches {}", quoted(filters)),
        (filters, statements) => {
            format!("no variant matches {} with {}", quoted(filters), quoted(statements))
        }
    };
    if !sets.is_empty() {
        let noun = plural("set", sets.len());
        let _ = write!(sentence, " in {noun} {}", quoted(sets));
    }
    let mut slips =
        slips.iter().filter(|slip| slip.finding == Some(Finding::UnknownLabel)).peekable();
    let is_meant = slips.peek().is_none();
    for slip in slips {
        let label = slip.excerpt.get(slip.marked.clone()).unwrap_or_default();
        let help = slip.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        let _ = write!(sentence, ": no variant has `{label}`{help}");
    }
    if is_meant && !wanted.filters.is_empty() {
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
