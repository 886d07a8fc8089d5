//! The constructs of the language, one file each. What is expected is what the reference
//! implementation makes of the same text, but for `differences`.

mod assignments;
mod bounds;
mod conditions;
mod config;
mod defaults;
mod differences;
mod filters;
mod includes;
mod joins;
mod layout;
mod reserved;
mod substitution;
mod suffixes;
mod variants;

use kvmtest_cartesian::{Config, NoInclude, Parser, Source, Variant};

fn parse(text: &str) -> Config {
    read(Parser::new(), text)
}

fn read(mut parser: Parser, text: &str) -> Config {
    parser.parse(Source::new("folder/t.cfg", text), &mut NoInclude);
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:#?}");
    config
}

fn keys(variant: &Variant) -> String {
    let pairs: Vec<_> = variant.params().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(" ")
}

fn names(config: &Config) -> String {
    let names: Vec<_> = config.variants().map(|variant| variant.name().to_owned()).collect();
    names.join(" ")
}

/// The keys and values of the only variant, as `key=value` with blanks between.
#[track_caller]
fn check_keys(text: &str, expected: &str) {
    let variants: Vec<_> = parse(text).variants().map(|variant| keys(&variant)).collect();
    assert_eq!(variants, [expected], "{text}");
}

/// Each variant as `name: key=value key=value`.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let written = |variant: Variant| {
        let line = format!("{}: {}", variant.name(), keys(&variant));
        line.trim_end().to_owned()
    };
    let variants: Vec<_> = parse(text).variants().map(written).collect();
    assert_eq!(variants, expected, "{text}");
}

/// The names, with blanks between.
#[track_caller]
fn check_names(text: &str, expected: &str) {
    assert_eq!(names(&parse(text)), expected, "{text}");
}

/// The short names, with blanks between; `-` for an empty one.
#[track_caller]
fn check_shortnames(text: &str, expected: &str) {
    let short = |variant: Variant| match variant.shortname() {
        "" => "-".to_owned(),
        name => name.to_owned(),
    };
    let found: Vec<_> = parse(text).variants().map(short).collect();
    assert_eq!(found.join(" "), expected, "{text}");
}

/// What each variant depends on, with blanks between.
#[track_caller]
fn check_deps(text: &str, expected: &[&str]) {
    let found: Vec<_> = parse(text).variants().map(|variant| variant.deps().join(" ")).collect();
    assert_eq!(found, expected, "{text}");
}

/// Two blocks, `a b` and `x y`, then the statements: the names that are left.
#[track_caller]
fn check_left(statements: &str, expected: &str) {
    check_names(
        &format!("variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\n{statements}"),
        expected,
    );
}

/// The same with two named blocks, `os` of `f u`, and `bus` of `u v`.
#[track_caller]
fn check_named(statements: &str, expected: &str) {
    let blocks = "variants os:\n  - f:\n  - u:\nvariants bus:\n  - u:\n  - v:\n";
    check_names(&format!("{blocks}{statements}"), expected);
}

/// The names that are left when only defaults are wanted, except in the blocks of these names.
#[track_caller]
fn check_defaults(expand: &[&str], text: &str, expected: &str) {
    let parser = Parser::with_defaults(expand.iter().copied());
    assert_eq!(names(&read(parser, text)), expected, "{text}");
}
