//! What is printed for a person: never with control characters that came from elsewhere.

use std::io::{IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kvmtest::Error;

/// Prints a line; that nobody reads it any more is no error.
pub(crate) fn say(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", line.as_ref());
}

/// Prints a line on standard error.
pub(crate) fn note(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
}

/// Prints an error, with what the other side had said.
pub(crate) fn complain(error: &Error) {
    note(format!("kvmtest: {}", clean(&error.to_string())));
    if let Some(output) = error.output().filter(|output| !output.is_empty()) {
        for line in clean(&String::from_utf8_lossy(output)).lines() {
            note(format!("  | {line}"));
        }
    }
}

/// Whether standard error is a terminal that takes colours.
pub(crate) fn has_colour() -> bool {
    has_colour_on(&std::io::stderr())
}

/// Whether this stream is a terminal that takes colours.
pub(crate) fn has_colour_on(stream: &impl IsTerminal) -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !no_color
}

/// The text without what could steer a terminal; line ends stay.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// Milliseconds as a person says them: `0.4s`, `12s`, `3m05s`, `2h10m`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds.saturating_add(500) / 1000;
    match milliseconds {
        0..10_000 => format!("{}.{}s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ if seconds < 60 => format!("{seconds}s"),
        _ if seconds < 3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A point in time, in the host's time zone, as the names of results are.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A size as a person says it: `512 B`, `95 MiB`, `1.5 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 30;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{}.{} GiB", tenths / 10, tenths % 10),
    }
}

/// Rows of words as columns, two blanks apart.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = Columns::of(rows);
    rows.iter().map(|row| columns.line(row)).collect()
}

/// How wide the columns of a table are.
pub(crate) struct Columns {
    widths: Vec<usize>,
}

impl Columns {
    /// Wide enough for these rows.
    pub(crate) fn of(rows: &[Vec<String>]) -> Self {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        Self { widths: (0..columns).map(|column| width(column).unwrap_or(0)).collect() }
    }

    /// A row with its line end. What is wider than its column pushes the rest of the row.
    pub(crate) fn line(&self, row: &[String]) -> String {
        let cells = row.iter().zip(&self.widths).map(|(cell, width)| format!("{cell:width$}"));
        let mut line = cells.collect::<Vec<_>>().join("  ");
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[31mb\x07\r\nc\u{9b}d"), "a[31mb\ncd");
    }

    #[test]
    fn a_duration_has_the_units_that_matter() {
        let check = |milliseconds, text| assert_eq!(duration(milliseconds), text);
        check(0, "0.0s");
        check(1_290, "1.2s");
        check(9_999, "9.9s");
        check(10_000, "10s");
        check(59_499, "59s");
        check(59_500, "1m00s");
        check(185_000, "3m05s");
        check(3_599_500, "1h00m");
        check(7_860_000, "2h11m");
        assert!(duration(u64::MAX).ends_with('m'));
    }

    #[test]
    fn a_size_has_the_unit_that_matters() {
        let check = |size, text| assert_eq!(bytes(size), text);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1 KiB");
        check((1 << 20) - 1, "1023 KiB");
        check(95 << 20, "95 MiB");
        check((1 << 30) - 1, "1023 MiB");
        check(3 << 29, "1.5 GiB");
        check(10 << 30, "10.0 GiB");
        assert!(bytes(u64::MAX).ends_with("GiB"));
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".into(), "b".into()], vec!["long".into(), "c".into()]];
        assert_eq!(table(&rows), "a     b\nlong  c\n");
        let columns = Columns::of(&rows);
        assert_eq!(columns.line(&["longer".into(), "d".into()]), "longer  d\n");
        assert_eq!(columns.line(&["a".into(), String::new()]), "a\n");
    }
}
