//! Digests and random names in text.

use crate::error::Result;

/// Two digits a byte.
pub(crate) fn of(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A name that nothing else has: twelve digits.
pub(crate) fn random() -> Result<String> {
    let mut bytes = [0u8; 6];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(of(&bytes))
}
