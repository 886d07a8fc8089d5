//! The way between the two QEMU processes of a migration.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::options::Protocol;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::migration::{Source, Target};
use crate::vm::{Instance, Record};

/// A way that is there for one migration; what it needed is gone when this is dropped.
pub(super) struct Route {
    protocol: Protocol,
    /// The end of a pair of sockets that the source is yet to be given.
    near: Option<OwnedFd>,
    far: Option<OwnedFd>,
    fifo: Option<Fifo>,
    link: Option<Utf8PathBuf>,
    file: Utf8PathBuf,
}

const SOCKET: &str = "migration.sock";
const FIFO: &str = "migration.fifo";
/// What the source calls the destination's directory: a relative name is short enough for a
/// socket's path, whatever the directory's own is.
const LINK: &str = "destination";

impl Route {
    pub(super) fn between(protocol: Protocol, from: &Record, to: &Record) -> Result<Self> {
        let (from, to) = (&from.instance, &to.instance);
        let mut route = Self {
            protocol,
            near: None,
            far: None,
            fifo: None,
            link: None,
            file: to.scratch.join("migration"),
        };
        match protocol {
            Protocol::Tcp | Protocol::File => {}
            Protocol::Unix => {
                let link = from.runtime.join(LINK);
                // Of somebody who was killed while he moved the machine.
                remove(&link);
                std::os::unix::fs::symlink(&to.runtime, &link)
                    .with_context(|| format!("making {link}"))?;
                route.link = Some(link);
            }
            Protocol::Exec => route.fifo = Some(Fifo::between(from, to)?),
            Protocol::Fd => {
                let (near, far) = UnixStream::pair()?;
                (route.near, route.far) = (Some(near.into()), Some(far.into()));
            }
        }
        Ok(route)
    }

    /// Whether the source writes all of it before the destination reads any.
    pub(super) fn is_file(&self) -> bool {
        self.protocol == Protocol::File
    }

    /// Whether the two are connected, so that each notices when the other ends.
    pub(super) fn is_connected(&self) -> bool {
        !matches!(self.protocol, Protocol::File | Protocol::Exec)
    }

    /// Lets go who waits for the other end of a pipe: it ends then.
    pub(super) fn let_go(&self) {
        self.fifo.iter().for_each(Fifo::let_go);
    }

    /// The error of a source that would not begin: what it means, where QEMU's words say less.
    pub(super) fn judge(&self, error: Error) -> Error {
        if !self.is_file() || !error.message().contains("valid migration protocol") {
            return error;
        }
        let message = "this QEMU moves no machine by way of a file: 8.2 and later ones do";
        error.reworded(ErrorKind::MigrateFailed, message)
    }

    /// Where the destination is to listen.
    pub(super) fn source(&mut self) -> Source {
        match self.protocol {
            Protocol::Tcp => Source::Uri("tcp:127.0.0.1:0".to_owned()),
            Protocol::Unix => Source::Uri(format!("unix:{SOCKET}")),
            Protocol::Exec => Source::Uri(format!("exec:cat <{FIFO}")),
            Protocol::File => Source::Uri(format!("file:{}", self.file)),
            Protocol::Fd => match self.far.take() {
                Some(far) => Source::Descriptor(far),
                None => Source::Uri("fd:".to_owned()),
            },
        }
    }

    /// Where the source is to send; `address` is where the destination listens by now.
    pub(super) fn target(&mut self, address: Option<String>) -> Target {
        match self.protocol {
            Protocol::Tcp => Target::Uri(address.unwrap_or_default()),
            Protocol::Unix => Target::Uri(format!("unix:{LINK}/{SOCKET}")),
            Protocol::Exec => Target::Uri(format!("exec:cat >{FIFO}")),
            Protocol::File => Target::Uri(format!("file:{}", self.file)),
            Protocol::Fd => match self.near.take() {
                Some(near) => Target::Descriptor(near),
                None => Target::Uri("fd:".to_owned()),
            },
        }
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        // Some of it is not there with every protocol.
        let _ = std::fs::remove_file(&self.file);
        if let Some(link) = &self.link {
            let _ = std::fs::remove_file(link);
        }
    }
}

/// A named pipe that is in the directories of both machines.
struct Fifo {
    paths: [Utf8PathBuf; 2],
}

impl Fifo {
    fn between(from: &Instance, to: &Instance) -> Result<Self> {
        let paths = [from.runtime.join(FIFO), to.runtime.join(FIFO)];
        // Of somebody who was killed while he moved the machine.
        remove(&paths[0]);
        let doing = || format!("making {}", paths[0]);
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(CWD, paths[0].as_std_path(), FileType::Fifo, mode, 0)
            .with_context(doing)?;
        std::fs::hard_link(&paths[0], &paths[1]).with_context(doing)?;
        Ok(Self { paths })
    }

    /// Whoever waits for the other end has found one, which is gone then; whoever comes later
    /// finds no pipe.
    fn let_go(&self) {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let end = rustix::fs::open(self.paths[0].as_std_path(), flags, Mode::empty());
        remove(&self.paths[0]);
        drop(end);
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        self.let_go();
        for path in &self.paths {
            remove(path);
        }
    }
}

fn remove(path: &Utf8Path) {
    let _ = std::fs::remove_file(path);
}
