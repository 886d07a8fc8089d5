//! A thread that compresses, or decompresses, what goes through a pipe.

use std::fs::File;
use std::io::{self, ErrorKind as IoErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::wait;

/// What goes through the pipe at one time, in bytes.
const PIPE: usize = 1 << 20;

/// A thread between a pipe and a file.
pub(super) struct Pump {
    thread: JoinHandle<io::Result<()>>,
    has_failed: Arc<AtomicBool>,
    /// Its other end is closed when the thread is done.
    done: OwnedFd,
}

impl Pump {
    /// What is written to the descriptor goes into `file`, compressed.
    pub(super) fn pack(file: impl Write + Send + 'static) -> Result<(Self, OwnedFd)> {
        let (reader, writer) = pipe()?;
        Ok((Self::start(move || pack(File::from(reader), file))?, writer))
    }

    /// What is in `file` can be read from the descriptor, decompressed.
    pub(super) fn unpack(file: impl Read + Send + 'static) -> Result<(Self, OwnedFd)> {
        let (reader, writer) = pipe()?;
        Ok((Self::start(move || unpack(file, File::from(writer)))?, reader))
    }

    /// Whether it has ended before everything went through.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Waits until everything went through, or could not. The other end of the pipe must be closed.
    pub(super) fn finish(self, deadline: Deadline) -> Result<()> {
        let [is_done] = wait::readable([self.done.as_fd()], deadline)?;
        if !is_done {
            let message = "what goes through the pipe does not come to an end";
            return Err(Error::new(ErrorKind::MigrateTimeout, message));
        }
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("its thread panicked"))).map_err(Error::from)
    }

    fn start(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<Self> {
        let (done, working) = pipe_with(PipeFlags::CLOEXEC)?;
        let has_failed = Arc::new(AtomicBool::new(false));
        let failed = Arc::clone(&has_failed);
        let thread = std::thread::Builder::new().name("migration".into()).spawn(move || {
            let _working = working;
            let ended = work();
            failed.store(ended.is_err(), Ordering::Relaxed);
            ended
        })?;
        Ok(Self { thread, has_failed, done })
    }
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    // A user with many pipes may have no more than small ones, which are only slower.
    let _ = fcntl_setpipe_size(&writer, PIPE);
    Ok((reader, writer))
}

fn pack(mut from: File, to: impl Write) -> io::Result<()> {
    let mut to = GzEncoder::new(to, Compression::fast());
    let mut chunk = vec![0; PIPE];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => to.write_all(&chunk[..count])?,
            Err(error) if error.kind() == IoErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    to.finish()?.flush()
}

fn unpack(from: impl Read, mut to: File) -> io::Result<()> {
    let mut from = MultiGzDecoder::new(from);
    let mut chunk = vec![0; PIPE];
    let mut is_read = true;
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) if is_read => match to.write_all(&chunk[..count]) {
                // QEMU has what it wants, or tells itself why not. The rest is still checked.
                Err(error) if error.kind() == IoErrorKind::BrokenPipe => is_read = false,
                written => written?,
            },
            Ok(_) => {}
            Err(error) if error.kind() == IoErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let (pump, to) = Pump::pack(file.reopen().expect("opened")).expect("started");
        File::from(to).write_all(bytes).expect("written");
        pump.finish(soon()).expect("packed");
        std::fs::read(file.path()).expect("read")
    }

    fn unpacked(bytes: Vec<u8>) -> (Vec<u8>, Result<()>) {
        let (pump, from) = Pump::unpack(io::Cursor::new(bytes)).expect("started");
        let mut read = Vec::new();
        File::from(from).read_to_end(&mut read).expect("read");
        (read, pump.finish(soon()))
    }

    #[test]
    fn what_goes_in_comes_out() {
        for bytes in
            [Vec::new(), b"some".to_vec(), (0..3_000_000u32).flat_map(u32::to_be_bytes).collect()]
        {
            let (read, ended) = unpacked(packed(&bytes));
            ended.expect("whole");
            assert!(read == bytes, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn damage_is_told() {
        let whole = packed(&(0..50_000u32).flat_map(u32::to_be_bytes).collect::<Vec<_>>());
        let check = |bytes: Vec<u8>| {
            let (read, ended) = unpacked(bytes);
            ended.expect_err(&format!("{} bytes came out", read.len()));
        };
        for length in [whole.len() - 1, 20, 5] {
            check(whole[..length].to_vec());
        }
        for at in [0, whole.len() / 2, whole.len() - 5] {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            check(flipped);
        }
        // Also where nobody reads any more.
        let mut flipped = packed(&(0..1_000_000u32).flat_map(u32::to_be_bytes).collect::<Vec<_>>());
        let last = flipped.len() - 5;
        flipped[last] ^= 1;
        let (pump, from) = Pump::unpack(io::Cursor::new(flipped)).expect("started");
        drop(from);
        pump.finish(soon()).expect_err("it is damaged");
    }

    #[test]
    fn a_full_disk_is_told_and_breaks_the_pipe() {
        let full = File::options().write(true).open("/dev/full").expect("everywhere");
        let (pump, to) = Pump::pack(full).expect("started");
        let mut to = File::from(to);
        let noise: Vec<u8> =
            (0..1_000_000u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
        let written = (0..8).try_for_each(|_| to.write_all(&noise));
        assert_eq!(written.expect_err("nobody reads").kind(), IoErrorKind::BrokenPipe);
        drop(to);
        let error = pump.finish(soon()).expect_err("it is full");
        assert!(error.to_string().contains("No space left"), "{error}");
    }

    #[test]
    fn what_does_not_end_is_told_at_the_deadline() {
        let (pump, _to) = Pump::pack(io::sink()).expect("started");
        let error = pump.finish(Deadline::after(Duration::from_millis(20))).expect_err("it waits");
        assert_eq!(error.kind(), ErrorKind::MigrateTimeout);
    }
}
