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
        let arguments: Vec<S> = arguments.into_iter().collect();
        for (at, argument) in arguments.iter().enumerate() {
            let text = argument.as_ref();
            if is_statement(text) {
                if let Some(why) = no_key(text) {
                    let before = at.checked_sub(1).and_then(|at| arguments.get(at));
                    let around = [before, Some(argument), arguments.get(at + 1)];
                    return Err(not_one_word(why, around.map(|word| word.map(S::as_ref))));
                }
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

/// The operators that assign.
const OPERATORS: &[&str] = &["=", "+=", "<=", "?=", "?+=", "?<="];

/// Why an assignment has no key that anybody could read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoKey {
    /// Nothing stands before the operator.
    Empty,
    /// Several words do.
    Several,
}

/// What is wrong with the key of an assignment; nothing of what the language looks at by itself.
fn no_key(text: &str) -> Option<NoKey> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if KEYWORDS.contains(&first) || text.contains('\n') {
        return None;
    }
    let outside = filter::without_named(text);
    let (before, _) = outside.split_once('=')?;
    let is_expression = before.ends_with('?') || before.contains('?');
    let before = before.trim_end_matches(['?', '+', '<']);
    let key = before.rsplit(':').next().unwrap_or_default().trim();
    if key.is_empty() {
        Some(NoKey::Empty)
    } else {
        (key.contains(char::is_whitespace) && !is_expression).then_some(NoKey::Several)
    }
}

/// `around` is the word before the statement, the statement, and the word after it.
fn not_one_word(why: NoKey, around: [Option<&str>; 3]) -> Error {
    let text = around[1].unwrap_or_default();
    let message = match why {
        NoKey::Several => format!(
            "`{}` is no statement: a key is one word, as in `'mem = 1024'`",
            text.escape_debug()
        ),
        NoKey::Empty if around[0].is_some_and(is_key) => {
            // What follows a value is something else.
            let is_bare = OPERATORS.contains(&text.trim());
            let words = if is_bare { &around[..] } else { &around[..2] };
            let words: Vec<&str> = words.iter().flatten().map(|word| word.trim()).collect();
            format!(
                "`{}` has no key: a statement has to be one word, in quotes: `'{}'`",
                text.escape_debug(),
                words.join(" ").escape_debug()
            )
        }
        NoKey::Empty => format!(
            "`{}` has no key: a statement has one before the operator, as in `'mem = 1024'`",
            text.escape_debug()
        ),
    };
    Error::new(ErrorKind::Config, message)
}

/// Whether a word may be the key of the statement that goes on after it.
fn is_key(word: &str) -> bool {
    !word.trim().is_empty() && !word.contains('=') && !word.contains(char::is_whitespace)
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
    fn a_statement_that_is_several_words_is_told_how_to_be_one() {
        #[track_caller]
        fn check(words: &[&str], expect: &str) {
            let error = Wanted::parse(words).expect_err(expect).to_string();
            assert!(error.contains(expect) && !error.contains('\x1b'), "{error}");
        }
        for operator in ["=", "+=", "<=", "?=", "?+=", "?<="] {
            let whole = format!("one word, in quotes: `'mem {operator} 1024'`");
            check(&["boot", "mem", operator, "1024"], &whole);
        }
        check(&["mem", "=", "1024"], "`=` has no key: a statement has to be one word");
        check(&["boot", "mem", "=1024"], "`'mem =1024'`");
        check(&["boot", "mem", "=1024", "smp2"], "`'mem =1024'`");
        check(&["mem", "="], "`'mem ='`");
        check(&["boot: mem", "= 5"], "`= 5` has no key: a statement has one before");
        check(&["= 5"], "`= 5` has no key: a statement has one before the operator");
        check(&["boot: = 5"], "`boot: = 5` has no key");
        check(&["?= 5"], "`?= 5` has no key");
        check(&["a b = 5"], "`a b = 5` is no statement: a key is one word");
        check(&["boot: a b += 5"], "a key is one word");
        check(&["(os=f): a b = 5"], "a key is one word");
        check(&["a\x1b b = 5"], "a key is one word");
    }

    #[test]
    fn a_key_may_stand_in_a_condition_or_be_an_expression() {
        for statement in [
            "a b: mem = 1",
            "a, b: mem = 1",
            "mem = 1 = 2",
            "mem = a b: c",
            "m( |x)em ?= 1",
            "only a = b",
            "variants x = y:",
            "a:\n  b = 1",
        ] {
            check(statement, &[], &[statement]);
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
