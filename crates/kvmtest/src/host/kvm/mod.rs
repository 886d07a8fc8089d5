//! Whether KVM works here, found out by running something: opening `/dev/kvm` and making a vCPU
//! succeed on hosts where no 64-bit guest gets anywhere.

pub(super) mod device;
mod guest;
mod machine;
mod memory;
mod objection;
mod vcpu_thread;

use std::time::{Duration, Instant};

use kvm_ioctls::Kvm;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::deadline::Deadline;
use crate::error::Result;
use machine::Machine;
use objection::Objection;
use vcpu_thread::Recall;

/// The probe takes some 20 ms where KVM works, and a second where the CPU itself is emulated.
const PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;

/// What became of the probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether guests can be run with KVM.
    pub usable: bool,
    /// Why, in a few words: what was run, or where it stopped.
    pub reason: String,
    /// How long the probe took.
    pub took: Duration,
    /// Whether it holds until the host boots anew. What KVM refuses now, because another
    /// hypervisor has the CPU or because memory is short, it may grant in a moment.
    pub lasting: bool,
}

/// Runs 64-bit code, with paging, exceptions and a timer interrupt, in a vCPU.
///
/// Only an interrupt is an error: everything that goes wrong is the verdict.
pub(super) fn probe() -> Result<Verdict> {
    let start = Instant::now();
    let mut outcome = None;
    // Whoever was stopped, or had no CPU for so long, is late for no fault of KVM's: once.
    for _ in 0..ATTEMPTS {
        outcome = vcpu_thread::run(Deadline::after(PATIENCE), |recall| examine(&recall))?;
        if outcome.is_some() {
            break;
        }
    }
    let late = || Objection::lasting(format!("no vCPU returned within {} s", PATIENCE.as_secs()));
    let took = start.elapsed();
    Ok(match outcome.unwrap_or_else(|| Err(late())) {
        Ok(()) => {
            let reason = "64-bit code ran in a vCPU".to_owned();
            Verdict { usable: true, reason, took, lasting: true }
        }
        Err(Objection { message, lasting }) => {
            Verdict { usable: false, reason: message, took, lasting }
        }
    })
}

fn examine(recall: &Recall) -> Result<(), Objection> {
    let kvm = Kvm::new()
        .map_err(|error| Objection::passing(format!("/dev/kvm cannot be opened: {error}")))?;
    let mut machine = Machine::new(&kvm, guest::code())?;
    vcpu_thread::admit_recall(&machine.vcpu).map_err(|error| {
        Objection::passing(format!("the vCPU could not be called back: {error}"))
    })?;
    let mut pace = Pace::new();
    for step in &guest::STEPS {
        let before = cpu_time();
        let report = machine.next_report(recall).map_err(|objection| objection.at(step.what))?;
        if report != step.expected {
            let message = format!("{report:#x} came out, not {:#x}", step.expected);
            return Err(Objection::lasting(message).at(step.what));
        }
        if step.is_timed() {
            pace.note(cpu_time().saturating_sub(before))?;
        }
    }
    Ok(())
}

/// How fast the guest's loop runs, compared with the same loop outside.
struct Pace {
    native: Duration,
    fastest: Duration,
    noted: usize,
}

impl Pace {
    fn new() -> Self {
        // The first time may have to fetch the code.
        let measured = (0..2).map(|_| {
            let before = cpu_time();
            std::hint::black_box(guest::timed_loop());
            cpu_time().saturating_sub(before)
        });
        Self { native: measured.min().unwrap_or_default(), fastest: Duration::MAX, noted: 0 }
    }

    /// Objects once all loops were slow: one alone may have had bad luck.
    fn note(&mut self, taken: Duration) -> Result<(), Objection> {
        self.fastest = self.fastest.min(taken);
        self.noted += 1;
        if self.noted < guest::TIMED_LOOPS || !self.is_emulated() {
            return Ok(());
        }
        let times = self.fastest.as_nanos() / self.native.as_nanos().max(1);
        Err(Objection::lasting(format!(
            "64-bit code runs {times} times slower in a vCPU than on the CPU: \
             the host emulates it instruction by instruction"
        )))
    }

    /// A CPU runs a guest's loop as fast as any other; entering the guest, and leaving it, costs
    /// some microseconds, or some hundred where the host is a guest itself. An emulator needs a
    /// thousand times as long as the CPU.
    fn is_emulated(&self) -> bool {
        self.fastest > self.native * 50 + Duration::from_millis(5)
    }
}

/// What this thread has used: unlike the time of day, it does not grow while others have the CPU.
fn cpu_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(used.tv_sec).unwrap_or_default(),
        u32::try_from(used.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_loop_is_bad_luck_and_three_are_an_emulator() {
        let check = |microseconds: [u64; 3], emulated: bool| {
            let mut pace =
                Pace { native: Duration::from_micros(10), fastest: Duration::MAX, noted: 0 };
            let [first, second, third] = microseconds.map(Duration::from_micros);
            pace.note(first).expect("one is not enough");
            pace.note(second).expect("two are not enough");
            let outcome = pace.note(third);
            assert_eq!(outcome.is_err(), emulated, "{microseconds:?}: {outcome:?}");
        };
        check([12, 12, 12], false);
        check([400, 300, 300], false);
        check([90_000, 90_000, 20], false);
        check([47_000, 46_000, 48_000], true);
    }

    #[test]
    fn a_slow_cpu_is_no_emulator() {
        let mut pace = Pace { native: Duration::from_millis(2), fastest: Duration::MAX, noted: 0 };
        for _ in 0..3 {
            pace.note(Duration::from_millis(30)).expect("as slow as the CPU itself");
        }
    }

    #[test]
    fn the_probe_ends_with_a_reason() {
        let verdict = probe().expect("nobody interrupts");
        assert!(!verdict.reason.is_empty());
        assert!(verdict.reason.is_ascii() && !verdict.reason.ends_with('.'), "{}", verdict.reason);
    }
}
