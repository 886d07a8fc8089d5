//! Numbers and times as they are typed, and what is said of those that are none.

use std::time::Duration;

/// A whole number, 0 as well.
pub(super) fn any(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "a whole number: how often at most; 0 is never".into())
}

/// A whole number, but 0.
pub(super) fn from_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "a whole number from 1 on".into())
}

/// A time for something to end.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    match kvmtest::params::duration(text) {
        Some(Duration::ZERO) => Err("a time longer than 0; leave `--timeout` out for none".into()),
        Some(time) => Ok(time),
        None => Err("a time: seconds, or a number with `ms`, `s`, `m` or `h`, as `30m`".into()),
    }
}

/// A size on disk.
pub(super) fn size(text: &str) -> Result<u64, String> {
    kvmtest::params::size(text, 1)
        .ok_or_else(|| "a size: bytes, or a number with `K`, `M`, `G` or `T`, as `10G`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_told_what_would_be_right() {
        assert_eq!((any("0"), any("7")), (Ok(0), Ok(7)));
        assert_eq!(from_one("1"), Ok(1));
        for text in ["-1", "x", "", "1.5", "99999999999", "٣"] {
            assert!(any(text).expect_err(text).starts_with("a whole number"), "{text}");
        }
        for text in ["0", "-1", "x", ""] {
            assert!(from_one(text).expect_err(text).contains("from 1 on"), "{text}");
        }
    }

    #[test]
    fn a_size_may_be_nothing() {
        assert_eq!((size("0"), size("10G"), size("7")), (Ok(0), Ok(10 << 30), Ok(7)));
        for text in ["", "-1", "much", "10X", "99999999T", "--json"] {
            assert!(size(text).expect_err(text).starts_with("a size: bytes"), "{text}");
        }
    }

    #[test]
    fn a_time_is_longer_than_nothing() {
        assert_eq!(time("90"), Ok(Duration::from_secs(90)));
        assert_eq!(time("200ms"), Ok(Duration::from_millis(200)));
        for text in ["0", "0s", "0.0", "0h"] {
            assert!(time(text).expect_err(text).contains("leave `--timeout` out"), "{text}");
        }
        for text in ["", "-1", "-5m", "soon", "--verbose", "1d"] {
            assert!(time(text).expect_err(text).starts_with("a time: seconds"), "{text}");
        }
    }
}
