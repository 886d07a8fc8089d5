//! The table of steps is the one in the book.

use super::STEPS;
use crate::around::Step;
use crate::postprocess;

/// The steps of a table of the page, in their order.
fn listed(page: &str, heading: &str) -> Vec<String> {
    let (_, part) = page.split_once(heading).expect("a heading");
    let rows = part.lines().skip_while(|line| !line.starts_with('|'));
    rows.take_while(|line| line.starts_with('|'))
        .skip(2)
        .filter_map(|row| Some(row.split('|').nth(2)?.trim().trim_matches('`').to_owned()))
        .collect()
}

#[test]
fn the_book_has_every_step_in_its_order_with_every_key() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/around-a-test.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let check = |steps: &[Step], heading: &str| {
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        assert_eq!(listed(&page, heading), names);
        for key in steps.iter().flat_map(|step| step.keys) {
            assert!(page.contains(&format!("`{key}`")), "the page lacks `{key}`");
        }
    };
    check(STEPS, "\n## Before a test\n");
    check(postprocess::STEPS, "\n## After a test\n");
}
