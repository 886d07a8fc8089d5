//! This repository keeps the house rules.

use std::path::Path;

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the root");
    if let Err(findings) = xtask::tidy::report(root) {
        panic!("{findings}");
    }
}
