//! What the README shows is what comes out. Its Rust examples are run as documentation tests.

use kvmtest_cartesian::{Config, Diagnostic, NoInclude, Parser, Source};

const README: &str = include_str!("../README.md");

fn read(text: &str) -> (Config, Vec<Diagnostic>) {
    let mut parser = Parser::new();
    parser.parse(Source::new("tests.cfg", text), &mut NoInclude);
    parser.finish()
}

/// The blocks that are neither Rust nor commands, and what stands after each.
fn texts() -> Vec<(&'static str, &'static str)> {
    README
        .split("\n```text\n")
        .skip(1)
        .map(|rest| rest.split_once("```\n").expect("a block that ends"))
        .collect()
}

#[test]
fn the_configuration_has_the_variants_that_are_told() {
    let [(text, after), _] = texts()[..] else { panic!("a text block that is not tested") };
    let sentence = after.trim_start().split("\n\n").next().expect("a sentence");
    let told: Vec<_> = sentence.split('`').skip(1).step_by(2).collect();
    let (config, diagnostics) = read(text);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let names: Vec<_> = config.variants().map(|variant| variant.name().to_owned()).collect();
    assert_eq!(names, told);
}

#[test]
fn the_diagnostic_looks_as_shown() {
    let [_, (picture, _)] = texts()[..] else { panic!("a text block that is not tested") };
    let line = picture.lines().find_map(|line| line.strip_prefix("2 | ")).expect("line 2");
    let (_, diagnostics) = read(&format!("\n{line}\n"));
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].render(false).trim_end(), picture.trim_end());
}
