//! How long a search may go on.

use std::fmt;

/// Steps of a search between two questions: some hundred microseconds of work.
const STEPS: u32 = 1 << 10;

/// Asks now and then whether a search is to go on. Without anybody to ask it goes on for ever.
#[derive(Default)]
pub(crate) struct Patience {
    goes_on: Option<Box<dyn FnMut() -> bool + Send>>,
    steps: u32,
    is_over: bool,
}

impl Patience {
    pub(crate) fn new(goes_on: impl FnMut() -> bool + Send + 'static) -> Self {
        Self { goes_on: Some(Box::new(goes_on)), steps: 0, is_over: false }
    }

    /// Counts a step. Once over, it stays so: what a search remembers is worth nothing then.
    pub(crate) fn is_over(&mut self) -> bool {
        let Some(goes_on) = &mut self.goes_on else { return false };
        self.steps += 1;
        if self.steps >= STEPS {
            self.steps = 0;
            self.is_over = self.is_over || !goes_on();
        }
        self.is_over
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("is_over", &self.is_over).finish_non_exhaustive()
    }
}
