//! What was asked for on the command line: filters of variants, and statements.

use kvmtest::{Error, ErrorKind, Result};

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
    /// keyword and goes on after it.
    pub fn parse<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut wanted = Self::default();
        for argument in arguments {
            let text = argument.as_ref();
            if is_statement(text) {
                wanted.statements.push(text.to_owned());
            } else if is_filter(text) {
                wanted.filters.push(text.trim().to_owned());
            } else {
                return Err(neither(text));
            }
        }
        Ok(wanted)
    }

    /// All of it as statements: several filters become one `only`.
    pub fn all_statements(&self) -> Vec<String> {
        let mut all = self.statements.clone();
        if !self.filters.is_empty() {
            all.push(format!("only {}", self.filters.join(", ")));
        }
        all
    }

    /// The filters that may be short names: labels with single dots between them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let is_name = |filter: &&str| {
            filter.contains('.')
                && filter.split('.').all(|label| !label.trim().is_empty())
                && !filter.contains([',', ' '])
        };
        self.filters.iter().map(String::as_str).filter(is_name)
    }

    /// The single labels that the filters name.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.filters
            .iter()
            .flat_map(|filter| filter.split(|c: char| c == ',' || c == '.' || c.is_whitespace()))
            .filter(|label| !label.is_empty())
    }
}

/// The words with which a statement can begin that has no operator.
pub(super) const KEYWORDS: &[&str] =
    &["only", "no", "del", "include", "variants", "suffix", "join"];

fn is_statement(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let begins = words.next().is_some_and(|first| KEYWORDS.contains(&first));
    // Every operator ends with `=`, and no filter has one, nor a colon.
    text.contains('=') || text.contains(':') || (begins && words.next().is_some())
}

fn is_filter(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
        && text.chars().all(|c| c.is_alphanumeric() || c == ' ' || ",._-".contains(c))
}

fn neither(text: &str) -> Error {
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
        ] {
            check(statement, &[], &[statement]);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", " ", "..", "boot*", "a/b", "a;b", "\x1b[2J", "--x\n"] {
            let error = Wanted::parse([text]).expect_err(text).to_string();
            assert!(error.contains("neither a filter") && !error.contains('\x1b'), "{error}");
        }
    }

    #[test]
    fn several_filters_mean_any_of_them() {
        let wanted = Wanted::parse(["boot", "mem = 1", "a..b"]).expect("understood");
        assert_eq!(wanted.all_statements(), ["mem = 1", "only boot, a..b"]);
        assert_eq!(wanted.labels().collect::<Vec<_>>(), ["boot", "a", "b"]);
    }
}
