//! Takes the echo of a command line out of what came after it.

/// `output` without the echo of `line` at its beginning, if it is there: line editors break a
/// long line with blanks, line ends and backspaces where the screen ends.
pub(super) fn strip_echo<'a>(output: &'a [u8], line: &[u8]) -> &'a [u8] {
    let mut rest = output;
    for &wanted in line {
        loop {
            match rest.split_first() {
                Some((&byte, after)) if byte == wanted => {
                    rest = after;
                    break;
                }
                Some((b' ' | b'\n' | b'\r' | b'\x08', after)) => rest = after,
                _ => return output,
            }
        }
    }
    let end = rest.iter().position(|byte| !matches!(byte, b' ' | b'\r' | b'\x08'));
    match end.map(|end| rest[end..].split_first()) {
        Some(Some((b'\n', after))) => after,
        None => &[],
        _ => output,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, line: &str, expect: &str) {
        let stripped = strip_echo(output.as_bytes(), line.as_bytes());
        assert_eq!(String::from_utf8_lossy(stripped), expect, "{output:?}");
    }

    #[test]
    fn an_echo_is_taken_off() {
        check("ls -l\ntotal 0\n", "ls -l", "total 0\n");
        check("echo a b\na b\n", "echo a b", "a b\n");
        check("ls\n", "ls", "");
        check("ls", "ls", "");
    }

    #[test]
    fn an_echo_may_be_wrapped() {
        check("echo aaa \nbbb\nout\n", "echo aaabbb", "out\n");
        check("echo aaa \x08bbb\nout\n", "echo aaabbb", "out\n");
        check("echo aaa  bb\nout\n", "echo aaa bb", "out\n");
    }

    #[test]
    fn what_is_no_echo_stays() {
        check("total 0\n", "ls -l", "total 0\n");
        check("ls -lh\n", "ls -l", "ls -lh\n");
        check("ls", "ls -l", "ls");
        check("", "ls", "");
    }
}
