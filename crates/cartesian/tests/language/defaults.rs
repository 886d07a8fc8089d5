//! Only the default variant of each block, with exceptions.

use crate::check_defaults;

#[test]
fn one_of_each_block() {
    check_defaults(
        &[],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\n",
        "(m=q).(n=b)",
    );
    check_defaults(&[], "variants:\n  - a:\n  - b:\n", "a b");
    check_defaults(&[], "variants:\n  - a:\n  - @b:\n  - @c:\n", "b");
    check_defaults(&[], "variants [default=b]:\n  - @a:\n  - b:\n", "a");
    check_defaults(&[], "variants:\n  - a:\n  - @b.c:\n", "b.c");
    check_defaults(&[], "variants n [default=b]:\n  - a:\n  - b.c:\n", "(n=b).(n=c)");
}

#[test]
fn as_long_as_filters_leave_it() {
    check_defaults(
        &[],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\nonly a\n",
        "(m=q).(n=a)",
    );
    check_defaults(
        &[],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\nno b\n",
        "(m=q).(n=a)",
    );
    check_defaults(
        &[],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\nno b\nno q\n",
        "(m=p).(n=a)",
    );
    check_defaults(
        &[],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\nonly y\n",
        "",
    );
    check_defaults(
        &[],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\nonly (n=a), (m=p)\n",
        "(m=q).(n=a)",
    );
    check_defaults(
        &[],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\nno q.b\n",
        "(m=q).(n=a)",
    );
    check_defaults(
        &[],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\nonly p, q..a\n",
        "(m=q).(n=a)",
    );
    check_defaults(&[], "variants:\n  - a:\n  - @b:\n    only z\n  - c:\n", "a c");
    check_defaults(
        &[],
        "variants:\n  - a:\n  - @b:\n    only y\nvariants:\n  - x:\n  - y:\n",
        "x.a y.b",
    );
}

#[test]
fn nested() {
    check_defaults(
        &[],
        "variants:\n  - a:\n    variants:\n      - p:\n      - @q:\n  - @b:\n    variants:\n      - r:\n      - @s:\n",
        "b.s",
    );
    check_defaults(
        &[],
        "variants:\n  - @a:\n    variants:\n      - p:\n      - q:\n  - b:\n",
        "a.p a.q",
    );
    check_defaults(
        &[],
        "variants:\n  - @a:\n    variants:\n      - p:\n      - @q:\n        only z\n  - b:\n",
        "a.p",
    );
}

#[test]
fn exceptions() {
    check_defaults(
        &["n"],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\n",
        "(m=q).(n=a) (m=q).(n=b)",
    );
    check_defaults(
        &["n"],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\nonly p\n",
        "(m=p).(n=a) (m=p).(n=b)",
    );
    check_defaults(
        &["m"],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\n",
        "(m=p).(n=b) (m=q).(n=b)",
    );
    check_defaults(
        &["n", "m"],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\n",
        "(m=p).(n=a) (m=p).(n=b) (m=q).(n=a) (m=q).(n=b)",
    );
    check_defaults(
        &["z"],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\n",
        "(m=q).(n=b)",
    );
    check_defaults(
        &["b"],
        "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\n",
        "(m=q).(n=b)",
    );
}

#[test]
fn blocks_inside_of_exceptions() {
    check_defaults(
        &["n"],
        "variants n:\n  - a:\n    variants:\n      - p:\n      - @q:\n  - b:\n",
        "(n=a).q (n=a).p (n=b)",
    );
    check_defaults(
        &["n"],
        "variants n:\n  - a:\n    variants:\n      - p:\n      - @q:\n    variants:\n      - r:\n      - @s:\n",
        "(n=a).s.q (n=a).r.q",
    );
}

#[test]
fn joins() {
    check_defaults(
        &[],
        "variants:\n  - a:\n  - b:\nvariants:\n  - @x:\n  - y:\njoin a..y b\n",
        "y.a.x.b",
    );
    check_defaults(
        &[],
        "variants:\n  - a:\n  - b:\nvariants:\n  - @x:\n  - y:\njoin a b\n",
        "x.a.b",
    );
}
