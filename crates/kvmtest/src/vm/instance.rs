//! The two private directories of a running machine: what is small and belongs to the session
//! (sockets, lease), and what may grow (logs, disk overlays).

use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags, inotify, open};
use serde::{Deserialize, Serialize};

use crate::deadline::Deadline;
use crate::error::{Context, Result};
use crate::{directories, env, wait};

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
    /// Makes both directories, mode 0700, under a new random name.
    pub fn make() -> Result<Self> {
        let id = random_id()?;
        directories::runtime()?;
        let scratch = directories::private(&scratch_root()?.join(&id))?;
        let runtime = directories::private(&runtime_root()?.join(&id))?;
        let instance = Self { id, runtime, scratch };
        env::mark(&instance)?;
        Ok(instance)
    }

    /// What QEMU itself wrote: its last words are here.
    pub fn qemu_log(&self) -> Utf8PathBuf {
        self.scratch.join("qemu.log")
    }

    /// Everything that the first serial console ever printed.
    pub fn serial_log(&self) -> Utf8PathBuf {
        self.scratch.join("serial.log")
    }

    /// Connects to a socket in the runtime directory.
    ///
    /// By way of a descriptor of the directory: a socket's path may have no more than 108
    /// bytes, and the directory's own may take them all.
    pub fn connect(&self, socket: &str) -> Result<UnixStream> {
        self.try_connect(socket)?
            .with_context(|| format!("connecting to {}", self.runtime.join(socket)))
    }

    /// As [`connect`](Self::connect), while `process` is still opening its sockets: one is there
    /// a moment before anybody listens on it, and no event tells when that is over.
    pub(crate) fn connect_early(
        &self,
        socket: &str,
        process: BorrowedFd<'_>,
        deadline: Deadline,
    ) -> Result<UnixStream> {
        const MOMENT: Duration = Duration::from_millis(1);
        loop {
            match self.try_connect(socket)? {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    let [ended] = wait::readable([process], deadline.at_most(MOMENT))?;
                    if ended || deadline.expired() {
                        return self.connect(socket);
                    }
                }
                connected => {
                    return connected
                        .with_context(|| format!("connecting to {}", self.runtime.join(socket)));
                }
            }
        }
    }

    fn try_connect(&self, socket: &str) -> Result<std::io::Result<UnixStream>> {
        let doing = || format!("opening {}", self.runtime);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory =
            open(self.runtime.as_std_path(), flags, Mode::empty()).with_context(doing)?;
        let number = std::os::fd::AsRawFd::as_raw_fd(&directory.as_fd());
        Ok(UnixStream::connect(format!("/proc/self/fd/{number}/{socket}")))
    }

    /// Waits until the runtime directory has `file`, or `other` can be read, or the deadline
    /// passes; says whether the file is there.
    pub(crate) fn wait_for_file(
        &self,
        file: &str,
        other: Option<BorrowedFd<'_>>,
        deadline: Deadline,
    ) -> Result<bool> {
        let changes =
            inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        let what = inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
        inotify::add_watch(&changes, self.runtime.as_std_path(), what)?;
        let path = self.runtime.join(file);
        let mut wanted = vec![(changes.as_fd(), PollFlags::IN)];
        wanted.extend(other.map(|other| (other, PollFlags::IN)));
        while !path.exists() {
            let ready = wait::ready_flags(&wanted, deadline)?;
            if ready[0].is_empty() {
                break;
            }
            let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
            let mut reader = inotify::Reader::new(&changes, &mut buffer);
            while reader.next().is_ok() {}
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

fn random_id() -> Result<String> {
    let mut bytes = [0u8; 6];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(bytes.iter().fold(String::new(), |id, byte| format!("{id}{byte:02x}")))
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
