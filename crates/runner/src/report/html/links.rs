//! How a page leads to files.

use std::fmt::Write;

use camino::Utf8Path;

/// How a page leads to the files of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// The page lies in the results directory, and goes where that goes.
    Relative,
    /// The page lies elsewhere on the same machine.
    Absolute,
}

impl Links {
    /// The address of `path`, a file below `results`.
    pub(super) fn to(self, results: &Utf8Path, path: &str) -> String {
        match self {
            // A name with a colon is no scheme after `./`.
            Self::Relative => format!("./{}", encoded(path)),
            Self::Absolute => {
                let absolute = camino::absolute_utf8(results.join(path));
                let absolute = absolute.unwrap_or_else(|_| results.join(path));
                format!("file://{}", encoded(absolute.as_str()))
            }
        }
    }
}

/// A path as a part of an address.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name() {
        let check = |path: &str, expect: &str| {
            assert_eq!(Links::Relative.to("/results".into(), path), expect);
        };
        check("001-boot/serial-vm1.log", "./001-boot/serial-vm1.log");
        check("javascript:alert(1)", "./javascript%3Aalert%281%29");
        check("a b?c#d%e\"<ü", "./a%20b%3Fc%23d%25e%22%3C%C3%BC");
        let absolute = Links::Absolute.to("/my results/x".into(), "y");
        assert_eq!(absolute, "file:///my%20results/x/y");
    }
}
