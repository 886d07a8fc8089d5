//! What a VM instance is known by, grown from its seed: MAC addresses, a random UUID.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// A locally administered unicast MAC address for `nic`. The same seed and NIC give the same one.
pub(crate) fn mac(seed: &str, nic: &str) -> String {
    let mut bytes = [0; 6];
    bytes.copy_from_slice(&hash(seed, "mac", nic)[..6]);
    // `9a` is the historical first byte: bit 1 says locally administered, bit 0 is clear for
    // unicast.
    bytes[0] = 0x9a;
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.join(":")
}

/// A UUID that looks like a random one (version 4, RFC 9562).
pub(super) fn uuid(seed: &str) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash(seed, "uuid", "")[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn hash(seed: &str, purpose: &str, object: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [seed, purpose, object] {
        // The length keeps `a` + `bc` apart from `ab` + `c`.
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_stable_and_apart() {
        assert_eq!(mac("a", "nic1"), mac("a", "nic1"));
        assert_ne!(mac("a", "nic1"), mac("a", "nic2"));
        assert_ne!(mac("a", "nic1"), mac("b", "nic1"));
        assert_ne!(mac("an", "ic1"), mac("a", "nic1"));
        assert!(mac("a", "nic1").starts_with("9a:"));
        let uuid = uuid("a");
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
    }
}
