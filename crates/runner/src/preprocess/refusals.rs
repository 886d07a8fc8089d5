//! Machines of which no state can be made, as a run has found out.

use std::collections::BTreeMap;

use kvmtest::vm::Vm;
use kvmtest::{Error, ErrorKind, Result};

/// What stood in the way of a state of each machine, by what the machine is and which state was
/// wanted: it will stand there for the next test, too.
#[derive(Debug, Default)]
pub(crate) struct Refusals(BTreeMap<String, String>);

impl Refusals {
    /// Why there can be no state of `vm`, if that is known.
    pub(super) fn find(&self, vm: &Vm) -> Result<Option<&str>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        Ok(self.0.get(&key(vm)?).map(String::as_str))
    }

    /// Remembers `error`, unless it may well be another one the next time.
    pub(super) fn note(&mut self, vm: &Vm, error: &Error) -> Result<()> {
        if is_lasting(error) {
            self.0.insert(key(vm)?, error.message().to_owned());
        }
        Ok(())
    }
}

fn key(vm: &Vm) -> Result<String> {
    let state = vm.params().get_or("vm_state", "").to_owned();
    Ok(format!("{state}\n{}", vm.qemu_command()?))
}

fn is_lasting(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Host
            | ErrorKind::MigrateBlocked
            | ErrorKind::MigrateTimeout
            | ErrorKind::MigrateFailed
            | ErrorKind::State
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_otherwise_the_next_time_is_tried_again() {
        for (kind, lasts) in [
            (ErrorKind::MigrateBlocked, true),
            (ErrorKind::MigrateFailed, true),
            (ErrorKind::MigrateTimeout, true),
            (ErrorKind::State, true),
            (ErrorKind::Host, true),
            (ErrorKind::Io, false),
            (ErrorKind::StateGone, false),
            (ErrorKind::MigrateCancelled, false),
        ] {
            assert_eq!(is_lasting(&Error::new(kind, "x")), lasts, "{kind:?}");
        }
    }
}
