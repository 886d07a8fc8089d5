//! What several files make of a finding.

use crate::assert_told;
use kvmtest_cartesian::{Config, Parser, Source};

/// A main file that includes others.
fn parse_files(files: &[(&str, &str)]) -> Config {
    let mut load = |path: &str, _: &str| {
        let found = files.iter().find(|(name, _)| *name == path).ok_or("not there")?;
        Ok(Source::new(found.0, found.1))
    };
    let mut parser = Parser::new();
    parser.parse(Source::new(files[0].0, files[0].1), &mut load);
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    config
}

#[test]
fn defaults_of_included_files_are_there_to_be_replaced() {
    let base = ("base.cfg", "k = 1\n");
    assert_told(&parse_files(&[("t.cfg", "include base.cfg\nk = 2\n"), base]).lint(), &[], "");
    assert_told(&parse_files(&[("t.cfg", "k = 1\ninclude base.cfg\n"), base]).lint(), &[], "");
    let between = [("t.cfg", "j = 1\ninclude base.cfg\nj = 2\n"), base];
    assert_told(&parse_files(&between).lint(), &[], "");
}

#[test]
fn a_file_that_is_read_twice_is_right_if_it_is_once() {
    let main = "variants:\n  - a:\n    include list.cfg\n  - b:\n    include list.cfg\n";
    let list = |text| parse_files(&[("t.cfg", main), ("list.cfg", text)]).lint();
    assert_told(&list("a: k = 1\n"), &[], main);
    assert_told(&list("no a..b\n"), &["1:1: never-holds: `no a..b` drops nothing"], main);
    assert_told(
        &list("k = 1\nk = 2\n"),
        &["1:1: overwritten: this value of `k` is replaced before anything reads it"],
        main,
    );
}

#[test]
fn a_list_that_is_narrowed_is_right() {
    let main = "variants:\n  - a:\n    include list.cfg\n    no x\n  - b:\n";
    let list = "variants:\n  - x:\n    k = 1\n  - y:\nx: j = 1\n";
    assert_told(&parse_files(&[("t.cfg", main), ("list.cfg", list)]).lint(), &[], main);
}
