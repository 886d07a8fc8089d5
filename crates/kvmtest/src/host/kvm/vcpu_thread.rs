//! Runs the probe on a thread of its own, which can be called back from a vCPU that never returns.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::thread::JoinHandleExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kvm_ioctls::VcpuFd;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::wait;

/// What calls the vCPU back. It is blocked on the thread, but not while the vCPU runs: then it ends
/// the run and nothing else. So there is no handler to install, and none of the process is called.
const SIGNAL: libc::c_int = libc::SIGUSR1;

/// The other side of [`run`]: asked by the thread whether it is still wanted.
#[derive(Clone, Default)]
pub(super) struct Recall {
    requested: Arc<AtomicBool>,
}

impl Recall {
    /// Whether the thread is to end.
    pub(super) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }
}

/// What `work` returns, or nothing if it did not end before the deadline. A thread that is late
/// is called back and left to itself: it ends as soon as the kernel lets it.
pub(super) fn run<T: Send + 'static>(
    deadline: Deadline,
    work: impl FnOnce(Recall) -> T + Send + 'static,
) -> Result<Option<T>> {
    let (ended, end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let recall = Recall::default();
    let theirs = recall.clone();
    let thread = std::thread::Builder::new().name("kvm-probe".to_owned()).spawn(move || {
        // Closed when the thread ends, however it does.
        let _end = end;
        block_signals();
        work(theirs)
    })?;
    match wait::readable([ended.as_fd()], deadline) {
        Ok([true]) => thread
            .join()
            .map(Some)
            .map_err(|_| Error::new(ErrorKind::Host, "the probe of KVM panicked")),
        late => {
            recall.requested.store(true, Ordering::SeqCst);
            // SAFETY: the thread was not joined, so that its handle is valid.
            unsafe { libc::pthread_kill(thread.as_pthread_t(), SIGNAL) };
            late.map(|_| None)
        }
    }
}

/// Makes a recall reach the vCPU while it runs: every signal but [`SIGNAL`] stays blocked.
pub(super) fn admit_recall(vcpu: &VcpuFd) -> io::Result<()> {
    /// `KVM_SET_SIGNAL_MASK`: `_IOW(0xae, 0x8b, struct kvm_signal_mask)`
    const SET_SIGNAL_MASK: libc::Ioctl = 0x4004_ae8b;
    /// `struct kvm_signal_mask` with the kernel's own set behind it.
    #[repr(C)]
    struct Mask {
        length: u32,
        set: [u8; 8],
    }
    let blocked: u64 = !(1 << (SIGNAL - 1));
    let mask = Mask { length: 8, set: blocked.to_ne_bytes() };
    // SAFETY: the request takes such a structure and only reads it.
    match unsafe { libc::ioctl(vcpu.as_raw_fd(), SET_SIGNAL_MASK, &raw const mask) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The signals of the process are for its other threads.
fn block_signals() {
    // SAFETY: the set is filled before it is read, and no old one is asked for.
    unsafe {
        let mut all = std::mem::MaybeUninit::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn work_that_ends_is_waited_for() {
        let late = Deadline::after(Duration::from_secs(60));
        assert_eq!(run(late, |_| 7).expect("it ran"), Some(7));
    }

    #[test]
    fn work_that_does_not_end_is_called_back() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let soon = Deadline::after(Duration::from_millis(20));
        let result = run(soon, move |recall| {
            // As a vCPU waits: for a signal that is let in there alone.
            let blocked = wait_for_signal();
            let _ = sender.send((recall.is_requested(), blocked));
        });
        assert_eq!(result.expect("no error"), None);
        let told = receiver.recv_timeout(Duration::from_secs(60)).expect("the thread ended");
        assert_eq!(told, (true, SIGNAL));
    }

    #[test]
    fn work_that_panics_is_an_error() {
        let late = Deadline::after(Duration::from_secs(60));
        let error = run(late, |_| panic!("on purpose")).expect_err("it panicked");
        assert_eq!(error.kind(), ErrorKind::Host);
    }

    fn wait_for_signal() -> libc::c_int {
        let mut signal = 0;
        // SAFETY: the set is initialised before it is used.
        unsafe {
            let mut set = std::mem::MaybeUninit::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), SIGNAL);
            libc::sigwait(set.as_ptr(), &raw mut signal);
        }
        signal
    }
}
