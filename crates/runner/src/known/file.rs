//! The file of known failures, in TOML.

use std::collections::BTreeMap;

use camino::Utf8Path;
use jiff::civil::Date;
use kvmtest::{Error, ErrorKind, Result};
use kvmtest_cartesian::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use super::entry::Entry;
use crate::plan::filter;

/// What an entry can have.
const KEYS: &[&str] = &["tests", "reason", "link", "expires"];

/// A day, as it is written.
const DAY: &str = "2026-12-31";

/// Reads a file: everything that is wrong with it is told at once, by line.
pub(super) fn read(path: &Utf8Path) -> Result<Vec<Entry>> {
    if path.is_dir() {
        let message = format!("{path} is a folder: name a file of known failures");
        return Err(Error::new(ErrorKind::Config, message));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            let message = format!(
                "there is no file `{path}` of known failures: name one that is there, whose \
                 entries begin with `[[failure]]`"
            );
            return Error::new(ErrorKind::Config, message);
        }
        Error::new(ErrorKind::Config, format!("reading the known failures in {path}"))
            .caused_by(error)
    })?;
    parse(path, &text).map_err(|mistakes| Error::new(ErrorKind::Config, mistakes.join("\n")))
}

fn parse(path: &Utf8Path, text: &str) -> Result<Vec<Entry>, Vec<String>> {
    let mut reading = Reading { path, text, mistakes: BTreeMap::new() };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reading.syntax(&error);
    }
    let mut entries = Vec::new();
    let header_is_broken = reading.mistakes.keys().any(|line| reading.is_header(*line));
    for (key, value) in document.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("failure", DeValue::Array(failures)) => {
                entries.extend(failures.iter().filter_map(|one| reading.entry(one)));
            }
            ("failure", _) => {
                reading.wrong(value.span().start, "write `[[failure]]` above each entry");
            }
            // Of an entry whose header is broken.
            (_, _) if header_is_broken && !reading.is_header(reading.line(key.span().start)) => {}
            (name, _) => {
                let name = name.escape_debug();
                let why = format!("there is no `{name}` here: entries begin with `[[failure]]`");
                reading.wrong(key.span().start, why);
            }
        }
    }
    if reading.mistakes.is_empty() {
        return Ok(entries);
    }
    let told = |(line, why)| format!("{path}:{line}: {why}");
    let mistakes = reading.mistakes.into_iter();
    Err(mistakes
        .flat_map(|(line, all)| all.into_iter().map(move |why| (line, why)))
        .map(told)
        .collect())
}

/// A file that is being read.
struct Reading<'a> {
    path: &'a Utf8Path,
    text: &'a str,
    /// What is wrong, by line.
    mistakes: BTreeMap<usize, Vec<String>>,
}

impl Reading<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or_default().matches('\n').count() + 1
    }

    /// Whether a line begins a table.
    fn is_header(&self, line: usize) -> bool {
        let text = self.text.lines().nth(line - 1).unwrap_or_default();
        text.trim_start().starts_with('[')
    }

    fn wrong(&mut self, at: usize, why: impl Into<String>) {
        self.mistakes.entry(self.line(at)).or_default().push(why.into());
    }

    /// What is no TOML. A day is what is mostly written otherwise.
    fn syntax(&mut self, error: &toml::de::Error) {
        let at = error.span().map_or(0, |span| span.start);
        let line = self.line(at);
        if self.mistakes.contains_key(&line) {
            return;
        }
        let text = self.text.lines().nth(line - 1).unwrap_or_default();
        match text.split_once('=').filter(|(key, _)| key.trim() == "expires") {
            Some((_, day)) => self.wrong(at, no_day(day.trim())),
            None => self.wrong(at, error.message()),
        }
    }

    /// An entry; nothing where anything is wrong with it, and then all of that is told.
    fn entry(&mut self, failure: &Spanned<DeValue>) -> Option<Entry> {
        let start = failure.span().start;
        let line = self.line(start);
        // What stands below a header that is broken belongs to nothing, and lacks nothing.
        if self.is_header(line) && self.mistakes.contains_key(&line) {
            return None;
        }
        let Some(table) = failure.get_ref().as_table() else {
            self.wrong(start, "write `[[failure]]` above each entry");
            return None;
        };
        for key in table.keys().filter(|key| !KEYS.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref().as_ref();
            let hint = match nearest(name, KEYS.iter().copied(), 1).first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are `{}`", KEYS.join("`, `")),
            };
            self.wrong(key.span().start, format!("unknown key `{}`: {hint}", name.escape_debug()));
        }
        let tests = self.text_of(table, "tests", start, "a filter of the tests that fail");
        if let Some((at, tests)) = &tests
            && let Some(why) = filter::refused(tests)
        {
            let tests = tests.escape_debug();
            self.wrong(*at, format!("`{tests}` is no filter of tests: {why}"));
        }
        let reason = self.text_of(table, "reason", start, "why the tests are expected to fail");
        let link = match table.get("link") {
            Some(_) => self.text_of(table, "link", start, "").map(|(_, link)| link),
            None => None,
        };
        let expires = self.day_of(table, start);
        Some(Entry {
            place: format!("{}:{}", self.path, self.line(start)),
            tests: tests?.1,
            reason: reason?.1,
            link: link.filter(|link| !link.is_empty()),
            expires: expires?,
        })
    }

    /// A text and where it stands. `what` it should be is told where it is missing; an empty one
    /// is missing, too, unless it may be.
    fn text_of(
        &mut self,
        table: &DeTable,
        key: &str,
        start: usize,
        what: &str,
    ) -> Option<(usize, String)> {
        let Some(value) = table.get(key) else {
            self.wrong(start, format!("the known failure has no `{key}`: {what}"));
            return None;
        };
        let at = value.span().start;
        match value.get_ref().as_str() {
            None => self.wrong(at, format!("`{key}` must be a text in quotes")),
            Some(text) if text.trim().is_empty() && !what.is_empty() => {
                self.wrong(at, format!("the known failure has no `{key}`: {what}"));
            }
            Some(text) => return Some((at, text.to_owned())),
        }
        None
    }

    fn day_of(&mut self, table: &DeTable, start: usize) -> Option<Date> {
        let Some(value) = table.get("expires") else {
            let what = format!("the last day on which that is accepted, as `expires = {DAY}`");
            self.wrong(start, format!("the known failure has no `expires`: {what}"));
            return None;
        };
        let day = value.get_ref().as_datetime().and_then(date);
        if day.is_none() {
            let span = value.span();
            let line = self.line(span.start);
            // What is no TOML at all was told.
            if !self.mistakes.contains_key(&line) {
                let written = self.text.get(span.clone()).unwrap_or_default();
                self.wrong(span.start, no_day(written));
            }
        }
        day
    }
}

fn no_day(written: &str) -> String {
    let written: String = written.chars().filter(|c| !c.is_control()).take(40).collect();
    let digits =
        |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = written.split('-').collect();
    if let [year, month, day] = parts.as_slice()
        && digits(year, 4)
        && digits(month, 2)
        && digits(day, 2)
    {
        return format!("`expires`: there is no such day: `{written}`");
    }
    format!("`expires` must be a day without quotes, as `{DAY}`: `{written}`")
}

fn date(moment: &Datetime) -> Option<Date> {
    let date = moment.date.filter(|_| moment.time.is_none() && moment.offset.is_none())?;
    let [month, day] = [date.month, date.day].map(i8::try_from);
    Date::new(i16::try_from(date.year).ok()?, month.ok()?, day.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_knows_its_line() {
        let text = "# ours\n\n[[failure]]\ntests = \"smp2..boot, (os=f)\"\nreason = \"slow\"\n\
                    link = \"https://example.org/1\"\nexpires = 2027-01-31\n\n[[failure]]\n\
                    tests = 'x'\nreason = 'y'\nexpires = 2026-02-28\nlink = ''\n";
        let entries = parse("known.toml".into(), text).expect("understood");
        let [first, second] = entries.as_slice() else { panic!("two entries") };
        assert_eq!((first.place.as_str(), second.place.as_str()), ("known.toml:3", "known.toml:9"));
        assert_eq!((first.tests.as_str(), first.reason.as_str()), ("smp2..boot, (os=f)", "slow"));
        assert_eq!((first.link.as_deref(), &second.link), (Some("https://example.org/1"), &None));
        assert_eq!(first.expires.to_string(), "2027-01-31");
        assert!(parse("known.toml".into(), "").expect("empty").is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        #[track_caller]
        fn check(text: &str, expect: &str) {
            let mistakes = parse("k".into(), text).expect_err(text);
            assert!(mistakes.join("\n").contains(expect), "{mistakes:?} lacks {expect}");
        }
        const END: &str = "expires = 2027-01-31\n";
        check(
            &format!("\n[[failure]]\ntests = 'x'\n{END}"),
            "k:2: the known failure has no `reason`: why",
        );
        check(&format!("[[failure]]\ntests = 'x'\nreason = ' '\n{END}"), "k:3: the known failure");
        check(&format!("[[failure]]\nreason = 'r'\n{END}"), "has no `tests`");
        check("[[failure]]\ntests = 'x'\nreason = 'r'\n", "has no `expires`");
        check(&format!("[[failure]]\ntests = 'a*'\nreason = 'r'\n{END}"), "k:2: `a*` is no filter");
        check(
            &format!("[[failure]]\ntests = ''\nreason = 'r'\n{END}"),
            "k:2: the known failure has no `tests`",
        );
        check(&format!("[[failure]]\ntests = '..'\nreason = 'r'\n{END}"), "k:2: `..` is no filter");
        check(
            &format!("[[failure]]\ntests = ['x']\nreason = 'r'\n{END}"),
            "k:2: `tests` must be a text",
        );
        check(
            &format!("[[failure]]\ntests = 'x'\nreason = 7\n{END}"),
            "k:3: `reason` must be a text",
        );
        check(
            &format!("[[failure]]\ntests = 'x'\nreason = 'r'\nlink = 7\n{END}"),
            "k:4: `link` must",
        );
        check(&format!("[[failure]]\ntests = \"x\\ny\"\nreason = 'r'\n{END}"), "line end");
        for day in [
            "'soon'",
            "soon",
            "10:00:00",
            "31.12.2026",
            "2026-1-1",
            "7",
            "'2026-12-31'",
            "2026-12-31T10:00:00Z",
        ] {
            check(
                &format!("[[failure]]\ntests = 'x'\nreason = 'r'\nexpires = {day}\n"),
                "k:4: `expires` must be a day without quotes, as `2026-12-31`: `",
            );
        }
        for day in ["2026-02-30", "2027-02-31", "2026-13-01", "2026-00-10", "2027-02-29"] {
            check(
                &format!("[[failure]]\ntests = 'x'\nreason = 'r'\nexpires = {day}\n"),
                &format!("k:4: `expires`: there is no such day: `{day}`"),
            );
        }
        check(
            &format!("[[failure]]\ntest = 'x'\nreason = 'r'\n{END}"),
            "k:2: unknown key `test`: did you mean `tests`?",
        );
        check(
            &format!("[[failure]]\ntests = 'x'\nreason = 'r'\nowner = 'x'\n{END}"),
            "k:4: unknown key `owner`: there are `tests`, `reason`",
        );
        check("[[failures]]\n", "there is no `failures` here: entries begin with `[[failure]]`");
        check("failure = 7\n", "write `[[failure]]`");
        check("failure = [7]\n", "write `[[failure]]`");
        check("[failure]\ntests = 'x'\n", "write `[[failure]]`");
        check("[[failure]\n", "k:1: ");
        for unclosed in ["[[failure]\n", "[[failure]\ntests = 'x'\nreason = 'r'\n"] {
            let mistakes = parse("k".into(), unclosed).expect_err("unclosed");
            assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        }
        let path = Utf8Path::new("/nowhere/known.toml");
        let error = read(path).expect_err("absent").to_string();
        assert!(error.starts_with("there is no file `/nowhere/known.toml`"), "{error}");
        let error = read("/".into()).expect_err("a folder").to_string();
        assert!(error.starts_with("/ is a folder: name a file"), "{error}");
        check("\n\nx\n", "k:3: ");
    }

    #[test]
    fn every_mistake_of_a_file_is_told() {
        let text = "[[failure]]\ntests = 'x'\nraeson = 'y'\nexpires = soon\n[[failure]]\nreason = \
                    'x'\ntests = '..'\n[more]\n";
        let mistakes = parse("k".into(), text).expect_err("six");
        let starts = [
            "k:1: the known failure has no `reason`",
            "k:3: unknown key `raeson`",
            "k:4: `expires` must",
            "k:5: the known failure has no `expires`",
            "k:7: `..` is no filter",
            "k:8: there is no `more`",
        ];
        assert_eq!(mistakes.len(), starts.len(), "{mistakes:#?}");
        for (mistake, start) in mistakes.iter().zip(starts) {
            assert!(mistake.starts_with(start), "`{mistake}` is not `{start}`");
        }
    }
}
