//! What is needed to log in to a guest.

use camino::Utf8PathBuf;
use regex::bytes::Regex;

use super::client::Client;
use super::last_line::last_line;
use super::pattern::Pattern;
use crate::error::Result;
use crate::params::Params;

/// How to log in to a guest, and how its shell behaves.
#[derive(Debug, Clone)]
pub struct LoginParams {
    /// The program to reach the guest with.
    pub client: Client,
    /// The port in the guest (before any forwarding); the client's usual one unless set.
    pub port: Option<u16>,
    /// The user's name, where the guest asks for one.
    pub username: Option<String>,
    /// The password, where the guest asks for one.
    pub password: Option<String>,
    /// The file with a private key, for `ssh`.
    pub identity_file: Option<Utf8PathBuf>,
    /// What the shell's prompt looks like, on the last line.
    pub prompt: Regex,
    /// What ends a line that is sent.
    pub linesep: Vec<u8>,
    /// What prints the status of the last command, on a line of its own.
    pub status_test_command: String,
    /// The machine was started just now: a console that stays silent is one that boots, and
    /// gets no Ctrl-C.
    pub booting: bool,
    /// The console was last seen at a shell's prompt: the shell is asked to prove itself at once.
    pub prompted: bool,
}

/// The prompt that is expected where `shell_prompt` is not set.
pub(super) const PROMPT: &str = r"[\#\$]\s*$";
/// The status command of POSIX shells; a session with it gets outputs and statuses exactly.
pub(super) const STATUS_TEST_COMMAND: &str = "echo $?";

impl Default for LoginParams {
    fn default() -> Self {
        Self {
            client: Client::Ssh,
            port: None,
            username: None,
            password: None,
            identity_file: None,
            prompt: PROMPT.to_regex().expect("a constant"),
            linesep: b"\n".to_vec(),
            status_test_command: STATUS_TEST_COMMAND.to_owned(),
            booting: false,
            prompted: false,
        }
    }
}

impl LoginParams {
    /// Reads `shell_client` (`ssh`, `telnet` or `nc`), `shell_port`, `shell_prompt`,
    /// `shell_linesep` (with the escapes of C: `\r\n`), `status_test_command`, `username`,
    /// `password` and `identity_file`. All of them may be missing.
    pub fn from_params(params: &Params) -> Result<Self> {
        let mut login = Self::default();
        if params.find_nonempty("shell_client").is_some() {
            login.client = match params.get_choice("shell_client", &["ssh", "telnet", "nc"])? {
                "telnet" => Client::Telnet,
                "nc" => Client::Nc,
                _ => Client::Ssh,
            };
        }
        if let Some(text) = params.find_nonempty("shell_port") {
            let port = text.trim().parse().ok().filter(|&port| port != 0);
            let wrong = || params.wrong("shell_port", "a port, 1 to 65535");
            login.port = Some(port.ok_or_else(wrong)?);
        }
        if let Some(pattern) = params.find_nonempty("shell_prompt") {
            login.prompt = pattern.to_regex().map_err(|error| {
                params.wrong("shell_prompt", "a regular expression").caused_by(error)
            })?;
        }
        if let Some(text) = params.find_nonempty("shell_linesep") {
            let wrong = || params.wrong("shell_linesep", r"text with the escapes of C, as `\r\n`");
            login.linesep = unescape(text).ok_or_else(wrong)?;
        }
        if let Some(command) = params.find_nonempty("status_test_command") {
            command.clone_into(&mut login.status_test_command);
        }
        login.username = params.find_nonempty("username").map(str::to_owned);
        // An empty password is one that can be typed.
        login.password = params.find("password").map(str::to_owned);
        login.identity_file = params.find_nonempty("identity_file").map(Utf8PathBuf::from);
        Ok(login)
    }

    /// Whether a console that last showed `text` was left at a prompt.
    pub(crate) fn is_prompt_of(&self, text: &[u8]) -> bool {
        let line = last_line(text);
        line.standing && self.prompt.is_match(&line.text)
    }

    /// The port in the guest: what was set, or the client's usual one.
    pub fn guest_port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.client.usual_port())
    }
}

/// Resolves the escapes of C.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes().peekable();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0' => 0,
            b'e' => 0x1b,
            b'x' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other @ (b'\\' | b'\'' | b'"') => other,
            _ => return None,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<LoginParams> {
        LoginParams::from_params(&pairs.iter().copied().collect())
    }

    #[test]
    fn everything_has_a_default() {
        let login = read(&[]).expect("nothing is needed");
        assert_eq!(login.client, Client::Ssh);
        assert_eq!(login.guest_port(), 22);
        assert_eq!(login.linesep, b"\n");
        assert_eq!(login.status_test_command, "echo $?");
        assert!(login.prompt.is_match(b"root@g:~# "));
        assert!(login.prompt.is_match(b"$"));
        assert!(!login.prompt.is_match(b"100# done"));
    }

    #[test]
    fn a_windows_guest() {
        let login = read(&[
            ("shell_client", "nc"),
            ("shell_port", "10022"),
            ("shell_prompt", r"^\w:\\.*>\s*$"),
            ("shell_linesep", r"\r\n"),
            ("status_test_command", "echo %errorlevel%"),
            ("username", "Administrator"),
            ("password", ""),
        ])
        .expect("all fine");
        assert_eq!((login.client, login.guest_port()), (Client::Nc, 10022));
        assert_eq!(login.linesep, b"\r\n");
        assert!(login.prompt.is_match(br"C:\Users\x>"));
        assert_eq!(login.password.as_deref(), Some(""));
    }

    #[test]
    fn wrong_values_are_named() {
        for (key, value) in [
            ("shell_client", "rsh"),
            ("shell_port", "0"),
            ("shell_port", "70000"),
            ("shell_prompt", "["),
            ("shell_linesep", r"\q"),
            ("shell_linesep", r"\x1"),
            ("shell_linesep", r"\"),
        ] {
            let error = read(&[(key, value)]).expect_err(value);
            assert_eq!(error.kind(), crate::ErrorKind::Params);
            assert!(error.to_string().contains(&format!("`{key}` must be ")), "{error}");
            assert!(error.to_string().contains(value), "{error}");
        }
    }
}
