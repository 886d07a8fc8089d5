//! The guest: it boots, lets people in, and does what its role says.

use std::sync::mpsc::Receiver;

use crate::console::Console;
use crate::machine::{Input, Machine, wait_forever};
use crate::role::Role;
use crate::shell;

const USER: (&str, &str) = ("root", "kvmtest");

/// What was typed last, or why there is nobody to listen any more.
pub(crate) enum Heard {
    Line(String),
    /// The guest begins anew.
    Again,
}

pub(crate) struct Guest<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) console: Console,
    inbox: Receiver<Input>,
    /// How often it has booted.
    pub(crate) boots: u32,
}

/// Runs until the machine is off.
pub(crate) fn run(machine: &Machine, console: Console) -> ! {
    console.listen(machine.sender());
    let mut guest = Guest { machine, console, inbox: machine.inbox(), boots: 0 };
    loop {
        guest.boots += 1;
        guest.boot();
        machine.note("booted");
        while let Some(()) = guest.login() {
            machine.note("logged-in");
            match shell::serve(&mut guest) {
                Some(()) => {}
                None => break,
            }
        }
    }
}

impl Guest<'_> {
    /// The next line, echoed; what the buttons do is done.
    pub(crate) fn hear(&mut self, echo: bool) -> Heard {
        loop {
            match self.inbox.recv().expect("the machine keeps a sender") {
                Input::Line(line) => {
                    self.console.say(if echo { format!("{line}\r\n") } else { "\r\n".into() });
                    return Heard::Line(line);
                }
                Input::Reset => return Heard::Again,
                Input::PowerButton if self.machine.role == Role::StaysOn => {}
                Input::PowerButton => self.machine.shut_down("guest-shutdown"),
            }
        }
    }

    /// Megabytes that no terminal should see: escapes, bytes that are no text, lines without end.
    pub(crate) fn flood(&mut self) {
        let megabytes = std::env::var("FAKE_QEMU_MIB").ok().and_then(|text| text.parse().ok());
        let mut piece = b"\x1b]0;owned\x07\x1b[2J\x1b[31m\xff\xfe\0\x9b5n</failure>]]>".to_vec();
        piece.resize(1000, b'A');
        let line = [&piece[..], b"\r\n"].concat();
        let block = [piece.repeat(40), line.repeat(25)].concat();
        for _ in 0..megabytes.unwrap_or(8) * 16 {
            self.console.say(&block);
        }
        self.console.say("\r\n");
    }

    fn boot(&mut self) {
        self.console.say("SeaBIOS (version fake)\r\n[    0.000000] Linux version 6.1.0-fake\r\n");
        match self.machine.role {
            Role::Silent => {
                self.machine.note("silent");
                self.console.wait_for_listener();
                self.hang("listened-to");
            }
            Role::StaysAway if self.boots > 1 => self.hang("away"),
            Role::Panics => self.panic(),
            Role::PanicsQuietly => {
                self.machine.guest_panicked();
                self.hang("panicked");
            }
            Role::FindsNoDisk => {
                self.console.say("Booting from Hard Disk...\r\nNo bootable device.\r\n");
                self.hang("found-no-disk");
            }
            Role::PowersOff => {
                self.console.wait_for_listener();
                self.machine.shut_down("guest-shutdown");
            }
            Role::Floods | Role::FloodsAndPanics => {
                self.console.wait_for_listener();
                self.flood();
            }
            _ => {}
        }
        if self.machine.role == Role::FloodsAndPanics {
            self.panic();
        }
    }

    fn panic(&mut self) -> ! {
        self.console.say("[    0.500000] Kernel panic - not syncing: \x1b[5mno soul\r\n");
        self.hang("panicked")
    }

    fn hang(&self, note: &str) -> ! {
        self.machine.note(note);
        wait_forever();
    }

    /// Lets somebody in; nothing if the guest begins anew.
    fn login(&mut self) -> Option<()> {
        loop {
            self.console.say("\r\nfake login: ");
            let Heard::Line(name) = self.hear(true) else { return None };
            if name.is_empty() {
                continue;
            }
            self.console.say("Password: ");
            let Heard::Line(password) = self.hear(false) else { return None };
            if (name.as_str(), password.as_str()) == USER {
                return Some(());
            }
            self.console.say("Login incorrect\r\n");
        }
    }
}
