//! How long the host has kept work waiting for a processor: deadlines are put off by it.
//!
//! The kernel adds up the time in which something that could have run had to wait
//! (`/proc/pressure/cpu`, `some total=`). A host whose kernel does not has no stall here, and its
//! deadlines are those of the clock.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8Path;

/// By how much deadlines may grow where nothing else is said: `stall_factor`.
pub const FACTOR: u32 = 4;

const PRESSURE: &str = "/proc/pressure/cpu";

/// A figure of this age is as good as a new one.
const FRESH: Duration = Duration::from_millis(10);

static SOURCE: Mutex<Option<Source>> = Mutex::new(None);
static FACTOR_HERE: AtomicU32 = AtomicU32::new(FACTOR);

/// The stall since the host was started; zero where the kernel does not tell.
pub fn total() -> Duration {
    source().get_or_insert_with(|| Source::open(Utf8Path::new(PRESSURE))).total()
}

/// Lets this process read the stall from another file of the same form: the `cpu.pressure` of a
/// control group, or one that a test writes.
pub fn read_from(path: &Utf8Path) {
    *source() = Some(Source::open(path));
}

/// How many times as long as its timeout a deadline of this process may last: 1 for deadlines that
/// heed the clock alone. Deadlines that are there already keep theirs.
pub fn set_factor(factor: u32) {
    FACTOR_HERE.store(factor.max(1), Ordering::Relaxed);
}

/// What [`set_factor`] said, or [`FACTOR`].
pub fn factor() -> u32 {
    FACTOR_HERE.load(Ordering::Relaxed)
}

struct Source {
    file: Option<File>,
    last: Duration,
    read: Option<Instant>,
}

fn source() -> MutexGuard<'static, Option<Source>> {
    SOURCE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Source {
    fn open(path: &Utf8Path) -> Self {
        Self { file: File::open(path).ok(), last: Duration::ZERO, read: None }
    }

    fn total(&mut self) -> Duration {
        let Some(file) = &self.file else { return Duration::ZERO };
        if self.read.is_none_or(|read| read.elapsed() > FRESH) {
            let mut text = [0; 512];
            let count = file.read_at(&mut text, 0).unwrap_or(0);
            // What cannot be read for once is as it was; the figure never falls.
            if let Some(total) = parse(&text[..count]) {
                self.last = self.last.max(total);
            }
            self.read = Some(Instant::now());
        }
        self.last
    }
}

/// `total=` of the line `some`, in microseconds.
fn parse(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = line.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stall_is_what_the_kernel_says() {
        let check = |text: &str, microseconds: Option<u64>| {
            assert_eq!(parse(text.as_bytes()), microseconds.map(Duration::from_micros), "{text}");
        };
        let line = "some avg10=0.00 avg60=0.35 avg300=1.20 total=7650890292";
        check(&format!("{line}\nfull avg10=0.00 total=9\n"), Some(7_650_890_292));
        check(&format!("full avg10=0.00 total=9\n{line}"), Some(7_650_890_292));
        check("full avg10=0.00 total=9", None);
        check("some avg10=0.00", None);
        check("some total=many", None);
        check("some total=-1", None);
        check("some total=99999999999999999999999", None);
        check("", None);
    }

    #[test]
    fn a_figure_never_falls_and_none_is_zero() {
        let keep = tempfile::tempdir().expect("a directory");
        let path = Utf8Path::from_path(keep.path()).expect("UTF-8").join("pressure");
        assert_eq!(Source::open(&path).total(), Duration::ZERO);
        let mut totals = Vec::new();
        std::fs::write(&path, "some total=5\n").expect("written");
        let mut source = Source::open(&path);
        for text in ["some total=5\n", "some total=9\n", "some total=7\n", "nonsense\n"] {
            std::fs::write(&path, text).expect("written");
            source.read = None;
            totals.push(source.total().as_micros());
        }
        assert_eq!(totals, [5, 9, 9, 9]);
    }
}
