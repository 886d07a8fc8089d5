//! What is known about guest operating systems, as data.

use crate::params::Params;

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
    /// Prints the seconds since 1970, and after them something with their fraction.
    pub get_time_command: &'static str,
    /// Puts the clock right. Here and in the other commands `{…}` stands for a value that the host
    /// fills in, which is made of digits and colons; empty where no such command is known.
    ///
    /// `{seconds}` since 1970, `{nanoseconds}` of the next one (nine digits), and `{nearest}`, the
    /// seconds rounded, for what takes no fractions.
    pub set_time_command: &'static str,
    /// Has the kernel's random numbers begin anew from `{seed}`, 64 hexadecimal digits.
    pub set_seed_command: &'static str,
    /// Gives the interface with the MAC address `{old_mac}` the address `{mac}`.
    pub set_mac_command: &'static str,
    /// Takes the links of all network interfaces down and up again.
    pub bounce_link_command: &'static str,
    /// Asks for the addresses of all network interfaces anew.
    pub renew_lease_command: &'static str,
    /// Succeeds where the guest can suspend to memory (S3).
    pub can_suspend_command: &'static str,
    /// Suspends to memory (S3); it may return after the machine was woken.
    pub suspend_command: &'static str,
    /// Succeeds where the guest can suspend to disk (S4).
    pub can_hibernate_command: &'static str,
    /// Suspends to disk (S4).
    pub hibernate_command: &'static str,
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
        // A new file's time: busybox has no other that is finer than a second.
        get_time_command: "f=$(mktemp) && stat -c '%Y %y' $f && rm $f",
        set_time_command: "date -u -s @{seconds}.{nanoseconds} || date -u -s @{nearest}",
        // The call is RNDRESEEDCRNG: what is only written is not used for up to a minute.
        set_seed_command: "echo {seed} > /dev/urandom && { \
            perl -e 'ioctl(STDIN, 0x5207, 0) or die $!' || \
            python3 -c 'import fcntl; fcntl.ioctl(0, 0x5207)'; } < /dev/urandom",
        set_mac_command: "for i in /sys/class/net/*; do \
            read -r a < $i/address && [ \"$a\" = {old_mac} ] && i=${i##*/} && \
            ip link set dev $i down && ip link set dev $i address {mac} && \
            ip link set dev $i up && exit 0; done; exit 1",
        bounce_link_command: "for i in /sys/class/net/*/device; do \
            i=${i%/device} && i=${i##*/} && \
            ip link set dev $i down && ip link set dev $i up || exit 1; done",
        renew_lease_command: "killall -USR1 udhcpc || for i in /sys/class/net/*/device; do \
            i=${i%/device} && i=${i##*/} && { networkctl renew $i || \
            nmcli device reapply $i || dhclient -1 $i; } || exit 1; done",
        // Where it is not `deep`, what is called `mem` is no more than idling.
        can_suspend_command: "grep -qw mem /sys/power/state && \
            { ! [ -e /sys/power/mem_sleep ] || grep -qF '[deep]' /sys/power/mem_sleep; }",
        suspend_command: "echo mem > /sys/power/state",
        can_hibernate_command: "grep -qw disk /sys/power/state && grep -q ^/ /proc/swaps",
        hibernate_command: "echo disk > /sys/power/state",
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
        get_time_command: "powershell -NoProfile -Command \
            \"[DateTimeOffset]::UtcNow.ToUnixTimeSeconds()\"",
        set_time_command: "powershell -NoProfile -Command \"Set-Date -Date \
            ([DateTimeOffset]::FromUnixTimeSeconds({nearest}).LocalDateTime)\"",
        // It listens to the machine's `vmgenid`.
        set_seed_command: "",
        set_mac_command: "",
        bounce_link_command: "",
        renew_lease_command: "ipconfig /renew",
        can_suspend_command: "",
        suspend_command: "rundll32.exe powrprof.dll,SetSuspendState 0,1,0",
        can_hibernate_command: "",
        hibernate_command: "shutdown /h",
        ending_words: &["shutdown", "Restart-Computer", "Stop-Computer"],
    },
];

impl Os {
    /// The one that `params` name by `os_type`; Linux where they name none that is known.
    pub fn of(params: &Params) -> &'static Self {
        params.find_nonempty("os_type").and_then(Self::named).unwrap_or_default()
    }

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
        for (text, expected) in [("windows", "windows"), ("beos", "linux"), ("", "linux")] {
            let params: Params = [("os_type", text)].into_iter().collect();
            assert_eq!(Os::of(&params).name, expected);
        }
    }
}
