//! `join`: one variant out of several.

use crate::{check, check_names, check_shortnames};

#[test]
fn keys() {
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\njoin a b\n",
        &["a.b: k_a=1 k_b=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\njoin b a\n",
        &["b.a: k_b=2 j=3 k_a=1"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\njoin a b\nk = 7\n",
        &["a.b: k=7 k_a=1 k_b=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nk = 7\njoin a b\n",
        &["a.b: k=7 k_a=1 k_b=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\njoin a b\nk += 7\n",
        &["a.b: k=7 k_a=1 k_b=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    i = 1\n  - b:\n    k = 2\n    j = 3\njoin a b\n",
        &["a.b: k=2 i=1 j=3"],
    );
}

#[test]
fn of_three() {
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 1\n    suffix _b\n  - c:\n    k = 2\n    suffix _c\njoin a b c\n",
        &["a.b.c: k_a=1 k_b=1 k_c=2"],
    );
    check_names("variants:\n  - a:\n  - b:\n  - c:\njoin a, b, c\n", "a.b.c");
    check_names("variants:\n  - a:\n  - b:\n  - c:\njoin a b\njoin c\n", "a.b.c");
}

#[test]
fn every_combination() {
    check_names(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\njoin a b\n",
        "x.a.b x.a.y.b y.a.x.b y.a.b",
    );
    check_names(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\njoin x y\n",
        "x.a.y.a x.a.y.b x.b.y.a x.b.y.b",
    );
    check_names(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\nonly x\njoin a b\n",
        "x.a.b",
    );
    check_names(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\njoin a..x b\n",
        "x.a.b x.a.y.b",
    );
}

#[test]
fn names_begin_with_what_is_the_same() {
    check_names("variants:\n  - aa:\n  - ab:\njoin aa ab\n", "aa.ab");
    check_names("variants:\n  - aa.q:\n  - ab.q:\nvariants:\n  - x:\njoin aa ab\n", "x.aa.q.ab.q");
    check_names(
        "variants:\n  - a:\n  - b:\nvariants:\n  - p.q:\n  - p.r:\njoin q r\n",
        "p.q.a.r.a p.q.a.r.b p.q.b.r.a p.q.b.r.b",
    );
    check_shortnames(
        "variants:\n  - a:\n  - b:\nvariants:\n  - @x:\n  - y:\njoin a b\n",
        "a.b a.y.b y.a.b y.a.b",
    );
}

#[test]
fn of_what_is_not_there() {
    check_names(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\njoin a q\n",
        "",
    );
    check_names(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\njoin q\n",
        "",
    );
    check_names(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nonly b\njoin a b\n",
        "",
    );
    check_names(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\njoin a\n",
        "a",
    );
}

#[test]
fn in_variants() {
    check_names(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nvariants:\n  - x:\n    join a b\n  - y:\n",
        "x.a.b y.a y.b",
    );
    check_names(
        "variants:\n  - a:\n    variants:\n      - p:\n      - q:\n    join p q\n  - b:\n",
        "a.p.q b",
    );
    check_names(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n    join a b\n  - y:\njoin x y\n",
        "x.a.b.y.a x.a.b.y.b",
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n    variants:\n      - p:\n        k = 3\n        suffix _p\n      - q:\n        k = 4\n        suffix _q\n    join p q\n  - b:\n    k = 2\n    suffix _b\njoin a b\n",
        &["a.p.q.b: k_a_p=3 k_a_q=4 k_b=2"],
    );
}
