//! Where the reference implementation is known to be wrong, and what its manual promises, or what
//! is the only thing that makes sense: see the README.

use crate::{check, check_defaults, check_keys, check_names, check_shortnames, parse};
use kvmtest_cartesian::{Diagnostic, NoInclude, Parser, Source};

#[test]
fn a_condition_about_a_named_block() {
    let blocks = "variants os:\n  - f:\n  - u:\nvariants bus:\n  - p:\n  - q:\n";
    check(
        &format!("{blocks}(os=f): k = 1\n"),
        &[
            "(bus=p).(os=f): os=f bus=p k=1",
            "(bus=p).(os=u): os=u bus=p",
            "(bus=q).(os=f): os=f bus=q k=1",
            "(bus=q).(os=u): os=u bus=q",
        ],
    );
    check_names(
        &format!("{blocks}(os=f):\n    only (bus=p)\n"),
        "(bus=p).(os=f) (bus=p).(os=u) (bus=q).(os=u)",
    );
    check_names(
        &format!("{blocks}!(os=f), (bus=p):\n    no q\n"),
        "(bus=p).(os=f) (bus=p).(os=u) (bus=q).(os=f)",
    );
    check_names(
        &format!("{blocks}(bus=p).(os=f):\n    no p\n"),
        "(bus=p).(os=u) (bus=q).(os=f) (bus=q).(os=u)",
    );
    check_names(&format!("{blocks}(f)..q: no f\n"), "(bus=p).(os=f) (bus=p).(os=u) (bus=q).(os=u)");
}

#[test]
fn a_join_of_a_variant_with_itself() {
    check("variants:\n  - a:\n    k = 1\n    suffix _s\n  - b:\njoin a a\n", &["a.a: k=1"]);
    check_names("variants:\n  - a.b:\n  - c:\njoin a a\n", "a.b.b");
    check_names(
        "variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\njoin a a\n",
        "x.a.a x.a.y.a y.a.x.a y.a.a",
    );
    check_names("variants os:\n  - a:\n  - b:\nvariants:\n  - x:\njoin a b\n", "x.(os=a).(os=b)");
}

/// There a short name that is empty ends the expansion.
#[test]
fn a_join_of_what_has_no_short_name() {
    check_shortnames("variants:\n  - @a:\n  - b:\njoin a b\n", "b");
    check_shortnames("variants:\n  - @a:\n  - @b:\njoin a b\n", "-");
    check_defaults(&[], "variants:\n  - @a:\n  - b:\njoin a b\n", "a.b");
}

#[test]
fn bounds_that_cannot_be_compared_leave_the_value_alone() {
    check_keys("m = some\nm_max = 3\n", "m=some m_max=3");
    check_keys("m = 5\nm_max = lots\n", "m=5 m_max=lots");
    check_keys("m = 5\nm_min =\n", "m=5 m_min=");
    check_keys("m =\nm_max = 5\n", "m= m_max=5");
    check_keys("m = 5P\nm_max = 3T\n", "m=5P m_max=3T");
    check_keys("m = K\nm_max = 1\n", "m=K m_max=1");
}

#[test]
fn lines_end_at_line_ends_only() {
    check_keys("k = 1\rj = 2\r", "k=1 j=2");
    check_keys("k = a\u{b}b\u{c}c\n", "k=a\u{b}b\u{c}c");
    check_keys("k = a\u{2028}b\u{85}c\n", "k=a\u{2028}b\u{85}c");
    check_keys("\u{feff}k = 1\n", "k=1");
}

/// Errors, where the reference passes over them or makes something else of them.
#[test]
fn what_is_refused() {
    let check = |text: &str| {
        let mut parser = Parser::new();
        parser.parse(Source::new("t.cfg", text), &mut NoInclude);
        assert!(parser.diagnostics().iter().any(Diagnostic::is_error), "{text}");
    };
    check("only a,\n");
    check("only a.\n");
    check("(k = 1\n");
    check("(k) = 1\n");
    check("!k = 1\n");
    check("variants:\nk = 1\n");
    check("variants n [default=]:\n  - a:\n");
}

#[test]
fn blanks_that_the_reference_stumbles_over() {
    check_names("variants:\n  - a :\n  - b:\nonly a , c\n", "a");
    assert_eq!(parse("k = 1\nsuffix _a # c\n").variants().count(), 1);
}
