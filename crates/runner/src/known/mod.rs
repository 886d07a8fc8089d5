//! Known failures: a list, in a file of its own, of tests that are expected to fail, each with a
//! reason and a day until which that is accepted.

mod entry;
mod file;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::civil::Date;
use kvmtest::Result;

use crate::event::KnownFailure;
use crate::outcome::Outcome;
use crate::plan::PlannedTest;
use entry::Entry;

/// The known failures of a run.
#[derive(Debug, Clone, Default)]
pub struct Known {
    entries: Vec<Entry>,
    /// For each test, by its number, the entries that are about it.
    about: HashMap<u32, Vec<usize>>,
    today: Option<Date>,
}

impl Known {
    /// Reads `file`, which is about all tests, and the files that the param `known_failures` of a
    /// test names, each of which is about the tests that name it. A relative path in a param is
    /// looked up in the folder of the configuration file that sets it.
    ///
    /// A file that cannot be read is an error, as is an entry in it without a reason, with a filter
    /// that the language refuses, or with anything that is unknown: each error is told with its
    /// line. Whether other tests than these pass the filter of an entry is not known here:
    /// [`idle`](Self::idle) has those that pass none.
    pub fn read(file: Option<&Utf8Path>, tests: &[PlannedTest], today: Date) -> Result<Self> {
        let mut known = Self { today: Some(today), ..Self::default() };
        let mut read: HashMap<Utf8PathBuf, Vec<usize>> = HashMap::new();
        if let Some(file) = file {
            let entries = known.add(file)?;
            known.relate(tests.iter(), &entries);
            read.insert(file.to_owned(), entries);
        }
        for test in tests {
            let Some(path) = named(test) else { continue };
            if file == Some(&path) {
                continue;
            }
            if !read.contains_key(&path) {
                let entries = known.add(&path)?;
                read.insert(path.clone(), entries);
            }
            known.relate(std::iter::once(test), &read[&path]);
        }
        Ok(known)
    }

    /// The entries that are about none of the tests: the filter of each, and its file and line.
    pub fn idle(&self) -> Vec<(&str, &str)> {
        let used: HashSet<usize> = self.about.values().flatten().copied().collect();
        let entries = self.entries.iter().enumerate().filter(|(index, _)| !used.contains(index));
        entries.map(|(_, entry)| (entry.tests.as_str(), entry.place.as_str())).collect()
    }

    /// What to report where `test` ended as `outcome`: nothing, unless that is FAIL or ERROR and an
    /// entry expects it which has not expired, or the test says `unstable = yes`.
    pub fn of(&self, test: &PlannedTest, outcome: Outcome) -> Option<KnownFailure> {
        if !is_counted(outcome) || outcome.is_pass() {
            return None;
        }
        unstable(test).or_else(|| {
            let mut entries = self.about(test.number);
            let entry = entries.find(|entry| !self.has_expired(entry))?;
            Some(KnownFailure { reason: entry.reason.clone(), link: entry.link.clone() })
        })
    }

    /// What is wrong with the list itself, after tests ended like this (by their numbers; each
    /// try that counts): entries that have expired, and entries whose tests all passed. Each is a
    /// sentence with file and line, and makes the run a failed one.
    pub fn unmet(&self, ended: impl IntoIterator<Item = (u32, Outcome)>) -> Vec<String> {
        let mut seen: Vec<Seen> = self.entries.iter().map(|_| Seen::default()).collect();
        for (number, outcome) in ended {
            for &entry in self.about.get(&number).into_iter().flatten() {
                seen[entry].add(outcome);
            }
        }
        let told = self.entries.iter().zip(&seen);
        told.filter_map(|(entry, seen)| self.judge(entry, seen)).collect()
    }

    fn judge(&self, entry: &Entry, seen: &Seen) -> Option<String> {
        let Entry { place, tests, .. } = entry;
        if seen.ended == 0 {
            None
        } else if self.has_expired(entry) {
            let day = entry.expires;
            Some(format!("{place}: the known failure of `{tests}` expired on {day}"))
        } else if seen.passed > 0 && seen.failed == 0 {
            let count = seen.passed;
            let noun = if count == 1 { "test" } else { "tests" };
            Some(format!(
                "{place}: `{tests}` does not fail any more ({count} {noun} passed): remove the entry"
            ))
        } else {
            None
        }
    }

    fn about(&self, number: u32) -> impl Iterator<Item = &Entry> {
        self.about.get(&number).into_iter().flatten().map(|entry| &self.entries[*entry])
    }

    fn has_expired(&self, entry: &Entry) -> bool {
        self.today.is_some_and(|today| entry.expires < today)
    }

    fn add(&mut self, path: &Utf8Path) -> Result<Vec<usize>> {
        let entries = file::read(path)?;
        let from = self.entries.len();
        self.entries.extend(entries);
        Ok((from..self.entries.len()).collect())
    }

    fn relate<'a>(&mut self, tests: impl Iterator<Item = &'a PlannedTest>, entries: &[usize]) {
        for test in tests {
            let about = |entry: &&usize| self.entries[**entry].is_about(&test.name);
            let found: Vec<usize> = entries.iter().filter(about).copied().collect();
            if !found.is_empty() {
                self.about.entry(test.number).or_default().extend(found);
            }
        }
    }
}

/// How the tests of an entry ended.
#[derive(Debug, Default)]
struct Seen {
    ended: usize,
    passed: usize,
    failed: usize,
}

impl Seen {
    fn add(&mut self, outcome: Outcome) {
        self.ended += usize::from(is_counted(outcome));
        self.passed += usize::from(outcome.is_pass());
        self.failed += usize::from(is_counted(outcome) && !outcome.is_pass());
    }
}

/// Whether an outcome says anything about whether the test fails.
fn is_counted(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Pass | Outcome::Warn | Outcome::Fail | Outcome::Error)
}

/// The file that the param names.
fn named(test: &PlannedTest) -> Option<Utf8PathBuf> {
    const KEY: &str = "known_failures";
    let path = Utf8Path::new(test.params.find_nonempty(KEY)?.trim());
    let folder =
        test.params.origin(KEY).map(|origin: &kvmtest::params::Origin| Arc::clone(&origin.file));
    // A configuration that is no file (`<command line>`, what is built in) has no folder.
    let folder = folder.filter(|file| !file.starts_with('<'));
    Some(match folder.as_deref().map(Utf8Path::new).and_then(Utf8Path::parent) {
        Some(folder) => folder.join(path),
        None => path.to_owned(),
    })
}

/// A test that says of itself that it may fail. That it has a reason was seen to when it was
/// planned.
fn unstable(test: &PlannedTest) -> Option<KnownFailure> {
    let own = &test.params;
    if !own.get_bool_or("unstable", false).unwrap_or(false) {
        return None;
    }
    let reason = own.find_nonempty("unstable_reason")?.to_owned();
    Some(KnownFailure { reason, link: own.find_nonempty("unstable_link").map(str::to_owned) })
}
