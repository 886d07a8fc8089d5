//! What a configuration tells of itself without its variants being made.

use kvmtest_cartesian::{NoInclude, Parser, Source};

const TEXT: &str = "
sets = a b
variants os [default=f]:
    - f:
        type = one
    - g.h:
        type = two
variants:
    - @small:
        sets = c
    - wide:
        type = one
        variants os:
            - f:
";

fn parser(text: &str) -> Parser {
    let mut parser = Parser::new();
    parser.parse(Source::new("tests.cfg", text), &mut NoInclude);
    parser
}

#[test]
fn labels_blocks_and_values_are_told_once_each() {
    let parser = parser(TEXT);
    let census = parser.census();
    let labels: Vec<_> = census.labels().collect();
    assert_eq!(labels, ["f", "g", "h", "small", "wide"]);
    let named: Vec<_> = census.named_labels().collect();
    assert_eq!(named, [("os", "f"), ("os", "g"), ("os", "h")]);
    assert_eq!(census.blocks().collect::<Vec<_>>(), ["os"]);
    assert_eq!(census.assigned("type"), ["one", "two"]);
    assert_eq!(census.assigned("sets"), ["a b", "c"]);
    assert!(census.assigned("nothing").is_empty());
}

#[test]
fn a_parser_tells_what_it_has_read_so_far() {
    let mut parser = parser("variants:\n    - a:\n");
    parser.statement("variants more:\n    - b:\n");
    parser.statement("no a");
    assert_eq!(parser.census().labels().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(parser.census().blocks().collect::<Vec<_>>(), ["more"]);
    let (config, _) = parser.finish();
    assert_eq!(config.census().labels().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_name_that_no_variant_can_have_is_known_at_once() {
    #[track_caller]
    fn check(text: &str, names: &[&str], others: &[&str]) {
        let parser = parser(text);
        for name in names {
            assert!(parser.census().may_be_called(name), "{name}");
        }
        for name in others {
            assert!(!parser.census().may_be_called(name), "{name}");
        }
    }
    check(TEXT, &["", "g.h", "wide.f", "wide.f.g.h"], &["f", "h", "g", "wide", "f.wide", "x"]);
    check(TEXT, &["small.(os=f)", "wide.(os=f).(os=g).(os=h)"], &["(os=f)", "wide.(os=x)"]);
    check(TEXT, &[], &["wide.", ".wide", "wide..f", "wide.f.g.h.f", "(os=f", "(f)"]);
    // Filters are not looked at.
    check("variants:\n    - a:\n    - b:\nno a\n", &["a", "b"], &["a.b"]);
    check("variants:\n    - a:\n    - b:\njoin a b\n", &["a.b"], &[]);
    check("variants:\n    - a:\n    - b:\n        join a b\n", &["a", "b.a"], &["a.b"]);
}

#[test]
fn how_a_short_name_can_begin_is_known_at_once() {
    #[track_caller]
    fn check(text: &str, begin: &[&str], others: &[&str]) {
        let parser = parser(text);
        for name in begin {
            assert!(parser.census().may_begin_with(name), "{name}");
        }
        for name in others {
            assert!(!parser.census().may_begin_with(name), "{name}");
        }
    }
    let begin = ["", "w", "wide", "wide.", "wide.f", "wide.f.", "wide.f.g.h", "g", "g.h"];
    check(TEXT, &begin, &["s", "f", "h", "wide.x", "wide.f.g.h.", "g.h.w", ".", "wide..f", "x"]);
    check("variants:\n    - @a:\n", &[""], &["a", "."]);
    check("variants:\n    - a:\n    - b:\njoin a b\n", &["a", "a.b"], &[]);
    let block = "variants:\n    - @a:\n    - @b:\n    - @c:\n    - d:\n";
    check(&block.repeat(100), &["d.d", "d."], &["a", "d.a"]);
}

#[test]
fn names_are_judged_without_going_through_all_variants() {
    let block = "variants:\n    - @a:\n    - @b:\n    - @c:\n    - d:\n";
    let parser = parser(&block.repeat(100));
    assert!(parser.census().may_be_called("d.d.d"));
    assert!(parser.census().may_be_called(&["d"; 100].join(".")));
    assert!(!parser.census().may_be_called(&["d"; 101].join(".")));
    assert!(!parser.census().may_be_called("d.a"));
}

#[test]
fn every_variant_may_be_called_what_it_is_called() {
    let (config, _) = parser(TEXT).finish();
    let mut count = 0;
    for variant in config.variants() {
        assert!(config.census().may_be_called(variant.name()), "{}", variant.name());
        assert!(config.census().may_be_called(variant.shortname()), "{}", variant.shortname());
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
fn keys_are_told_from_those_of_another_source() {
    let mut parser =
        parser("a = 1\nb = ${c}\nvariants:\n    - x:\n        a.* ?= 2\n        del d\n");
    parser.statement("e = ${f}");
    let mut keys: Vec<_> = parser.census().keys_outside("<command line>").collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a", "b", "c"]);
    let keys: Vec<_> = parser.census().keys_outside("tests.cfg").collect();
    assert_eq!(keys, ["e", "f"]);
    assert!(!parser.census().has_suffixes());
}

#[test]
fn keys_of_a_source_are_told_of() {
    let mut parser = parser("a = 1\n");
    parser.statement("x: memm += 2\ndel mem\na.* ?= 3");
    let mut asked = Vec::new();
    let told = parser.keys_in("<command line>", |key, is_deleted| {
        asked.push((key.to_owned(), is_deleted));
        (!is_deleted).then(|| (format!("no {key}"), Some("help".to_owned())))
    });
    assert_eq!(asked, [("memm".to_owned(), false), ("mem".to_owned(), true)]);
    let [warning] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (&*warning.file, warning.line, warning.columns.clone()),
        ("<command line>", 1, 4..8)
    );
    assert_eq!((warning.message.as_str(), warning.is_error()), ("no memm", false));
}
