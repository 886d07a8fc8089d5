//! What is said where a word that was typed finds nothing.

use std::collections::HashSet;
use std::fmt::Write;

use kvmtest_cartesian::{Census, Diagnostic, Finding, nearest};

use super::filter;
use super::known::Known;
use super::refusal::Refusal;
use super::what::{KEYWORDS, Wanted};

/// A filter with a label that nobody has is a slip, and would silently be worth nothing beside
/// others that match.
pub(super) fn check_labels(
    wanted: &Wanted,
    census: Census<'_>,
    subtests: &Known,
) -> Result<(), Refusal> {
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
        return Err(Refusal::Usage(format!(
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

/// Words of which no set has all, or the set that was asked for has not.
pub(super) struct Scattered<'a> {
    /// The words that find nothing.
    pub(super) missing: Vec<&'a str>,
    /// The sets that were looked in.
    pub(super) sets: &'a [String],
    /// For each word that was typed the sets that have it.
    pub(super) homes: Vec<(&'a str, Vec<String>)>,
    /// Whether only defaults were looked at, which may be why.
    pub(super) defaults: bool,
}

impl Scattered<'_> {
    /// What is told of it.
    pub(super) fn refusal(&self, wanted: &Wanted, slips: &[Diagnostic]) -> Refusal {
        let (away, nowhere): (Vec<&str>, Vec<&str>) =
            self.missing.iter().partition(|word| self.homes_of(word).next().is_some());
        // Of several sets there may be one for what is missing in the first.
        let is_anywhere = self.sets.len() > 1;
        if is_anywhere && nowhere.is_empty() && !away.is_empty() {
            return Refusal::Nothing(self.no_set_has_all());
        }
        let missing = if is_anywhere { &nowhere } else { &self.missing };
        let mut sentence = match (missing.as_slice(), wanted.statements.as_slice()) {
            ([], []) => "the configuration has no variants".to_owned(),
            ([], statements) => format!("no variant is left by {}", quoted(statements)),
            (words, []) => format!("no variant matches {}", quoted(words)),
            (words, statements) => {
                format!("no variant matches {} with {}", quoted(words), quoted(statements))
            }
        };
        if !self.sets.is_empty() {
            let noun = plural("set", self.sets.len());
            let _ = write!(sentence, " in {noun} {}", quoted(self.sets));
        }
        let mut slips =
            slips.iter().filter(|slip| slip.finding == Some(Finding::UnknownLabel)).peekable();
        let is_meant = slips.peek().is_none();
        for slip in slips {
            let label = slip.excerpt.get(slip.marked.clone()).unwrap_or_default();
            let help = slip.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            let _ = write!(sentence, ": no variant has `{label}`{help}");
        }
        if is_meant {
            for word in away.into_iter().filter(|_| !is_anywhere) {
                let homes: Vec<&str> = self.homes_of(word).collect();
                let noun = plural("set", homes.len());
                let _ = write!(sentence, "; `{word}` is in the {noun} {}", quoted(&homes));
            }
            if self.defaults && !nowhere.is_empty() {
                sentence.push_str(
                    ": `--defaults` leaves none of its variants (`--expand-defaults` names blocks \
                     that keep all of theirs)",
                );
            } else if nowhere.iter().any(|word| filter::labels(word).count() > 1) {
                sentence.push_str(": each of its labels exists, but no variant has them together");
            } else if !nowhere.is_empty() && !wanted.statements.is_empty() {
                sentence.push_str(match wanted.statements.as_slice() {
                    [_] => ": the label exists, but the statement leaves none of its variants",
                    _ => ": the label exists, but the statements leave none of its variants",
                });
            } else if !nowhere.is_empty() {
                sentence.push_str(": the label exists, but no variant that is left has it");
            }
        }
        sentence.push_str(" (`kvmtest list` shows what there is)");
        Refusal::Nothing(sentence)
    }

    fn no_set_has_all(&self) -> String {
        let words: Vec<&str> = self.homes.iter().map(|(word, _)| *word).collect();
        let mut sentence = format!("no set has all of {}", quoted(&words));
        for (at, (word, homes)) in self.homes.iter().enumerate() {
            let before = if at == 0 { ':' } else { ';' };
            let _ = write!(sentence, "{before} `{word}` is in {}", quoted(homes));
        }
        sentence.push_str(" (`--set` names one; what it does not have is run by itself)");
        sentence
    }

    fn homes_of(&self, word: &str) -> impl Iterator<Item = &str> {
        let homes = self.homes.iter().filter(move |(other, _)| *other == word);
        homes.flat_map(|(_, homes)| homes).map(String::as_str)
    }
}

pub(super) fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

fn plural(noun: &str, count: usize) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}
