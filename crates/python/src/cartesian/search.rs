//! Variants, looked for without the interpreter.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kvmtest_cartesian::{Config, Variant, Variants};
use pyo3::prelude::*;
use self_cell::self_cell;

/// What is left of a configuration to be looked through.
pub(crate) struct Search {
    variants: Walk,
    /// What a signal handler raised.
    raised: Arc<Mutex<Option<PyErr>>>,
}

self_cell!(
    struct Walk {
        owner: Config,
        #[not_covariant]
        dependent: Variants,
    }
);

/// How many variants are found in one go, and for how long they are looked for, once there is one:
/// others wait for the interpreter lock only that often, and nobody waits for what is not wanted.
const BATCH: usize = 16;
const PAUSE: Duration = Duration::from_millis(1);

/// How long a signal may have to wait.
const PATIENCE: Duration = Duration::from_millis(20);

impl Search {
    pub(crate) fn new(config: Config) -> Self {
        let raised = Arc::default();
        let goes_on = {
            let raised = Arc::clone(&raised);
            let mut asked = Instant::now();
            move || {
                asked.elapsed() < PATIENCE || {
                    let goes_on = ask(&raised);
                    asked = Instant::now();
                    goes_on
                }
            }
        };
        let variants = Walk::new(config, |config| config.variants().while_patient(goes_on));
        Self { variants, raised }
    }

    /// Some variants, their keys made; none when there are no more.
    ///
    /// # Errors
    /// What a signal handler raised meanwhile. There are no more variants after that.
    pub(crate) fn batch(&mut self, py: Python<'_>) -> PyResult<Vec<Variant>> {
        let Self { variants, raised } = self;
        let found = py.detach(|| {
            variants.with_dependent_mut(|_, variants| {
                let start = Instant::now();
                let mut found = Vec::new();
                while found.len() < BATCH && (found.is_empty() || start.elapsed() < PAUSE) {
                    let Some(variant) = variants.next() else { break };
                    // Makes its keys.
                    let _ = variant.len();
                    found.push(variant);
                }
                found
            })
        });
        match raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(found),
        }
    }
}

/// Lets signal handlers run; whether the search goes on.
fn ask(raised: &Mutex<Option<PyErr>>) -> bool {
    let asked = Python::try_attach(|py| {
        py.check_signals()?;
        Ok(())
    });
    match asked {
        Some(Ok(())) => true,
        Some(Err(error)) => {
            *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            false
        }
        // The interpreter is at its end, and whoever goes back to it is ended in a way that Rust
        // takes for a fault: this thread waits for the end of the process.
        None => loop {
            std::thread::park();
        },
    }
}
