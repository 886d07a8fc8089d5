//! What holds for every text.

use kvmtest_cartesian::{Config, NoInclude, Parser, Source};
use proptest::prelude::*;

/// Lines that look like the language.
fn line() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-d]",
        2 => prop_oneof![
            Just("only "), Just("no "), Just("variants"), Just("variants:"), Just("join "), Just("suffix _"),
            Just("del "), Just("include "), Just("- "), Just("- @"), Just("[default="), Just("]"),
        ].prop_map(str::to_owned),
        2 => prop_oneof![
            Just(":"), Just(" = "), Just("+="), Just("<="), Just("~="), Just("?="), Just("?+="), Just("."),
            Just(".."), Just(","), Just("("), Just(")"), Just("="), Just("!"), Just("${"), Just("}"),
            Just("\""), Just("'"), Just("#"), Just(" "), Just("\t"), Just("*"), Just("_max"),
        ].prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    (0..6_usize, prop::collection::vec(piece, 0..8))
        .prop_map(|(indent, pieces)| " ".repeat(indent) + &pieces.concat())
}

/// Texts without faults: blocks of variants, then filters.
fn config() -> impl Strategy<Value = String> {
    let variant = ("[a-e]", prop::option::of("[a-e]"), prop::option::of(filter()));
    let written = |(name, assigned, dropped): (String, Option<String>, Option<String>)| {
        let assigned = assigned.map(|key| format!("    {key} = {name}\n")).unwrap_or_default();
        let dropped = dropped.map(|filter| format!("    no {filter}\n")).unwrap_or_default();
        format!("  - {name}:\n{assigned}{dropped}")
    };
    let block = prop::collection::vec(variant.prop_map(written), 1..4)
        .prop_map(|variants| "variants:\n".to_owned() + &variants.concat());
    prop::collection::vec(block, 0..4).prop_map(|blocks| blocks.concat())
}

fn filter() -> impl Strategy<Value = String> {
    prop::collection::vec("[a-e](\\.[a-e])?(\\.\\.[a-e])?", 1..3).prop_map(|words| words.join(", "))
}

fn parse(text: &str, statements: &[String]) -> Config {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    for statement in statements {
        parser.statement(statement);
    }
    let (config, diagnostics) = parser.finish();
    for diagnostic in diagnostics {
        assert!(!diagnostic.columns.is_empty());
        diagnostic.render(false);
    }
    config
}

fn names(config: &Config) -> Vec<String> {
    config.variants().map(|variant| variant.name().to_owned()).collect()
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC*|(?s).{0,200}") {
        parse(&text, &[]);
    }

    #[test]
    fn what_looks_like_the_language_never_panics(lines in prop::collection::vec(line(), 0..20)) {
        let config = parse(&lines.join("\n"), &[]);
        for variant in config.variants().take(50) {
            prop_assert_eq!(variant.iter().count(), variant.len());
            let _ = (variant.name(), variant.shortname(), variant.deps());
        }
    }

    #[test]
    fn stories_end_with_the_value(lines in prop::collection::vec(line(), 0..20), text in config()) {
        for config in [parse(&lines.join("\n"), &[]), parse(&text, &lines)] {
            for variant in config.variants().take(2) {
                for (key, value, place) in variant.iter() {
                    let explain = variant.explain(key).expect("a key with a value has a story");
                    prop_assert_eq!(explain.value.as_deref(), Some(value));
                    prop_assert_eq!(&explain.place, &place);
                    let from = &explain.stories[explain.from.expect("a value is from somewhere")];
                    prop_assert!(from.result.iter().any(|(_, result)| result.as_ref() == value));
                    prop_assert!(from.steps.iter().any(|step| Some(&step.place) == place.as_ref()));
                    prop_assert!(!explain.to_string().is_empty());
                }
                for key in ["a", "b_", "name", "dep", "*", "a_max"] {
                    let value = variant.explain(key).and_then(|explain| explain.value);
                    if !["name", "dep"].contains(&key) {
                        prop_assert_eq!(value.as_deref(), variant.get(key));
                    }
                }
            }
        }
    }

    #[test]
    fn filters_commute(text in config(), a in filter(), b in filter()) {
        let (a, b) = (format!("only {a}"), format!("no {b}"));
        let one = parse(&text, &[a.clone(), b.clone()]);
        let other = parse(&text, &[b, a]);
        prop_assert_eq!(names(&one), names(&other));
    }

    #[test]
    fn only_and_no_share_everything_out(text in config(), filter in filter()) {
        let all = parse(&text, &[]).variants().count();
        let only = parse(&text, &[format!("only {filter}")]).variants().count();
        let no = parse(&text, &[format!("no {filter}")]).variants().count();
        prop_assert_eq!(only + no, all);
        let both = parse(&text, &[format!("only {filter}"), format!("no {filter}")]);
        prop_assert_eq!(both.variants().count(), 0);
    }

    #[test]
    fn a_condition_holds_where_its_filter_does(text in config(), filter in filter()) {
        let marked = parse(&text, &[format!("{filter}: mark = 1"), format!("!{filter}: mark = 0")]);
        let only = names(&parse(&text, &[format!("only {filter}")]));
        let with = |value| -> Vec<String> {
            let variants = marked.variants().filter(|v| v.get("mark") == Some(value));
            variants.map(|v| v.name().to_owned()).collect()
        };
        prop_assert_eq!(with("1"), only);
        prop_assert_eq!(with("1").len() + with("0").len(), marked.variants().count());
    }
}
