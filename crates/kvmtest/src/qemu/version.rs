//! The version of a QEMU binary.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A version of QEMU, in its order: `binary.version() >= Version::new(8, 2, 0)`.
///
/// Better than comparing versions is to ask for the feature itself: distributions leave parts out
/// and bring others back.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub micro: u64,
}

impl Version {
    /// The oldest version that this library drives: the first that takes `-device` in JSON.
    pub const OLDEST: Self = Self::new(6, 2, 0);

    /// The version `major.minor.micro`.
    pub const fn new(major: u64, minor: u64, micro: u64) -> Self {
        Self { major, minor, micro }
    }

    /// Reads the `version` of a QMP greeting, or the answer to `query-version`.
    pub(super) fn from_qmp(version: &Value) -> Option<Self> {
        let numbers = version.get("qemu")?;
        let number = |name| numbers.get(name).and_then(Value::as_u64);
        Some(Self::new(number("major")?, number("minor")?, number("micro")?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.micro)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        assert!(Version::new(10, 0, 0) > Version::new(7, 2, 22));
        assert!(Version::new(6, 1, 99) < Version::OLDEST);
        assert!(Version::new(6, 2, 0) >= Version::OLDEST);
    }

    #[test]
    fn a_greeting_tells_the_version() {
        let check = |value, expected| assert_eq!(Version::from_qmp(&value), expected, "{value}");
        let whole = json!({"qemu": {"micro": 3, "minor": 2, "major": 9}, "package": "x"});
        check(whole, Some(Version::new(9, 2, 3)));
        check(json!({"qemu": {"minor": 2, "major": 9}}), None);
        check(json!({"qemu": {"micro": -1, "minor": 2, "major": 9}}), None);
        check(json!({"qemu": "9.2.3"}), None);
        check(json!([]), None);
    }
}
