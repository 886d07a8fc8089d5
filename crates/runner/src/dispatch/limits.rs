//! What one test may use of time and memory, as its params say.

use kvmtest::{Params, Result, stall};

use super::settings::{Settings, Timeouts};
use crate::child::protocol::Finished;
use crate::child::verdict::WITHOUT_MEMORY;
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
        let memory = params.find_nonempty("test_memory").map(|_| memory(params));
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

    /// Says of an ending that may come of it that the memory was limited.
    pub(super) fn name_memory(&self, verdict: &mut Finished) {
        let kind = verdict.kind.as_deref().unwrap_or_default();
        let message = verdict.message.as_str();
        let may_be = ["child-died", WITHOUT_MEMORY].contains(&kind)
            || REFUSALS.iter().any(|words| message.contains(words));
        if let Some(bytes) = self.memory.filter(|_| may_be) {
            let words = format!(
                "; each of its processes may have {} MiB (`test_memory`)",
                bytes.div_ceil(1 << 20)
            );
            verdict.message.push_str(&words);
        }
    }

    pub(super) fn timeout(&self, phase: Phase) -> std::time::Duration {
        match phase {
            Phase::Prepare => self.timeouts.prepare,
            Phase::Run => self.timeouts.run,
            Phase::Clean => self.timeouts.clean,
        }
    }
}

/// With less than this not every program starts, nor does a subtest log in to its guest: Rust was
/// seen to need 3 MiB for the one and 8 for the other, Python 6 to start.
const SMALLEST: u64 = 8 << 20;

/// What the standard library says where the kernel gives no memory, for something to be mapped or
/// for the stack of a thread.
const REFUSALS: [&str; 2] = ["(os error 12)", "failed to spawn thread"];

fn memory(params: &Params) -> Result<u64> {
    let bytes = params.get_size_mib("test_memory")?;
    if bytes >= SMALLEST {
        return Ok(bytes);
    }
    let what = format!("at least {} MiB, for a subtest to start with", SMALLEST >> 20);
    Err(params.wrong("test_memory", &what))
}
