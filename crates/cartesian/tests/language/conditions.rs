//! `F:` and `!F:`.

use crate::{check, check_left};

#[test]
fn of_values() {
    check("variants:\n  - a:\n  - b:\na: k = 1\n", &["a: k=1", "b:"]);
    check("variants:\n  - a:\n  - b:\n!a: k = 1\n", &["a:", "b: k=1"]);
    check(
        "variants:\n  - a:\n  - b:\nk = 0\na:\n    k = 1\n    j = 2\nk += 3\n",
        &["a: k=13 j=2", "b: k=03"],
    );
    check(
        "variants:\n  - a:\n  - b:\n  - c:\na, b: k = 1\n!a, b: j = 1\n",
        &["a: k=1", "b: k=1", "c: j=1"],
    );
    check("k = 0\na: k = 1\n!a: j = 1\n", &[": k=0 j=1"]);
    check("variants:\n  - a:\n  - b:\nk = 1\na: del k\n!a: k ?= 2\n", &["a:", "b: k=2"]);
}

#[test]
fn of_names_that_are_made_later() {
    check(
        "a: k = 1\nvariants:\n  - a:\n    x: j = 1\n  - b:\nvariants:\n  - x:\n  - y:\nx..a: i = 1\ny.b: i = 2\n",
        &["x.a: k=1 j=1 i=1", "x.b:", "y.a: k=1", "y.b: i=2"],
    );
}

#[test]
fn nested() {
    check(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\na:\n    k = 1\n    x:\n        k = 2\n        !y: j = 3\n    !x:\n        k += 4\n    i = 5\n",
        &["x.a: k=2 j=3 i=5", "x.b:", "y.a: k=14 i=5", "y.b:"],
    );
    check(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\na: x: k = 1\n!a: !x: k = 2\na: !x: k = 3\n",
        &["x.a: k=1", "x.b:", "y.a: k=3", "y.b: k=2"],
    );
}

#[test]
fn inline_and_indented() {
    check("variants:\n  - a:\n  - b:\na: k = 1\n    j = 2\ni = 3\n", &["a: k=1 j=2 i=3", "b: i=3"]);
    check("variants:\n  - a:\n  - b:\na:b: k = 1\na : j = 1\n", &["a: j=1", "b:"]);
    check("variants:\n  - a:\na:\n  k = 1\n # c\n  j = 2\n", &["a: k=1 j=2"]);
}

#[test]
fn of_filters() {
    check_left("a: no x\n", "x.b y.a y.b");
    check_left("!a: no x\n", "x.a y.a y.b");
    check_left("a: only x\n", "x.a x.b y.b");
    check_left("!a: only x\n", "x.a x.b y.a");
    check_left("a:\n  x:\n    no x\n", "x.b y.a y.b");
    check_left("a:\n  no x\n  no y\n", "x.b y.b");
    check_left("!a, x:\n  no b\n", "x.a x.b y.a");
    check_left("a..x: only q\n", "x.b y.a y.b");
    check_left("x.a: no a\n", "x.b y.a y.b");
    check_left("!x.a: only a\n", "x.a y.a");
    check_left("a:\n  !x:\n    no a\n", "x.a x.b y.b");
    check_left("a:\n  only x\nb:\n  only y\n", "x.a y.b");
}

#[test]
fn in_variants() {
    check(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n    a: k = 1\n    !a:\n        only q\n  - y:\n    k = 2\n",
        &["x.a: k=1", "y.a: k=2", "y.b: k=2"],
    );
}

#[test]
fn without_effect() {
    check("a:\nk = 1\n", &[": k=1"]);
    check("variants:\n  - a:\na:\nk = 1\n", &["a: k=1"]);
}
