//! What was done at a checkpoint, and who is told of it.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Kind;

/// Of a command, no more than this is told.
const COMMAND: usize = 40;

/// What was done at a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The checkpoint's number, counted from 1 for each VM.
    pub checkpoint: u64,
    /// What was done.
    pub kind: Kind,
    /// The first words of the command that came next.
    pub command: String,
    /// How long it took.
    pub took: Duration,
}

type Listener = Box<dyn FnMut(&Done) + Send>;

/// Of the process, not of a thread: sessions may be on any.
static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

impl Done {
    pub(super) fn new(checkpoint: u64, kind: Kind, command: &str, took: Duration) -> Self {
        Self { checkpoint, kind, command: first_words(command), took }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { checkpoint, kind, command, took } = self;
        let took = took.as_secs_f64();
        write!(f, "checkpoint {checkpoint}: {kind} before `{command}`, {took:.2} s")
    }
}

/// Calls `listener` with whatever is done at a checkpoint from now on, in any thread.
pub fn listen(listener: impl FnMut(&Done) + Send + 'static) {
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(listener));
}

/// From here on nobody listens.
pub fn listen_no_more() {
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

pub(super) fn tell(done: &Done) {
    tracing::info!("{done}");
    if let Some(listener) = &mut *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) {
        listener(done);
    }
}

/// As many words as there is room for, on one line; at least the beginning of the first.
fn first_words(command: &str) -> String {
    let mut text = String::new();
    for word in command.split_whitespace() {
        let room = COMMAND.saturating_sub(text.chars().count());
        let fits = word.chars().count() < room;
        if text.is_empty() {
            text.extend(word.chars().take(COMMAND).flat_map(char::escape_debug));
        } else if fits {
            text.push(' ');
            text.extend(word.chars().flat_map(char::escape_debug));
        }
        if !fits {
            text.push_str(" …");
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::params::Params;
    use crate::perturb::Perturb;

    #[test]
    fn a_command_is_told_by_its_first_words() {
        let check = |command: &str, expected: &str| assert_eq!(first_words(command), expected);
        check("", "");
        check("uname -a", "uname -a");
        check("  cat\n /proc/uptime ", "cat /proc/uptime");
        let long = "x".repeat(100);
        check(&format!("echo {long} y"), "echo …");
        check(&long, &format!("{} …", "x".repeat(COMMAND)));
        check("echo \x1b[2J", "echo \\u{1b}[2J");
    }

    #[test]
    fn what_was_done_is_told() {
        let (sender, told) = channel();
        listen(move |done| drop(sender.send(done.clone())));
        let params: Params =
            [("perturb_with", "pause@1"), ("perturb_rate", "1")].into_iter().collect();
        let perturb = Perturb::of(&params, "told", "vm1").expect("understood");
        let mut perturb = perturb.expect("it is perturbed");
        assert_eq!(perturb.draw(), Some(Kind::Pause));
        assert_eq!(perturb.draw(), Some(Kind::Pause));
        let done = perturb.done(Kind::Pause, "uname -a", Duration::from_millis(12));
        assert_eq!(done.to_string(), "checkpoint 2: pause before `uname -a`, 0.01 s");
        assert_eq!(told.recv().expect("told"), done);
        listen_no_more();
    }
}
