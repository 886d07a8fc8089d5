//! What holds for every text.

#[path = "naive/statement.rs"]
mod statement;
#[path = "naive/texts.rs"]
mod texts;

use kvmtest_cartesian::{Config, NoInclude, Parser, Source, Variant};
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

/// Texts without faults, and without `join`: of what is joined, each part meets the filters alone.
fn config() -> impl Strategy<Value = String> {
    // The first byte of a text says what may be in it.
    let first = prop_oneof![Just(0_u8), Just(8)];
    (first, prop::collection::vec(any::<u8>(), 0..texts::BYTES)).prop_map(|(first, rest)| {
        let bytes: Vec<u8> = std::iter::once(first).chain(rest).collect();
        statement::text(&texts::from_bytes(&bytes).statements)
    })
}

/// Labels of these texts and others, in rows and together, of blocks with names and without.
fn filter() -> impl Strategy<Value = String> {
    let word = "(\\([nm]=[a-h]\\)|[a-h])((\\.|\\.\\.)(\\([nm]=[a-h]\\)|[a-h])){0,2}";
    prop::collection::vec(word, 1..4).prop_map(|words| words.join(", "))
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
    fn words_are_alternatives(text in config(), a in filter(), b in filter()) {
        let one = parse(&text, &[format!("only {a}, {b}")]);
        let marked = parse(&text, &[format!("{a}: mark = 1"), format!("{b}: mark = 1")]);
        let both = marked.variants().filter(|variant| variant.get("mark") == Some("1"));
        let both: Vec<_> = both.map(|variant| variant.name().to_owned()).collect();
        prop_assert_eq!(names(&one), both);
        let neither = parse(&text, &[format!("no {a}"), format!("no {b}")]);
        prop_assert_eq!(names(&neither), names(&parse(&text, &[format!("no {a}, {b}")])));
    }

    #[test]
    fn a_filter_in_a_condition_drops_where_both_hold(text in config(), a in filter(), b in filter()) {
        for (condition, filter, holds) in [
            (&a, format!("no {b}"), [true, true]),
            (&a, format!("only {b}"), [true, false]),
            (&format!("!{a}"), format!("no {b}"), [false, true]),
            (&format!("!{a}"), format!("only {b}"), [false, false]),
        ] {
            let left = names(&parse(&text, &[format!("{condition}: {filter}")]));
            let marked = parse(&text, &[format!("{a}: of_a = 1"), format!("{b}: of_b = 1")]);
            let is_left = |variant: &Variant| {
                [variant.get("of_a").is_some(), variant.get("of_b").is_some()] != holds
            };
            let expected: Vec<_> = marked.variants().filter(is_left).map(|v| v.name().to_owned()).collect();
            prop_assert_eq!(left, expected, "{}: {}", condition, filter);
        }
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
