//! Names as their labels, and filters of names: the language's own rules, for names that there
//! are already.

use kvmtest::{Error, ErrorKind, Result};

use super::filter;

/// A label of a name or of a filter: `boot`, or `(os=f)` with the block that it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Label<'a> {
    /// The block, where that has a name.
    pub(crate) block: Option<&'a str>,
    /// The label itself.
    pub(crate) name: &'a str,
}

impl<'a> Label<'a> {
    /// One label; `(f)` is the same as `f`.
    fn of(text: &'a str) -> Self {
        let (block, name) = filter::taken_apart(text).unwrap_or((None, text));
        Self { block, name }
    }

    /// Whether a label that asks for this one gets it: `f` gets `(os=f)`, but not the other way
    /// round.
    fn fits(self, asked: Self) -> bool {
        self.name == asked.name && (asked.block.is_none() || asked.block == self.block)
    }
}

/// The labels of a name, or of a part of one.
pub(crate) fn labels(name: &str) -> Vec<Label<'_>> {
    name.split('.').map(Label::of).collect()
}

/// Whether a name has the labels `wanted` directly after one another.
pub(crate) fn has(name: &[Label<'_>], wanted: &[Label<'_>]) -> bool {
    let fit = |part: &[Label]| part.iter().zip(wanted).all(|(label, asked)| label.fits(*asked));
    !wanted.is_empty() && name.windows(wanted.len()).any(fit)
}

/// Whether a name passes a filter: for one of the words between commas and blanks, it has all
/// that stands between `..`.
///
/// What the language refuses as a filter passes nothing, or more than was meant: it is to be
/// checked before.
pub(crate) fn passes(name: &str, filter: &str) -> bool {
    let name = labels(name);
    filter::words(filter).any(|word| word.split("..").all(|term| has(&name, &labels(term))))
}

/// What is no filter is an error that says why.
pub fn check_filter(text: &str) -> Result<()> {
    let why = match filter::refused(text) {
        None if filter::is_filter(text) => return Ok(()),
        None => String::new(),
        Some(why) => format!(": {why}"),
    };
    let message = format!(
        "`{}` is no filter of tests (`boot`, `virtio_net..boot`){why}",
        text.escape_debug()
    );
    Err(Error::new(ErrorKind::Config, message))
}

#[cfg(test)]
mod tests {
    use kvmtest_cartesian::{NoInclude, Parser, Source};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_filter_passes_what_the_language_lets_pass() {
        #[track_caller]
        fn check(name: &str, filter: &str, expect: bool) {
            assert_eq!(passes(name, filter), expect, "{name} {filter}");
        }
        check("a.b.c", "b", true);
        check("a.b.c", "a.b", true);
        check("a.b.c", "a.c", false);
        check("a.b.c", "c..a", true);
        check("a.b.c", "x, c", true);
        check("a.b.c", "x c", true);
        check("a.bb", "b", false);
        check("(os=f).boot", "f.boot", true);
        check("(os=f).boot", "(os=f)..boot", true);
        check("(os=f).boot", "(f)", true);
        check("(os=f).boot", "(guest=f)", false);
        check("f.boot", "(os=f)", false);
        check("", "a", false);
        check("a", "", false);
        check("(os=f).boot", "x, ( os = f )..boot", true);
    }

    /// The full names that a configuration has, by the language.
    fn names(text: &str, only: Option<&str>) -> Vec<String> {
        let mut parser = Parser::new();
        parser.parse(Source::new("x.cfg", text.to_owned()), &mut NoInclude);
        if let Some(filter) = only {
            parser.statement(&format!("only {filter}"));
        }
        let (config, diagnostics) = parser.finish();
        assert!(!diagnostics.iter().any(kvmtest_cartesian::Diagnostic::is_error), "{only:?}");
        config.variants().map(|variant| variant.name().to_owned()).collect()
    }

    const CONFIG: &str = "\
variants:
    - a:
    - b.c:
    - @d:
variants os:
    - a:
        variants:
            - b:
            - c:
    - f.1:
variants:
    - c:
    - b:
";

    proptest! {
        #[test]
        fn a_filter_means_what_it_means_to_the_language(
            words in prop::collection::vec(
                prop::collection::vec(
                    prop::collection::vec(
                        prop::sample::select(
                            &["a", "b", "c", "d", "f", "1", "(os=a)", "(os=f)", "(a)", "x"][..],
                        ),
                        1..3,
                    ),
                    1..3,
                ),
                1..3,
            ),
            separator in prop::sample::select(&[", ", " ", ","][..]),
        ) {
            let word = |word: &Vec<Vec<&str>>| {
                word.iter().map(|term| term.join(".")).collect::<Vec<_>>().join("..")
            };
            let filter = words.iter().map(word).collect::<Vec<_>>().join(separator);
            let mut all = names(CONFIG, None);
            all.retain(|name| passes(name, &filter));
            prop_assert_eq!(all, names(CONFIG, Some(&filter)), "{}", filter);
        }
    }
}
