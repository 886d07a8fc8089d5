//! What happens to a machine between the commands of its sessions, where the test is perturbed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::transition::{Otherwise, Transition};
use super::{MigrateOptions, Vm};
use crate::env::Face;
use crate::error::{Context, Result};
use crate::perturb::{Kind, Perturb};
use crate::session::{self, Checkpoint, Session};

/// How long a machine is stopped.
const PAUSE: Duration = Duration::from_millis(100);

/// What a fork that nobody asked for is called.
const TWIN: &str = "perturbed";

impl Vm {
    /// Has the test's sessions with this machine pass their checkpoints, if it is perturbed.
    pub(super) fn set_checkpoint(&self, session: &mut Session) -> Result<()> {
        if self.home.face != Face::Test {
            return Ok(());
        }
        let params = self.params();
        let Some(perturb) = Perturb::of(&params, params.get_or("perturb_stream", ""), self.name())?
        else {
            return Ok(());
        };
        // One for all sessions of the machine: what happens is drawn in one order.
        let mut known = self.home.perturbed.lock().unwrap_or_else(PoisonError::into_inner);
        let perturb =
            known.entry(self.name().to_owned()).or_insert_with(|| Arc::new(Mutex::new(perturb)));
        let perturb = Arc::clone(perturb);
        session.set_checkpoint(Box::new(Perturbed { vm: self.handle(), perturb }));
        Ok(())
    }

    fn perturb(&self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Migrate => self.migrate(&MigrateOptions::from_params(&self.params())?).map(drop),
            Kind::Restore => self.save_and_restore(),
            Kind::Fork => self.fork(TWIN)?.destroy(false),
            Kind::Pause => {
                if self.is_paused()? {
                    return Ok(());
                }
                let what = "pausing it for a moment";
                let transition = Transition::begin(what, Otherwise::Runs, Vec::new())?;
                let _underway = self.begin_transition(transition)?;
                self.pause()?;
                let rested = session::rest(&mut [], PAUSE);
                self.resume().and(rested)
            }
        }
    }
}

struct Perturbed {
    vm: Vm,
    perturb: Arc<Mutex<Perturb>>,
}

impl Checkpoint for Perturbed {
    fn pass(&mut self, command: &str) -> Result<()> {
        // Held until it is over: other sessions with the machine wait meanwhile.
        let mut perturb = self.perturb.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kind) = perturb.draw() else { return Ok(()) };
        let begun = Instant::now();
        let checkpoint = perturb.checkpoint();
        self.vm
            .perturb(kind)
            .with_context(|| format!("perturbing the test at checkpoint {checkpoint}"))?;
        perturb.done(kind, command, begun.elapsed());
        Ok(())
    }
}
