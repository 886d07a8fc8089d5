//! What becomes of a child that may have no more memory: it ends at once, and says so.
//!
//! Rust's own way is a message, a stack and an abort. The stack needs memory, too; where that fails
//! while a stack is being taken already, the process waits for itself for ever.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::low_level::exit;

use crate::exit_code;

/// Whether this process is a child.
static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// The memory of every program that has this crate in it.
#[cfg(feature = "allocator")]
#[global_allocator]
static MEMORY: Limited = Limited;

/// The system's allocator. A child with a limit that gets nothing from it is over: also where the
/// subtest would have made do with less, since that cannot be known here.
pub(super) struct Limited;

// SAFETY: all is done by the system's allocator, with what the caller says of it.
unsafe impl GlobalAlloc for Limited {
    // SAFETY: the caller promises what it promises the system's allocator.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see above.
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    // SAFETY: the caller promises what it promises the system's allocator.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see above.
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    // SAFETY: the caller promises what it promises the system's allocator.
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: see above.
        given(unsafe { System.realloc(old, layout, size) }, size)
    }

    // SAFETY: the caller promises what it promises the system's allocator.
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: see above.
        unsafe { System.dealloc(old, layout) }
    }
}

/// From here on this process ends where it may have no more memory.
pub(super) fn is_child() {
    IS_CHILD.store(true, Ordering::Relaxed);
}

/// Does what the harness does in this process, as telling how the subtest failed: the limit is the
/// subtest's alone.
pub(super) fn without_limit<T>(harness: impl FnOnce() -> T) -> T {
    let limit = getrlimit(Resource::Data);
    // Up to the hard limit everybody may.
    let lifted = setrlimit(Resource::Data, Rlimit { current: limit.maximum, ..limit });
    let done = harness();
    if lifted.is_ok() {
        let _ = setrlimit(Resource::Data, limit);
    }
    done
}

fn given(memory: *mut u8, wanted: usize) -> *mut u8 {
    if memory.is_null() {
        refused(wanted);
    }
    memory
}

/// Nothing in here may want memory itself.
#[cold]
fn refused(wanted: usize) {
    let is_limited = || getrlimit(Resource::Data).current.is_some();
    if !IS_CHILD.load(Ordering::Relaxed) || !is_limited() {
        return;
    }
    let mut line = [0; 80];
    let room = line.len();
    let mut rest = &mut line[..];
    let _ = writeln!(rest, "{wanted} more bytes are more memory than it may have");
    let length = room - rest.len();
    let _ = rustix::io::write(rustix::stdio::stderr(), &line[..length]);
    exit(exit_code::CHILD_WITHOUT_MEMORY.into());
}
