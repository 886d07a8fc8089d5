//! Names of objects: machines, images, interfaces. They become parts of files' names and of QEMU's
//! ids, and so not every word can be one.

use crate::error::{Error, ErrorKind, Result};

/// How long a name may be, in bytes: the path of a socket has 108 for all of it.
pub const LENGTH: usize = 40;

/// What a name is, in words that fit "a name is …".
pub const RULE: &str = "up to 40 letters (a to z), digits, `_`, `-` and `.` that begin with a \
                        letter or a digit";

/// Whether an object can be called `name`.
pub fn is_name(name: &str) -> bool {
    name.len() <= LENGTH
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// Refuses a `name` that cannot be that of `what`: `a VM`.
pub fn verify(what: &str, name: &str) -> Result<()> {
    if is_name(name) {
        return Ok(());
    }
    let message = format!("{what} cannot be called `{}`: a name is {RULE}", shown(name));
    Err(Error::new(ErrorKind::Params, message))
}

/// `text` as far as it need be seen, and without what steers a terminal.
pub fn shown(text: &str) -> String {
    let mut start: String = text.chars().take(LENGTH).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_the_name_of_a_file_can_be_that_of_an_object() {
        assert!(RULE.contains(&format!("up to {LENGTH} ")));
        for name in ["vm1", "2", "rhel-9.4_x", "a..b", &"x".repeat(LENGTH)] {
            verify("a VM", name).expect(name);
        }
        for name in ["", "a/b", "../x", ".", "..", "-x", "_x", "a:b", "a,b", "a b", "ü", "a\nb"] {
            let error = verify("a VM", name).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::Params);
            let expected = format!("a VM cannot be called `{}`: a name is up to", shown(name));
            assert!(error.message().starts_with(&expected), "{error}");
            assert!(!error.message().contains(char::is_control), "{error}");
        }
        let long = "x".repeat(LENGTH + 1);
        let error = verify("a VM", &long).expect_err("too long");
        assert!(error.message().contains(&format!("`{}…`", "x".repeat(LENGTH))), "{error}");
    }
}
