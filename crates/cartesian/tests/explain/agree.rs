//! Every story ends with the value that the variant has.

use crate::is_consistent;
use crate::titles::title_agrees;
use kvmtest_cartesian::{NoInclude, Parser, Source, Variant};
use serde_json::Value;
use std::path::PathBuf;

#[test]
fn every_story_of_the_cases_ends_with_the_value() {
    let mut count = 0;
    let (Some(cases), Some(probes)) = (data("cases.jsonl"), data("probes.jsonl")) else { return };
    let read = |path| std::fs::read_to_string(path).expect("the data are readable");
    for case in (read(cases) + &read(probes)).lines() {
        let case: Value = serde_json::from_str(case).expect("the data are JSON");
        let mut parser = Parser::new();
        let input = case["input"].as_str().unwrap_or_default();
        parser.parse(Source::new("<string>", input), &mut NoInclude);
        let (config, _) = parser.finish();
        for variant in config.variants().take(20) {
            count += all_agree(&variant);
        }
    }
    assert!(count > 200, "{count} stories");
}

#[test]
fn every_story_of_the_matrix_ends_with_the_value() {
    let Some(root) = data("tp-qemu") else { return };
    let mut parser = Parser::new();
    let mut include = |path: &str, _from: &str| {
        let text = std::fs::read_to_string(root.join(path)).map_err(|error| error.to_string())?;
        Ok(Source::new(path, text))
    };
    parser.parse(include("tests.cfg", "").expect("the matrix is readable"), &mut include);
    parser.statement("only migrate, boot, block_stream");
    parser.statement("only smp2");
    let (config, _) = parser.finish();
    let mut variants = config.variants();
    for _ in 0..2 {
        let variant = variants.nth(997).expect("many variants");
        assert!(all_agree(&variant) > 100);
    }
}

/// How many stories agree.
fn all_agree(variant: &Variant) -> usize {
    title_agrees(variant);
    let keys: Vec<&str> = variant.params().map(|(key, _)| key).collect();
    for key in &keys {
        let explain = variant.explain(key).expect("a key with a value has a story");
        is_consistent(&explain, variant);
    }
    keys.len()
}

#[expect(clippy::print_stderr, reason = "a test that did nothing says so")]
fn data(name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cartesian");
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there", path.display());
    None
}
