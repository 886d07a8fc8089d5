//! What QEMU's events mean.

use kvmtest::monitor::Event;
use kvmtest::vm::Expected;

/// What an event means to whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing.
    Nothing,
    /// This sign is seen.
    Sign(&'static str),
    /// The guest was asked to power off; whether it obeys is its own affair.
    PowerButton,
    /// The machine ends, as somebody wants it to or as has been told already.
    Ending,
    /// This sign is seen, and the machine ends by it.
    EndingBy(&'static str),
}

/// What an event means where `expected` is meant to happen; of a machine that is gone, nothing is
/// unexpected.
pub(super) fn meaning(event: &Event, expected: Option<Expected>) -> Meaning {
    let reason = event.data["reason"].as_str().unwrap_or_default();
    let by_guest = event.data["guest"].as_bool().unwrap_or(reason.starts_with("guest-"));
    let (reset, shutdown) = expected.map_or((true, true), |it| (it.reset, it.shutdown));
    match (event.name.as_str(), reason) {
        ("GUEST_PANICKED", _) => Meaning::Sign("panic"),
        ("POWERDOWN", _) => Meaning::PowerButton,
        ("RESET", _) if by_guest && !reset => Meaning::Sign("reset"),
        ("SHUTDOWN", "guest-shutdown") if !shutdown => Meaning::EndingBy("shutdown"),
        ("SHUTDOWN", "guest-reset") if !reset => Meaning::EndingBy("reset"),
        ("SHUTDOWN", "guest-shutdown" | "guest-reset" | "host-qmp-quit") => Meaning::Ending,
        ("SHUTDOWN", "guest-panic") => Meaning::EndingBy("panic"),
        _ => Meaning::Nothing,
    }
}
