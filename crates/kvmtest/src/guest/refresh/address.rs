//! A MAC address.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// A MAC address, which reads as the kernel writes it: `9a:64:bf:41:58:29`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address([u8; 6]);

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::new(ErrorKind::Params, format!("no MAC address: `{text}`"));
        let pairs: Vec<&str> = text.trim().split(':').collect();
        let byte = |pair: &&str| {
            let digits = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
            digits.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
        };
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(wrong)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        f.write_str(&pairs.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_is_one() {
        let read = |text: &str| text.parse::<Address>().map(|address| address.to_string()).ok();
        assert_eq!(read("9A:64:bf:41:58:29").as_deref(), Some("9a:64:bf:41:58:29"));
        for wrong in [
            "",
            "9a:64:bf:41:58",
            "9a:64:bf:41:58:29:00",
            "9a64bf415829",
            "+a:+b:0:0:0:0",
            "$(reboot)",
            "9a:64:bf:41:58:2g",
            "9a:64:bf:41:58: 9",
            "9a:64:bf:41:58:٠٠",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
