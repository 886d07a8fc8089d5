//! `kvmtest console`: the serial console of a living machine, on a raw terminal.

use std::io::{IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kvmtest::vm::Vm;
use kvmtest::{Deadline, Error, ErrorKind, Result, env, wait};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

use super::usage::note_use;
use crate::args::Machine;
use crate::terminal::note;

/// Ctrl-], as telnet has it.
const ESCAPE: u8 = 0x1d;

/// How long a guest may be silent once everything is typed that ever will be.
const MORE: Duration = Duration::from_secs(1);

pub(super) fn execute(machine: &Machine) -> Result<u8> {
    let vm = env::find_vm_in(&machine.vm, machine.env.as_deref())?;
    vm.renew()?;
    note_use(&vm, "console");
    let console = Console::of(&vm)?;
    note(format!("console of {}: Ctrl-] leaves", vm.name()));
    let ended = console.relay(&vm, &Before::default())?;
    note(if ended { "\nthe machine has ended" } else { "\nleft; the machine lives on" });
    Ok(0)
}

/// The connection to the serial console of a machine.
pub(super) struct Console(UnixStream);

/// How a terminal was before it handed on every key as it is, for whoever has to put it back.
#[derive(Clone, Default)]
pub(super) struct Before(Arc<Mutex<Option<Termios>>>);

impl Console {
    /// Connects to the first serial console of `vm`. What was typed at this terminal until now was
    /// not meant for it, and is thrown away; what is typed from now on is.
    pub(super) fn of(vm: &Vm) -> Result<Self> {
        let missing = || {
            let message = format!("the VM `{}` has no serial console", vm.name());
            Error::new(ErrorKind::VmMissing, message)
        };
        let record = vm.record().ok_or_else(missing)?;
        let serial = record.line.serials.first().ok_or_else(missing)?;
        let stream = record.instance.connect(&serial.socket)?;
        // Nothing, where it is no terminal.
        let _ = tcflush(std::io::stdin(), QueueSelector::IFlush);
        Ok(Self(stream))
    }

    /// Lets a person at this terminal type there, until they leave or an interrupt is requested;
    /// tells whether it was the machine that ended it. From the first key on, `vm` is known as
    /// one in which somebody was.
    pub(super) fn relay(self, vm: &Vm, before: &Before) -> Result<bool> {
        before.make_raw();
        let ended = relay(self.0, || vm.enter_by_hand());
        before.put_back();
        ended
    }
}

impl Before {
    fn make_raw(&self) {
        let stdin = std::io::stdin();
        let Some(before) = stdin.is_terminal().then(|| tcgetattr(&stdin).ok()).flatten() else {
            return;
        };
        let mut raw = before.clone();
        raw.make_raw();
        // Whoever was told that this is a console may have begun to type.
        let _ = tcsetattr(&stdin, OptionalActions::Drain, &raw);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
    }

    /// Puts the terminal back, unless that was done.
    pub(super) fn put_back(&self) {
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(before) = before {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &before);
        }
    }
}

/// Carries bytes both ways; says whether it was the machine that ended it. `enter` is called
/// before anything is typed there.
fn relay(mut stream: UnixStream, enter: impl FnOnce() -> Result<()>) -> Result<bool> {
    let stdin = std::io::stdin();
    let mut enter = Some(enter);
    let mut input_open = true;
    let mut buffer = [0u8; 4096];
    loop {
        let (from_person, from_guest) = if input_open {
            let fds = [stdin.as_fd(), stream.as_fd()];
            let [person, guest] = wait::readable(fds, Deadline::after(Duration::MAX))?;
            (person, guest)
        } else {
            let [guest] = wait::readable([stream.as_fd()], Deadline::after(MORE))?;
            // A pipe has said what it had to say; what the guest answers is still wanted, for as
            // long as it keeps talking.
            if !guest {
                return Ok(false);
            }
            (false, guest)
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
            let escape = buffer[..read].iter().position(|byte| *byte == ESCAPE);
            let typed = &buffer[..escape.unwrap_or(read)];
            if let Some(enter) = enter.take_if(|_| !typed.is_empty()) {
                enter()?;
            }
            stream.write_all(typed)?;
            if escape.is_some() {
                return Ok(false);
            }
            input_open = read > 0;
        }
    }
}
