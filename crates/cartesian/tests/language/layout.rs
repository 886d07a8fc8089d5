//! Comments, quotes, indentation and line ends.

use crate::{check, check_keys, check_left};

#[test]
fn comments() {
    check_keys("# c\n// c\n   # c\n   // c\nk = 1\n", "k=1");
    check_keys("k = 1 # no comment\n", "k=1 # no comment");
    check_keys("k = 1 // no comment\n", "k=1 // no comment");
    check_keys("k = #1\n", "k=#1");
    check_keys("# k = 1\n//k = 1\n", "");
    check_left("only a # b\n", "x.a y.a");
    check_left("no a # b, c\n", "x.b y.b");
    check_left("//only a\n", "x.a x.b y.a y.b");
}

#[test]
fn quotes() {
    check_keys("k = \"a b\"\n", "k=a b");
    check_keys("k = 'a b'\n", "k=a b");
    check_keys("k = ' a'\n", "k= a");
    check_keys("k = \"a \"\n", "k=a ");
    check_keys("k = 'a\"\n", "k='a\"");
    check_keys("k = \"a'\n", "k=\"a'");
    check_keys("k = 'a\n", "k='a");
    check_keys("k = '\n", "k=");
    check_keys("k = ''\n", "k=");
    check_keys("k = ''a''\n", "k='a'");
    check_keys("k = \"'a'\"\n", "k='a'");
    check_keys("k = a 'b' c\n", "k=a 'b' c");
    check_keys("k = 'a' 'b'\n", "k=a' 'b");
    check_keys("k = 'a' # c\n", "k='a' # c");
    check_keys("k += ' a'\nk += ' b'\n", "k= a b");
}

#[test]
fn tabs() {
    check_keys("\tk = 1\n", "k=1");
    check_keys("k = a\tb\n", "k=a   b");
    check_keys("k\t=\t1\n", "k=1");
    check(
        "variants:\n\t- a:\n\t\tk = 1\n        - b:\n                k = 2\n",
        &["a: k=1", "b: k=2"],
    );
    check("variants:\n    - a:\n\tk = 1\n    - b:\n", &["a: k=1", "b:"]);
}

#[test]
fn indentation() {
    check_keys("    k = 1\nj = 2\n", "k=1 j=2");
    check_keys("k = 1\n    j = 2\n", "k=1 j=2");
}

#[test]
fn line_ends() {
    check_keys("k = 1\r\nj = 2\r\n", "k=1 j=2");
    check_keys("k = 1", "k=1");
    check_keys("\n\n\nk = 1\n\n\n", "k=1");
    check_keys("k = 1\n   \n\t\nj = 2\n", "k=1 j=2");
}

#[test]
fn other_letters() {
    check_keys("k = é中\n", "k=é中");
    check_keys("é = 1\né += 2\nk = ${é}\n", "é=12 k=12");
    check_keys("k =\u{a0}1\n", "k=1");
}
