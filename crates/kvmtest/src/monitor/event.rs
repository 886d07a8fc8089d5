//! What QEMU reports by itself.

use std::time::{Duration, SystemTime};

use serde_json::Value;

/// An event as QEMU reported it. Names and data are QEMU's own; a name that this library has
/// never heard of is as good as any other.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `SHUTDOWN`, `RESET`, `GUEST_PANICKED`, …
    pub name: String,
    /// What comes with it; `null` where nothing does.
    pub data: Value,
    /// When it happened, by QEMU's clock.
    pub at: SystemTime,
    /// Counts the events of one connection, from 0.
    pub(super) number: u64,
}

impl Event {
    /// Reads a QMP message, if it is an event.
    pub(super) fn from_message(message: &Value, number: u64) -> Option<Self> {
        let name = message.get("event")?.as_str()?.to_owned();
        let stamp = |part: &str| message.pointer(&format!("/timestamp/{part}"))?.as_u64();
        let since = Duration::from_secs(stamp("seconds").unwrap_or_default())
            + Duration::from_micros(stamp("microseconds").unwrap_or_default());
        Some(Self {
            name,
            data: message.get("data").cloned().unwrap_or_default(),
            at: SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH),
            number,
        })
    }
}
