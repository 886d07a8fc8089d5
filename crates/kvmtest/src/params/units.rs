//! Numbers with units: durations, and sizes by QEMU's rules.

use std::time::Duration;

/// Seconds, with `ms`, `s`, `m` or `h` where something else is meant: `360`, `0.5`, `200ms`.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text);
    let scale = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * scale;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Bytes, with QEMU's suffixes, each a power of 1024: `4G` is 4 GiB. `plain` is what a number
/// without a suffix counts: 1 for bytes, 1 MiB for `mem`.
pub fn size(text: &str, plain: u64) -> Option<u64> {
    let (number, unit) = split(text);
    let unit = unit.strip_suffix("iB").unwrap_or(unit);
    let scale = match unit {
        "" => plain,
        "b" | "B" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        "t" | "T" => 1 << 40,
        "p" | "P" => 1 << 50,
        _ => return None,
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(scale);
    }
    let bytes = number.parse::<f64>().ok()? * to_f64(scale);
    // 2^53: past it a fraction of a suffix can no longer be told exactly.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    (0.0..=9_007_199_254_740_992.0).contains(&bytes).then_some(bytes as u64)
}

#[expect(clippy::cast_precision_loss, reason = "the scales are powers of two")]
fn to_f64(scale: u64) -> f64 {
    scale as f64
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, want) in [
            ("360", Some(360_000)),
            ("0.5", Some(500)),
            ("200ms", Some(200)),
            ("2 m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("-1", None),
            ("soon", None),
            ("1e3", None),
            ("", None),
        ] {
            assert_eq!(duration(text), want.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn sizes_follow_qemu() {
        const MIB: u64 = 1 << 20;
        for (text, plain, want) in [
            ("512", MIB, Some(512 * MIB)),
            ("512", 1, Some(512)),
            ("4G", MIB, Some(4096 * MIB)),
            ("1.5G", 1, Some(1536 * MIB)),
            ("64KiB", 1, Some(65536)),
            ("10X", 1, None),
            ("-1", 1, None),
            ("", 1, None),
            ("99999999P", 1, None),
        ] {
            assert_eq!(size(text, plain), want, "{text}");
        }
    }
}
