//! The file of known failures, in TOML.

use camino::Utf8Path;
use jiff::civil::Date;
use kvmtest::{Error, ErrorKind, Result};
use kvmtest_cartesian::{Diagnostic, Parser};
use serde::Deserialize;
use toml::Spanned;

use super::entry::Entry;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    failure: Vec<Spanned<Failure>>,
}

/// What stands below `[[failure]]`. What has to be there may be missing here, so that every error
/// of a file is told, and in our words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    tests: Option<Spanned<String>>,
    reason: Option<Spanned<String>>,
    link: Option<String>,
    expires: Option<Spanned<toml::value::Datetime>>,
}

/// Reads a file: every error in its entries is told at once, each with its line.
pub(super) fn read(path: &Utf8Path) -> Result<Vec<Entry>> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::new(ErrorKind::Config, format!("reading the known failures in {path}"))
            .caused_by(error)
    })?;
    parse(path, &text).map_err(|mistakes| Error::new(ErrorKind::Config, mistakes.join("\n")))
}

fn parse(path: &Utf8Path, text: &str) -> Result<Vec<Entry>, Vec<String>> {
    let place = |at: usize| {
        let before = text.get(..at).unwrap_or_default();
        format!("{path}:{}", before.matches('\n').count() + 1)
    };
    let document: Document = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        vec![format!("{}: {}", place(at), error.message())]
    })?;
    let mut entries = Vec::new();
    let mut mistakes = Vec::new();
    for failure in document.failure {
        let here = place(failure.span().start);
        match entry(failure.into_inner(), here, &place) {
            Ok(entry) => entries.push(entry),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok(entries) } else { Err(mistakes) }
}

fn entry(failure: Failure, here: String, place: &dyn Fn(usize) -> String) -> Result<Entry, String> {
    let Failure { tests, reason, link, expires } = failure;
    let lacks = |key: &str, what: &str| format!("{here}: the known failure has no `{key}`: {what}");
    let tests = tests.ok_or_else(|| lacks("tests", "a filter of the tests that fail"))?;
    let reason = reason
        .filter(|reason| !reason.get_ref().trim().is_empty())
        .ok_or_else(|| lacks("reason", "why the tests are expected to fail"))?;
    let expires = expires.ok_or_else(|| {
        lacks("expires", "the last day on which that is accepted, as `expires = 2027-01-31`")
    })?;
    if let Some(why) = refused(tests.get_ref()) {
        let (there, filter) = (place(tests.span().start), tests.get_ref().escape_debug());
        return Err(format!("{there}: `{filter}` is no filter of tests: {why}"));
    }
    let day = date(expires.get_ref()).ok_or_else(|| {
        let there = place(expires.span().start);
        format!("{there}: `expires` must be a day, as `2027-01-31`: `{}`", expires.get_ref())
    })?;
    Ok(Entry {
        place: here,
        tests: tests.into_inner(),
        reason: reason.into_inner(),
        link: link.filter(|link| !link.is_empty()),
        expires: day,
    })
}

/// Why the language does not take a filter.
fn refused(filter: &str) -> Option<String> {
    if filter.contains(['\n', '\r']) {
        return Some("it has a line end".to_owned());
    }
    let mut parser = Parser::new();
    parser.statement(&format!("only {filter}"));
    parser
        .diagnostics()
        .iter()
        .find(|one| one.is_error())
        .map(|one: &Diagnostic| one.message.clone())
}

fn date(moment: &toml::value::Datetime) -> Option<Date> {
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
        check(&format!("[[failure]]\ntests = 'x'\nreason = ' '\n{END}"), "k:1: the known failure");
        check(&format!("[[failure]]\nreason = 'r'\n{END}"), "has no `tests`");
        check("[[failure]]\ntests = 'x'\nreason = 'r'\n", "has no `expires`");
        check(&format!("[[failure]]\ntests = 'a*'\nreason = 'r'\n{END}"), "k:2: `a*` is no filter");
        check(&format!("[[failure]]\ntests = ''\nreason = 'r'\n{END}"), "k:2: `` is no filter");
        check(&format!("[[failure]]\ntests = \"x\\ny\"\nreason = 'r'\n{END}"), "line end");
        check("[[failure]]\ntests = 'x'\nreason = 'r'\nexpires = 'soon'\n", "k:4: ");
        check(
            "[[failure]]\ntests = 'x'\nreason = 'r'\nexpires = 10:00:00\n",
            "k:4: `expires` must",
        );
        check("[[failure]]\ntests = 'x'\nreason = 'r'\nexpires = 2026-02-30\n", "k:4: ");
        check(
            &format!("[[failure]]\ntest = 'x'\nreason = 'r'\n{END}"),
            "k:2: unknown field `test`",
        );
        check("[[failures]]\n", "unknown field `failures`");
        check("[[failure]\n", "k:1: ");
        check("\n\nx\n", "k:3: ");
    }

    #[test]
    fn every_mistake_of_a_file_is_told() {
        let text = "[[failure]]\ntests = 'x'\n[[failure]]\nreason = 'x'\n";
        assert_eq!(parse("k".into(), text).expect_err("two").len(), 2);
    }
}
