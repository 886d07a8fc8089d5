//! What one test may use of time and memory, as its params say.

use kvmtest::{Params, Result, stall};

use super::settings::{Settings, Timeouts};
use crate::event::Phase;
use crate::queue::Needs;

/// What one test may use of time and memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct TestLimits {
    pub(super) timeouts: Timeouts,
    /// To how many times its timeout a deadline may be put off on a starved host.
    pub(super) stall_factor: u32,
    /// Bytes of memory for each process of the subtest.
    pub(super) memory: Option<u64>,
}

impl TestLimits {
    /// Where the params say nothing the settings hold.
    pub(super) fn read(params: &Params, settings: &Settings) -> Result<Self> {
        // The queue took nothing for what it could not read; it is told here.
        Needs::read(params)?;
        let Timeouts { prepare, run, clean, slow } = settings.timeouts;
        let factor = params.get_u64_or("stall_factor", stall::FACTOR.into())?;
        let memory =
            params.find_nonempty("test_memory").map(|_| params.get_size_mib("test_memory"));
        Ok(Self {
            timeouts: Timeouts {
                prepare: params.get_duration_or("prepare_timeout", prepare)?,
                run: params.get_duration_or("test_timeout", run)?,
                clean: params.get_duration_or("clean_timeout", clean)?,
                slow: params.get_duration_or("slow_after", slow)?,
            },
            stall_factor: u32::try_from(factor)
                .ok()
                .filter(|factor| *factor > 0)
                .ok_or_else(|| params.wrong("stall_factor", "a whole number from 1 on"))?,
            memory: memory.transpose()?,
        })
    }

    pub(super) fn timeout(&self, phase: Phase) -> std::time::Duration {
        match phase {
            Phase::Prepare => self.timeouts.prepare,
            Phase::Run => self.timeouts.run,
            Phase::Clean => self.timeouts.clean,
        }
    }
}
