//! `suffix`: what a scope set is told apart from what others set.

use crate::{check, check_keys};

#[test]
fn shows_where_values_differ() {
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\n",
        &["a: k=1", "b: k=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nk = 7\n",
        &["a: k=7 k_a=1", "b: k=7 k_b=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nk = 1\n",
        &["a: k=1", "b: k=1 k_b=2 j=3"],
    );
    check("k = 0\nvariants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n", &["a: k=1", "b: k=0"]);
}

#[test]
fn counts_from_the_end_of_its_scope() {
    check("variants:\n  - a:\n    suffix _a\n    k = 2\nk = 4\n", &["a: k=4 k_a=2"]);
    check(
        "variants:\n  - a:\n    k = 2\n    suffix _a\n    suffix _aa\nk = 4\n",
        &["a: k=4 k_aa=2"],
    );
    check("suffix _s\nk = 1\nvariants:\n  - a:\n    k += 2\n", &["a: k=12"]);
    check(
        "variants:\n  - a:\n    k = 1\n    a:\n        suffix _s\n        k = 2\n    k = 3\n",
        &["a: k=3 k_s=2"],
    );
}

#[test]
fn each_statement_meets_the_plain_key() {
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nk += 9\n",
        &["a: k=9 k_a=1", "b: k=9 k_b=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nk <= 9\n",
        &["a: k=9 k_a=1", "b: k=9 k_b=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nk ~= 9\n",
        &["a: k=9 k_a=1", "b: k=9 k_b=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\ndel k\n",
        &["a: k=1", "b: k=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nk.* ?= 9\n",
        &["a: k=9", "b: k=9 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nk_a = 5\n",
        &["a: k_a=5 k=1", "b: k_a=5 k=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\nk_a = 5\nk = 6\n",
        &["a: k_a=1 k=6", "b: k_a=5 k=6 k_b=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\ni = ${k}${j}\n",
        &["a: i=1${j} k=1", "b: i=23 k=2 j=3"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\ni = ${k_a}\n",
        &["a: i=${k_a} k=1", "b: i=${k_a} k=2 j=3"],
    );
}

#[test]
fn of_suffixes() {
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _a\nk = 2\nvariants:\n  - b:\n    suffix _b\nk = 3\n",
        &["b.a: k=3 k_b_a=1 k_b=2"],
    );
    check(
        "variants:\n  - a:\n    k = 1\n    suffix _s\nvariants:\n  - b:\n    k_s = 2\n    suffix _t\nk_s = 3\nk = 4\n",
        &["b.a: k_s=3 k=4 k_t_s=1 k_s_t=2"],
    );
}

#[test]
fn of_bounds() {
    check(
        "variants:\n  - a:\n    m = 5\n    m_max = 3\n    suffix _a\nm = 9\n",
        &["a: m=9 m_a=5 m_max=3"],
    );
}

#[test]
fn layout() {
    check_keys("k = 1\nsuffix a-1\n", "k=1");
}
