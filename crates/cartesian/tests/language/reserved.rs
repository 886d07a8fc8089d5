//! `name shortname dep _name_map_file _short_name_map_file` are set by the language.

use crate::parse;
use kvmtest_cartesian::{Diagnostic, NoInclude, Parser, Source};

const KEYS: [&str; 5] = ["name", "shortname", "dep", "_name_map_file", "_short_name_map_file"];

#[test]
fn nobody_sets_them() {
    for key in KEYS {
        for operator in ["=", "+=", "<=", "~="] {
            let mut parser = Parser::new();
            let text = format!("variants:\n  - a: b\n{key} {operator} 5\nk = ${{{key}}}\n");
            parser.parse(Source::new("t.cfg", text), &mut NoInclude);
            let (config, diagnostics) = parser.finish();
            assert!(!diagnostics.iter().any(Diagnostic::is_error), "{diagnostics:?}");
            assert_eq!((diagnostics.len(), diagnostics[0].line), (1, 3), "{key} {operator}");
            let variant = config.variants().next().expect("one variant");
            assert_eq!((variant.name(), variant.deps()), ("a", &["b".to_owned()][..]));
            assert!(!variant.get("k").is_some_and(|value| value.contains('5')));
        }
    }
}

#[test]
fn patterns_do_not_see_them() {
    let config = parse("variants:\n  - a: b\n.* ?= 5\nname.* ?+= 6\n_.* ?= 7\n");
    let variant = config.variants().next().expect("one variant");
    assert_eq!((variant.name(), variant.shortname(), variant.len()), ("a", "a", 0));
}

#[test]
fn they_are_no_keys() {
    let config = parse("variants:\n  - a: b\nk = 1\n");
    let variant = config.variants().next().expect("one variant");
    for key in KEYS {
        assert_eq!((variant.get(key), variant.place(key)), (None, None), "{key}");
    }
}

#[test]
fn they_can_be_read_but_for_the_maps() {
    let text = "variants:\n  - @a: b c\n    k = ${dep}${name}${shortname}.\n    j = ${_name_map_file}\n  - d:\nvariants os:\n  - x:\n";
    let config = parse(text);
    let variant = config.variants().next().expect("two variants");
    assert_eq!(variant.get("k"), Some("['(os=x).b', '(os=x).c'](os=x).ax."));
    assert_eq!(variant.get("j"), Some("${_name_map_file}"));
}

/// A block may be called like anything, but for these.
#[test]
fn blocks_of_their_names() {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", "variants name:\n  - a:\n"), &mut NoInclude);
    let (config, diagnostics) = parser.finish();
    assert!(!diagnostics.is_empty());
    assert_eq!(config.variants().next().expect("one variant").name(), "(name=a)");
}
