//! How a command is put to a POSIX shell so that its output and its status can be told exactly
//! from everything else on the line.
//!
//! One line is sent: it prints a mark, evaluates the command, and prints the mark again with the
//! status. The mark is unique, and what is printed differs from what is sent, so that neither an
//! echo, nor a prompt, nor `set -x` is taken for it. Quoting the command for `eval` is what makes
//! comments, a `&` at the end, here-documents, several lines and syntax errors harmless.

use std::fmt::Write;
use std::hash::{BuildHasher, Hasher, RandomState};

use regex::bytes::Regex;

use super::last_line::KERNEL_MESSAGE;
use crate::error::{Error, ErrorKind, Result};

/// Makes the marks of a session, and finds them again.
pub(super) struct Marks {
    key: String,
    last: u64,
    begin: Regex,
    end: Regex,
}

/// The lines to send for one command. After each line but the last, [`Marks::begin`] with the
/// same number has to be waited for; after the last it comes again, and then [`Marks::end`].
pub(super) struct Framed {
    pub(super) number: u64,
    pub(super) lines: Vec<String>,
}

/// A busybox shell reads no more than 1,023 bytes of a line, a terminal no more than 4,095.
const LONGEST: usize = 600;

impl Marks {
    pub(super) fn new() -> Self {
        // The standard library's seed of hash tables is as random as this needs to be.
        let random = RandomState::new().build_hasher().finish();
        // Short: under emulation, each letter that a console echoes costs 30 µs and more.
        let key = format!("kv{:06x}", random & 0xff_ffff);
        let letters: Vec<_> =
            key.chars().map(|letter| regex::escape(&letter.to_string())).collect();
        let torn = format!("{KERNEL_MESSAGE}*");
        // The kernel prints into the middle of whatever the console is printing.
        let mark = letters.join(&torn) + &torn + "-" + &torn + &digits(&torn);
        let begin = format!("(?-u){mark}<{torn}\n");
        let end = format!("(?-u){mark}={torn}{};{torn}\n", digits(&torn));
        Self {
            key,
            last: 0,
            begin: Regex::new(&begin).expect("made of escaped letters"),
            end: Regex::new(&end).expect("made of escaped letters"),
        }
    }

    /// Matches what stands before the output of a command; its group is the number.
    pub(super) fn begin(&self) -> Regex {
        self.begin.clone()
    }

    /// Matches what stands behind the output of a command; its groups are number and status.
    pub(super) fn end(&self) -> Regex {
        self.end.clone()
    }

    /// A line that only prints the end mark: whatever answers it is a shell.
    pub(super) fn proof(&mut self) -> Framed {
        let number = self.next();
        Framed { number, lines: vec![self.print_end(number)] }
    }

    /// The lines for `command`.
    pub(super) fn frame(&mut self, command: &str) -> Result<Framed> {
        if command.contains('\0') {
            let message =
                format!("a command cannot contain a NUL byte: `{}`", command.escape_debug());
            return Err(Error::new(ErrorKind::TestError, message));
        }
        let number = self.next();
        let (begin, end) = (self.print_begin(number), self.print_end(number));
        let plain = command.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let quoted = command.replace('\'', r"'\''");
        if plain && quoted.len() <= LONGEST {
            let line = format!("{begin}; command eval '{quoted}'; {end}");
            return Ok(Framed { number, lines: vec![line] });
        }
        // Too long, or with bytes that a line editor would act on (a tab completes names): built
        // up in a variable, in pieces of printable ASCII.
        let encoded = encode(command);
        let mut lines = Vec::new();
        for piece in encoded.as_bytes().chunks(LONGEST) {
            let piece = std::str::from_utf8(piece).expect("ASCII");
            let before = if lines.is_empty() { "" } else { "$kvmtest_line" };
            lines.push(format!("kvmtest_line={before}'{piece}'; {begin}"));
        }
        let decode = r#"command eval "$(printf %b "$kvmtest_line")""#;
        lines.push(format!("{begin}; {decode}; {end}"));
        Ok(Framed { number, lines })
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn print_begin(&self, number: u64) -> String {
        format!(r"printf '%s<\n' {}-{number}", self.key)
    }

    fn print_end(&self, number: u64) -> String {
        format!(r"printf '%s=%s;\n' {}-{number} $?", self.key)
    }
}

/// The number in a group of a mark, which may be torn by messages of the kernel.
pub(super) fn number(group: &[u8]) -> Option<i64> {
    use std::sync::LazyLock;
    static TORN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!("(?-u){KERNEL_MESSAGE}")).expect("a constant"));
    let digits = TORN.replace_all(group, &b""[..]);
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

/// A group of digits that may have something in between, and something behind.
fn digits(torn: &str) -> String {
    format!("([0-9](?:{torn}[0-9]){{0,9}}){torn}")
}

/// In the notation of `printf %b`, as printable ASCII without quotes.
fn encode(command: &str) -> String {
    let mut encoded = String::new();
    for byte in command.bytes() {
        match byte {
            b' '..=b'~' if byte != b'\'' && byte != b'\\' => encoded.push(byte.into()),
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "\\0{byte:03o}")),
        }
    }
    encoded
}
