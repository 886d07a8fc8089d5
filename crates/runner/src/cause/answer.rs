//! Whether a guest answers when it is spoken to.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use kvmtest::{Deadline, Result, wait};
use serde::{Deserialize, Serialize};

/// What came of speaking to a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Nothing at all.
    Silent,
    /// What was typed came back: its kernel lives, and nobody reads.
    Echo,
    /// Somebody answered: a prompt, a shell, the agent.
    Answers,
}

/// After an echo, so long is waited for more.
const AFTER_ECHO: Duration = Duration::from_millis(300);
/// Of what flows on and on, so much is enough.
const ENOUGH: usize = 64 << 10;

/// Types the end of a line on a console, and looks what comes.
pub(super) fn of_console(stream: UnixStream, deadline: Deadline) -> Result<Answer> {
    let mut answer = Answer::Silent;
    ask(stream, b"\n", deadline, |read| {
        if read.iter().any(|byte| !byte.is_ascii_whitespace()) {
            answer = Answer::Answers;
            return None;
        }
        answer = Answer::Echo;
        Some(AFTER_ECHO)
    })?;
    Ok(answer)
}

/// Pings the guest agent.
pub(super) fn of_agent(stream: UnixStream, deadline: Deadline) -> Result<Answer> {
    let mut said = Vec::new();
    let mut answer = Answer::Silent;
    ask(stream, b"{\"execute\":\"guest-ping\"}\n", deadline, |read| {
        said.extend_from_slice(read);
        if said.windows(8).any(|word| word == b"\"return\"") {
            answer = Answer::Answers;
        }
        (answer == Answer::Silent && said.len() < ENOUGH).then_some(Duration::MAX)
    })?;
    Ok(answer)
}

/// Says `question`, and hands what comes to `heard` until that gives back nothing; else, how long
/// more may take to come.
fn ask(
    mut stream: UnixStream,
    question: &[u8],
    mut deadline: Deadline,
    mut heard: impl FnMut(&[u8]) -> Option<Duration>,
) -> Result<()> {
    stream.set_nonblocking(true)?;
    stream.write_all(question)?;
    let mut piece = vec![0; 4096];
    loop {
        let [ready] = wait::readable([stream.as_fd()], deadline)?;
        if !ready {
            return Ok(());
        }
        let read = match stream.read(&mut piece) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        };
        if read == 0 {
            return Ok(());
        }
        match heard(&piece[..read]) {
            None => return Ok(()),
            Some(more) => deadline = deadline.at_most(more),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of a side that answers `words` to what it hears.
    fn of(words: &'static [u8], agent: bool) -> Answer {
        let (here, mut there) = UnixStream::pair().expect("a pair");
        let guest = std::thread::spawn(move || {
            let mut heard = [0; 64];
            let _ = there.read(&mut heard).expect("heard");
            there.write_all(words).expect("said");
            // Until the other side has heard enough.
            let _ = there.read(&mut heard);
        });
        let deadline = Deadline::after(Duration::from_millis(500));
        let answer = if agent { of_agent(here, deadline) } else { of_console(here, deadline) };
        guest.join().expect("no panic");
        answer.expect("no error")
    }

    #[test]
    fn a_console_that_answers_is_told_from_one_that_echoes() {
        assert_eq!(of(b"", false), Answer::Silent);
        assert_eq!(of(b"\r\n", false), Answer::Echo);
        assert_eq!(of(b"\r\n# ", false), Answer::Answers);
        assert_eq!(of(b"\r\nkvmtest login: ", false), Answer::Answers);
        assert_eq!(of(b"\xff", false), Answer::Answers);
    }

    #[test]
    fn an_agent_answers_in_its_own_words_only() {
        assert_eq!(of(b"", true), Answer::Silent);
        assert_eq!(of(b"{\"return\": {}}\n", true), Answer::Answers);
        assert_eq!(of(b"garbage\xff\n", true), Answer::Silent);
    }
}
