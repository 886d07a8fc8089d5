//! What is told about texts that are wrong, and where.

use kvmtest_cartesian::{Diagnostic, NoInclude, Parser, Source};

/// `expected`: `line:column: beginning of the message`, one for each diagnostic.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = told(text);
    let lines: Vec<_> =
        found.iter().map(|d| format!("{}:{}: {}", d.line, d.columns.start, d.message)).collect();
    assert_eq!(found.len(), expected.len(), "{text}\n{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{text}\nfound    {line}\nexpected {expected}");
    }
}

fn told(text: &str) -> Vec<Diagnostic> {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    let (_, diagnostics) = parser.finish();
    for diagnostic in &diagnostics {
        assert!(!diagnostic.render(false).is_empty());
        assert!(!diagnostic.render(true).is_empty());
    }
    diagnostics
}

#[test]
fn nothing_to_tell() {
    check("", &[]);
    check("k = 1\n# comment\n// comment\n\n   \n", &[]);
    check("only nobody\n", &[]);
    check("variants: # comment\n  - a: # comment\n  - @b.c: a, d e # comment\nonly a # x\n", &[]);
}

#[test]
fn statements() {
    check("k\n", &["1:1: this is no statement"]);
    check("k = 1\n  junk here\nj = 2", &["2:3: this is no statement"]);
    check("- a:\n    k = 1\n", &["1:1: a variant outside of a `variants` block"]);
    check("only\n", &["1:1: `only` without a filter"]);
    check("no # nothing\n", &["1:1: `no` without a filter"]);
    check("join\n", &["1:1: `join` without a filter"]);
    check("no = 1\n", &["1:4: '=' where a filter needs a label"]);
    check("del k j\n", &["1:5: `del` takes one word"]);
    check("del k.*\n", &["1:5: `del` takes one word"]);
    check("suffix\n", &["1:7: `suffix` takes one word"]);
    check("include\n", &["1:8: `include` without a file"]);
    check("include x\n", &["1:9: failed to include `x`: nothing can be included here"]);
    check("!\n", &["1:1: this is no statement"]);
    check("name = 5\n", &["1:1: `name` is set by the language"]);
    check("(os = 1\n", &["1:1: this is no statement"]);
    check("(os) = 1\n", &["1:1: `(os)` is no key"]);
    check("!k = 1\n", &["1:1: `!k` is no key"]);
    check("k( ?= 1\n", &["1:1: this is no statement"]);
    check("*k ?= 1\n", &["1:1: `*k` is no regular expression: "]);
}

#[test]
fn filters() {
    check("only a...b\n", &["1:9: '.' where a filter needs a label"]);
    check("only a..,b\n", &["1:9: ',' where a filter needs a label"]);
    check("only a,,b\n", &["1:8: ',' where a filter needs a label"]);
    check("only a,\n", &["1:7: nothing after `,`"]);
    check("only a.\n", &["1:7: nothing after `.`"]);
    check("only a..\n", &["1:7: nothing after `..`"]);
    check("only a . b\n", &["1:8: blanks around a dot"]);
    check("only a .. b\n", &["1:8: blanks around a dot"]);
    check("only a. b\n", &["1:7: blanks around a dot"]);
    check("only a/b\n", &["1:7: '/' where a filter needs a label"]);
    check("only é\n", &["1:6: 'é' where a filter needs a label"]);
    check("only (a\n", &["1:6: a parenthesis that is not closed"]);
    check("only ()\n", &["1:6: `()` is no label"]);
    check("only (=a)\n", &["1:6: `(=a)` is no label"]);
    check("only (n=a.b)\n", &["1:6: `(n=a.b)` is no label"]);
    check("only a)\n", &["1:7: ')' where a filter needs a label"]);
}

#[test]
fn conditions() {
    check("a b: k = 1\n", &["1:3: two labels with a blank between them"]);
    check("a/b: k = 1\n", &["1:2: '/' where a filter needs a label"]);
    check("a: # comment\n    k = 1\n", &["1:4: a comment after a condition"]);
    check("!!a: k = 1\n", &["1:2: '!' where a filter needs a label"]);
    check(": k = 1\n", &["1:1: a filter without a label"]);
    check("a:\n    variants:\n        - b:\n", &["2:5: `variants` in a conditional block"]);
    check("a: variants:\n    - b:\n", &["1:4: `variants` in a conditional block"]);
    check("a: join b c\n", &["1:4: `join` in a conditional block has no effect"]);
    // What is inside of a broken condition is read nevertheless.
    check("a b:\n    junk\n", &["1:3: two labels", "2:5: this is no statement"]);
}

#[test]
fn variants() {
    check("variants:\nk = 1\n", &["1:1: a `variants` block without variants"]);
    check(
        "variants:\n  a:\n    k = 1\n  - b:\n",
        &["2:3: a line of a `variants` block that lists"],
    );
    check("variants:\n  - a\n", &["2:3: a variant without a colon"]);
    check("variants:\n  - a b:\n", &["2:5: `a b` is no name of a variant"]);
    check("variants:\n  - a..b:\n", &["2:5: `a..b` is no name of a variant"]);
    check("variants:\n  - :\n", &["2:5: `` is no name of a variant"]);
    check("variants:\n  - @ a:\n", &["2:6: ` a` is no name of a variant"]);
    check("variants:\n  - a: x = 1\n", &["2:10: an assignment in the line of a variant"]);
    check("variants:\n  - a: x/y\n", &["2:9: `x/y` is not the name of another variant"]);
    check("variants n m:\n  - a:\n", &["1:12: a `variants` line that goes on after its name"]);
    check("variants n$:\n  - a:\n", &["1:11: a `variants` line that goes on after its name"]);
    check("variants n [default=a] x:\n  - a:\n", &["1:24: a `variants` line that goes on"]);
    check("variants n [x = a:\n  - a:\n", &["1:12: a bracket that is not closed"]);
    check("variants n [d$ = a]:\n  - a:\n", &["1:13: `[d$ = a]` is no property"]);
    check("variants n [default]:\n  - a:\n", &["1:13: `default` without a label"]);
    check("variants n [default=z]:\n  - a:\n", &["1:21: no variant of the block is called `z`"]);
    check(
        "variants = 3\n",
        &["1:10: a `variants` line that goes on", "1:1: a `variants` block without"],
    );
    check("variants: x\n  - a:\n", &["1:10: something after the colon"]);
}

#[test]
fn all_errors_at_once() {
    check(
        "junk\nonly\nvariants:\n  - a:\n    more junk\nk = 1\nonly a,\n",
        &[
            "1:1: this is no statement",
            "2:1: `only` without a filter",
            "5:5: this is no statement",
            "7:7: nothing after `,`",
        ],
    );
}

#[test]
fn what_was_understood_is_kept() {
    let mut parser = Parser::new();
    parser.parse(
        Source::new("t.cfg", "junk\nvariants:\n  - a:\n  - b c:\n    k = 1\n"),
        &mut NoInclude,
    );
    parser.statement("more junk");
    parser.statement("k = 2");
    let (config, diagnostics) = parser.finish();
    assert_eq!(diagnostics.len(), 3);
    assert_eq!(diagnostics[2].file.as_ref(), "<command line>");
    let variants: Vec<_> = config.variants().collect();
    assert_eq!(variants.len(), 1);
    assert_eq!((variants[0].name(), variants[0].get("k")), ("a", Some("2")));
}

#[test]
fn rendered() {
    let diagnostics = told("k = 1\nonly a/b\n");
    let expected = "\
error: '/' where a filter needs a label
 --> t.cfg:2:7
  |
2 | only a/b
  |       ^
  |
  = help: a label has letters, digits, `_` and `-`; `,` is or, `..` is and, `.` is directly followed by";
    assert_eq!(diagnostics[0].render(false), expected);
    assert!(diagnostics[0].is_error());
    assert!(diagnostics[0].to_string().starts_with("t.cfg:2:7: '/' where"));
}

#[test]
fn warnings_are_no_errors() {
    let diagnostics = told("dep = x\n");
    assert!(!diagnostics[0].is_error());
    assert!(diagnostics[0].render(false).starts_with("warning: "));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    for text in
        ["only a\u{1b}[31m\n", "ju\u{1b}]0;x\u{7}nk\n", "junk \u{202e}x\n", "only \u{9b}1m\n"]
    {
        let diagnostics = told(text);
        assert_eq!(diagnostics.len(), 1);
        let line = &diagnostics[0].excerpt;
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
    }
}

#[test]
fn long_lines_are_shown_around_the_fault() {
    let text = format!("only {}/{}\n", "a".repeat(5000), "b".repeat(5000));
    let diagnostics = told(&text);
    assert_eq!(diagnostics[0].columns, 5006..5007);
    let excerpt = &diagnostics[0].excerpt;
    assert!(excerpt.chars().count() < 200, "{excerpt}");
    assert_eq!(&excerpt[diagnostics[0].marked.clone()], "/");
}
