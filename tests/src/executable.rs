//! Programs that a test makes up.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a program.
///
/// Another process does: what this one has open for writing is open, too, in whatever another
/// thread is just starting, and what is open for writing somewhere cannot be run.
#[track_caller]
pub fn write_executable(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    let mut writer = Command::new("sh")
        .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
        .arg(path.as_ref())
        .stdin(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let mut input = writer.stdin.take().expect("it was asked for");
    input.write_all(content.as_ref()).expect("taken");
    drop(input);
    assert!(writer.wait().expect("it ends").success(), "{}", path.as_ref().display());
}
