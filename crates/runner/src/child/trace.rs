//! The log of a test: everything that the library traces, in `debug.log`.

use std::fs::File;
use std::sync::Mutex;

use camino::Utf8Path;
use tracing::Subscriber;
use tracing_subscriber::fmt;

/// Sends everything that is traced in this process to `debug.log` in `dir`. A log that cannot be
/// written is no reason not to run.
pub(super) fn start(dir: &Utf8Path) {
    if let Some(subscriber) = to(dir) {
        // Refused only where a subscriber is set already, which then gets it all.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}

/// Does `work`, and sends what is traced by this thread meanwhile to `debug.log` in `dir`: what is
/// done around a subtest is done in a process with other tests.
pub(crate) fn within<T>(dir: &Utf8Path, work: impl FnOnce() -> T) -> T {
    match to(dir) {
        Some(subscriber) => tracing::subscriber::with_default(subscriber, work),
        None => work(),
    }
}

fn to(dir: &Utf8Path) -> Option<impl Subscriber + Send + Sync + 'static> {
    let file = File::options().create(true).append(true).open(dir.join("debug.log")).ok()?;
    let subscriber = fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_target(false)
        .with_writer(Mutex::new(file))
        .finish();
    Some(subscriber)
}
