//! What a state is made of.

use sha2::{Digest, Sha256};

use super::manifest::VERSION;
use crate::error::{Error, ErrorKind, Result};
use crate::hexadecimal;

/// How long a name may be, in bytes.
const LENGTH: usize = 40;

/// What a state is made of, to the last thing that matters: two machines of the same recipe are
/// the same machine, and whatever differs makes another state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    name: String,
    what: String,
    text: String,
}

impl Recipe {
    /// A recipe of nothing yet, for a state that people call `name`: `booted`.
    ///
    /// A name has up to 40 letters (a to z), digits, `_`, `-` and `.`, and begins with a letter or
    /// a digit; any other is an [`ErrorKind::Params`].
    pub fn new(name: &str) -> Result<Self> {
        if !is_name(name) {
            let message = format!(
                "no name of a state: `{}`: it has up to {LENGTH} letters (a to z), digits, `_`, \
                 `-` and `.`, and begins with a letter or a digit",
                name.escape_debug()
            );
            return Err(Error::new(ErrorKind::Params, message));
        }
        Ok(Self { name: name.to_owned(), what: String::new(), text: String::new() })
    }

    /// The same recipe, described in a few words for people: `small, q35, 512 MiB`. They are no
    /// part of what is digested.
    #[must_use]
    pub fn about(self, what: impl Into<String>) -> Self {
        Self { what: what.into(), ..self }
    }

    /// The same recipe with another line, `key: value`. The order of the lines counts.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        // No value can look like another line, and no key like one with a value.
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('\n', "\\n");
        self.text += &escaped(key).replace(':', "\\:");
        self.text += ": ";
        self.text += &escaped(value);
        self.text.push('\n');
        self
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A few words for people; may be empty.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// All of its lines.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the state is found by, 64 hexadecimal digits: of the lines, and of the version of the
    /// store. The name is no part of it.
    pub fn digest(&self) -> String {
        digest_of_text(&self.text)
    }
}

pub(super) fn digest_of_text(text: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(VERSION.to_le_bytes());
    digest.update(text);
    hexadecimal::of(&digest.finalize())
}

fn is_name(text: &str) -> bool {
    let first = text.bytes().next();
    text.len() <= LENGTH
        && first.is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_differs_makes_another_digest() {
        let of = |lines: &[(&str, &str)]| {
            let recipe = Recipe::new("booted").expect("a name");
            lines.iter().fold(recipe, |recipe, (key, value)| recipe.with(key, value)).digest()
        };
        let recipes = [
            &[][..],
            &[("a", "1")],
            &[("a", "2")],
            &[("a", "1"), ("b", "2")],
            &[("b", "2"), ("a", "1")],
            &[("a", "1\nb: 2")],
            &[("a", "1\\nb: 2")],
            &[("a: 1", "2")],
            &[("a", "1: 2")],
            &[("a", "")],
            &[("a", " 1")],
        ];
        let digests: std::collections::BTreeSet<_> =
            recipes.iter().map(|lines| of(lines)).collect();
        assert_eq!(digests.len(), recipes.len());
        assert!(digests.iter().all(|digest| digest.len() == 64));
    }

    #[test]
    fn names_and_words_for_people_are_no_part_of_it() {
        let digest = |name: &str, what: &str| {
            Recipe::new(name).expect("a name").about(what).with("mem", "256").digest()
        };
        assert_eq!(digest("booted", ""), digest("other", "small, 256 MiB"));
    }

    #[test]
    fn names_that_are_none() {
        for name in ["booted", "with_nginx", "a", "1.2-x", &"x".repeat(LENGTH)] {
            Recipe::new(name).expect(name);
        }
        let long = "x".repeat(LENGTH + 1);
        for name in ["", ".", "..", "-rf", "a/b", "../x", "a b", "a\nb", "\x1b[2J", "ö", &long] {
            let error = Recipe::new(name).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::Params);
            assert!(!error.to_string().contains(['\x1b', '\n']), "{error}");
        }
    }
}
