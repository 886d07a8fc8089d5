//! Chooses variants: those of the set and the filters that were asked for.

use std::collections::HashSet;

use camino::Utf8PathBuf;
use kvmtest_cartesian::{Census, Variant, nearest};

use super::config::{Loaded, Read, Texts};
use super::files::Shipped;
use super::known::Known;
use super::refusal::Refusal;
use super::selection::{Part, Selection};
use super::unmatched::{Scattered, check_labels, quoted};
use super::what::Wanted;
use super::{filter, keys, label};

/// What is to be chosen.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Filters and statements.
    pub wanted: Wanted,
    /// The configuration to read; the shipped one where none is named.
    pub config: Option<Utf8PathBuf>,
    /// The set to take: one of those that the key `sets` of the configuration names. Where none is
    /// named, it is the first one in which everything is found that is wanted.
    pub set: Option<String>,
    /// Only the default variant of each block that has one, as long as that leaves anything.
    pub defaults: bool,
    /// The named blocks that give all their variants nevertheless.
    pub expand_defaults: Vec<String>,
    /// Besides, only the variants of these full names, and some that have such a name in theirs.
    pub names: Option<Vec<String>>,
}

/// How many variants are looked at before a word is searched for by itself.
const LOOKED_AT: usize = 256;

/// Chooses variants. Without filters and without a set that is all of the first set.
///
/// A filter that is a variant's name, short or full, of several labels, as `list` prints it,
/// selects just that variant, although labels which the short name leaves out stand between those
/// it has. The set is the first one in which every word of the filters finds something; where
/// there is none, the error names what each finds, so that no word is dropped in silence. Only
/// where names are given besides ([`Choice::names`]), a word may find nothing among these:
/// [`Selection::idle`] has it then. A statement with a label that no variant has is warned of.
///
/// The files are read once, and again only where they include `<subtests>`, and to tell what is
/// wrong.
pub fn select(choice: &Choice, shipped: &dyn Shipped, known: &Known) -> Result<Selection, Refusal> {
    let mut read = Texts::of(choice, shipped, known).read().map_err(Refusal::Unreadable)?;
    let sets = chosen_sets(choice, read.census())?;
    check_blocks(&choice.expand_defaults, read.census())?;
    check_labels(&choice.wanted, read.census(), known)?;
    let slips = read.slips();
    let unread = keys::unread(&read, known);
    let names: Vec<String> = choice
        .wanted
        .names()
        .filter(|name| read.census().may_be_called(name))
        .map(str::to_owned)
        .collect();
    let words: Vec<&str> = choice.wanted.words().collect();
    // A configuration without sets is one set, without a name.
    let tried = sets.len().max(1);
    let mut missing = None;
    for at in 0..tried {
        let set = sets.get(at);
        // What was read is large: it is copied only where it is needed again.
        let is_last = at + 1 == tried && words.len() < 2;
        let copy = if is_last { std::mem::take(&mut read) } else { read.clone() };
        let Some(mut selection) = within(choice, &names, set, copy)? else { continue };
        let idle = idle(choice, &words, &selection, &read)?;
        if idle.is_empty() || choice.names.is_some() {
            selection.idle = idle.into_iter().map(str::to_owned).collect();
            selection.warnings.extend(slips.into_iter().chain(unread));
            return Ok(selection);
        }
        missing.get_or_insert(idle);
    }
    let defaults = choice.defaults && words.len() > 1;
    // What defaults leave depends on all words together.
    let homes = if defaults { Vec::new() } else { homes(choice, &words, &names, shipped, known)? };
    let missing = missing.unwrap_or(words);
    Err(Scattered { missing, sets: &sets, homes, defaults }.refusal(&choice.wanted, &slips))
}

/// The words that find nothing, of those that together find `selection`. `read` is needed for
/// several only.
fn idle<'a>(
    choice: &Choice,
    words: &[&'a str],
    selection: &Selection,
    read: &Read,
) -> Result<Vec<&'a str>, Refusal> {
    let mut left = words.to_vec();
    left.retain(|word| !selection.parts.iter().any(|part| part.name.as_deref() == Some(word)));
    if words.len() < 2 || left.is_empty() {
        return Ok(Vec::new());
    }
    // Most words are found at once. What defaults leave can only be seen by going through it: it
    // depends on all words together.
    let enough = if choice.defaults { usize::MAX } else { LOOKED_AT };
    if choice.defaults || !read.census().has_joins() {
        for variant in selection.variants().take(enough) {
            left.retain(|word| !label::passes(variant.name(), word));
            if left.is_empty() {
                return Ok(left);
            }
        }
    }
    if choice.defaults {
        return Ok(left);
    }
    let of_names = choice.names.as_deref().and_then(|names| any_of(names, read.census()));
    let mut idle = Vec::new();
    for word in left {
        let only: Vec<String> = [Some(word.to_owned()), selection.set.clone(), of_names.clone()]
            .into_iter()
            .flatten()
            .collect();
        let loaded = read.clone().finish(&only).map_err(Refusal::Unreadable)?;
        if loaded.config.variants().next().is_none() {
            idle.push(word);
        }
    }
    Ok(idle)
}

/// For each word the sets of the configuration in which it finds something by itself.
fn homes<'a>(
    choice: &Choice,
    words: &[&'a str],
    names: &[String],
    shipped: &dyn Shipped,
    known: &Known,
) -> Result<Vec<(&'a str, Vec<String>)>, Refusal> {
    let read = Texts::of(choice, shipped, known).read().map_err(Refusal::Unreadable)?;
    let sets = chosen_sets(&Choice { set: None, ..choice.clone() }, read.census())?;
    let mut homes = Vec::new();
    for &word in words {
        let wanted = Wanted { filters: vec![word.to_owned()], ..choice.wanted.clone() };
        let alone = Choice { wanted, ..choice.clone() };
        let names: Vec<String> = names.iter().filter(|name| *name == word).cloned().collect();
        let mut of_word = Vec::new();
        for set in &sets {
            if within(&alone, &names, Some(set), read.clone())?.is_some() {
                of_word.push(set.clone());
            }
        }
        homes.push((word, of_word));
    }
    Ok(homes)
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
    Ok((!parts.iter().all(Part::is_empty)).then_some(Selection {
        parts,
        set,
        warnings,
        idle: Vec::new(),
    }))
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

/// Of some filters those that no variant of the whole configuration passes, whatever set, filters
/// and statements were chosen.
pub fn nowhere<'a>(
    choice: &Choice,
    filters: &[&'a str],
    shipped: &dyn Shipped,
    known: &Known,
) -> Result<Vec<&'a str>, Refusal> {
    let mut left = filters.to_vec();
    // What a statement leaves out is there; what one includes is there, too.
    for statements in [&[][..], &choice.wanted.statements] {
        if left.is_empty() {
            break;
        }
        let texts = Texts { statements, defaults: None, ..Texts::of(choice, shipped, known) };
        let read = texts.read().map_err(Refusal::Unreadable)?;
        let mut nowhere = Vec::new();
        for filter in left {
            let loaded = read.clone().finish(&[filter.to_owned()]).map_err(Refusal::Unreadable)?;
            if loaded.config.variants().next().is_none() {
                nowhere.push(filter);
            }
        }
        left = nowhere;
    }
    Ok(left)
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
