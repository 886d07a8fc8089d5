//! Machines that a run is using: a person may look at them once their test leaves them alone.

use kvmtest::vm::Vm;
use kvmtest::{Error, ErrorKind, Result};

use crate::terminal::note;

/// The process of the run that is using `vm`, if one is.
pub(super) fn user(vm: &Vm) -> Option<u32> {
    let lease = vm.lease().ok().filter(kvmtest::lease::Lease::is_in_use)?;
    lease.holder.map(|holder| holder.pid)
}

/// Says that a run is using `vm`, if one is, and what that means for its `part`; says whether.
pub(super) fn note_use(vm: &Vm, part: &str) -> bool {
    let used = user(vm).is_some();
    if used {
        note(format!(
            "a run is using {}: its {part} serves one at a time; if the test has it, this waits for the test's end",
            vm.name()
        ));
    }
    used
}

/// What came of the monitor of `vm`; of one that a run has for itself, an error that says so.
pub(super) fn of_monitor<T>(vm: &Vm, used: bool, result: Result<T>) -> Result<T> {
    result.map_err(|error| {
        let is_about_it = matches!(
            error.kind(),
            ErrorKind::MonitorTimeout | ErrorKind::Monitor | ErrorKind::VmDead
        );
        if !used || !is_about_it {
            return error;
        }
        let message = match vm.is_dead() {
            Ok(true) => format!("the machine {} has ended with its test", vm.name()),
            _ => format!(
                "a run is using {}, and has its monitor for itself: try again after the test",
                vm.name()
            ),
        };
        Error::new(error.kind(), message)
    })
}
