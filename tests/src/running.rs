//! A command that was started.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{Ended, PATIENCE, Process};

/// A command of the program, in a process group of its own, as a shell's jobs are. It is killed
/// when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    process: Process,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
}

impl Running {
    /// Starts `command`. Its output is read all the time, by pipes.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("it starts");
        let process = Process::open(child.id().cast_signed()).expect("nobody has waited for it");
        let stdout = collect(child.stdout.take().expect("a pipe"));
        let stderr = collect(child.stderr.take().expect("a pipe"));
        Self { child, process, stdout, stderr }
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Types `text`, and nothing after it.
    #[must_use]
    pub fn types(mut self, text: &str) -> Self {
        let mut stdin = self.child.stdin.take().expect("nothing was typed before");
        stdin.write_all(text.as_bytes()).expect("it reads");
        self
    }

    /// A signal to its process group: what Ctrl-C does.
    pub fn signal_group(&self, signal: Signal) {
        kill_process_group(Pid::from_child(&self.child), signal).expect("it is there");
    }

    /// A signal to the process alone.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    /// Waits for its end, and for that of its output: a process that it left behind and that
    /// holds on to its pipes keeps a user's pipeline waiting.
    pub fn end(self) -> Ended {
        self.end_within(PATIENCE)
    }

    /// The same, for what takes longer.
    pub fn end_within(mut self, patience: Duration) -> Ended {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + patience;
        let ended = self.process.ends_within(patience);
        let rest = || deadline.saturating_duration_since(Instant::now()) + Duration::from_secs(5);
        if !ended {
            self.process.signal(Signal::ABORT);
        }
        let status = self.child.wait().expect("it was not waited for");
        let stdout = self.stdout.recv_timeout(rest());
        let stderr = self.stderr.recv_timeout(rest());
        let complete = stdout.is_ok() && stderr.is_ok();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let stdout = text(stdout.unwrap_or_default());
        let stderr = text(stderr.unwrap_or_default());
        let outcome = Ended { status, stdout, stderr };
        assert!(ended, "it did not end within {patience:?}: {outcome}");
        assert!(complete, "it ended, and somebody still holds its pipes: {outcome}");
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What was waited for takes no signal.
        self.process.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        sender.send(bytes)
    });
    receiver
}
