//! The program that a child runs: data, so that it may be this binary, another crate's, or an
//! interpreter.

use std::ffi::OsString;
use std::io;

use camino::Utf8PathBuf;

/// A program and what stands before the protocol on its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The executable.
    pub path: Utf8PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables of its environment, besides those of the runner.
    pub env: Vec<(String, String)>,
}

impl Program {
    /// `path` with `args`.
    pub fn new<A: Into<OsString>>(
        path: impl Into<Utf8PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            path: path.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
        }
    }

    /// The same with a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// This very binary, called with the hidden subcommand `child`.
    pub fn current() -> io::Result<Self> {
        let path = std::env::current_exe()?;
        let path = Utf8PathBuf::from_path_buf(path).map_err(|path| {
            io::Error::other(format!("the program's own path is not UTF-8: {}", path.display()))
        })?;
        Ok(Self::new(path, ["child"]))
    }
}
