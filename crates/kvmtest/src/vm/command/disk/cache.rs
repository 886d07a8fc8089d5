//! `drive_cache`: QEMU's five modes, as the three switches that they are made of.

use super::super::read;
use crate::error::Result;
use crate::params::Params;

/// A cache mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cache {
    /// The guest sees a write cache, and flushes it.
    pub(super) writeback: bool,
    /// The host's page cache is gone around (`O_DIRECT`).
    pub(super) direct: bool,
    /// Flushes are not passed on to the host's disk.
    pub(super) no_flush: bool,
}

const MODES: &[(&str, Cache)] = &[
    ("none", Cache { writeback: true, direct: true, no_flush: false }),
    ("writethrough", Cache { writeback: false, direct: false, no_flush: false }),
    ("writeback", Cache { writeback: true, direct: false, no_flush: false }),
    ("directsync", Cache { writeback: false, direct: true, no_flush: false }),
    ("unsafe", Cache { writeback: true, direct: false, no_flush: true }),
];

impl Cache {
    /// The mode that `drive_cache` names; none where it names none.
    pub(super) fn of(params: &Params) -> Result<Option<Self>> {
        let names: Vec<&str> = MODES.iter().map(|(name, _)| *name).collect();
        let name = read::choice_if_set(params, "drive_cache", &names)?;
        Ok(name.and_then(Self::named))
    }

    /// For what is thrown away with the VM: only a crash of the host could lose anything.
    pub(super) fn throwaway() -> Self {
        Self { writeback: true, direct: false, no_flush: true }
    }

    fn named(wanted: &str) -> Option<Self> {
        MODES.iter().find(|(name, _)| *name == wanted).map(|(_, cache)| *cache)
    }
}
