//! What QEMU reports meanwhile. It is looked at and left for whoever else wants it.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::monitor::{Activity, Event, QmpMonitor};
use crate::wait;

/// How often figures are asked for where QEMU reports nothing.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Hears of the events of a monitor, from when this was made on.
pub(super) struct News<'a> {
    monitor: &'a QmpMonitor,
    activity: Activity,
    next: u64,
}

impl<'a> News<'a> {
    pub(super) fn of(monitor: &'a QmpMonitor) -> Result<Self> {
        let activity = monitor.activity()?;
        let (_, next) = monitor.events_from(u64::MAX);
        Ok(Self { monitor, activity, next })
    }

    pub(super) fn monitor(&self) -> &'a QmpMonitor {
        self.monitor
    }

    /// Waits until QEMU reports what `is_wanted`, but no longer than a [`PAUSE`] and the deadline.
    pub(super) fn wait(
        &mut self,
        deadline: Deadline,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> Result<()> {
        self.wait_with(None, deadline, is_wanted).map(drop)
    }

    /// The same, or until `other` can be read: whether it can.
    pub(super) fn wait_with(
        &mut self,
        other: Option<BorrowedFd<'_>>,
        deadline: Deadline,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> Result<bool> {
        let pause = deadline.at_most(PAUSE);
        loop {
            self.activity.quiet();
            let (events, next) = self.monitor.events_from(self.next);
            self.next = next;
            if events.iter().any(&is_wanted) {
                return Ok(false);
            }
            let activity = self.activity.as_fd();
            let [rung, ended] = wait::readable([activity, other.unwrap_or(activity)], pause)?;
            if other.is_some() && ended {
                return Ok(true);
            }
            if !rung {
                return Ok(false);
            }
        }
    }
}

/// Whether an event says that a migration has got further.
pub(super) fn is_of_migration(event: &Event) -> bool {
    event.name == "MIGRATION"
}
