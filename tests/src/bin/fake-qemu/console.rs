//! The serial console: whoever is connected sees it, and a file sees all of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::chardev::Chardev;
use crate::machine::Input;

pub(crate) struct Console {
    listener: UnixListener,
    log: File,
    client: Arc<Client>,
}

#[derive(Default)]
struct Client {
    stream: Mutex<Option<UnixStream>>,
    came: Condvar,
}

impl Console {
    pub(crate) fn open(chardev: &Chardev) -> Self {
        let log = chardev.log.as_deref().expect("a console has a log");
        let log = File::options().append(true).create(true).open(log).expect("a log");
        Self { listener: chardev.listen(), log, client: Arc::default() }
    }

    /// Hands what is typed to `sender`, in a thread of its own.
    pub(crate) fn listen(&self, sender: Sender<Input>) {
        let listener = self.listener.try_clone().expect("a descriptor");
        let client = Arc::clone(&self.client);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                client.connected(Some(stream.try_clone().expect("a descriptor")));
                hear(stream, &sender);
                client.connected(None);
            }
        });
    }

    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.log.write_all(bytes).expect("the log takes it");
        let mut stream = self.client.stream();
        if let Some(listening) = &mut *stream
            && listening.write_all(bytes).is_err()
        {
            *stream = None;
        }
    }

    pub(crate) fn wait_for_listener(&self) {
        let stream = self.client.stream();
        drop(self.client.came.wait_while(stream, |stream| stream.is_none()));
    }
}

impl Client {
    fn stream(&self) -> MutexGuard<'_, Option<UnixStream>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connected(&self, stream: Option<UnixStream>) {
        *self.stream() = stream;
        self.came.notify_all();
    }
}

/// Reads lines until the client is gone.
fn hear(stream: UnixStream, sender: &Sender<Input>) {
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
        if sender.send(Input::Line(text)).is_err() {
            return;
        }
        line.clear();
    }
}
