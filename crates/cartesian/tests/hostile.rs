//! Texts that want to crash or hang the parser, and files that include what they should not.

use kvmtest_cartesian::{Config, Diagnostic, NoInclude, Parser, Source};
use std::collections::HashMap;

fn parse(text: impl Into<String>) -> (Config, Vec<Diagnostic>) {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    parser.finish()
}

#[track_caller]
fn check_refused(text: impl Into<String>, message: &str) {
    let (_, diagnostics) = parse(text);
    let told: Vec<_> = diagnostics.iter().map(|d| d.render(false)).collect();
    assert!(told.iter().any(|d| d.contains(message)), "{told:?}");
}

/// Files of these names and texts, the first of them read.
fn parse_files(files: &[(&str, &str)]) -> (Config, Vec<Diagnostic>) {
    let texts: HashMap<_, _> = files.iter().copied().collect();
    let mut include = |path: &str, from: &str| match texts.get(path) {
        Some(text) => Ok(Source::new(path, *text)),
        None => Err(format!("no such file beside {from}")),
    };
    let mut parser = Parser::new();
    parser.parse(Source::new(files[0].0, files[0].1), &mut include);
    parser.finish()
}

#[test]
fn binary() {
    check_refused("k = 1\nj\0 = 2\n", "a zero byte: this is not a text file");
    let (_, diagnostics) = parse("k = 1\nj = 2\nx\0\n");
    assert_eq!((diagnostics.len(), diagnostics[0].line), (1, 3));
    let (_, diagnostics) = parse("k = 1\nj = 2\n\0\n");
    assert_eq!((diagnostics.len(), diagnostics[0].line), (1, 3));
    check_refused("\0".repeat(1 << 20), "a zero byte");
}

#[test]
fn huge_lines() {
    check_refused(format!("k = {}\n", "x".repeat(3 << 20)), "a line of more than 1048576 bytes");
    let (config, _) = parse(format!("# {}\nk = {}\n", "x".repeat(3 << 20), "y".repeat(1 << 19)));
    let variant = config.variants().next().expect("one variant");
    assert_eq!(variant.get("k").map(str::len), Some(1 << 19));
}

#[test]
fn deep_nesting() {
    let deep = |line: &str| -> String {
        let lines = (0..2000).map(|depth| format!("{}{line}\n", " ".repeat(depth)));
        lines.collect::<Vec<_>>().concat()
    };
    check_refused(deep("a:"), "blocks inside one another");
    check_refused("a: ".repeat(100_000) + "k = 1\n", "conditions in a row");
    let block = |depth: usize| format!("{0}variants:\n{0} - a:\n", " ".repeat(depth * 2));
    let variants = (0..1000).map(block).collect::<Vec<_>>().concat();
    check_refused(variants, "blocks inside one another");
}

#[test]
fn many_errors() {
    let (_, diagnostics) = parse("junk\n".repeat(100_000));
    assert!(!diagnostics.is_empty() && diagnostics.len() < 10_000);
}

#[test]
fn many_combinations_are_not_made() {
    let block = |n: usize| format!("variants:\n  - a{n}:\n  - b{n}:\n");
    let text = (0..200).map(block).collect::<Vec<_>>().concat();
    let (config, diagnostics) = parse(text + "only b7\nno a8, a199\nonly b5..b6\n");
    assert!(diagnostics.is_empty());
    let variant = config.variants().next().expect("one of 2^196");
    assert!(variant.name().starts_with("b199.a198.") && variant.name().ends_with(".a1.a0"));
    assert_eq!(config.variants().take(1000).count(), 1000);
}

#[test]
fn joins_of_many_with_nothing() {
    let block = |n: usize| format!("variants:\n  - a{n}:\n  - b{n}:\n");
    let text = (0..60).map(block).collect::<Vec<_>>().concat();
    for join in ["a0 zz", "zz a0", "a0 a1 zz b2", "a0..b0 a1"] {
        let (config, _) = parse(format!("{text}join {join}\n"));
        assert_eq!(config.variants().count(), 0, "{join}");
    }
    let (config, _) = parse(format!("{text}join a0 b1\n"));
    assert_eq!(config.variants().take(1000).count(), 1000);
}

#[test]
fn joins_of_nothing_below_many() {
    let block = |n: usize| format!("variants:\n  - a{n}:\n  - b{n}:\n");
    let above = (0..40).map(block).collect::<Vec<_>>().concat();
    let below =
        "variants:\n  - a:\n  - b:\nvariants:\n  - c:\n    only a\n  - d:\n    only a, b7\n";
    for join in ["a zz", "zz a", "b", "b a", "a b..a0", "c, d..b"] {
        let (config, _) = parse(format!("{below}join {join}\n{above}no b7\n"));
        assert!(config.variants().next().is_none(), "{join}");
    }
    let (config, _) = parse(format!("{below}join a b\n{above}only b7, q\n"));
    assert!(config.variants().next().is_some_and(|variant| variant.name().contains("b7.")));
}

#[test]
fn values_that_double() {
    for statement in ["k = ${k}${k}", "k += ${k}", "k <= ${k}", "k.* ?+= ${k}", "k ?<= ${k}"] {
        let (config, _) = parse(format!("k = xx\n{}", format!("{statement}\n").repeat(100)));
        let variant = config.variants().next().expect("one variant");
        let length = variant.get("k").map_or(0, str::len);
        assert!((1 << 20..1 << 28).contains(&length), "{statement}: {length}");
    }
}

#[test]
fn values_of_many_pieces() {
    let (config, _) = parse(format!("k = 0\n{}", "k += 0123456789\n".repeat(50_000)));
    let variant = config.variants().next().expect("one variant");
    assert_eq!(variant.get("k").map(str::len), Some(500_001));
}

#[test]
fn suffixes_of_suffixes() {
    let block = |n: usize| format!("variants:\n  - a:\n    k{n} = 1\n    suffix _{n}\n");
    let (config, _) = parse((0..1000).map(block).collect::<Vec<_>>().concat() + "k0 = 2\n");
    let variant = config.variants().next().expect("one variant");
    assert_eq!(variant.len(), 1001);
    let long = variant.params().nth(1).map(|(key, _)| key.to_owned());
    assert!(long.is_some_and(|key| key.starts_with("k0_999_998_997")));
}

#[test]
fn joins_of_joins() {
    let block = |join: &str| format!("variants:\n  - a:\njoin {join}\n");
    check_refused(block("a a").repeat(40), "makes one variant out of more than 4096");
    check_refused(block(&"a ".repeat(5000)), "makes one variant out of more than 4096");
    check_refused(block("a").repeat(50_000), "stands in more than 128 others");
    check_refused("variants:\n  - a:\n".to_owned() + &"join a\n".repeat(5000), "more than 4096");
    let (config, diagnostics) = parse(block("a a").repeat(8));
    assert_eq!(diagnostics, []);
    let variant = config.variants().next().expect("one variant");
    assert!(variant.name().split('.').all(|label| label == "a"));
    // What is left out does not stand in the way of what is not.
    let (config, _) = parse(block("a a").repeat(40));
    assert!(config.variants().next().is_some());
    let (config, _) = parse(block("a").repeat(50_000));
    assert!(config.variants().next().expect("one variant").params().next().is_none());
}

#[test]
fn regular_expressions_that_explode() {
    check_refused("((((a{100}){100}){100}){100}) ?= 1\n", "is no regular expression");
    let (config, _) = parse(format!("{} = 1\n(a*)*b ?= 2\n", "a".repeat(5000)));
    assert_eq!(config.variants().count(), 1);
    assert_eq!(config.variants().next().map(|variant| variant.len()), Some(1));
}

#[test]
fn includes() {
    let (config, diagnostics) = parse_files(&[
        ("main", "k = 1\ninclude more\nk += 3\nx: include cond\n"),
        ("more", "variants:\n  - x:\n  - y:\n        include leaf\nk += 2"),
        ("leaf", "j = 1"),
        ("cond", "only y\n"),
    ]);
    assert_eq!(diagnostics, []);
    let variants: Vec<_> = config.variants().collect();
    assert_eq!(variants.len(), 1);
    assert_eq!((variants[0].get("k"), variants[0].get("j")), (Some("123"), Some("1")));
    let place = variants[0].place("j").expect("it has a place");
    assert_eq!(place.to_string(), "leaf:1");
    assert_eq!(variants[0].place("k").expect("it has a place").to_string(), "main:3");
}

#[test]
fn includes_that_cannot_be() {
    let told = |files: &[(&str, &str)]| -> Vec<String> {
        parse_files(files).1.iter().map(ToString::to_string).collect()
    };
    let missing = told(&[("main", "k = 1\ninclude gone\n")]);
    assert!(missing[0].starts_with("main:2:9: failed to include `gone`: no such file beside main"));
    let cycle = told(&[("a", "include b\n"), ("b", "k = 1\n  include a\n")]);
    assert!(cycle[0].starts_with("b:2:11: `a` includes itself"), "{cycle:?}");
    let own = told(&[("a", "include a\n")]);
    assert!(own[0].starts_with("a:1:9: `a` includes itself"), "{own:?}");
    let variants = told(&[("a", "x: include b\n"), ("b", "variants:\n  - y:\n")]);
    assert!(variants[0].starts_with("b:1:1: `variants` in a conditional block"), "{variants:?}");
    // The same file twice, one after the other, is no cycle.
    assert_eq!(told(&[("a", "include b\ninclude b\n"), ("b", "k = 1\n")]), Vec::<String>::new());
}

#[test]
fn includes_without_end() {
    let mut count = 0;
    let mut include = |_: &str, _: &str| {
        count += 1;
        Ok(Source::new(format!("file{count}"), "include more\n"))
    };
    let mut parser = Parser::new();
    parser.parse(Source::new("main", "include more\n"), &mut include);
    let (_, diagnostics) = parser.finish();
    assert!(diagnostics[0].message.contains("files including one another"));
}

#[test]
fn strange_texts() {
    for text in ["\u{feff}k = 1\n", "k = 1\r\n", "k = 1\rj = 2\r", "\tk = 1", "k =\u{a0}1\u{a0}\n"]
    {
        let (config, diagnostics) = parse(text);
        assert_eq!(diagnostics, []);
        let variant = config.variants().next().expect("one variant");
        assert_eq!(variant.get("k"), Some("1"), "{text:?}");
    }
    let (config, _) = parse("k = a\tb");
    assert_eq!(config.variants().next().expect("one variant").get("k"), Some("a   b"));
}
