//! What QEMU refuses of a migration.

use crate::error::{Error, ErrorKind};

/// `error` as one of a migration, a save or a restore, where it is that QEMU refused a command of
/// it: to whoever asked for a migration, no other command is known.
pub(crate) fn refused(error: Error) -> Error {
    if error.kind() != ErrorKind::MonitorCommand {
        return error;
    }
    let words = error.message().to_owned();
    error.reworded(ErrorKind::MigrateFailed, words)
}
