//! The keys that the language sets itself.

use crate::joins::SUFFIXED;
use crate::{first, parse, unindent};
use kvmtest_cartesian::Variant;

/// Two blocks with everything that a title is made of.
const TITLED: &str = "variants:
    - boot: setup
    - @plain: a, b
variants os:
    - @f:
        variants:
            - 20:
";

#[track_caller]
fn check_title(key: &str, expected: &str) {
    let variant = first(TITLED);
    let explain = variant.explain(key).expect("a story");
    let rendered = explain.to_string();
    assert_eq!(unindent(&rendered), unindent(expected));
}

#[test]
fn names_tell_their_labels() {
    check_title(
        "name",
        "name = (os=f).20.boot
         in (os=f).20.boot
         by t.cfg:2
         1. t.cfg:5  - @f:
            adds (os=f)
         2. t.cfg:7  - 20:
            in variant (os=f) (t.cfg:5)
            adds 20
         3. t.cfg:2  - boot: setup
            adds boot",
    );
    check_title(
        "shortname",
        "shortname = 20.boot
         in (os=f).20.boot
         by t.cfg:2
         1. t.cfg:5  - @f:
            left out: the variant is a default
         2. t.cfg:7  - 20:
            in variant (os=f) (t.cfg:5)
            adds 20
         3. t.cfg:2  - boot: setup
            adds boot",
    );
    check_title(
        "dep",
        "dep = (os=f).20.setup
         in (os=f).20.boot
         by t.cfg:2
         1. t.cfg:2  - boot: setup
            adds (os=f).20.setup",
    );
}

#[test]
fn maps_of_names_tell_their_files() {
    check_title(
        "_name_map_file",
        "_name_map_file = t.cfg: (os=f).20.boot
         in (os=f).20.boot
         by t.cfg:2
         1. t.cfg:5  - @f:
            adds (os=f)
         2. t.cfg:7  - 20:
            in variant (os=f) (t.cfg:5)
            adds 20
         3. t.cfg:2  - boot: setup
            adds boot",
    );
    let story = first(TITLED).explain("_short_name_map_file").expect("a story");
    assert_eq!(story.value.as_deref(), Some("t.cfg: f.20.boot"));
    let joined = first("variants:\n  - a: x\n  - b: y\njoin a b\n");
    let story = joined.explain("_name_map_file").expect("a story");
    assert_eq!((story.value.as_deref(), story.from), (Some("t.cfg: b"), Some(1)));
    assert_eq!(first("k = 1\n").explain("_name_map_file").expect("a story").value, None);
}

#[test]
fn titles_agree_with_their_stories() {
    for text in [TITLED, SUFFIXED, "k = 1\n", "variants:\n  - a: x\n  - b: y\njoin a b\n"] {
        for variant in parse(text).variants() {
            title_agrees(&variant);
        }
    }
}

pub(crate) fn title_agrees(variant: &Variant) {
    let value = |key| variant.explain(key).expect("always a story").value.unwrap_or_default();
    assert_eq!(value("name"), variant.name());
    assert_eq!(value("shortname"), variant.shortname());
    assert_eq!(value("dep"), variant.deps().join(" "));
    for (key, separator) in [("name", "."), ("shortname", "."), ("dep", " ")] {
        let explain = variant.explain(key).expect("always a story");
        if let [story] = &explain.stories[..] {
            let added: Vec<&str> = story.steps.iter().filter_map(|s| s.after.as_deref()).collect();
            assert_eq!(added.join(separator), value(key), "{explain}");
        }
    }
}
