//! The two private directories of a running machine: what is small and belongs to the session
//! (sockets, lease), and what may grow (logs, disk overlays).

use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags, open};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use serde::{Deserialize, Serialize};

use crate::changes::{Changes, WatchFlags};
use crate::deadline::Deadline;
use crate::error::{Context, Result};
use crate::host::ProcessId;
use crate::lease::Lease;
use crate::{directories, env, hexadecimal, wait};

/// How long a QEMU that runs may be busy with something else than who wants to connect.
const ACCEPT: Duration = Duration::from_secs(20);

/// What QEMU itself wrote.
pub(super) const QEMU_LOG: &str = "qemu.log";

/// Where one incarnation of a VM keeps its things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Random; the name of both directories.
    pub id: String,
    /// Sockets, lease and process facts; QEMU's working directory.
    pub runtime: Utf8PathBuf,
    /// Logs and overlays.
    pub scratch: Utf8PathBuf,
}

impl Instance {
    /// Makes both directories, mode 0700, under a new random name, for the machine `vm`, which
    /// this process is about to start.
    pub fn make(vm: &str) -> Result<Self> {
        let id = hexadecimal::random()?;
        directories::runtime()?;
        let runtime = runtime_root()?.join(&id);
        let instance = Self { runtime, scratch: scratch_root()?.join(&id), id };
        instance.fill(vm).inspect_err(|_| instance.remove())?;
        Ok(instance)
    }

    /// From the first moment it can be told whether whoever made it lives.
    fn fill(&self, vm: &str) -> Result<()> {
        directories::private(&self.runtime)?;
        Lease::held(vm, self, None, ProcessId::own()?).write()?;
        directories::private(&self.scratch)?;
        env::mark(self)
    }

    /// What QEMU itself wrote: its last words are here.
    pub fn qemu_log(&self) -> Utf8PathBuf {
        self.scratch.join(QEMU_LOG)
    }

    /// Everything that the first serial console ever printed.
    pub fn serial_log(&self) -> Utf8PathBuf {
        self.scratch.join("serial.log")
    }

    /// The guest's memory, where that is a file.
    pub fn memory(&self) -> Utf8PathBuf {
        self.scratch.join("memory")
    }

    /// Connects to a socket in the runtime directory.
    ///
    /// By way of a descriptor of the directory: a socket's path may have no more than 108
    /// bytes, and the directory's own may take them all.
    pub fn connect(&self, socket: &str) -> Result<UnixStream> {
        self.connect_by(socket, None, Deadline::after(ACCEPT))
    }

    /// As [`connect`](Self::connect), while `process` is still opening its sockets: one is there
    /// a moment before anybody listens on it, and no event tells when that is over.
    pub(crate) fn connect_early(
        &self,
        socket: &str,
        process: BorrowedFd<'_>,
        deadline: Deadline,
    ) -> Result<UnixStream> {
        self.connect_by(socket, Some(process), deadline)
    }

    fn connect_by(
        &self,
        socket: &str,
        early: Option<BorrowedFd<'_>>,
        deadline: Deadline,
    ) -> Result<UnixStream> {
        const MOMENT: Duration = Duration::from_millis(1);
        let mut is_last = false;
        loop {
            let connected = self.try_connect(socket)?;
            let may_change = connected.as_ref().is_err_and(|error| match error.kind() {
                // As many wait there as may, for somebody who takes none of them at present.
                ErrorKind::WouldBlock => true,
                ErrorKind::ConnectionRefused => early.is_some(),
                _ => false,
            });
            if is_last || !may_change {
                return connected
                    .with_context(|| format!("connecting to {}", self.runtime.join(socket)));
            }
            let wanted: Vec<_> = early.iter().map(|process| (*process, PollFlags::IN)).collect();
            let ready = wait::ready_flags(&wanted, deadline.at_most(MOMENT))?;
            is_last = deadline.expired() || ready.iter().any(|flags| !flags.is_empty());
        }
    }

    fn try_connect(&self, socket: &str) -> Result<std::io::Result<UnixStream>> {
        let doing = || format!("opening {}", self.runtime);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory =
            open(self.runtime.as_std_path(), flags, Mode::empty()).with_context(doing)?;
        let number = std::os::fd::AsRawFd::as_raw_fd(&directory.as_fd());
        let address = SocketAddrUnix::new(format!("/proc/self/fd/{number}/{socket}"))?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        let connected = connect(&stream, &address).map_err(std::io::Error::from);
        Ok(connected.and_then(|()| {
            let stream = UnixStream::from(stream);
            stream.set_nonblocking(false)?;
            Ok(stream)
        }))
    }

    /// Waits until the runtime directory has `file`, or `other` can be read, or the deadline
    /// passes; says whether the file is there.
    pub(crate) fn wait_for_file(
        &self,
        file: &str,
        other: Option<BorrowedFd<'_>>,
        deadline: Deadline,
    ) -> Result<bool> {
        let path = self.runtime.join(file);
        if path.exists() {
            return Ok(true);
        }
        let changes = Changes::of(&self.runtime, WatchFlags::CREATE | WatchFlags::MOVED_TO)?;
        let mut wanted = vec![(changes.as_fd(), PollFlags::IN)];
        wanted.extend(other.map(|other| (other, PollFlags::IN)));
        while !path.exists() {
            let ready = wait::ready_flags(&wanted, deadline)?;
            if ready[0].is_empty() {
                break;
            }
            changes.quiet();
        }
        Ok(path.exists())
    }

    /// Removes both directories, and the ones above them that are empty then. What is not there
    /// is no error.
    pub fn remove(&self) {
        for dir in [&self.scratch, &self.runtime] {
            let _ = std::fs::remove_dir_all(dir);
        }
        for root in [scratch_root(), runtime_root()].into_iter().flatten() {
            remove_if_empty(&root);
        }
    }
}

/// Where the runtime directories of all instances are.
pub fn runtime_root() -> Result<Utf8PathBuf> {
    Ok(directories::runtime_path()?.join("vms"))
}

/// Where the scratch directories of all instances are.
pub fn scratch_root() -> Result<Utf8PathBuf> {
    Ok(directories::cache()?.join("scratch"))
}

/// Removes `dir` if it is empty, and the one above it likewise.
pub(crate) fn remove_if_empty(dir: &Utf8Path) {
    if std::fs::remove_dir(dir).is_ok()
        && let Some(parent) = dir.parent()
    {
        let _ = std::fs::remove_dir(parent);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_socket_far_down_the_tree_can_be_reached() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut runtime = Utf8PathBuf::from_path_buf(dir.path().into()).expect("UTF-8");
        for _ in 0..8 {
            runtime.push("twenty-four-characters--");
        }
        std::fs::create_dir_all(&runtime).expect("made");
        assert!(runtime.as_str().len() > 108);
        let at = open(runtime.as_std_path(), OFlags::PATH, Mode::empty()).expect("opened");
        let number = std::os::fd::AsRawFd::as_raw_fd(&at);
        let _listener = UnixListener::bind(format!("/proc/self/fd/{number}/s")).expect("bound");
        let instance = Instance { id: "x".into(), runtime, scratch: "/nowhere".into() };
        instance.connect("s").expect("connected");
        instance.connect("t").expect_err("nobody listens");
    }

    #[test]
    fn nobody_waits_for_ever_where_too_many_wait_already() {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = Utf8PathBuf::from_path_buf(dir.path().into()).expect("UTF-8");
        let bound =
            socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)
                .expect("a socket");
        let address = SocketAddrUnix::new(runtime.join("s").as_std_path()).expect("short");
        rustix::net::bind(&bound, &address).expect("bound");
        rustix::net::listen(&bound, 1).expect("listens");
        let instance = Instance { id: "x".into(), runtime, scratch: "/nowhere".into() };
        let (lives, _other) = UnixStream::pair().expect("a pair");
        let mut waiting = Vec::new();
        let soon = || Deadline::after(Duration::from_millis(50));
        let refused = loop {
            match instance.connect_early("s", lives.as_fd(), soon()) {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
            assert!(waiting.len() < 100, "the queue has no end");
        };
        assert!(refused.to_string().contains("connecting to"), "{refused}");
        let late = Deadline::after(Duration::from_secs(60));
        std::thread::scope(|scope| {
            let next = scope.spawn(|| instance.connect_early("s", lives.as_fd(), late));
            drop(rustix::net::accept(&bound).expect("taken"));
            next.join().expect("no panic").expect("there is room now");
        });
    }

    #[test]
    fn a_socket_that_is_bound_is_connected_to_as_soon_as_somebody_listens() {
        use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = Utf8PathBuf::from_path_buf(dir.path().into()).expect("UTF-8");
        let bound = socket(AddressFamily::UNIX, SocketType::STREAM, None).expect("a socket");
        let address = SocketAddrUnix::new(runtime.join("s").as_std_path()).expect("short");
        bind(&bound, &address).expect("bound");
        let instance = Instance { id: "x".into(), runtime, scratch: "/nowhere".into() };
        let (lives, _other) = UnixStream::pair().expect("a pair");
        let soon = Deadline::after(Duration::from_millis(10));
        instance.connect_early("s", lives.as_fd(), soon).expect_err("nobody listens yet");
        std::thread::scope(|scope| {
            scope.spawn(|| listen(&bound, 1).expect("listens"));
            let late = Deadline::after(Duration::from_secs(60));
            instance.connect_early("s", lives.as_fd(), late).expect("connected");
        });
    }
}
