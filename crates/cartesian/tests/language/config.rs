//! What can be asked of a configuration and of a variant.

use crate::{names, parse};
use kvmtest_cartesian::{Config, Parser, Variant};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn labels_and_values() {
    let config =
        parse("k = 1\nvariants os:\n  - a:\n    k = 2\n    k += 3\n  - b.a:\n    a: k = 1\n");
    assert_eq!(config.labels().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(config.assigned("k"), ["1", "2"]);
    assert_eq!(config.assigned("os"), ["a", "b.a"]);
    assert_eq!(config.assigned("none"), Vec::<&str>::new());
}

#[test]
fn places() {
    let config = parse("k = 1\nvariants os:\n  - a:\n    k = 2\n    k += 3\n  - b.a:\nj = ${k}\n");
    let places = |at: usize| -> Vec<(String, u32)> {
        let variant = config.variants().nth(at).expect("two variants");
        let place = |(key, _, place): (&str, _, Option<kvmtest_cartesian::Place>)| {
            (key.to_owned(), place.map_or(0, |place| place.line))
        };
        variant.iter().map(place).collect()
    };
    assert_eq!(places(0), [("k".to_owned(), 5), ("os".to_owned(), 3), ("j".to_owned(), 7)]);
    assert_eq!(places(1), [("k".to_owned(), 1), ("os".to_owned(), 6), ("j".to_owned(), 7)]);
}

#[test]
fn counting_and_skipping() {
    let config = parse("variants:\n  - a:\n  - b:\n  - c:\nno b\n");
    assert_eq!(config.variants().count(), 2);
    let nth = |at| config.variants().nth(at).map(|variant| variant.name().to_owned());
    assert_eq!((nth(0), nth(1), nth(2)), (Some("a".into()), Some("c".into()), None));
    let mut variants = config.variants();
    assert_eq!(variants.nth(1).expect("two variants").name(), "c");
    assert!(variants.next().is_none() && variants.next().is_none());
}

#[test]
fn the_example_of_the_readme() {
    let text = include_str!("../../README.md").split("```").nth(1).expect("it has an example");
    let config = parse(text.strip_prefix("text").expect("a text block"));
    assert_eq!(names(&config), "(disk=ide).boot (disk=virtio).boot (disk=virtio).migrate");
    let extra = |variant: &Variant| variant.get("extra").is_some();
    assert_eq!(config.variants().map(|v| extra(&v)).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn pieces_are_known_again() {
    let config = parse("k = 1\nvariants:\n  - a:\n    j = 2\n  - b:\n    j = 3\n    k += 4\n");
    let mut texts: HashMap<(bool, u64), String> = HashMap::new();
    let mut without = Vec::new();
    for variant in config.variants() {
        let pairs = variant.pieces().map(|(key, value)| (key.text, value.text));
        assert!(pairs.eq(variant.params()));
        for (key, value) in variant.pieces() {
            for (is_key, piece) in [(true, key), (false, value)] {
                let Some(number) = piece.number else {
                    without.push(piece.text.to_owned());
                    continue;
                };
                let known = texts.entry((is_key, number)).or_insert_with(|| piece.text.to_owned());
                assert_eq!(known, piece.text);
            }
        }
    }
    assert_eq!((texts.len(), without), (5, vec!["14".to_owned()]));
}

/// Nine pigeons in eight holes, no two in one.
#[test]
fn a_search_that_nobody_wants_to_wait_for() {
    let mut text: Vec<String> = (0..9).map(|n| format!("variants p{n}:\n{}", block(8))).collect();
    for (one, other) in (0..9).flat_map(|one| (0..one).map(move |other| (one, other))) {
        text.extend((0..8).map(|hole| format!("no (p{one}=v{hole})..(p{other}=v{hole})\n")));
    }
    let config = parse(&text.concat());
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let goes_on = move || count.fetch_add(1, Ordering::Relaxed) < 3;
    let mut variants = config.variants().while_patient(goes_on);
    assert!(variants.next().is_none());
    assert!(variants.next().is_none());
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[test]
fn patience_changes_nothing_else() {
    let parsed = parse("variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\njoin a b\n");
    let found = parsed.variants().while_patient(|| true);
    let found: Vec<_> = found.map(|variant| variant.name().to_owned()).collect();
    assert_eq!(found.join(" "), names(&parsed));
    let many =
        parse(&["", "l", "m", "n"].map(|name| format!("variants {name}:\n{}", block(16))).concat());
    let count = |goes_on| many.variants().while_patient(move || goes_on).fold(0, |n, _| n + 1);
    assert_eq!(count(true), 65_536);
    assert!(count(false) < 65_536);
}

/// The lines of so many variants.
fn block(variants: usize) -> String {
    let lines: Vec<String> = (0..variants).map(|number| format!("  - v{number}:\n")).collect();
    lines.concat()
}

#[test]
fn diagnostics_that_are_taken_out() {
    let mut parser = Parser::new();
    parser.statement("only a/b");
    assert_eq!(parser.take_diagnostics().len(), 1);
    assert_eq!(parser.diagnostics(), []);
    parser.statement("name = 1");
    assert_eq!(parser.finish().1.len(), 1);
}

#[test]
fn defaults_that_are_wanted_afterwards() {
    let mut parser = Parser::new();
    parser.statement("variants n:\n  - a:\n  - @b:\nvariants m:\n  - @x:\n  - y:\n");
    let count = |parser: &Parser| parser.clone().finish().0.variants().count();
    assert_eq!(count(&parser), 4);
    parser.set_defaults(Some(Vec::new()));
    assert_eq!(count(&parser), 1);
    parser.set_defaults(Some(vec!["n".to_owned()]));
    assert_eq!(count(&parser), 2);
    parser.set_defaults(None);
    assert_eq!(count(&parser), 4);
}

#[test]
fn crosses_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Config>();
    check::<Variant>();
}
