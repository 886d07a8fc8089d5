use super::*;
use crate::texts;
use crate::{Config, NoInclude, Parser, Source};
use proptest::prelude::*;
use std::fmt::Write;

fn check(text: &str) {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    let Config { plan } = &parser.finish().0;
    let mut dead = Dead::default();
    let mut walk = Walk::new(plan);
    let walked = (0..10_000_000).find(|_| !walk.advance(&mut dead));
    assert_eq!(Some(many(plan)), walked, "{text}");
    assert_eq!(Some(count(plan)), walked, "{text}");
}

/// A block that is counted one alternative after another, with large and small ones in it.
fn wide(filters: &[String]) -> String {
    let mut text = "variants:\n".to_owned();
    for (at, filter) in (0..WIDE + 3).zip(filters.iter().cycle()) {
        let _ = writeln!(text, "  - w{at}:\n    {filter}");
        if at == 5 {
            text.push_str("    variants:\n");
            for inner in 0..WIDE + 2 {
                let _ = writeln!(text, "      - v{inner}:\n        {filter}");
            }
        }
    }
    text
}

#[test]
fn nothing_and_one() {
    check("");
    check("only a\n");
    check("variants:\n  - a:\nonly b\n");
    check(&wide(&["only w5, w6".to_owned()]));
}

#[test]
fn more_than_anybody_goes_to() {
    let block = "variants:\n  - a:\n  - b:\n    no c\n  - c:\n";
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", "variants:\n  - a:\n  - b:\n".repeat(63)), &mut NoInclude);
    assert_eq!(count(&parser.clone().finish().0.plan), 1 << 63);
    parser.statement(block);
    // Three times that is more than 64 bits hold.
    assert_eq!(count(&parser.finish().0.plan), u64::MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_counted_is_what_is_walked_to(
        lines in texts::text(),
        filters in prop::collection::vec(texts::filter(), 1..4),
    ) {
        let lines = lines.join("\n");
        check(&lines);
        let filters: Vec<_> = filters.iter().map(|filter| format!("no {filter}")).collect();
        check(&format!("{}{lines}\n", wide(&filters)));
        check(&format!("{lines}\n{}", wide(&filters)));
    }
}
