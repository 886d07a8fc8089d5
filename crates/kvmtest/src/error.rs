//! The one error type of the library: a kind that programs act on, a message that people read.

use std::backtrace::Backtrace;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, what was being done, and what the other side said.
///
/// Messages are lowercase fragments that fit "failed to …"; a colon stands before a value.
pub struct Error {
    // Boxed so that a `Result` stays one word wide on the way up.
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    contexts: Vec<String>,
    output: Option<Vec<u8>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    stack: Option<Backtrace>,
}

/// Whether errors keep the stack on which they were made.
static STACKS: AtomicBool = AtomicBool::new(false);

/// From now on each error of this process keeps the stack on which it was made
/// ([`Error::stack`]): some tens of microseconds each. For processes that run one test, and tell
/// which line of it failed.
pub fn keep_stacks() {
    STACKS.store(true, Ordering::Relaxed);
}

/// What kind of thing went wrong: the historical exception classes, one word each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The subtest says: what was tested is wrong (`test.fail`).
    TestFail,
    /// The subtest says: the test itself could not be carried out (`test.error`).
    TestError,
    /// The subtest says: not applicable here (`test.skip`).
    TestSkip,
    /// The subtest says: bad, but no failure (`test.warn`).
    TestWarn,
    /// The subtest was given up on purpose (`test.cancel`).
    TestCancel,
    /// Somebody asked everything to stop.
    Interrupted,
    /// A key of `params` is missing or its value is not what the key needs.
    Params,
    /// A configuration file cannot be understood.
    Config,
    /// The env file is broken, of another version, or cannot be reached.
    Env,
    /// The host lacks something that is needed.
    Host,
    /// A guest is unknown, not built, or lacks what `params` ask for.
    Guest,
    /// QEMU would not start: its own words are in the message.
    VmCreate,
    /// The QEMU process is gone.
    VmDead,
    /// There is no such VM.
    VmMissing,
    /// The guest's address or port cannot be told.
    VmAddress,
    /// A migration, a save or a restore was not through in time.
    MigrateTimeout,
    /// A migration was cancelled.
    MigrateCancelled,
    /// The machine is of a kind that cannot be migrated, saved or forked, which was said before
    /// anything was tried.
    MigrateBlocked,
    /// A migration, a save or a restore failed: QEMU's own words are in the message.
    MigrateFailed,
    /// The guest's kernel panicked.
    GuestPanicked,
    /// The guest's kernel met an error of its own, or its machine did what nobody had asked for.
    GuestFault,
    /// The machine said that it cannot boot, or ended before it had booted.
    GuestNotBooted,
    /// A disk image is missing, broken or cannot be made.
    Image,
    /// A state of a guest is unknown, or cannot be made or kept.
    State,
    /// A state of a guest was dropped from the store since it was found: it can be asked for
    /// again.
    StateGone,
    /// There is no screen, or what was taken of it is no picture.
    Screen,
    /// A monitor cannot be reached, or does not speak its protocol.
    Monitor,
    /// A monitor did not answer in time.
    MonitorTimeout,
    /// QEMU refused a monitor command.
    MonitorCommand,
    /// Nothing that was waited for was read in time.
    ExpectTimeout,
    /// The process or socket behind a session ended.
    ExpectTerminated,
    /// A command in a session did not end in time.
    ShellTimeout,
    /// The session ended while a command ran in it.
    ShellTerminated,
    /// A command in a session ended with a status other than 0.
    ShellCommand,
    /// The status of a command could not be read.
    ShellStatus,
    /// The guest refused the user name or the password.
    LoginAuthentication,
    /// No login in time.
    LoginTimeout,
    /// The session ended before the login was through.
    LoginTerminated,
    /// A file could not be copied to or from the guest.
    Transfer,
    /// The operating system refused something.
    Io,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                contexts: Vec::new(),
                output: None,
                source: None,
                stack: STACKS.load(Ordering::Relaxed).then(Backtrace::force_capture),
            }),
        }
    }

    /// The same error, caused by `source`.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// The same error in other words, and of the kind that these make it: what was being done and
    /// what caused it stay.
    #[must_use]
    pub fn reworded(mut self, kind: ErrorKind, message: impl Into<String>) -> Self {
        self.inner.kind = kind;
        self.inner.message = message.into();
        self
    }

    /// The same error with what the other side had said, as bytes: it may be no UTF-8.
    #[must_use]
    pub fn with_output(mut self, output: impl Into<Vec<u8>>) -> Self {
        self.inner.output = Some(output.into());
        self
    }

    /// The same error, met while doing `what`; the innermost is added first.
    #[must_use]
    pub fn context(mut self, what: impl Into<String>) -> Self {
        self.inner.contexts.push(what.into());
        self
    }

    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The message alone, without contexts and sources.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// What was being done, outermost first.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.inner.contexts.iter().rev().map(String::as_str)
    }

    /// Where it was made, if [`keep_stacks`] had been called before.
    pub fn stack(&self) -> Option<&Backtrace> {
        self.inner.stack.as_ref()
    }

    /// What the other side had said, if anything was read.
    pub fn output(&self) -> Option<&[u8]> {
        self.inner.output.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)?;
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            // One of ours says by itself what caused it.
            source = if error.is::<Self>() { None } else { error.source() };
        }
        if !self.inner.contexts.is_empty() {
            let joined: Vec<&str> = self.contexts().collect();
            write!(f, " [context: {}]", joined.join(" --> "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.inner.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, error.to_string())
    }
}

impl From<rustix::io::Errno> for Error {
    fn from(error: rustix::io::Errno) -> Self {
        std::io::Error::from(error).into()
    }
}

/// Says what was being done when an error came.
pub trait Context<T> {
    /// Adds `what` to the error, if there is one.
    fn context(self, what: impl Into<String>) -> Result<T>;
    /// Adds what `what` says to the error, if there is one.
    fn with_context<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.into().context(what))
    }

    fn with_context<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|error| error.into().context(what()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_read_from_the_outside_in() {
        let error = Error::new(ErrorKind::ShellTimeout, "no prompt within 5 s")
            .caused_by(std::io::Error::other("the line is silent"))
            .context("running `uname`")
            .context("rebooting vm1");
        assert_eq!(
            error.to_string(),
            "no prompt within 5 s: the line is silent \
             [context: rebooting vm1 --> running `uname`]"
        );
    }

    #[test]
    fn nothing_is_said_twice() {
        let first = Error::new(ErrorKind::Io, "first").caused_by(std::io::Error::other("zeroth"));
        let second = Error::new(ErrorKind::Monitor, "second").caused_by(first.context("a"));
        let third = Error::new(ErrorKind::VmDead, "third").caused_by(second).context("b");
        assert_eq!(third.to_string(), "third: second: first: zeroth [context: a] [context: b]");
        let again = third.reworded(ErrorKind::MigrateFailed, "3rd");
        assert_eq!(again.kind(), ErrorKind::MigrateFailed);
        assert_eq!(again.to_string(), "3rd: second: first: zeroth [context: a] [context: b]");
    }
}
