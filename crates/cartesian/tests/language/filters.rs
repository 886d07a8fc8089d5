//! `only` and `no`.

use crate::{check_left, check_named, check_names};

#[test]
fn one_label() {
    check_left("only a\n", "x.a y.a");
    check_left("no a\n", "x.b y.b");
    check_left("only x\n", "x.a x.b");
    check_left("no x\n", "y.a y.b");
    check_left("only q\n", "");
    check_left("no q\n", "x.a x.b y.a y.b");
    check_left("only a\nonly x\n", "x.a");
    check_left("only a\nonly b\n", "");
    check_left("only a\nno a\n", "");
    check_left("no a\nno b\n", "");
}

#[test]
fn any_of() {
    check_left("only a, x\n", "x.a x.b y.a");
    check_left("only a,x\n", "x.a x.b y.a");
    check_left("only a x\n", "x.a x.b y.a");
    check_left("only a, x y\n", "x.a x.b y.a y.b");
    check_left("no a, x\n", "y.b");
    check_left("no a x\n", "y.b");
    check_left("only a, q\n", "x.a y.a");
    check_left("only q, p\n", "");
}

#[test]
fn all_of() {
    check_left("only a..x\n", "x.a");
    check_left("only x..a\n", "x.a");
    check_left("only a..b\n", "");
    check_left("only a..q\n", "");
    check_left("no a..x\n", "x.b y.a y.b");
    check_left("only a..x, y..b\n", "x.a y.b");
    check_left("only a..a\n", "x.a y.a");
    check_left("only x..y..a, b\n", "x.b y.b");
}

#[test]
fn directly_followed_by() {
    check_left("only x.a\n", "x.a");
    check_left("only a.x\n", "");
    check_left("no x.a\n", "x.b y.a y.b");
    check_left("only x.a, y.b\n", "x.a y.b");
    check_left("only x.x\n", "");
    check_left("only x.a..a\n", "x.a");
    check_left("only a..x.a, b..y.b\n", "x.a y.b");
    check_names("variants:\n  - a:\nvariants:\n  - b:\nvariants:\n  - c:\nonly c.b.a\n", "c.b.a");
    check_names("variants:\n  - a:\nvariants:\n  - b:\nvariants:\n  - c:\nonly c.a\n", "");
    check_names("variants:\n  - a.b.a.c:\n  - a.b.a.b:\nonly a.b.a.b\n", "a.b.a.b");
    check_names("variants:\n  - a.a.b:\nonly a.b\n", "a.a.b");
    check_names("variants:\n  - a.b:\n  - a.b.b:\nonly b.b\n", "a.b.b");
    check_names(
        "variants:\n  - b:\nvariants:\n  - a:\n    variants:\n      - c:\nonly a.c.b\n",
        "a.c.b",
    );
    check_names("variants:\n  - b:\n  - c:\nvariants:\n  - a:\n  - b:\nonly b.b, a.c\n", "a.c b.b");
}

#[test]
fn named_blocks() {
    check_named("only (os=u)\n", "(bus=u).(os=u) (bus=v).(os=u)");
    check_named("only ( os = f )\n", "(bus=u).(os=f) (bus=v).(os=f)");
    check_named("only (os=f)..(bus=v)\n", "(bus=v).(os=f)");
    check_named("only (v)\n", "(bus=v).(os=f) (bus=v).(os=u)");
    check_named("only u\n", "(bus=u).(os=f) (bus=u).(os=u) (bus=v).(os=u)");
    check_named("only (u)\n", "(bus=u).(os=f) (bus=u).(os=u) (bus=v).(os=u)");
    check_named("only (x=u)\n", "");
    check_named("only f\n", "(bus=u).(os=f) (bus=v).(os=f)");
    check_named("no (bus=u)\n", "(bus=v).(os=f) (bus=v).(os=u)");
    check_named("only (bus=u).(os=u)\n", "(bus=u).(os=u)");
    check_named("only (os=u).(bus=u)\n", "");
    check_named("only u.(os=f)\n", "(bus=u).(os=f)");
    check_named("only (os=f), (bus=u)\n", "(bus=u).(os=f) (bus=u).(os=u) (bus=v).(os=f)");
    check_named("only (os=f) (bus=u)\n", "(bus=u).(os=f) (bus=u).(os=u) (bus=v).(os=f)");
    check_names("variants n:\n  - a.b:\n  - a:\nonly (n=b)\n", "(n=a).(n=b)");
    check_names("variants n:\n  - a.b:\n  - b.a:\nonly (n=a).(n=b)\n", "(n=a).(n=b)");
    check_names("variants n:\n  - a.b:\nonly a.b\n", "(n=a).(n=b)");
}

#[test]
fn in_variants() {
    check_names(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n    only a\n  - y:\n    no a\n",
        "x.a y.b",
    );
    check_names(
        "variants:\n  - a:\n    only x\n  - b:\n    no x\nvariants:\n  - x:\n  - y:\n",
        "x.a y.b",
    );
    check_names(
        "variants:\n  - a:\n    only x..p\n  - b:\nvariants:\n  - x:\n    variants:\n      - p:\n      - q:\n        no b\n  - y:\n",
        "x.p.a x.p.b y.b",
    );
    check_names("variants:\n  - a:\n    only a\n  - b:\n    no b\n  - c:\n    only b, d\n", "a");
    check_names(
        "variants:\n  - a:\n    variants:\n      - p:\n      - q:\n    no q\n    variants:\n      - r:\n",
        "a.r.p",
    );
    check_names("variants:\n  - a:\n    only y\nvariants:\n  - x:\n    only a\n", "");
}

#[test]
fn above_the_blocks_they_are_about() {
    check_names("only a\nvariants:\n  - a:\n  - b:\n", "a");
    check_names(
        "no x.a\nvariants:\n  - a:\n  - b:\nonly x, y..b\nvariants:\n  - x:\n  - y:\n",
        "x.b y.b",
    );
}

#[test]
fn layout() {
    check_left("only a # b\n", "x.a y.a");
    check_left("only a#b\n", "x.a y.a");
    check_left("no a # b\n", "x.b y.b");
    check_left("   only    a   \n", "x.a x.b y.a");
}
