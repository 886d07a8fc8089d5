//! What the shell is offered where the command line wants a name.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use clap::{CommandFactory, FromArgMatches};
use clap_complete::CompletionCandidate;
use kvmtest::env::{self, Env};
use kvmtest::guest::GuestStore;
use kvmtest::state::{Recipe, Store};
use kvmtest_runner::plan::{Offer, Offers};

use crate::args::{Args, Command, Selection, State, StateCommand};
use crate::command::offered;

/// Filters: names of tests, and labels, of the configuration that was typed.
pub(crate) fn tests(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    ask(|offers| offers.filters(current))
}

/// The sets of the configuration that was typed.
pub(crate) fn sets() -> Vec<CompletionCandidate> {
    ask(Offers::sets)
}

/// The named blocks of the configuration that was typed.
pub(crate) fn blocks() -> Vec<CompletionCandidate> {
    ask(Offers::blocks)
}

/// The keys of the configuration that was typed.
pub(crate) fn keys(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    ask(|offers| offers.keys(current))
}

/// The machines that the env files know.
pub(crate) fn machines() -> Vec<CompletionCandidate> {
    let files = env::files().unwrap_or_default();
    let vms = files.iter().filter_map(|path| Env::open(path).ok()?.get_all_vms().ok()).flatten();
    vms.map(|vm| CompletionCandidate::new(vm.name())).collect()
}

/// The environments that have machines, by the names of their files.
pub(crate) fn environments() -> Vec<CompletionCandidate> {
    let files = env::files().unwrap_or_default();
    files.iter().filter_map(|path| Some(CompletionCandidate::new(path.file_stem()?))).collect()
}

/// The states in the cache: names, and digests of as many digits as are listed.
pub(crate) fn states() -> Vec<CompletionCandidate> {
    let states = Store::open().and_then(|store| store.list()).unwrap_or_default();
    // What steers a terminal, or holds blanks, is for nobody to type.
    let names = states.iter().filter_map(|state| state.name.as_deref());
    let names: BTreeSet<&str> = names.filter(|name| Recipe::new(name).is_ok()).collect();
    let digests = states.iter().filter_map(|state| state.digest.get(..12));
    names.into_iter().chain(digests).map(CompletionCandidate::new).collect()
}

/// The guests that can be built.
pub(crate) fn guests() -> Vec<CompletionCandidate> {
    let known = GuestStore::known().iter();
    known
        .map(|guest| CompletionCandidate::new(guest.name).help(Some(guest.description.into())))
        .collect()
}

fn ask(what: impl FnOnce(&Offers) -> Vec<Offer>) -> Vec<CompletionCandidate> {
    let offers = typed().and_then(|typed| offered(&typed, what)).unwrap_or_default();
    offers
        .into_iter()
        .map(|offer| {
            let help = (!offer.help.is_empty()).then(|| offer.help.into());
            CompletionCandidate::new(offer.text).help(help)
        })
        .collect()
}

/// What stands on the command line besides the word that is completed. The shell's script gives
/// it after `--`, and the number of that word in a variable, or else it is the last one.
fn typed() -> Option<Selection> {
    let mut words: Vec<OsString> =
        std::env::args_os().skip_while(|word| word != "--").skip(1).map(unquoted).collect();
    let number = std::env::var("_CLAP_COMPLETE_INDEX").ok();
    let number =
        number.and_then(|number| number.parse().ok()).unwrap_or(words.len().saturating_sub(1));
    if number < words.len() {
        words.remove(number);
    }
    let words = joined(words);
    let matches = Args::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    match Args::from_arg_matches(&matches).ok()?.command {
        Command::Run(run) => Some(run.selection),
        Command::List(list) => Some(list.selection),
        Command::Show(show) => Some(show.selection),
        Command::State(State { command: StateCommand::Build(build) }) => Some(build.selection),
        _ => None,
    }
}

/// `--option=value` as one word, which it is not for bash.
fn joined(words: Vec<OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    for word in words {
        match joined.last_mut().filter(|last| last.as_encoded_bytes().starts_with(b"--")) {
            Some(last) if word == "=" || last.as_encoded_bytes().ends_with(b"=") => last.push(word),
            _ => joined.push(word),
        }
    }
    joined
}

/// A word as the program gets it: shells give words to completion as they were typed.
fn unquoted(word: OsString) -> OsString {
    let Some(text) = word.to_str() else { return word };
    for quote in ['"', '\''] {
        if let Some(inside) = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)) {
            return inside.into();
        }
    }
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(mut home)) => {
            home.push("/");
            home.push(rest);
            home
        }
        _ => text.replace('\\', "").into(),
    }
}
