//! What a guest says on the way to its shell, and what it means.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::session::last_line::LastLine;

/// Where the login takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A console: it carries everything that a boot prints, and no message of a client.
    Serial,
    /// Through a client such as `ssh`.
    Remote,
}

/// What the last line asks for, or says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The key of the host is unknown: go on?
    Confirm,
    /// The private key is locked by a passphrase.
    Passphrase,
    /// The password, please.
    Password,
    /// The user's name, please.
    Username,
    /// Not that user with that password.
    Denied,
    /// The guest is not ready for logins yet.
    NotYet,
    /// Client and guest will never agree.
    Hopeless,
    /// The connection is gone, or never was: the client has said why.
    Closed,
}

/// Which lines a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// A line that the cursor stands behind.
    Question,
    /// The same, asked by a client.
    ClientQuestion,
    /// Any last line of a console.
    ConsoleLine,
    /// The last line of a client that has ended. Before its end, the same words may be part of
    /// a banner of the guest.
    ClientEnd,
}

struct Rule {
    meaning: Meaning,
    about: About,
    pattern: &'static str,
}

/// The first rule that matches the last line counts. A console's log and a banner may contain
/// every word of these, so a question has to end its line, and a complaint has to be the line.
const RULES: [Rule; 10] = [
    rule(Meaning::Confirm, About::ClientQuestion, r"are you sure.*\?\s*$|\(yes/no.*\)\??\s*$"),
    rule(Meaning::Passphrase, About::ClientQuestion, r"passphrase for .*:\s*$"),
    rule(Meaning::Password, About::Question, r"\bpassword\b[^:]{0,80}:\s*$"),
    rule(Meaning::Username, About::Question, r"\b(?:login|user ?name)\s?:\s*$"),
    rule(
        Meaning::Denied,
        About::ConsoleLine,
        r"^\s*(?:login incorrect|authentication failure|permission denied|access denied)\W*$",
    ),
    rule(Meaning::NotYet, About::ConsoleLine, r"^\s*login timed out after"),
    rule(Meaning::NotYet, About::ClientEnd, r"not permitted to log in yet|system is booting up"),
    rule(
        Meaning::Denied,
        About::ClientEnd,
        r"permission denied|login incorrect|authentication fail|access denied",
    ),
    rule(Meaning::Hopeless, About::ClientEnd, r"unable to negotiate|bad configuration option"),
    rule(Meaning::Closed, About::ClientEnd, r"\S"),
];

/// What `line` means, if it means anything at `place`; `ended` says that nothing will follow.
pub(super) fn meaning(line: &LastLine, place: Place, ended: bool) -> Option<Meaning> {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let compile = |rule: &Rule| {
            let mut builder = RegexBuilder::new(rule.pattern);
            builder.case_insensitive(true).unicode(false).build().expect("a constant")
        };
        RULES.iter().map(compile).collect()
    });
    let remote = place == Place::Remote;
    let applies = |(rule, pattern): &(&Rule, &Regex)| {
        let about = match rule.about {
            About::Question => line.standing && !ended,
            About::ClientQuestion => line.standing && !ended && remote,
            About::ConsoleLine => !remote,
            About::ClientEnd => ended && remote,
        };
        about && pattern.is_match(&line.text)
    };
    RULES.iter().zip(PATTERNS.iter()).find(applies).map(|(rule, _)| rule.meaning)
}

const fn rule(meaning: Meaning, about: About, pattern: &'static str) -> Rule {
    Rule { meaning, about, pattern }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::last_line::last_line;

    fn check(text: &str, serial: Option<Meaning>, remote: Option<Meaning>) {
        let line = last_line(text.as_bytes());
        assert_eq!(meaning(&line, Place::Serial, false), serial, "serial: {text:?}");
        assert_eq!(meaning(&line, Place::Remote, false), remote, "remote: {text:?}");
    }

    fn check_end(text: &str, expect: Option<Meaning>) {
        let line = last_line(text.as_bytes());
        assert_eq!(meaning(&line, Place::Remote, true), expect, "{text:?}");
    }

    #[test]
    fn questions() {
        use Meaning::{Confirm, Passphrase, Password, Username};
        for text in ["small login: ", "login:", "Debian 12\n\nhost login: ", "Username: "] {
            check(text, Some(Username), Some(Username));
        }
        for text in ["Password: ", "root@127.0.0.1's password: ", "(root@g) Password:"] {
            check(text, Some(Password), Some(Password));
        }
        check("Password for root@g:", Some(Password), Some(Password));
        check("Are you sure you want to continue connecting (yes/no)? ", None, Some(Confirm));
        check("continue connecting (yes/no/[fingerprint])? ", None, Some(Confirm));
        check("Enter passphrase for key '/k': ", None, Some(Passphrase));
    }

    #[test]
    fn complaints() {
        use Meaning::{Denied, NotYet};
        check("Login incorrect\n", Some(Denied), None);
        check("Login timed out after 60 seconds.\n", Some(NotYet), None);
    }

    #[test]
    fn what_a_client_says_last() {
        use Meaning::{Closed, Denied, Hopeless, NotYet};
        check_end("root@g: Permission denied (publickey).\n", Some(Denied));
        check_end("ssh: connect to host g port 22: Connection refused\n", Some(Closed));
        check_end("Connection closed by 127.0.0.1 port 22\n", Some(Closed));
        check_end("kex_exchange_identification: read: Connection reset by peer\n", Some(Closed));
        check_end("\"System is booting up. Unprivileged users\n", Some(NotYet));
        check_end("Unable to negotiate with g port 22: no matching key\n", Some(Hopeless));
        check_end("root@g's password: ", Some(Closed));
        check_end("\n", None);
    }

    #[test]
    fn words_in_a_log_or_a_banner_mean_nothing() {
        for text in [
            "Last login: Mon Nov  2 on ttyS0\n",
            "starting login: ok",
            "systemd[1]: Forward Password Requests to Wall:\n",
            "host login: \nStarting sshd",
            "the password: is in the mail\n",
            "login:\nbooting on",
            "audit: unauthorised access denied, permission denied\n",
            "Connection refused\n",
            "Are you sure you may be here?\n",
            "",
        ] {
            check(text, None, None);
        }
    }
}
