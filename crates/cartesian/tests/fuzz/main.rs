//! Texts that are changed again and again, in search of one that breaks a promise of the language.
//!
//! `cargo test` spends `KVMTEST_FUZZ_SECONDS` (3) on it. `make fuzz SECONDS=600` builds the crate
//! such that it counts which of its branches run: then texts that get further than all before are
//! kept and changed again. `KVMTEST_FUZZ_SEED` starts elsewhere, `KVMTEST_FUZZ_INPUT=FILE` tries
//! one text.

mod corpus;
mod coverage;
mod mutator;
mod promise;
#[path = "../naive/statement.rs"]
mod statement;
#[path = "../naive/texts.rs"]
mod texts;
mod watch;

use coverage::Coverage;
use mutator::Mutator;
use std::time::{Duration, Instant};
use watch::Watch;

#[test]
#[expect(clippy::print_stderr, reason = "says how much was tried, and with which seed")]
fn no_text_breaks_a_promise() {
    if let Ok(file) = std::env::var("KVMTEST_FUZZ_INPUT") {
        promise::check(&std::fs::read_to_string(file).expect("the text is readable"));
        return;
    }
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect(name))
    };
    let seconds = number("KVMTEST_FUZZ_SECONDS", 3);
    let seed = number("KVMTEST_FUZZ_SEED", 1);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut watch = Watch::new();
    let mut coverage = Coverage::new();
    let mut mutator = Mutator::new(seed);
    let mut runs = 0_u64;
    for text in corpus::texts() {
        coverage.is_new(|| watch.check(&text));
        mutator.keep(text);
    }
    while Instant::now() < end {
        let text = mutator.text();
        runs += 1;
        if coverage.is_new(|| watch.check(&text)) {
            mutator.keep(text);
        }
    }
    let (kept, reached) = (mutator.len(), coverage.reached());
    eprintln!("{runs} texts in {seconds} s with the seed {seed}; {kept} kept; {reached}");
}
