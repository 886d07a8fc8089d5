//! What a console prints when all is lost.

use crate::error::{Error, ErrorKind};
use crate::guest::os::{ALL, CANNOT_BOOT};

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Panicked,
    CannotBoot,
}

impl Sign {
    /// Looks for a sign in what a console printed; gives back the line that shows it.
    pub(super) fn find(output: &[u8]) -> Option<(Self, String)> {
        let text = String::from_utf8_lossy(output);
        let panics = ALL.iter().flat_map(|os| os.panicked).map(|sign| (Self::Panicked, *sign));
        let failures = CANNOT_BOOT.iter().map(|sign| (Self::CannotBoot, *sign));
        let (kind, at) =
            panics.chain(failures).find_map(|(kind, sign)| Some((kind, text.find(sign)?)))?;
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        // Half a line may have come: the rest says what happened.
        let (line, _) = text[start..].split_once('\n')?;
        Some((kind, line.chars().filter(|c| !c.is_control()).collect()))
    }

    pub(super) fn error(self, vm: &str, line: &str) -> Error {
        let line = line.trim();
        match self {
            Self::Panicked => Error::new(
                ErrorKind::GuestPanicked,
                format!("the guest of the VM `{vm}` panicked: {line}"),
            ),
            Self::CannotBoot => Error::new(
                ErrorKind::GuestNotBooted,
                format!("the VM `{vm}` says that it cannot boot: {line}"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_shows_it_is_given_back() {
        let output = b"[    1.0] ok\r\n[    1.1] Kernel panic - not syncing: \x1b[31mVFS\r\n---";
        let line = "[    1.1] Kernel panic - not syncing: [31mVFS".to_owned();
        assert_eq!(Sign::find(output), Some((Sign::Panicked, line)));
        assert_eq!(
            Sign::find(b"SeaBIOS\nNo bootable device.\n"),
            Some((Sign::CannotBoot, "No bootable device.".into()))
        );
        assert_eq!(Sign::find(b"no panic here"), None);
        assert_eq!(Sign::find(b"Kernel panic - not sync"), None);
        assert_eq!(Sign::find(b"Kernel panic - not syncing: VF"), None, "more is to come");
    }
}
