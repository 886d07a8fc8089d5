//! The log of a child: everything that the library traces, in `debug.log`.

use std::fs::File;
use std::sync::Mutex;

use camino::Utf8Path;
use tracing_subscriber::fmt;

/// Sends everything that is traced in this process to `debug.log` in `dir`. A log that cannot be
/// written is no reason not to run.
pub(super) fn start(dir: &Utf8Path) {
    let Ok(file) = File::options().create(true).append(true).open(dir.join("debug.log")) else {
        return;
    };
    let subscriber = fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    // Refused only where a subscriber is set already, which then gets it all.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
