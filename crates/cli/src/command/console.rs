//! `kvmtest console`: the serial console of a living machine, on a raw terminal.

use std::io::{IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use kvmtest::vm::Vm;
use kvmtest::{Error, ErrorKind, Result, env};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::args::Machine;
use crate::terminal::note;

/// Ctrl-], as telnet has it.
const ESCAPE: u8 = 0x1d;

pub(super) fn execute(machine: &Machine) -> Result<u8> {
    let vm = env::find_vm_in(&machine.vm, machine.env.as_deref())?;
    vm.renew()?;
    let ended = enter(&vm, "Ctrl-] leaves")?;
    note(if ended { "\nthe machine has ended" } else { "\nleft; the machine lives on" });
    Ok(0)
}

/// Lets a person at this terminal into the console of `vm`; tells whether the machine ended it.
pub(super) fn enter(vm: &Vm, hint: &str) -> Result<bool> {
    let name = vm.name();
    let record = vm.record().ok_or_else(|| missing(name))?;
    let serial = record.line.serials.first().ok_or_else(|| missing(name))?;
    let stream = record.instance.connect(&serial.socket)?;
    note(format!("console of {name}: {hint}"));
    let _raw = RawTerminal::enter();
    relay(stream)
}

/// Carries bytes both ways; says whether it was the machine that ended it.
fn relay(mut stream: UnixStream) -> Result<bool> {
    let stdin = std::io::stdin();
    let mut input_open = true;
    let mut buffer = [0u8; 4096];
    loop {
        let (from_person, from_guest) = {
            let flags = if input_open { PollFlags::IN } else { PollFlags::empty() };
            let mut fds = [
                PollFd::from_borrowed_fd(stdin.as_fd(), flags),
                PollFd::new(&stream, PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            (input_open && !fds[0].revents().is_empty(), !fds[1].revents().is_empty())
        };
        if from_guest {
            let read = stream.read(&mut buffer)?;
            if read == 0 {
                return Ok(true);
            }
            let mut output = std::io::stdout().lock();
            output.write_all(&buffer[..read])?;
            output.flush()?;
        }
        if from_person {
            let read = rustix::io::read(&stdin, &mut buffer)?;
            if let Some(at) = buffer[..read].iter().position(|byte| *byte == ESCAPE) {
                stream.write_all(&buffer[..at])?;
                return Ok(false);
            }
            stream.write_all(&buffer[..read])?;
            input_open = read > 0;
            // A pipe has said what it had to say; what the guest answers is still wanted, for as
            // long as it keeps talking.
            if !input_open && !answers_within_a_second(&stream)? {
                return Ok(false);
            }
        } else if !input_open && !answers_within_a_second(&stream)? {
            return Ok(false);
        }
    }
}

fn answers_within_a_second(stream: &UnixStream) -> Result<bool> {
    let second = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&second))?;
    Ok(ready > 0)
}

/// A terminal that hands on every key as it is; put back when dropped.
struct RawTerminal {
    before: Option<Termios>,
}

impl RawTerminal {
    fn enter() -> Self {
        let stdin = std::io::stdin();
        let before = stdin.is_terminal().then(|| tcgetattr(&stdin).ok()).flatten();
        if let Some(before) = &before {
            let mut raw = before.clone();
            raw.make_raw();
            let _ = tcsetattr(&stdin, OptionalActions::Flush, &raw);
        }
        Self { before }
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
        }
    }
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::VmMissing, format!("the VM `{name}` has no serial console"))
}
