//! The expansion equals that of a slow and simple one, for random texts.
//!
//! `PROPTEST_CASES=100000 cargo test -p kvmtest-cartesian --test naive` looks further.

mod dictionary;
mod expander;
mod reader;
mod statement;
mod texts;

use expander::Expanded;
use kvmtest_cartesian::{Config, NoInclude, Parser, Source, Variant};
use proptest::prelude::*;
use texts::Text;

/// What the crate makes of a text.
fn parse(text: &str, defaults: Option<&[String]>) -> Parser {
    let mut parser = match defaults {
        Some(expand) => Parser::with_defaults(expand.iter().cloned()),
        None => Parser::new(),
    };
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    parser
}

fn finish(parser: Parser) -> Config {
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    config
}

fn expanded(variant: Variant) -> Expanded {
    Expanded {
        name: variant.name().into(),
        shortname: variant.shortname().into(),
        deps: variant.deps().to_vec(),
        params: variant.params().map(|(key, value)| (key.into(), value.into())).collect(),
    }
}

/// Compares everything that can be asked of a configuration with what the naive expander says.
fn check(text: &str, defaults: Option<&[String]>) {
    let statements = reader::read(text);
    let Some(expected) = expander::expand(&statements, defaults) else { return };
    let config = finish(parse(text, defaults));
    let found: Vec<_> = config.variants().take(expected.len() + 1).map(expanded).collect();
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "variant {at} of\n{text}");
    }
    assert_eq!(found.len(), expected.len(), "variants of\n{text}");
    assert_eq!(config.variants().count(), expected.len(), "count of\n{text}");
    for at in [0, 1, expected.len() / 2, expected.len()] {
        let nth = config.variants().nth(at).map(expanded);
        assert_eq!(nth.as_ref(), expected.get(at), "number {at} of\n{text}");
    }
}

fn random() -> impl Strategy<Value = Text> {
    prop::collection::vec(any::<u8>(), 0..texts::BYTES).prop_map(|bytes| texts::from_bytes(&bytes))
}

proptest! {
    #[test]
    fn expansion(random in random()) {
        let Text { statements, defaults } = random;
        let text = statement::text(&statements);
        prop_assert_eq!(reader::read(&text), statements, "{}", text);
        check(&text, defaults.as_deref());
    }

    #[test]
    fn a_clone_goes_on_as_if_parsed_anew(random in random(), more in random()) {
        let Text { statements, defaults } = random;
        let (first, second) = (statement::text(&statements), statement::text(&more.statements));
        let parser = parse(&first, defaults.as_deref());
        let mut clone = parser.clone();
        clone.statement(&second);
        let found = some(clone);
        let mut anew = parse(&first, defaults.as_deref());
        anew.statement(&second);
        prop_assert_eq!(found, some(anew), "{}\nthen\n{}", first, second);
        // What the clone read is nothing to the original.
        prop_assert_eq!(some(parser), some(parse(&first, defaults.as_deref())), "{}", first);
    }
}

/// The first few variants.
fn some(parser: Parser) -> Vec<Expanded> {
    finish(parser).variants().take(50).map(expanded).collect()
}
