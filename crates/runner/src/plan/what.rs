//! What was asked for on the command line: filters of variants, and statements.

use kvmtest::{Error, ErrorKind, Result};

use super::filter;

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Filters; several mean any of them.
    pub filters: Vec<String>,
    /// Statements of the configuration language, given after the files.
    pub statements: Vec<String>,
}

impl Wanted {
    /// Tells filters from statements: a statement has an operator, a colon, or begins with a
    /// keyword and goes on after it. The `=` of a label of a named block, `(os=f)`, is none.
    pub fn parse<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut wanted = Self::default();
        for argument in arguments {
            let text = argument.as_ref();
            if is_statement(text) {
                wanted.statements.push(text.to_owned());
            } else if !filter::is_filter(text) {
                return Err(neither(text));
            } else if let Some(why) = filter::refused(text) {
                let message = format!("`{text}` is no filter: {why}");
                return Err(Error::new(ErrorKind::Config, message));
            } else {
                wanted.filters.push(text.trim().to_owned());
            }
        }
        Ok(wanted)
    }

    /// The filters that may be names of variants: labels with single dots between them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let is_name = |filter: &&str| {
            filter.contains('.')
                && filter.split('.').all(|label| !label.trim().is_empty())
                && !filter.contains([',', ' '])
        };
        self.filters.iter().map(String::as_str).filter(is_name)
    }

    /// The words of the filters: of `a..b, c` it is `a..b` and `c`.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.filters.iter().flat_map(|filter| filter::words(filter))
    }

    /// The single labels that the filters name; those of named blocks in parentheses: `(os=f)`.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.filters.iter().flat_map(|filter| filter::labels(filter))
    }
}

/// The words with which a statement can begin that has no operator.
pub(super) const KEYWORDS: &[&str] =
    &["only", "no", "del", "include", "variants", "suffix", "join"];

fn is_statement(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let begins = words.next().is_some_and(|first| KEYWORDS.contains(&first));
    // Every operator ends with `=`, and no filter has one outside of a label, nor a colon.
    let outside = filter::without_named(text);
    outside.contains('=') || outside.contains(':') || (begins && words.next().is_some())
}

fn neither(text: &str) -> Error {
    if let Some(filter) = text.strip_prefix('!').filter(|filter| filter::is_filter(filter)) {
        let message = format!(
            "`{text}` is half a condition: `'no {filter}'` leaves tests out, and `'{text}: mem = \
             1024'` is about those that it does not match"
        );
        return Error::new(ErrorKind::Config, message);
    }
    let message = format!(
        "`{}` is neither a filter of variants (`boot`, `virtio_net..boot`) nor a statement \
         (`'mem = 1024'`, `'only smp2'`)",
        text.escape_debug()
    );
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, filters: &[&str], statements: &[&str]) {
        let wanted = Wanted::parse([text]).expect(text);
        assert_eq!((wanted.filters, wanted.statements), (own(filters), own(statements)), "{text}");
    }

    fn own(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_statement_is_known_by_its_operator_or_keyword() {
        for filter in ["boot", "virtio_net..boot", "a.b", "a, b", "11.0.32", "only", "nothing"] {
            check(filter, &[filter], &[]);
        }
        for filter in ["(guest_os=f)", "(guest_os=f)..boot", "boot.(a=b).(c=d)", "(f)"] {
            check(filter, &[filter], &[]);
        }
        for statement in [
            "mem = 1024",
            "mem=1024",
            "x += y",
            "x <= y",
            "m.* ?= 1",
            "m.* ?+= 1",
            "m.* ?<= 1",
            "only smp2",
            "no smp2",
            "del mem",
            "include my.cfg",
            "boot: mem = 1024",
            "!boot: kill_vm = no",
            "variants:\n    - a:\n",
            "only (os=f)",
            "(os=f): mem = 1024",
            "!(os=f)..boot: mem = 1024",
            "mem = (os=f)",
            "x(y=z)",
        ] {
            check(statement, &[], &[statement]);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", " ", "..", ",", "boot*", "a/b", "a;b", "\x1b[2J", "--x\n", "()", "a)"] {
            let error = Wanted::parse([text]).expect_err(text).to_string();
            assert!(error.contains("neither a filter") && !error.contains('\x1b'), "{error}");
        }
    }

    #[test]
    fn a_filter_that_lacks_a_part_is_told_so() {
        for text in ["boot,,shutdown", "boot,", "a...b", ".a", "a.", "a .. b"] {
            let error = Wanted::parse([text]).expect_err(text).to_string();
            assert!(error.starts_with(&format!("`{text}` is no filter: ")), "{error}");
        }
    }

    #[test]
    fn half_a_condition_is_told_so() {
        for text in ["!boot", "!a..b, c", "!(os=f)"] {
            let error = Wanted::parse([text]).expect_err(text).to_string();
            assert!(error.contains("half a condition") && error.contains("`'no "), "{error}");
        }
    }

    #[test]
    fn names_are_told_from_other_filters() {
        let typed = ["boot", "mem = 1", "a..b", "a.b", "(os=f).a", "a.b, c.d"];
        let wanted = Wanted::parse(typed).expect("understood");
        assert_eq!(wanted.names().collect::<Vec<_>>(), ["a.b", "(os=f).a"]);
        let labels = ["boot", "a", "b", "a", "b", "(os=f)", "a", "a", "b", "c", "d"];
        assert_eq!(wanted.labels().collect::<Vec<_>>(), labels);
    }
}
