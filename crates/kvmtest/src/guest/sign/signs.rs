//! The signs that a console is searched for, as `params` want it.

use std::sync::{Arc, LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

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
    /// Finds the words of the table.
    words: AhoCorasick,
    /// Whose word each is.
    of: Vec<usize>,
    wanted: Vec<Wanted>,
}

#[derive(Debug)]
struct Wanted {
    entry: Entry,
    pattern: Pattern,
}

#[derive(Debug)]
enum Pattern {
    /// Of the table: only a line with one of its words is worth an expression.
    Table(&'static str, OnceLock<Option<Regex>>),
    /// Somebody's own.
    Own(Regex),
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

    /// As [`of`](Self::of), for one VM of several: keys for it alone (`watch_action_oops_vm1`)
    /// count.
    pub fn of_vm(params: &Params, vm: &str) -> Result<Arc<Self>> {
        Self::of(&params.object_params(vm)).with_context(|| format!("watching the VM `{vm}`"))
    }

    /// The first sign that a line shows.
    pub fn find(&self, line: &[u8]) -> Option<&Entry> {
        let mut hit = vec![false; self.wanted.len()];
        for word in self.words.find_overlapping_iter(line) {
            hit[self.of[word.pattern().as_usize()]] = true;
        }
        let shows = |(index, wanted): &(usize, &Wanted)| match &wanted.pattern {
            Pattern::Own(expression) => expression.is_match(line),
            Pattern::Table(pattern, compiled) => {
                hit[*index]
                    && compiled
                        .get_or_init(|| Regex::new(&expression(pattern)).ok())
                        .as_ref()
                        .is_some_and(|expression| expression.is_match(line))
            }
        };
        self.wanted.iter().enumerate().find(shows).map(|(_, wanted)| &wanted.entry)
    }

    fn read(params: &Params) -> Result<Self> {
        let mut signs = Vec::new();
        let (mut words, mut of) = (Vec::new(), Vec::new());
        // One's own first: who writes them knows best what a line means.
        for name in params.objects("watch_patterns") {
            if super::Sign::named(name).is_some() {
                let what = "names of one's own (this one is taken by a sign of kvmtest: set its \
                            `watch_pattern_…` or `watch_action_…`)";
                return Err(params.wrong("watch_patterns", what));
            }
            let entry = Entry {
                name: name.to_owned(),
                what: format!("shows what the pattern `{name}` looks for"),
                action: action(params, name, Action::Fail)?,
                kind: ErrorKind::GuestFault,
            };
            let key = format!("watch_pattern_{name}");
            let pattern = Pattern::Own(own(params, &key, params.get(&key)?)?);
            signs.push(Wanted { entry, pattern });
        }
        for sign in SIGNS {
            let Source::Console(pattern, own_words) = sign.source else { continue };
            let key = format!("watch_pattern_{}", sign.name);
            let pattern = match params.find_nonempty(&key) {
                Some(text) => Pattern::Own(own(params, &key, text)?),
                None => Pattern::Table(pattern, OnceLock::new()),
            };
            words.extend(own_words);
            of.extend(own_words.iter().map(|_| signs.len()));
            let entry = Entry {
                name: sign.name.to_owned(),
                what: sign.what.to_owned(),
                action: action(params, sign.name, sign.action)?,
                kind: sign.kind,
            };
            signs.push(Wanted { entry, pattern });
        }
        let mut this = Self { words: automaton(&words)?, of, wanted: signs };
        if this.wanted.iter().any(|wanted| wanted.entry.action == Action::Ignore) {
            this.leave_out_what_is_ignored(&words)?;
        }
        Ok(this)
    }

    fn leave_out_what_is_ignored(&mut self, words: &[&str]) -> Result<()> {
        let stays = |wanted: &Wanted| wanted.entry.action != Action::Ignore;
        let place = |index: usize| self.wanted[..index].iter().filter(|it| stays(it)).count();
        let kept: Vec<(&str, usize)> = words
            .iter()
            .zip(&self.of)
            .filter(|(_, index)| stays(&self.wanted[**index]))
            .map(|(word, index)| (*word, place(*index)))
            .collect();
        let (words, of): (Vec<&str>, Vec<usize>) = kept.into_iter().unzip();
        self.wanted.retain(stays);
        self.of = of;
        self.words = automaton(&words)?;
        Ok(())
    }
}

impl Entry {
    /// What has happened to the VM called `vm`, by the line that shows it.
    pub fn message(&self, vm: &str, line: &str) -> String {
        match self.kind {
            ErrorKind::GuestNotBooted => format!("the VM `{vm}` says that it cannot boot: {line}"),
            _ => format!("the guest of the VM `{vm}` {}: {line}", self.what),
        }
    }
}

fn automaton(words: &[&str]) -> Result<AhoCorasick> {
    AhoCorasick::new(words).map_err(|error| Error::new(ErrorKind::Params, error.to_string()))
}

/// An expression of the table in full. What it looks for is ASCII, and so quickly looked for.
fn expression(pattern: &str) -> String {
    format!("(?-u:{})", pattern.replace("KERNEL", KERNEL))
}

/// Somebody's own expression, which the key `key` holds.
fn own(params: &Params, key: &str, text: &str) -> Result<Regex> {
    RegexBuilder::new(text).size_limit(1 << 20).build().map_err(|error| {
        let why = error.to_string();
        // It draws a picture of several lines; the last one says it in words.
        let why = why.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        let place = params.origin(key).map(|origin| format!(" ({origin})")).unwrap_or_default();
        Error::new(ErrorKind::Params, format!("`{key}` is no regular expression: {why}{place}"))
    })
}
