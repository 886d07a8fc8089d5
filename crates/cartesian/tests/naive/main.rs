//! The expansion equals that of a slow and simple one, for random texts.
//!
//! `PROPTEST_CASES=100000 cargo test -p kvmtest-cartesian --test naive` looks further.

mod dictionary;
mod expander;
mod reader;
mod statement;
mod texts;

use expander::Expanded;
use kvmtest_cartesian::{NoInclude, Parser, Source, Variant};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
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

fn finish(parser: Parser) -> kvmtest_cartesian::Config {
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
    // What fails is printed as a text, which is more than a seed: bytes mean another text as soon
    // as the generator learns something.
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

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
        let more: Vec<_> = more.statements.into_iter().take(4).collect();
        let (first, second) = (statement::text(&statements), statement::text(&more));
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

/// Random texts and what they expand to, one JSON object a line, for comparing by hand with
/// another implementation: `cargo test … --test naive -- --ignored --nocapture random_texts`.
#[test]
#[ignore = "prints, and compares nothing"]
#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn random_texts() {
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..runner.config().cases {
        let tree = random().new_tree(&mut runner).expect("bytes are always possible");
        let Text { statements, defaults } = tree.current();
        let text = statement::text(&statements);
        let variants = finish(parse(&text, defaults.as_deref()));
        let expect: Vec<_> = variants.variants().map(|variant| json(&expanded(variant))).collect();
        let expand = defaults.clone().unwrap_or_default();
        let line = json!({"input": text, "defaults": defaults.is_some(), "expand_defaults": expand, "expect": expect});
        println!("{line}");
    }
}

fn json(variant: &Expanded) -> serde_json::Value {
    let Expanded { name, shortname, deps, params } = variant;
    json!({"name": name, "shortname": shortname, "dep": deps, "params": params})
}
