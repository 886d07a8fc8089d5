//! The signs that a console is searched for, as `params` want it.

use std::sync::{Arc, LazyLock};

use regex::bytes::{RegexSet, RegexSetBuilder};

use super::{Action, SIGNS, Source, action};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::params::Params;

/// What a message of Linux begins with: a time stamp (`[    1.234567] `, with the number of a
/// processor or a thread behind it where the kernel says that), or the beginning of the line.
const KERNEL: &str = r"(?:^|\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? *)(?:<\d+>)?";

static USUAL: LazyLock<Arc<Signs>> = LazyLock::new(|| {
    Arc::new(Signs::read(&Params::new()).expect("the table of signs holds for itself"))
});

/// The signs that a console is searched for.
#[derive(Debug)]
pub struct Signs {
    set: RegexSet,
    entries: Vec<Entry>,
}

/// A sign that a console is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What `params` call it.
    pub name: String,
    /// What has happened, as it goes on after "the guest of the VM `vm1` ".
    pub what: String,
    /// What is done about it.
    pub action: Action,
    /// The kind of error that it is.
    pub kind: ErrorKind,
}

impl Signs {
    /// The signs of the [table](SIGNS), as changed by `params`, and those of `watch_patterns`:
    /// names, each with an expression `watch_pattern_NAME`. What is to be ignored is left out.
    pub fn of(params: &Params) -> Result<Arc<Self>> {
        if params.iter().any(|(key, _)| key.starts_with("watch_")) {
            Self::read(params).map(Arc::new)
        } else {
            Ok(Arc::clone(&USUAL))
        }
    }

    /// The first sign that a line shows.
    pub fn find(&self, line: &[u8]) -> Option<&Entry> {
        let first = self.set.matches(line).into_iter().next()?;
        self.entries.get(first)
    }

    fn read(params: &Params) -> Result<Self> {
        let mut patterns = Vec::new();
        let mut entries = Vec::new();
        // One's own first: who writes them knows best what a line means.
        for name in params.objects("watch_patterns") {
            if super::Sign::named(name).is_some() {
                let what = "names of one's own (this one is taken by a sign of kvmtest: set its \
                            `watch_pattern_…` or `watch_action_…`)";
                return Err(params.wrong("watch_patterns", what));
            }
            patterns.push(params.get(&format!("watch_pattern_{name}"))?.to_owned());
            entries.push(Entry {
                name: name.to_owned(),
                what: format!("shows what the pattern `{name}` looks for"),
                action: action(params, name, Action::Fail)?,
                kind: ErrorKind::GuestFault,
            });
        }
        for sign in SIGNS {
            let Source::Console(pattern) = sign.source else { continue };
            let own = params.find_nonempty(&format!("watch_pattern_{}", sign.name));
            patterns.push(own.map_or_else(|| expression(pattern), str::to_owned));
            entries.push(Entry {
                name: sign.name.to_owned(),
                what: sign.what.to_owned(),
                action: action(params, sign.name, sign.action)?,
                kind: sign.kind,
            });
        }
        let mut keep = entries.iter().map(|entry| entry.action != Action::Ignore);
        patterns.retain(|_| keep.next().unwrap_or(true));
        entries.retain(|entry| entry.action != Action::Ignore);
        let set = RegexSetBuilder::new(&patterns).size_limit(1 << 20).build();
        let set = set.map_err(|error| wrong(&entries, &patterns, &error))?;
        Ok(Self { set, entries })
    }
}

/// An expression of the table in full. What it looks for is ASCII, and so quickly looked for.
fn expression(pattern: &str) -> String {
    format!("(?-u:{})", pattern.replace("KERNEL", KERNEL))
}

/// Which of the expressions it is that cannot be understood.
fn wrong(entries: &[Entry], patterns: &[String], all: &regex::Error) -> Error {
    let culprit = patterns.iter().zip(entries).find_map(|(pattern, entry)| {
        let error = regex::bytes::Regex::new(pattern).err()?;
        Some((format!("watch_pattern_{}", entry.name), error.to_string()))
    });
    let (key, why) = culprit.unwrap_or_else(|| ("watch_patterns".into(), all.to_string()));
    // It draws a picture of several lines; the last one says it in words.
    let why = why.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
    Error::new(ErrorKind::Params, format!("`{key}` is no regular expression: {why}"))
}

impl Signs {
    /// As [`of`](Self::of), for one VM of several: keys for it alone (`watch_action_oops_vm1`)
    /// count.
    pub fn of_vm(params: &Params, vm: &str) -> Result<Arc<Self>> {
        Self::of(&params.object_params(vm)).with_context(|| format!("watching the VM `{vm}`"))
    }
}
