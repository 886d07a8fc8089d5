//! The one place where the library waits: on descriptors, with a deadline, interruptible.

use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::{doing, interrupt};

/// Waits until one of `fds` can be read (data, or its end), or the deadline passes.
///
/// Returns for each of `fds` whether it can be read; all are `false` when the deadline passed.
/// A pidfd can be read once its process has ended.
pub fn readable<const N: usize>(fds: [BorrowedFd<'_>; N], deadline: Deadline) -> Result<[bool; N]> {
    let mut ready = [false; N];
    let wanted: Vec<_> = fds.iter().map(|fd| (*fd, PollFlags::IN)).collect();
    for (slot, flags) in ready.iter_mut().zip(ready_flags(&wanted, deadline)?) {
        *slot = !flags.is_empty();
    }
    Ok(ready)
}

/// Waits until one of `wanted` has one of the conditions it names (or an error, or its end), or
/// the deadline passes. Returns what each of them has; empty flags mean nothing.
pub fn ready_flags(
    wanted: &[(BorrowedFd<'_>, PollFlags)],
    deadline: Deadline,
) -> Result<Vec<PollFlags>> {
    let here = interrupt::here();
    let interrupts = std::iter::once(interrupt::of_all()).chain(&here);
    let mut polled: Vec<PollFd<'_>> =
        wanted.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    polled.extend(interrupts.map(|event| PollFd::new(event, PollFlags::IN)));
    loop {
        let remaining = deadline.remaining();
        let pause = doing::tell().map_or(remaining, |news| news.min(remaining));
        let timeout =
            Timespec::try_from(pause).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        match poll(&mut polled, Some(&timeout)) {
            // Something is to be told by now, or the deadline was put off.
            Ok(0) if !remaining.is_zero() => continue,
            Ok(_) => {}
            // A signal that was handled elsewhere: the deadline tells how long is left.
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if interrupt::ends_wait() {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        let found: Vec<_> = polled.iter().take(wanted.len()).map(PollFd::revents).collect();
        // An interrupt that was withdrawn, or not meant for this wait, is nothing to end it.
        if remaining.is_zero() || found.iter().any(|flags| !flags.is_empty()) {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wait_wakes_on_data_and_ends_at_its_deadline() {
        let (mut here, there) = UnixStream::pair().expect("a pair");
        let (_silent, other) = UnixStream::pair().expect("a pair");
        let soon = Deadline::after(Duration::from_millis(10));
        assert_eq!(
            readable([there.as_fd(), other.as_fd()], soon).expect("no error"),
            [false, false]
        );
        here.write_all(b"x").expect("written");
        let late = Deadline::after(Duration::from_secs(60));
        assert_eq!(
            readable([there.as_fd(), other.as_fd()], late).expect("no error"),
            [true, false]
        );
    }

    #[test]
    fn an_interrupt_ends_the_waits_of_the_threads_that_entered_it_only() {
        let interrupt = interrupt::Interrupt::new();
        let (silent, _other) = UnixStream::pair().expect("a pair");
        let wait = |time| readable([silent.as_fd()], Deadline::after(Duration::from_millis(time)));
        interrupt.request();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                interrupt.enter();
                let error = wait(600_000).expect_err("interrupted");
                assert_eq!(error.kind(), ErrorKind::Interrupted);
                interrupt.clear();
                assert_eq!(wait(1).expect("no error"), [false]);
            });
            scope.spawn(|| assert_eq!(wait(1).expect("no error"), [false]));
        });
    }

    #[test]
    fn a_judge_says_whether_a_wait_ends() {
        let interrupt = interrupt::Interrupt::new();
        let (silent, _other) = UnixStream::pair().expect("a pair");
        let wait = |time| readable([silent.as_fd()], Deadline::after(Duration::from_millis(time)));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let asked = std::rc::Rc::new(std::cell::RefCell::new(vec![true, false, false]));
                let verdicts = std::rc::Rc::clone(&asked);
                interrupt.enter_judged(move || asked.borrow_mut().pop().expect("asked thrice"));
                interrupt.request();
                assert_eq!(wait(1).expect("no error"), [false], "the judge said no");
                assert!(!interrupt.is_requested());
                interrupt.request();
                assert_eq!(wait(1).expect("no error"), [false], "it did so again");
                interrupt.request();
                let error = wait(600_000).expect_err("the judge said yes");
                assert_eq!(error.kind(), ErrorKind::Interrupted);
                assert!(verdicts.borrow().is_empty());
            });
        });
    }
}
