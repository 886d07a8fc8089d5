//! Lint takes an effort that grows with the text, not with what it means.

use kvmtest_cartesian::{Config, NoInclude, Parser, Source};

fn parse(text: &str) -> Config {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:?}");
    config
}

fn repeat(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

/// A block of variants `name0`, `name1`, …
fn block(name: &str, count: usize) -> String {
    "variants:\n".to_owned() + &repeat(count, |i| format!("  - {name}{i}:\n"))
}

/// Sixty blocks of ten: 10^60 names.
fn blocks() -> String {
    repeat(60, |i| block(&format!("b{i}_"), 10))
}

#[test]
fn what_contradicts_itself_is_found_among_any_number_of_names() {
    let dead = "variants:\n  - x:\n    only b0_1\n    only b0_2\n  - y:\n    only b59_1\n    b59_2: k = 1\n  - z:\n";
    let found = parse(&(blocks() + dead)).lint();
    let told: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(told, ["`only b0_2` leaves nothing of `x`", "`b59_2` never holds here"]);
}

#[test]
fn what_would_have_to_be_searched_for_ever_is_no_finding() {
    // Fourteen pigeons, thirteen holes: no name is left, but nobody sees that at once.
    let pigeons = repeat(14, |pigeon| {
        let hole = |hole| {
            let others = repeat(pigeon, |other| format!("    no (p{other}=h{hole})\n"));
            format!("  - h{hole}:\n{others}")
        };
        format!("variants p{pigeon}:\n") + &repeat(13, hole)
    });
    assert!(parse(&pigeons).lint().is_empty());
}

#[test]
fn many_conditions() {
    let conditions = repeat(400, |i| format!("v{i}..v{}: k = {i}\nno w{i}\n", i + 1));
    assert_eq!(parse(&(block("v", 401) + &conditions)).lint().len(), 800);
}

#[test]
fn many_expressions() {
    let keys = repeat(600, |i| format!("k{i} = 1\nl{i}.* ?= 1\n"));
    assert!(!parse(&keys).lint().is_empty());
}

#[test]
fn many_labels() {
    let words = repeat(8000, |i| format!("x{i} "));
    let text = format!("variants:\n  - a:\nno {words}\nno {words}a..a\n");
    assert_eq!(parse(&text).lint().len(), 5000);
}

#[test]
fn a_long_row_of_blocks() {
    let row = "variants:\n  - a:\n  - b:\n    no a\n".repeat(14);
    assert!(parse(&row).lint().is_empty());
}

#[test]
fn conditions_inside_one_another() {
    let nested = repeat(100, |i| format!("{}a:\n", " ".repeat(i)));
    let text = format!("variants:\n  - a:\n  - b:\n{nested}{}k = 1\n", " ".repeat(100));
    assert!(parse(&text).lint().is_empty());
}
