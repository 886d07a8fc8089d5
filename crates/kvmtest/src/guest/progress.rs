//! How far a boot has got, by what the console shows.

use std::sync::LazyLock;

use regex::bytes::RegexSet;
use serde::{Deserialize, Serialize};

use super::sign::readable;
use crate::session::Cleaner;

/// How far a boot has got.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// The console has shown nothing that is known.
    #[default]
    Nothing,
    /// The firmware has begun.
    Firmware,
    /// A boot loader has begun.
    BootLoader,
    /// The kernel has begun.
    Kernel,
    /// The kernel has started its first program.
    Userspace,
    /// The guest asks for a login.
    Login,
}

/// What a line shows when a boot has got so far. In the order of [`Progress`], from the firmware.
static SIGNS: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new([
        r"SeaBIOS \(version|^UEFI firmware|BdsDxe: |EDK II|qboot|SLOF|OpenBIOS|U-Boot \d",
        r"GNU GRUB|Welcome to GRUB|ISOLINUX|SYSLINUX|EFI stub:|systemd-boot|Loading Linux|Booting from ROM",
        r"Linux version \d|Booting Linux on physical CPU|Decompressing Linux",
        r"Run /\S+ as init process|systemd\[1\]: |Welcome to .+!|\binit: |Freeing unused kernel|OpenRC \d",
        r"\blogin:(?: |$)|^Password:$",
    ])
    .expect("expressions out of a table")
});

impl Progress {
    /// Reads what a console has shown, over however many boots, from its first byte or from
    /// somewhere in the middle. Gives back how far the last boot got, and the last line that says
    /// anything.
    pub fn of(console: &[u8]) -> (Self, String) {
        let mut clean = Vec::with_capacity(console.len());
        Cleaner::default().clean(console, &mut clean);
        let mut so_far = Self::Nothing;
        let mut last: &[u8] = b"";
        for line in clean.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii_end();
            if line.is_empty() {
                continue;
            }
            last = line;
            if let Some(index) =
                SIGNS.matches(&line[line.len().saturating_sub(4096)..]).iter().next_back()
            {
                so_far = so_far.then(Self::FROM_FIRMWARE[index]);
            }
        }
        (so_far, readable(last))
    }

    /// In words: `the kernel`, `the login prompt`; `nothing` where no boot was seen.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Firmware => "the firmware",
            Self::BootLoader => "the boot loader",
            Self::Kernel => "the kernel",
            Self::Userspace => "the first program of the guest",
            Self::Login => "the login prompt",
        }
    }

    const FROM_FIRMWARE: [Self; 5] =
        [Self::Firmware, Self::BootLoader, Self::Kernel, Self::Userspace, Self::Login];

    /// What is known after `next` was seen: what begins a boot (firmware, loader, kernel) begins
    /// it anew, whatever came before.
    fn then(self, next: Self) -> Self {
        if next <= Self::Kernel { next } else { self.max(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_is_followed_by_what_the_console_shows() {
        let firmware = "SeaBIOS (version 1.16.2-debian)\r\n";
        let kernel = "[    0.000000] Linux version 6.1.0-44-cloud-amd64\r\n";
        let init = "[    2.100000] Run /init as init process\r\n";
        let login = "\r\nkvmtest login: ";
        for (console, expected) in [
            (String::new(), Progress::Nothing),
            ("garbage\u{1b}[2J\n".into(), Progress::Nothing),
            (firmware.into(), Progress::Firmware),
            (format!("{firmware}\u{1b}[1mGNU GRUB  version 2.06\n"), Progress::BootLoader),
            (format!("{firmware}{kernel}"), Progress::Kernel),
            (format!("{firmware}{kernel}{init}"), Progress::Userspace),
            (format!("{kernel}{init}{login}"), Progress::Login),
            (format!("{kernel}{init}{login}root\r\nPassword: \r\n# "), Progress::Login),
            (format!("{kernel}{init}{login}root\r\n{firmware}"), Progress::Firmware),
            (format!("{kernel}{init}{login}root\r\n{firmware}{kernel}"), Progress::Kernel),
            ("[    3.0] systemd[1]: Reached target".into(), Progress::Userspace),
        ] {
            assert_eq!(Progress::of(console.as_bytes()).0, expected, "{console:?}");
        }
    }

    #[test]
    fn the_last_line_is_harmless() {
        let (progress, last) =
            Progress::of(b"\xff\x1b]0;owned\x07Linux version 6\n\x1b[31mlast\x07\n\n");
        assert_eq!((progress, last.as_str()), (Progress::Kernel, "last"));
    }
}
