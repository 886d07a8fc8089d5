//! What watches the host while a subtest runs: `vmstat`, `perf` and their like.

mod recipe;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use kvmtest::host::{Ended, Running};
use kvmtest::{Deadline, Result};
use rustix::event::{EventfdFlags, eventfd};
use rustix::process::Signal;

pub(crate) use recipe::Recipe;

use crate::around::Around;

/// How long a profiler has to write down what it saw, once it was asked to end.
const GRACE: Duration = Duration::from_secs(5);

/// A profiler that runs. It is killed when this is dropped.
pub(crate) struct Profiler {
    name: String,
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<Seen>>,
}

/// How it ended.
enum Seen {
    /// When it was asked to.
    Asked,
    /// Before that.
    ByItself(Ended),
}

impl Profiler {
    /// Starts the profiler `name`; what it prints goes to `profile/<name>.log` of the results.
    pub(crate) fn start(around: &Around, name: &str, recipe: &Recipe) -> Result<Self> {
        let dir = around.places.results.join("profile");
        std::fs::create_dir_all(&dir)?;
        let running = recipe.command(around, name, &dir).start()?;
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let to_stop = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("profiler".into())
            .spawn(move || watch(running, &to_stop))?;
        Ok(Self { name: name.to_owned(), stop, thread: Some(thread) })
    }

    /// Asks it to end, and waits until it has; says what was wrong with it.
    pub(crate) fn end(mut self) -> Option<String> {
        self.ask();
        match self.thread.take()?.join() {
            Ok(Seen::ByItself(ended)) if !ended.status.success() => {
                Some(format!("the profiler `{}` failed ({})", self.name, ended.words()))
            }
            _ => None,
        }
    }

    fn ask(&self) {
        // It counts to more than one.
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
    }
}

impl Drop for Profiler {
    fn drop(&mut self) {
        self.ask();
    }
}

fn watch(mut running: Running, stop: &OwnedFd) -> Seen {
    let forever = Deadline::after(Duration::MAX);
    if let Ok(true) = running.wait_or(forever, Some(stop.as_fd())) {
        return Seen::ByItself(running.finish());
    }
    // Asked, or interrupted, which is the end of the test, too. It is told as Ctrl-C does, upon
    // which all of them write their figures.
    let _ = running.end(Signal::INT, GRACE);
    Seen::Asked
}
