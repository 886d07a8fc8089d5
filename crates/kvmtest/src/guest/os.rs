//! What is known about guest operating systems, as data.

/// A guest operating system, as far as talking to it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Os {
    /// What `params` call it (`os_type`).
    pub name: &'static str,
    /// A regular expression that the end of the output matches when a shell waits for a command.
    pub shell_prompt: &'static str,
    /// What ends a line that is sent.
    pub linesep: &'static str,
    /// Who logs in, unless `params` say so.
    pub username: &'static str,
    /// With which password.
    pub password: &'static str,
    /// Switches the machine off.
    pub shutdown_command: &'static str,
    /// Starts it anew.
    pub reboot_command: &'static str,
    /// Prints the status of the last command, alone on a line.
    pub status_test_command: &'static str,
    /// What a line that is typed contains when it makes the guest boot anew or power off: whoever
    /// types it expects that.
    pub ending_words: &'static [&'static str],
}

/// The table.
pub static ALL: &[Os] = &[
    Os {
        name: "linux",
        shell_prompt: r"[\#\$]\s*$",
        linesep: "\n",
        username: "root",
        password: "kvmtest",
        shutdown_command: "shutdown -h now",
        reboot_command: "shutdown -r now",
        status_test_command: "echo $?",
        ending_words: &[
            "reboot",
            "shutdown",
            "poweroff",
            "halt",
            "init 0",
            "init 6",
            "kexec",
            "sysrq-trigger",
        ],
    },
    Os {
        name: "windows",
        shell_prompt: r"(?m)^\w:\\.*>\s*$",
        linesep: "\r\n",
        username: "Administrator",
        password: "1q2w3eP",
        shutdown_command: "shutdown /s /f /t 0",
        reboot_command: "shutdown /r /f /t 0",
        status_test_command: "echo %errorlevel%",
        ending_words: &["shutdown", "Restart-Computer", "Stop-Computer"],
    },
];

impl Os {
    /// The operating system called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|os| os.name == name)
    }
}

impl Default for &Os {
    /// Linux.
    fn default() -> Self {
        &ALL[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_match_the_end_of_output_and_nothing_else() {
        for (os, output, expected) in [
            ("linux", "root@kvmtest:/root# ", true),
            ("linux", "ls\nfile\n$ ", true),
            ("linux", "100 % of # done", false),
            ("windows", "dir\r\nC:\\Users\\me>", true),
            ("windows", "a > b", false),
        ] {
            let os = Os::named(os).expect("known");
            let prompt = regex::Regex::new(os.shell_prompt).expect("an expression");
            assert_eq!(prompt.is_match(output), expected, "{output:?}");
        }
    }

    #[test]
    fn names_are_found() {
        assert_eq!(<&Os>::default().name, "linux");
        assert!(Os::named("beos").is_none());
    }
}
