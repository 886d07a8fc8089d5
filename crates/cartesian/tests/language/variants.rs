//! `variants`: what is combined with what, and in which order.

use crate::{check, check_deps, check_names, check_shortnames};

#[test]
fn none() {
    check("", &[":"]);
    check("k = 1\n", &[": k=1"]);
    check("# nothing\n", &[":"]);
}

#[test]
fn the_last_block_varies_slowest() {
    check_names("variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\n", "x.a x.b y.a y.b");
    check_names(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\nvariants:\n  - p:\n  - q:\n",
        "p.x.a p.x.b q.x.a q.x.b",
    );
    check_names("variants:\n  - a:\n  - a:\n", "a a");
}

#[test]
fn nested() {
    check_names("variants:\n  - a:\n    variants:\n      - p:\n      - q:\n  - b:\n", "a.p a.q b");
    check_names(
        "variants:\n  - a:\n    variants:\n      - p:\n      - q:\n    variants:\n      - m:\n      - n:\n  - b.c:\n",
        "a.m.p a.m.q a.n.p a.n.q b.c",
    );
    check_names(
        "variants:\n  - u:\nvariants:\n  - a:\n    variants:\n      - p:\n        variants:\n          - s:\n          - t:\n  - b:\n",
        "a.p.s.u a.p.t.u b.u",
    );
}

#[test]
fn layout() {
    check_names("variants:\n        - a:\n    - b:\n", "a b");
    check_names("variants :\n  - a:\n", "a");
    check_names("variants:\n  -a:\n  - -b:\n  - c-:\n  - _d:\n  - 1:\n", "a -b c- _d 1");
    check_names(
        "variants:\n  - only:\n  - no:\n  - include:\n  - variants:\n  - default:\n  - del:\n",
        "only no include variants default del",
    );
    check_names("variants: # c\n  # c\n  - a: # c\n# c\n  - b:\n", "a b");
    check(
        "variants:\n  - a:\n        k = 1\n     \n    j = 2\n  - b:\ni = 3\n",
        &["a: k=1 j=2 i=3", "b: i=3"],
    );
    check("variants:\n  - a:\n        k = 1\n      j = 2\n", &["a: k=1 j=2"]);
}

#[test]
fn dotted_names() {
    check_names("variants:\n  - a.b:\n  - c.d.e:\n", "a.b c.d.e");
    check("variants os:\n  - a.b:\n", &["(os=a).(os=b): os=a.b"]);
    check_names(
        "variants:\n  - a.b:\n  - a.c:\nvariants:\n  - x.y:\nonly y.a\n",
        "x.y.a.b x.y.a.c",
    );
}

#[test]
fn named_blocks() {
    check("variants os:\n  - f:\n  - u:\n", &["(os=f): os=f", "(os=u): os=u"]);
    check("variants os:\n  - f:\n    k = ${os}\n    os = g\n", &["(os=f): os=g k=f"]);
    check("os = e\nvariants os:\n  - f:\n    k = 1\n", &["(os=f): os=f k=1"]);
    check("variants os:\n  - f:\nvariants os:\n  - g:\n", &["(os=g).(os=f): os=g"]);
    check(
        "variants os:\n  - f:\n    variants v:\n      - 1:\n      - 2.x:\n",
        &["(os=f).(v=1): os=f v=1", "(os=f).(v=2).(v=x): os=f v=2.x"],
    );
    check("variants os-1:\n  - f:\n", &["(os-1=f): os-1=f"]);
    check("variants os :\n  - f:\n", &["(os=f): os=f"]);
}

#[test]
fn short_names() {
    check_shortnames("variants:\n  - a:\n  - @b:\nvariants:\n  - x:\n", "x.a x");
    check_shortnames("variants:\n  - @a.b:\n  - c.d:\n", "- c.d");
    check_shortnames("variants os:\n  - f:\n  - @g:\n", "f -");
    check_shortnames("variants os [default=g]:\n  - f:\n  - g:\n", "f -");
    check_shortnames("variants:\n  - @a:\n    variants:\n      - p:\n      - @q:\n", "p -");
    check_shortnames("variants [default=b]:\n  - a:\n  - b:\n", "a -");
    check_shortnames("variants [default=b]:\n  - b.c:\n  - b:\n", "- b");
    check_shortnames("variants [default=b.c]:\n  - b.c:\n", "-");
    check_shortnames("variants [default=a] [x=y] [z]:\n  - a:\n  - b:\n", "- b");
    check_shortnames("variants [default=a]:\n  - b:\n  - @c:\n  - a:\n", "b - -");
}

#[test]
fn dependencies() {
    check_deps("variants:\n  - a:\n  - b: a\n", &["", "a"]);
    check_deps("variants:\n  - a: b, c.d e\n", &["b c.d e"]);
    check_deps("variants:\n  - a: b,c d..e\n", &["b c d e"]);
    check_deps("variants:\n  - a: b # c\n", &["b"]);
    check_deps("variants:\n  - b: a\nvariants:\n  - x: w\n  - y:\n", &["w x.a", "y.a"]);
    check_deps("variants os:\n  - b: a\nvariants hw:\n  - x: w\n", &["w (hw=x).a"]);
    check_deps("variants:\n  - a: b\n    variants:\n      - p: q\n", &["b a.q"]);
    check_deps("variants:\n  - @a: b\nvariants:\n  - @x: y\n", &["y x.b"]);
    check_deps("variants:\n  - a: (os=x)\n", &["(os=x)"]);
}
