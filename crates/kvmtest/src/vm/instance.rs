//! The two private directories of a running machine: what is small and belongs to the session
//! (sockets, lease), and what may grow (logs, disk overlays).

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

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
        let doing = || format!("connecting to {}", self.runtime.join(socket));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory =
            open(self.runtime.as_std_path(), flags, Mode::empty()).with_context(doing)?;
        let number = std::os::fd::AsRawFd::as_raw_fd(&directory.as_fd());
        UnixStream::connect(format!("/proc/self/fd/{number}/{socket}")).with_context(doing)
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
    Ok(directories::runtime()?.join("vms"))
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
}
