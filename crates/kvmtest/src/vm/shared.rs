//! Memory that both sides of a migration see.

use crate::migration::Settings;

/// The capability by which memory that both sides see is not sent.
const IGNORE_SHARED: &str = "x-ignore-shared";

/// More bytes a second than any host moves.
pub(super) const UNLIMITED: u64 = 100 << 30;

/// How a machine is saved whose memory is (`true`) or is not a file that both sides have.
pub(super) fn settings(shared: bool) -> Settings {
    // It stands still meanwhile: the sooner the better.
    Settings { bandwidth: Some(UNLIMITED), ..settings_to_read(shared) }
}

/// How such a one is read again.
pub(super) fn settings_to_read(shared: bool) -> Settings {
    let mut settings = Settings::default();
    if shared {
        settings.capabilities.push((IGNORE_SHARED.to_owned(), true));
    }
    settings
}
