//! Variants that `join` makes one, and suffixes.

use crate::{check, check_effects, first, is_consistent};
use kvmtest_cartesian::Effect;

#[test]
fn joined_variants_tell_each_part() {
    check(
        "k = 1
variants:
    - a:
        k = 2
    - b:
        k += 3
    - c:
join a b
",
        "k",
        "part 1 of 2: a
         1. t.cfg:1  k = 1
            no value → 1
         2. t.cfg:4  k = 2
            in variant a (t.cfg:3)
            1 → 2
         it ends with k = 2
         part 2 of 2: b
         3. t.cfg:1  k = 1
            no value → 1
         4. t.cfg:6  k += 3
            in variant b (t.cfg:5)
            1 → 13
         it ends with k = 13
         joined: k = 13, of part 2, where a later part overrides the earlier",
    );
    check(
        "variants:\n    - a:\n        k = 2\n    - b:\njoin a b\n",
        "k",
        "part 1 of 2: a
         1. t.cfg:3  k = 2
            in variant a (t.cfg:2)
            no value → 2
         it ends with k = 2
         part 2 of 2: b
         it ends without a value
         joined: k = 2, of part 1",
    );
}

/// Two variants that `join` makes one; a suffix keeps their keys apart.
pub(crate) const SUFFIXED: &str = "variants:
    - a:
        k = 1
        same = 0
        suffix _a
    - b:
        k = 2
        same = 0
        suffix _b
join a b
";

#[test]
fn suffixes_are_told() {
    check(
        SUFFIXED,
        "k_b",
        "part 1 of 2: a
         it ends without a value
         part 2 of 2: b
         1. t.cfg:7  k = 2
            in variant b (t.cfg:6)
            no value → 2
         2. t.cfg:9  suffix _b
            in variant b (t.cfg:6)
            called k_b from here on: 2
         it ends with k_b = 2
         joined: k_b = 2, of part 2",
    );
    for key in ["k", "k_a", "k_b", "same"] {
        let variant = first(SUFFIXED);
        is_consistent(&variant.explain(key).expect("a story"), &variant);
    }
    assert_eq!(first(SUFFIXED).get("same"), Some("0"));
    assert_eq!(first(SUFFIXED).explain("k_c"), None);
}

#[test]
fn a_suffix_of_others_is_no_story_of_this_key() {
    let text = "variants:\n  - a:\n    k = 1\n  - b:\n    k = 2\n    suffix _x\nk_x = 3\n";
    check_effects(text, "k_x", &[(7, Effect::Set)]);
}

#[test]
fn regular_expressions_see_suffixes() {
    check_effects(
        "variants:\n  - v:\n    k = 1\n    suffix _a\nk ?= 2\nk_a ?= 3\n",
        "k",
        &[(3, Effect::Set), (4, Effect::Suffix), (5, Effect::NoKey), (6, Effect::Set)],
    );
}
