//! What monitors and guest have in common.

use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::role::Role;

/// What reaches the guest.
pub(crate) enum Input {
    /// A line that was typed on the console.
    Line(String),
    /// The reset button.
    Reset,
    /// The power button.
    PowerButton,
}

#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) role: Role,
    shared: Arc<Shared>,
}

struct Shared {
    notes: Option<Mutex<File>>,
    clients: Mutex<Vec<UnixStream>>,
    panicked: AtomicBool,
    sender: Sender<Input>,
    inbox: Mutex<Option<Receiver<Input>>>,
}

impl Machine {
    pub(crate) fn new(role: Role) -> Self {
        let (sender, receiver) = channel();
        // Nobody may be reading yet, and a pipe that is opened for both waits for nobody.
        let notes = std::env::var_os("FAKE_QEMU_NOTES").map(|path| {
            let file = File::options().read(true).write(true).open(path);
            Mutex::new(file.expect("a pipe for notes"))
        });
        let inbox = Mutex::new(Some(receiver));
        let clients = Mutex::default();
        let shared = Shared { notes, clients, panicked: AtomicBool::new(false), sender, inbox };
        Self { role, shared: Arc::new(shared) }
    }

    /// Tells the test what happens.
    pub(crate) fn note(&self, what: &str) {
        if let Some(notes) = &self.shared.notes {
            let line = format!("{what} {}\n", std::process::id());
            lock(notes).write_all(line.as_bytes()).expect("the pipe takes notes");
        }
    }

    /// Where what is meant for the guest goes.
    pub(crate) fn sender(&self) -> Sender<Input> {
        self.shared.sender.clone()
    }

    /// What is meant for the guest; there is one guest.
    pub(crate) fn inbox(&self) -> Receiver<Input> {
        lock(&self.shared.inbox).take().expect("there is one guest")
    }

    pub(crate) fn add_client(&self, client: UnixStream) {
        lock(&self.shared.clients).push(client);
    }

    /// Tells every monitor of an event.
    pub(crate) fn event(&self, name: &str, data: &Value) {
        let time = json!({"seconds": 1, "microseconds": 2});
        let line = json!({"event": name, "data": data, "timestamp": time}).to_string() + "\r\n";
        lock(&self.shared.clients).retain_mut(|client| client.write_all(line.as_bytes()).is_ok());
    }

    /// What the guest's kernel tells the machine when it panics, and what the machine does then.
    pub(crate) fn guest_panicked(&self) {
        self.shared.panicked.store(true, Ordering::SeqCst);
        self.event("GUEST_PANICKED", &json!({"action": "pause"}));
    }

    /// What `query-status` says.
    pub(crate) fn status(&self) -> &'static str {
        if self.shared.panicked.load(Ordering::SeqCst) { "guest-panicked" } else { "running" }
    }

    /// Ends as QEMU does.
    pub(crate) fn shut_down(&self, reason: &str) -> ! {
        let guest = reason.starts_with("guest");
        self.event("SHUTDOWN", &json!({"guest": guest, "reason": reason}));
        std::process::exit(0);
    }

    /// Ends as a process does that somebody killed.
    pub(crate) fn be_killed() -> ! {
        let _ = kill_process(rustix::process::getpid(), Signal::KILL);
        wait_forever();
    }
}

pub(crate) fn wait_forever() -> ! {
    loop {
        std::thread::park();
    }
}

pub(crate) fn ignore_sigterm() {
    let heard = Arc::default();
    signal_hook::flag::register(signal_hook::consts::SIGTERM, heard).expect("a handler");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
