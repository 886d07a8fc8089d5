//! This repository keeps the house rules, and its generated parts are what the code makes of them.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the root")
}

#[test]
fn the_tree_is_tidy() {
    if let Err(findings) = xtask::tidy::report(root()) {
        panic!("{findings}");
    }
}

#[test]
fn the_generated_parts_of_the_book_are_up_to_date() {
    if let Err(message) = xtask::codegen::verify(root()) {
        panic!("{message}");
    }
}
