//! No finding is wrong: each is held against the whole expansion of a small text.

mod texts;

use kvmtest_cartesian::{Config, Diagnostic, Finding, NoInclude, Parser, Source};
use proptest::prelude::*;

fn parse(lines: &[String]) -> Config {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", lines.join("\n")), &mut NoInclude);
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    config
}

/// Names and all keys.
fn expand(lines: &[String]) -> Vec<(String, Vec<(String, String)>)> {
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let config = parse(lines);
    config.variants().map(|v| (v.name().to_owned(), v.params().map(owned).collect())).collect()
}

fn has_key(lines: &[String], key: &str) -> bool {
    parse(lines).variants().any(|variant| variant.get(key).is_some())
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_filter(line: &str) -> bool {
    line.trim_start().starts_with("only ") || line.trim_start().starts_with("no ")
}

/// The text without these of its filters; the lines stay where they are.
fn without(lines: &[String], drops: impl Fn(usize, &str) -> bool) -> Vec<String> {
    let is_dropped = |(at, line): (usize, &String)| {
        if is_filter(line) && drops(at, line) { "#".to_owned() } else { line.clone() }
    };
    lines.iter().enumerate().map(is_dropped).collect()
}

/// The text without what every name has to pass: filters outside of all blocks.
fn unselected(lines: &[String]) -> Vec<String> {
    without(lines, |at, line| indent(line) == 0 || is_in_single(lines, at))
}

/// Whether a line stands right in a variant that is alone in its block, as all around it are.
fn is_in_single(lines: &[String], at: usize) -> bool {
    let above = |at: usize| (0..at).rev().find(|above| indent(&lines[*above]) < indent(&lines[at]));
    let mut at = at;
    while let Some(entry) = above(at) {
        if !lines[entry].trim_start().starts_with("- ") {
            return false;
        }
        let block = above(entry).expect("a variant stands in a block");
        let inside =
            lines[block + 1..].iter().take_while(|line| indent(line) > indent(&lines[block]));
        let depth = indent(&lines[entry]);
        if inside
            .filter(|line| indent(line) == depth && line.trim_start().starts_with("- "))
            .count()
            != 1
        {
            return false;
        }
        at = block;
    }
    true
}

/// The blocks around a line: the keys that names have which get there.
fn marks_around(lines: &[String], at: usize) -> Vec<String> {
    let mut marks = Vec::new();
    let mut depth = indent(&lines[at]);
    for above in (0..at).rev() {
        if indent(&lines[above]) < depth {
            depth = indent(&lines[above]);
            marks.extend(mark(&lines[above], above));
        }
    }
    marks
}

/// What names get that pass the head of a block.
fn mark(line: &str, at: usize) -> Option<String> {
    let line = line.trim_start();
    match line {
        _ if line.starts_with("- ") => Some(format!("s{}", at + 1)),
        _ if line.starts_with("variants") => None,
        _ if line.ends_with(':') => Some(format!("m{}", at + 1)),
        _ => None,
    }
}

fn check(lines: &[String], found: &Diagnostic) -> Result<(), TestCaseError> {
    let at = found.line as usize - 1;
    let line = lines[at].trim_start();
    let replaced = |by: &str| {
        let mut lines = lines.to_vec();
        lines[at] = " ".repeat(indent(&lines[at])) + by;
        lines
    };
    let finding = found.finding.expect("a finding has a kind");
    match finding {
        Finding::UnknownLabel => {
            let name = found.message.split('`').nth(1).expect("the label is told");
            let plain = name.trim_start_matches("(o=").trim_end_matches(')');
            let names = parse(&without(lines, |_, _| true));
            prop_assert!(names.variants().all(|v| !v.name().split('.').any(|label| label == name)));
            prop_assert!(name != plain || names.labels().all(|label| label != plain));
        }
        Finding::NeverHolds if line.ends_with(':') => {
            let holds = has_key(&unselected(lines), &format!("m{}", at + 1));
            prop_assert!(!holds);
        }
        Finding::NeverHolds => {
            prop_assert!(line.starts_with("no "));
            // Whatever the other filters are.
            let alone = without(lines, |other, _| other != at);
            prop_assert_eq!(expand(&alone), expand(&without(lines, |_, _| true)));
        }
        Finding::LeavesNothing if found.message.ends_with("of the configuration") => {
            prop_assert_eq!(expand(lines).len(), 0);
            prop_assert_ne!(expand(&without(lines, |other, _| other >= at)).len(), 0);
        }
        Finding::LeavesNothing => {
            let text = unselected(lines);
            let before = without(&text, |other, _| other >= at);
            let emptied = marks_around(lines, at)
                .into_iter()
                .any(|mark| has_key(&before, &mark) && !has_key(&text, &mark));
            prop_assert!(emptied);
        }
        Finding::DroppedVariant => {
            let is_there = has_key(&unselected(lines), &format!("s{}", at + 1));
            prop_assert!(!is_there);
        }
        Finding::DuplicateVariant => {
            let variants = expand(&unselected(lines));
            let mine = |v: &&(String, Vec<(String, String)>)| {
                v.1.iter().any(|(key, _)| *key == format!("s{}", at + 1))
            };
            let is_twice = |name: &str| variants.iter().filter(|v| v.0 == name).count() > 1;
            prop_assert!(variants.iter().filter(mine).any(|v| is_twice(&v.0)));
        }
        Finding::Overwritten => {
            let (key, _) = line.split_once('=').expect("an assignment");
            prop_assert_eq!(expand(&replaced(&format!("{key}= something else"))), expand(lines));
        }
        Finding::MatchesNoKey | Finding::EmptyCondition => {
            prop_assert_eq!(expand(&replaced("#")), expand(lines));
        }
        Finding::UnsetKey => {
            let hole = found.message.split('`').nth(1).expect("the key is told");
            // Where one has no value, those that follow stay, too.
            if line.matches("${").count() == 1 {
                let mut other = expand(&replaced(&line.replace(hole, "@@")));
                let values = other.iter_mut().flat_map(|(_, params)| params);
                values.for_each(|(_, value)| *value = value.replace("@@", hole));
                prop_assert_eq!(other, expand(lines));
            }
        }
        Finding::UnknownDependency => {
            let name = found.message.split('`').nth(1).expect("the label is told");
            let names = parse(&without(lines, |_, _| true));
            prop_assert!(names.variants().all(|v| !v.name().split('.').any(|label| label == name)));
        }
        Finding::TrailingComment => prop_assert!(line.contains(" # ")),
        Finding::UnknownValue => prop_assert!(false, "nobody said which values are known"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_finding_is_right(lines in texts::text()) {
        for found in parse(&lines).lint() {
            check(&lines, &found).map_err(|error| {
                TestCaseError::fail(format!("{}\n{}\n{error}", found.render(false), lines.join("\n")))
            })?;
        }
    }
}
