//! What the shell is offered where the command line wants a name.

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;
use kvmtest::env::{self, Env};
use kvmtest::guest::GuestStore;
use kvmtest_runner::plan;

use crate::command::everything;

/// The short names of the shipped tests.
pub(crate) fn tests(current: &OsStr) -> Vec<CompletionCandidate> {
    let _ = current;
    let Some((selection, known)) = everything() else { return Vec::new() };
    let rows = plan::list(&selection, &known);
    rows.map(|row| CompletionCandidate::new(row.shortname).help(Some(row.doc.into()))).collect()
}

/// The machines that the env files know.
pub(crate) fn machines() -> Vec<CompletionCandidate> {
    let files = env::files().unwrap_or_default();
    let vms = files.iter().filter_map(|path| Env::open(path).ok()?.get_all_vms().ok()).flatten();
    vms.map(|vm| CompletionCandidate::new(vm.name())).collect()
}

/// The guests that can be built.
pub(crate) fn guests() -> Vec<CompletionCandidate> {
    let known = GuestStore::known().iter();
    known
        .map(|guest| CompletionCandidate::new(guest.name).help(Some(guest.description.into())))
        .collect()
}
