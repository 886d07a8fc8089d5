//! What a thread is busy with, for whoever wonders why it takes so long.
//!
//! What takes less than a second is never told, so that saying it costs next to nothing.

use std::cell::RefCell;
use std::time::{Duration, Instant};

/// From here on it is worth telling.
const LONG: Duration = Duration::from_secs(1);

thread_local! {
    static HERE: RefCell<Here> = const { RefCell::new(Here { steps: Vec::new(), listener: None }) };
}

type Listener = Box<dyn FnMut(&str)>;

struct Here {
    steps: Vec<Step>,
    listener: Option<Listener>,
}

struct Step {
    what: String,
    since: Instant,
    told: bool,
}

/// Says what this thread is doing, until the guard is dropped: `waiting for a login on vm1`.
/// What is begun within it stands behind it.
pub fn begin(what: impl Into<String>) -> Doing {
    let step = Step { what: what.into(), since: Instant::now(), told: false };
    HERE.with_borrow_mut(|here| {
        here.steps.push(step);
        Doing { depth: here.steps.len() - 1 }
    })
}

/// Calls `listener` on this thread with what it is doing, outermost first and joined by `: `,
/// whenever that has taken a second and is still going on; with what is left of it once that is
/// over.
pub fn listen(listener: impl FnMut(&str) + 'static) {
    HERE.with_borrow_mut(|here| here.listener = Some(Box::new(listener)));
}

/// From here on nobody listens to this thread.
pub fn listen_no_more() {
    HERE.with_borrow_mut(|here| here.listener = None);
}

/// Something that is being done.
#[must_use = "it lasts until this is dropped"]
#[derive(Debug)]
pub struct Doing {
    depth: usize,
}

impl Drop for Doing {
    fn drop(&mut self) {
        let was_told = HERE.with_borrow_mut(|here| {
            let was_told = here.steps.iter().skip(self.depth).any(|step| step.told);
            here.steps.truncate(self.depth);
            was_told
        });
        if was_told {
            tell_listener();
        }
    }
}

/// Tells what is worth it by now; gives back when to ask again, if anything is to be told then.
pub(crate) fn tell() -> Option<Duration> {
    let left = HERE.with_borrow_mut(|here| {
        here.listener.as_ref()?;
        let last = here.steps.last_mut().filter(|step| !step.told)?;
        let left = LONG.saturating_sub(last.since.elapsed());
        last.told = left.is_zero();
        Some(left)
    })?;
    if left.is_zero() {
        tell_listener();
        return None;
    }
    Some(left)
}

/// Tells the listener, which may do anything: also what begins and ends steps.
fn tell_listener() {
    let taken = HERE.with_borrow_mut(|here| {
        let steps: Vec<&str> = here.steps.iter().map(|step| step.what.as_str()).collect();
        Some((here.listener.take()?, steps.join(": ")))
    });
    let Some((mut listener, what)) = taken else { return };
    listener(&what);
    HERE.with_borrow_mut(|here| {
        // Unless it named another one.
        here.listener.get_or_insert(listener);
    });
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::rc::Rc;

    use super::*;
    use crate::deadline::Deadline;

    fn wait(time: Duration) {
        let (silent, _other) = UnixStream::pair().expect("a pair");
        crate::wait::readable([silent.as_fd()], Deadline::after(time)).expect("no interrupt");
    }

    #[test]
    fn what_takes_long_is_told_and_its_end_too() {
        let told: Rc<RefCell<Vec<String>>> = Rc::default();
        let sink = Rc::clone(&told);
        listen(move |what| sink.borrow_mut().push(what.to_owned()));
        let outer = begin("rebooting vm1");
        drop(begin("what takes no time"));
        let inner = begin("waiting for a prompt");
        wait(LONG + Duration::from_millis(10));
        assert_eq!(*told.borrow(), ["rebooting vm1: waiting for a prompt"]);
        wait(Duration::from_millis(1));
        assert_eq!(told.borrow().len(), 1, "once is enough");
        drop(inner);
        assert_eq!(told.borrow()[1], "rebooting vm1");
        drop(begin("what takes no time"));
        assert_eq!(told.borrow().len(), 2);
        drop(outer);
        assert_eq!(told.borrow().len(), 2, "it was never told by itself");
    }

    #[test]
    fn a_listener_may_do_something_itself() {
        let told: Rc<RefCell<Vec<String>>> = Rc::default();
        let sink = Rc::clone(&told);
        listen(move |what| {
            let _within = begin("telling");
            sink.borrow_mut().push(what.to_owned());
        });
        let _doing = begin("waiting");
        wait(LONG + Duration::from_millis(10));
        assert_eq!(*told.borrow(), ["waiting"]);
    }

    #[test]
    fn a_thread_without_a_listener_tells_nobody() {
        let _doing = begin("something");
        assert_eq!(tell(), None);
    }
}
