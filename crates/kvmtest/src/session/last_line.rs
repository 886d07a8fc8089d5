//! The line that a prompt would stand on.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::buffer::OVERLAP;

/// The last line of a text that is not blank, messages of the kernel left out: they land on a
/// console at any time, behind a prompt as well.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LastLine {
    /// The line, without its end.
    pub(super) text: Vec<u8>,
    /// Where it begins in the text.
    pub(super) start: usize,
    /// Whether the cursor stands on it: no line end came after it.
    pub(super) standing: bool,
}

/// A message of a Linux kernel with its time in front, up to the end of its line, as a pattern.
pub(super) const KERNEL_MESSAGE: &str = r"(?:\[ {0,6}[0-9]{1,8}\.[0-9]{6}\][^\n]*(?:\n|\z))";

/// Finds it. No more than the last 64 KiB are looked at, and no line longer than [`OVERLAP`].
pub(super) fn last_line(text: &[u8]) -> LastLine {
    for window in [OVERLAP, 16 * OVERLAP] {
        let mut skipped = text.len().saturating_sub(window);
        if skipped > 0 {
            // The window may begin within a message of the kernel, which is not one by its rest.
            let newline = text[skipped..].iter().position(|&byte| byte == b'\n');
            skipped += newline.map_or(0, |newline| newline + 1);
        }
        if let Some(mut line) = in_window(&text[skipped..]) {
            line.start += skipped;
            return line;
        }
        if skipped == 0 {
            break;
        }
    }
    LastLine { start: text.len(), ..LastLine::default() }
}

fn in_window(window: &[u8]) -> Option<LastLine> {
    static MESSAGE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!("(?-u){KERNEL_MESSAGE}")).expect("a constant"));
    let (mut kept, mut origins) = (Vec::new(), Vec::new());
    let mut keep = |range: std::ops::Range<usize>| {
        kept.extend_from_slice(&window[range.clone()]);
        origins.extend(range);
    };
    let mut end = 0;
    for message in MESSAGE.find_iter(window) {
        keep(end..message.start());
        end = message.end();
    }
    keep(end..window.len());

    let last = kept.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
    let start = kept[..last].iter().rposition(|&b| b == b'\n').map_or(0, |newline| newline + 1);
    let stop = kept[last..].iter().position(|&b| b == b'\n').map(|newline| last + newline);
    Some(LastLine {
        text: kept[start..stop.unwrap_or(kept.len())].to_vec(),
        start: origins[start],
        standing: stop.is_none(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, line: &str, standing: bool) {
        let found = last_line(text.as_bytes());
        assert_eq!(
            (String::from_utf8_lossy(&found.text).as_ref(), found.standing),
            (line, standing),
            "{text:?}"
        );
        if !line.is_empty() {
            assert_eq!(text.as_bytes()[found.start], line.as_bytes()[0], "{text:?}");
        }
    }

    #[test]
    fn the_last_line_that_is_not_blank() {
        check("boot\nhost login: ", "host login: ", true);
        check("boot\nlogin: \n\n  \n", "login: ", false);
        check("# ", "# ", true);
        check("\n\n", "", false);
        check("", "", false);
        check("out\n  # ", "  # ", true);
    }

    #[test]
    fn kernel_messages_are_left_out() {
        check("a\nlogin: [    5.123456] eth0: link up\n", "login: ", true);
        check("a\nlogin: [    5.123456] eth0: li", "login: ", true);
        check("# [   12.000001] a #\n[   12.000002] b $\n", "# ", true);
        check("[    0.000000] Linux version 6 #1 SMP #\n", "", false);
        check("x[1] 99 #\n", "x[1] 99 #", false);
    }

    #[test]
    fn a_prompt_is_found_behind_a_flood_of_kernel_messages() {
        let mut text = "old\nhost login: ".to_owned();
        for second in 0..500 {
            let message = format!("[{second:5}.000000] usb 1-1: device descriptor read\n");
            text.push_str(&message);
        }
        check(&text, "host login: ", true);
    }

    #[test]
    fn a_line_without_end_costs_no_more_than_the_window() {
        let found = last_line(&vec![b'x'; 10 << 20]);
        assert_eq!(found.text.len(), OVERLAP);
    }
}
