//! The program that is measured, in a house of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The program, with a runtime directory and a folder for results of its own.
pub struct Program {
    path: PathBuf,
    room: tempfile::TempDir,
}

impl Program {
    /// The program that `KVMTEST_PROGRAM` names, which `make bench` sets.
    pub fn new() -> Self {
        let path = std::env::var_os("KVMTEST_PROGRAM")
            .map(PathBuf::from)
            .expect("KVMTEST_PROGRAM names the program to measure: use `make bench`");
        let room = tempfile::tempdir().expect("a directory can be made");
        std::fs::create_dir(room.path().join("run")).expect("and one in it");
        Self { path, room }
    }

    /// Where its results are.
    pub fn room(&self) -> &Path {
        self.room.path()
    }

    /// Runs it and waits for its end; anything but success is the end of the bench, too.
    pub fn time(&self, arguments: &[&str]) -> Duration {
        let start = Instant::now();
        let output = self.output(arguments);
        let time = start.elapsed();
        assert!(
            output.status.success(),
            "kvmtest {arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        time
    }

    /// The result of the last run, by the name of its file.
    pub fn latest(&self, file: &str) -> PathBuf {
        self.room.path().join("results/latest").join(file)
    }

    /// The program in its house, with nothing said yet.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(self.room.path());
        command.env("XDG_RUNTIME_DIR", self.room.path().join("run"));
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("the program can be started")
    }
}

impl Default for Program {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What a bench kept alive ends with it.
        let _ = self.output(&["env", "kill"]);
    }
}
