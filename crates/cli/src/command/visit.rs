//! `kvmtest run --on-fail shell`: a person looks into a machine of a test that failed.

use kvmtest::ErrorKind;
use kvmtest::vm::Vm;
use kvmtest_runner::event::Survivor;

use super::console::{Before, Console};
use crate::terminal::{clean, note};

/// Tells the person at this terminal how to get into `vm`, and lets them; comes back when they
/// have left, or the run is to end. `all`: the machines of the test that live.
pub(super) fn visit(vm: &Vm, all: &[Survivor], before: &Before) {
    let name = clean(vm.name());
    note(format!("\nthe run waits, and the machine {name} lives; this is its serial console"));
    let console = match Console::of(vm) {
        Ok(console) => console,
        Err(error) => return note(format!("it cannot be had: {error}; the run goes on")),
    };
    for line in invitation(vm, all) {
        note(format!("  {line}"));
    }
    note("");
    match console.relay(vm, before) {
        Ok(false) => note(format!("\nyou left {name}; the run goes on")),
        Ok(true) => note(format!("\nthe machine {name} has ended; the run goes on")),
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            note(format!("\nyou are out of {name}: the run is to end"));
        }
        Err(error) => note(format!("\nthe console of {name} broke: {error}; the run goes on")),
    }
}

/// Who may log in, other ways in, and the way out.
fn invitation(vm: &Vm, all: &[Survivor]) -> Vec<String> {
    let params = vm.params();
    let mut lines = Vec::new();
    let user = params.find_nonempty("username").map(|user| format!("as `{}`", clean(user)));
    let password = params.find_nonempty("password");
    let password = password.map(|password| format!("with the password `{}`", clean(password)));
    let words: Vec<String> = user.into_iter().chain(password).collect();
    if !words.is_empty() {
        lines.push(format!("log in {}", words.join(" ")));
    }
    lines.push("Enter shows a prompt, if there is somebody to show one".into());
    // Their monitors, and what asks these for a port, the run has for itself.
    let others = all.iter().filter(|survivor| survivor.vm != vm.name());
    let others = others.flat_map(|survivor| &survivor.attach);
    let others = others.filter(|way| way.starts_with("kvmtest console"));
    lines.extend(others.map(|way| format!("from another terminal: {}", clean(way))));
    lines.push(format!(
        "Ctrl-] leaves; then {} is cleaned up, and the run goes on",
        clean(vm.name())
    ));
    lines
}
