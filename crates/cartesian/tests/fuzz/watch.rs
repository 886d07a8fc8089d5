//! Keeps the text at hand that is being tried, so that it can be told whatever happens.

use crate::promise;
use std::fs::File;
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Tries texts.
pub(crate) struct Watch {
    /// The text is written there first: a stack that overflows leaves no time to tell it.
    file: File,
    path: PathBuf,
    tried: Arc<AtomicU64>,
    /// Dropped at the end, and the thread ends.
    _alive: mpsc::Sender<()>,
}

/// One text takes a few milliseconds. What takes this long hangs.
const HANG: Duration = Duration::from_secs(60);

impl Watch {
    pub(crate) fn new() -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fuzz.cfg");
        let file = File::create(&path).expect("the target's folder is there");
        let tried = Arc::new(AtomicU64::new(0));
        let (alive, ended) = mpsc::channel();
        let watched = (tried.clone(), path.clone());
        std::thread::spawn(move || watch(&watched.0, &watched.1, &ended));
        Self { file, path, tried, _alive: alive }
    }

    /// Panics with the smallest text that can be found if this one breaks a promise.
    pub(crate) fn check(&mut self, text: &str) {
        self.write(text);
        if catch_unwind(|| promise::check(text)).is_ok() {
            return;
        }
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let smallest = self.smallest(text);
        std::panic::set_hook(hook);
        self.write(&smallest);
        let told = catch_unwind(AssertUnwindSafe(|| promise::check(&smallest)));
        assert!(
            told.is_ok(),
            "this text breaks a promise, as told above:\n{smallest}\n{smallest:?}\n\
             try it again with KVMTEST_FUZZ_INPUT={}",
            self.path.display()
        );
    }

    fn write(&mut self, text: &str) {
        self.tried.fetch_add(1, Ordering::Relaxed);
        self.file.rewind().expect("it is a file");
        self.file.write_all(text.as_bytes()).expect("there is room for it");
        self.file.set_len(text.len() as u64).expect("it is a file");
    }

    /// Takes lines and then characters away, as long as what is left still fails.
    fn smallest(&mut self, text: &str) -> String {
        let mut left: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        self.thin_out(&mut left);
        let mut left: Vec<String> = left.concat().chars().map(String::from).collect();
        self.thin_out(&mut left);
        left.concat()
    }

    fn thin_out(&mut self, pieces: &mut Vec<String>) {
        let mut at = 0;
        while at < pieces.len() {
            let piece = pieces.remove(at);
            let text = pieces.concat();
            self.write(&text);
            if catch_unwind(|| promise::check(&text)).is_ok() {
                pieces.insert(at, piece);
                at += 1;
            }
        }
    }
}

/// Ends the program when one text takes too long.
#[expect(clippy::print_stderr, reason = "nobody else can tell any more")]
fn watch(tried: &AtomicU64, path: &PathBuf, ended: &mpsc::Receiver<()>) {
    let mut before = u64::MAX;
    while ended.recv_timeout(HANG) == Err(mpsc::RecvTimeoutError::Timeout) {
        let now = tried.load(Ordering::Relaxed);
        if now == before {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            eprintln!(
                "this text takes more than {HANG:?}:\n{text}\n{text:?}\nit is in {}",
                path.display()
            );
            std::process::abort();
        }
        before = now;
    }
}
