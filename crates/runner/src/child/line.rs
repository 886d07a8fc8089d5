//! The line of a subtest on which an error came out of the library.

use std::backtrace::Backtrace;

/// The innermost place of `stack` in the file of the subtest: `…/src/boot.rs:17:9`. `None` where
/// the subtest was built without line numbers.
pub(super) fn line_of(stack: &Backtrace, subtest: &str) -> Option<String> {
    find(&stack.to_string(), subtest).map(str::to_owned)
}

/// The same in the text of a stack: after each function its place.
pub(super) fn find<'a>(stack: &'a str, subtest: &str) -> Option<&'a str> {
    let places = stack.lines().filter_map(|line| line.trim_start().strip_prefix("at "));
    places.map(str::trim_end).find(|place| is_in(place, subtest))
}

fn is_in(place: &str, subtest: &str) -> bool {
    let file = place.rsplit('/').next().unwrap_or(place);
    let rest = file.strip_prefix(subtest).and_then(|rest| rest.strip_prefix(".rs:"));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_line_of_the_subtest_is_found() {
        let stack = "   0: kvmtest::error::Error::new\n             at /p/src/error.rs:120:9\n   \
                     1: a::boot::inner\n             at ./subtests/src/boot.rs:30:5\n   \
                     2: a::boot::run_boot\n             at ./subtests/src/boot.rs:17:9\n";
        assert_eq!(find(stack, "boot"), Some("./subtests/src/boot.rs:30:5"));
        assert_eq!(find(stack, "reboot"), None);
        assert_eq!(find(stack, "oot"), None);
        assert_eq!(find("0: nothing\n at boot.rs\n", "boot"), None);
    }
}
