//! Migration: the state of a machine goes from one QEMU to another, or into a file and back.
//!
//! Everything here works on monitors; what that means for a VM is not known here. The order is:
//! [`listen`] on the monitor of the destination (which was started with `-incoming defer`),
//! [`start`] on that of the source, then [`Outgoing::wait`] and [`Incoming::wait`].

mod abandon;
mod blocker;
mod choice;
mod figures;
mod file;
mod incoming;
mod news;
mod offer;
mod outgoing;
mod passed;
mod pump;
mod refusal;
mod settings;
mod snapshot;
#[cfg(test)]
mod tests;
mod unfinished;

pub(crate) use abandon::abandon;
pub use blocker::{Blocker, blockers, blockers_of};
pub use choice::Choice;
pub use figures::Figures;
pub use file::{Compression, load, save};
pub use incoming::{Incoming, Source, listen};
pub(crate) use outgoing::Reader;
pub use outgoing::{Outgoing, Target, start};
pub(crate) use refusal::refused;
pub use settings::{KEYS, Previous, Settings};
pub use snapshot::{Snapshot, delete_snapshot, load_snapshot, save_snapshot, snapshots};
