//! Which branches of the crate a text makes run, where the crate is built to count them.
//!
//! `scripts/instrument` has the compiler place a counter at each branch. Built without it, there
//! are no counters, and nothing is ever new.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

/// What was reached so far.
pub(crate) struct Coverage {
    /// For each counter which magnitudes it has shown, one bit each.
    seen: Vec<u8>,
}

/// The counters of the program.
static COUNTERS: Mutex<&[AtomicU8]> = Mutex::new(&[]);

/// Called before `main` by what the compiler adds to instrumented code.
// SAFETY: nothing else in the program has this name: the sanitizers that define it are not linked.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    let length = (stop as usize).saturating_sub(start as usize);
    // SAFETY: the compiler hands over the bounds of one section, which lives as long as the
    // program and holds nothing but counters of one byte, and an `AtomicU8` is one byte.
    let counters = unsafe { std::slice::from_raw_parts(start.cast::<AtomicU8>(), length) };
    if let Ok(mut known) = COUNTERS.lock() {
        *known = counters;
    }
}

impl Coverage {
    pub(crate) fn new() -> Self {
        Self { seen: vec![0; counters().len()] }
    }

    /// Runs something, and tells whether it got anywhere where nothing was before.
    pub(crate) fn is_new(&mut self, run: impl FnOnce()) -> bool {
        let counters = counters();
        for counter in counters {
            counter.store(0, Ordering::Relaxed);
        }
        run();
        let mut is_new = false;
        for (counter, seen) in counters.iter().zip(&mut self.seen) {
            let magnitude = magnitude(counter.load(Ordering::Relaxed));
            is_new |= *seen & magnitude != magnitude;
            *seen |= magnitude;
        }
        is_new
    }

    /// How much was reached, in words.
    pub(crate) fn reached(&self) -> String {
        let reached = self.seen.iter().filter(|seen| **seen != 0).count();
        match self.seen.len() {
            0 => "branches are not counted in this build".to_owned(),
            all => format!("{reached} of {all} branches reached"),
        }
    }
}

fn counters() -> &'static [AtomicU8] {
    *COUNTERS.lock().expect("nobody panics while setting it")
}

/// A bit for how often a branch ran: how often exactly is of no interest.
fn magnitude(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        4..8 => 8,
        8..16 => 16,
        16..32 => 32,
        32..128 => 64,
        128.. => 128,
    }
}
