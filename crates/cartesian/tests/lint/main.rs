//! What is found in texts that mean something else than their author wants, and what is not.

mod conditions;
mod files;
mod filters;
mod labels;
mod pictures;
mod values;

use kvmtest_cartesian::{Config, Diagnostic, NoInclude, Parser, Source};

/// `expected`: `line:column: finding: message`, one for each diagnostic.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_told(&parse(text).lint(), expected, text);
}

#[track_caller]
fn assert_told(found: &[Diagnostic], expected: &[&str], text: &str) {
    let told: Vec<String> = found
        .iter()
        .map(|d| {
            assert!(!d.is_error() && !d.render(true).is_empty());
            let kind = d.finding.expect("a finding has a kind");
            format!("{}:{}: {kind}: {}", d.line, d.columns.start, d.message)
        })
        .collect();
    assert_eq!(told, expected, "{text}");
}

/// What would be right, of the only finding.
#[track_caller]
fn check_help(text: &str, expected: &str) {
    let found = parse(text).lint();
    assert_eq!(found.len(), 1, "{text}\n{found:?}");
    assert_eq!(found[0].help.as_deref(), Some(expected), "{text}");
}

fn parse(text: &str) -> Config {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:?}");
    config
}

/// Two blocks, of which the second is called `os`, and further statements.
fn two_blocks(more: &str) -> String {
    format!("variants:\n  - boot:\n  - reboot:\nvariants os:\n  - linux:\n  - windows:\n{more}")
}

#[test]
fn nothing_to_tell() {
    check("", &[]);
    check("k = 1\nk += 2\n", &[]);
    check(&two_blocks("only boot\nno (os=linux)..reboot\nwindows: k = 1\n"), &[]);
    check(&two_blocks("boot, windows.reboot:\n    k = 1\n    windows: k = 2\n"), &[]);
}
