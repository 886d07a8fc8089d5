//! TCP connections that are made without blocking, so that a watch or an interrupt ends them.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::watch::{self, Watch};
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::wait;

/// Connects to `host` and `port`.
pub(super) fn connect_by(
    host: &str,
    port: u16,
    watches: &mut [Box<dyn Watch>],
    deadline: Deadline,
) -> Result<TcpStream> {
    let place = format!("{host} port {port}");
    let addresses = (host, port).to_socket_addrs().with_context(|| format!("looking up {host}"))?;
    let mut last = None;
    for address in addresses {
        match attempt(address, watches, deadline) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::Io => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    let why = last.map_or_else(|| "no address".to_owned(), |error| error.to_string());
    let message = format!("cannot connect to {place}: {why}");
    Err(Error::new(ErrorKind::LoginTerminated, message))
}

/// Waits until an ssh server at `host` and `port` has said what it is, or `deadline` has passed.
///
/// A guest that boots behind QEMU's user network takes connections long before it can answer,
/// and those that came too early are answered seconds too late. So connections are made one
/// after the other, and the first that is answered tells. Only done for plain addresses: a name
/// may mean something else to `ssh` than to us (a jump host).
pub(super) fn wait_for_ssh(
    host: &str,
    port: u16,
    watches: &mut [Box<dyn Watch>],
    deadline: Deadline,
) -> Result<()> {
    let Ok(address) = host.parse::<IpAddr>() else { return Ok(()) };
    let address = SocketAddr::new(address, port);
    let mut tries: Vec<TcpStream> = Vec::new();
    while !deadline.expired() {
        if tries.len() == TRIES {
            tries.remove(0);
        }
        tries.extend(begin(address).ok());
        let next = deadline.at_most(INTERVAL);
        while !next.expired() {
            let mut wanted: Vec<_> =
                tries.iter().map(|stream| (stream.as_fd(), PollFlags::IN)).collect();
            wanted.extend(watch::wanted(watches));
            let ready = wait::ready_flags(&wanted, next)?;
            watch::check(watches, &ready[tries.len()..])?;
            for index in (0..tries.len()).rev() {
                if ready[index].is_empty() {
                    continue;
                }
                if greeted(&mut tries[index]) {
                    return Ok(());
                }
                tries.remove(index);
            }
        }
    }
    Ok(())
}

/// How many connections wait for an answer at the same time.
const TRIES: usize = 4;
/// How long after one connection the next one is made.
const INTERVAL: Duration = Duration::from_millis(250);

fn greeted(stream: &mut TcpStream) -> bool {
    let mut greeting = [0; 4];
    matches!(stream.read(&mut greeting), Ok(length) if length > 0)
}

fn attempt(
    address: SocketAddr,
    watches: &mut [Box<dyn Watch>],
    deadline: Deadline,
) -> Result<TcpStream> {
    let stream = begin(address)?;
    loop {
        let mut wanted = vec![(stream.as_fd(), PollFlags::OUT)];
        wanted.extend(watch::wanted(watches));
        let ready = wait::ready_flags(&wanted, deadline)?;
        watch::check(watches, &ready[1..])?;
        if !ready[0].is_empty() {
            sockopt::socket_error(&stream)??;
            return Ok(stream);
        }
        if deadline.expired() {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
    }
}

/// A connection that is being made; it is never blocking.
fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket.into()),
        Err(error) => Err(error.into()),
    }
}
