//! A migration that somebody else has begun, and nobody wants any more.

use std::time::Duration;

use serde_json::{Value, json};

use super::Figures;
use super::news::{News, is_of_migration};
use super::offer::Capabilities;
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;

/// How long one answer may take at least: it may be busy with the end of the migration.
const ANSWER: Duration = Duration::from_secs(10);

/// QEMU's own limit, in bytes a second.
const BANDWIDTH: u64 = 128 << 20;

/// What a migration had come to.
pub(crate) struct Abandoned {
    pub(crate) figures: Figures,
    /// Whether it was still under way.
    pub(crate) was_cancelled: bool,
}

/// Has the QEMU behind `monitor` end whatever migration is under way, if it can be ended, and waits
/// until it has. How migrations are done is as it is in a new QEMU then: who had set something
/// else is gone.
pub(crate) fn abandon(monitor: &QmpMonitor, deadline: Deadline) -> Result<Abandoned> {
    let doing = "ending a migration that nobody wants";
    let _doing = doing::begin(doing);
    let end = || {
        let mut news = News::of(monitor)?;
        let mut was_cancelled = false;
        loop {
            let figures = Figures::ask(monitor, ANSWER)?;
            if figures.is_over() || figures.postcopy {
                return Ok(Abandoned { figures, was_cancelled });
            }
            if deadline.expired() {
                let message = format!("cancelled, and still there: {}", figures.status);
                return Err(Error::new(ErrorKind::MigrateTimeout, message));
            }
            if was_cancelled {
                news.wait(deadline, is_of_migration)?;
            } else {
                monitor.cmd("migrate_cancel", Value::Null)?;
                was_cancelled = true;
            }
        }
    };
    let abandoned = end().context(doing)?;
    if let Err(error) = unset(monitor) {
        tracing::debug!("the settings of a migration stay: {error}");
    }
    Ok(abandoned)
}

/// Memory that is left out because a destination has it already would be missing in a file.
fn unset(monitor: &QmpMonitor) -> Result<()> {
    let capabilities = Capabilities::ask(monitor)?;
    let off: Vec<Value> =
        capabilities.on().map(|name| json!({"capability": name, "state": false})).collect();
    if !off.is_empty() {
        monitor.cmd("migrate-set-capabilities", json!({ "capabilities": off }))?;
    }
    monitor.cmd("migrate-set-parameters", json!({ "max-bandwidth": BANDWIDTH })).map(drop)
}
