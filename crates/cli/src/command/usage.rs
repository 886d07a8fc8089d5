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
            "a run is using {}: its {part} serves one at a time; if the test has it, this waits \
             for the test's end",
            vm.name()
        ));
    }
    used
}

/// What came of the monitor of `vm`; of one that a run has for itself, an error that says so.
pub(super) fn of_monitor<T>(vm: &Vm, used: bool, result: Result<T>) -> Result<T> {
    result.map_err(|error| {
        if used { in_use(vm.name(), vm.is_dead().unwrap_or(false), error) } else { error }
    })
}

/// What an error of the monitor of a machine means that a run is, or was, using.
fn in_use(name: &str, has_ended: bool, error: Error) -> Error {
    let of_connection = [ErrorKind::Monitor, ErrorKind::MonitorTimeout, ErrorKind::VmDead];
    if !of_connection.contains(&error.kind()) {
        return error;
    }
    let message = if has_ended {
        format!("a run was using {name}, which has ended with its test")
    } else {
        format!("a run is using {name} and has its monitor for itself: try again after the test")
    };
    Error::new(error.kind(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_breaks_is_told_by_its_reason() {
        let check = |kind: ErrorKind, has_ended: bool, part: &str| {
            let error = Error::new(kind, "the monitor cannot be read: Connection reset by peer");
            let told = in_use("vm1", has_ended, error);
            assert_eq!(told.kind(), kind);
            assert!(told.to_string().contains(part), "{told}");
            let own = part.contains("cannot be read");
            assert_eq!(told.to_string().contains("Connection reset"), own, "{told}");
        };
        check(ErrorKind::Monitor, true, "a run was using vm1, which has ended with its test");
        check(ErrorKind::VmDead, true, "has ended with its test");
        check(ErrorKind::MonitorTimeout, false, "try again after the test");
        check(ErrorKind::VmAddress, false, "cannot be read");
        check(ErrorKind::Interrupted, true, "cannot be read");
    }
}
