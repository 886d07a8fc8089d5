//! Screens of the machines of a test, taken while it runs.

mod reel;
mod shot;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use camino::Utf8PathBuf;
use kvmtest::env::Env;
use kvmtest::vm::Vm;
use kvmtest::{Deadline, Result, wait};
use rustix::event::{EventfdFlags, eventfd};

pub(crate) use reel::Reel;

use crate::around::Around;
use crate::stage::Places;
use reel::Reels;

/// A thread that takes the screens of all machines of an env at regular times.
pub(crate) struct Film {
    stop: Arc<OwnedFd>,
    done: Receiver<Vec<Reel>>,
}

impl Film {
    /// Begins, with a screen at once and the next after `delay`.
    pub(crate) fn start(env: &Arc<Env>, places: &Places, delay: Duration) -> Result<Self> {
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (sender, done) = channel();
        let (env, to_stop) = (Arc::clone(env), Arc::clone(&stop));
        let mut reels = Reels::new(places.results.clone());
        std::thread::Builder::new().name("screens".into()).spawn(move || {
            loop {
                reels.take_all(&env);
                // An interrupt is the end of the test, too.
                match wait::readable([to_stop.as_fd()], Deadline::after(delay)) {
                    Ok([false]) => {}
                    _ => break,
                }
            }
            // Nobody may have the patience to listen.
            let _ = sender.send(reels.end());
        })?;
        Ok(Self { stop, done })
    }

    /// Ends it, and gives back what it has; nothing if a screen takes longer than `patience`.
    pub(crate) fn stop(self, patience: Duration) -> Option<Vec<Reel>> {
        // It counts to more than one.
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
        self.done.recv_timeout(patience).ok()
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
    }
}

/// Takes one screen of a machine, as `<when>_<vm>.png`. One without a screen is passed over; what
/// goes wrong is a warning.
pub(crate) fn snap(around: &mut Around, vm: &Vm, when: &str) {
    let path = around.places.results.join(format!("{when}_{}.png", file_name(vm.name())));
    match take(vm, &path) {
        Ok(_) => {}
        Err(error) => {
            // What it was going to be is no use to anybody.
            let _ = std::fs::remove_file(&path);
            if !is_over(vm) {
                around.warn(error.to_string());
            }
        }
    }
}

/// Takes one screen; says whether there is one.
fn take(vm: &Vm, path: &Utf8PathBuf) -> Result<bool> {
    if vm.is_dead()? || !vm.has_screen()? {
        return Ok(false);
    }
    vm.screendump(path).map(|()| true)
}

/// Whether the machine ends, so that it is no wonder that something does not work.
fn is_over(vm: &Vm) -> bool {
    const MOMENT: Duration = Duration::from_millis(500);
    vm.is_dead().unwrap_or(false) || vm.wait_for_shutdown(MOMENT).is_ok()
}

/// The name of a machine as a part of a file's.
fn file_name(vm: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    vm.chars().map(legal).collect()
}
