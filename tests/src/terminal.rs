//! A command on a terminal of its own.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::{Ended, PATIENCE, Process};

/// A command on a terminal of its own, with what the terminal shows. It is killed when this is
/// dropped.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    process: Process,
    ours: File,
    theirs: File,
    said: Vec<u8>,
    /// How much of that was waited for.
    heard: usize,
}

impl Terminal {
    /// Starts `command` on a terminal of 50 lines that are `columns` wide.
    pub fn start(command: &Command, columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a terminal");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("unlocked");
        let name = ptsname(&ours, Vec::new()).expect("a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = File::from(rustix::fs::open(&name, flags, Mode::empty()).expect("opened"));
        let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).expect("it has a size");
        let stdio = || Stdio::from(theirs.try_clone().expect("a descriptor"));
        // Which makes it the terminal of a session of its own, as one in a window is.
        let mut there = Command::new("setsid");
        there.arg("--ctty").arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => there.env(key, value),
                None => there.env_remove(key),
            };
        }
        there.env("TERM", "xterm").current_dir(command.get_current_dir().expect("a directory"));
        let child = there.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().expect("started");
        let process = Process::open(child.id().cast_signed()).expect("nobody has waited for it");
        Self { child, process, ours: File::from(ours), theirs, said: Vec::new(), heard: 0 }
    }

    /// Waits until `text` is written there, after what was waited for before.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rest = &self.said[self.heard..];
            let at = rest.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = at {
                self.heard += at + text.len();
                return self;
            }
            assert!(self.read_until(deadline), "`{text}` never came:\n{}", self.text());
        }
    }

    /// Types `keys`.
    pub fn types(&mut self, keys: &str) -> &mut Self {
        self.ours.write_all(keys.as_bytes()).expect("it takes them");
        self
    }

    /// A signal to the command's process alone.
    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        self.process.signal(signal);
        self
    }

    /// Whether the terminal hands on every key as it is.
    pub fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.theirs).expect("it has modes").local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// All that was written there so far, as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.said
    }

    /// How many bytes of that were waited for.
    pub fn heard(&self) -> usize {
        self.heard
    }

    /// The same as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.said).into_owned()
    }

    /// Closes the window: the terminal is gone.
    #[track_caller]
    pub fn close(mut self) -> Option<i32> {
        let nothing = || File::open("/dev/null").expect("it is there");
        (self.ours, self.theirs) = (nothing(), nothing());
        assert!(self.process.ends_within(PATIENCE), "it did not end:\n{}", self.text());
        self.child.wait().expect("it was not waited for").code()
    }

    /// Waits for the end of the command.
    #[track_caller]
    pub fn end(&mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        while !self.process.ends_within(std::time::Duration::ZERO) {
            assert!(self.read_until(deadline), "it did not end:\n{}", self.text());
        }
        while self.read() {}
        let status = self.child.wait().expect("it was not waited for");
        Ended { status, stdout: self.text(), stderr: String::new() }
    }

    /// Reads more, or sees that the command has ended; whether that was before the deadline.
    fn read_until(&mut self, deadline: Instant) -> bool {
        let rest = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(rest).expect("not that long");
        let mut wanted = [
            PollFd::new(&self.ours, PollFlags::IN),
            PollFd::from_borrowed_fd(self.process.as_fd(), PollFlags::IN),
        ];
        let ready = poll(&mut wanted, Some(&timeout)).expect("polled");
        let [said, ended] = wanted.map(|it| !it.revents().is_empty());
        let read = said && self.read();
        ready > 0 && (read || ended)
    }

    /// Whether anything was there to be read.
    fn read(&mut self) -> bool {
        let mut wanted = [PollFd::new(&self.ours, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        if poll(&mut wanted, Some(&now)).expect("polled") == 0 {
            return false;
        }
        let mut buffer = [0; 4096];
        match self.ours.read(&mut buffer) {
            Ok(read) => {
                self.said.extend_from_slice(&buffer[..read]);
                read > 0
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(error) => panic!("the terminal cannot be read: {error}"),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What was waited for takes no signal.
        self.process.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}
