//! Dictionaries of the configuration language handed to Python: `kvmtest.cartesian` against the
//! reference implementation, in the same Python and on the same matrix, within one run. Part of
//! `make bench`.
//!
//! The matrix lies beside the project, in `../shared/data`; without it there is nothing to measure.

#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

use std::path::Path;
use std::process::Command;

use kvmtest_benches::{Figures, Reference, package, usage_and_output};

const RUNS: usize = 11;

/// What leaves 4,663 variants: every test, on one guest and one set of hardware.
const LIST: [&str; 7] = [
    "only JeOS.27",
    "only i440fx",
    "only smp2",
    "only qcow2",
    "only virtio_net",
    "only virtio_blk",
    "kill_vm = yes",
];

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cartesian/tp-qemu");
    let Ok(file) = data.join("tests.cfg").canonicalize() else {
        println!("skipped: there is no matrix at {}", data.display());
        return;
    };
    let Some(package) = package() else {
        println!("skipped: there is no package beside the program: `make python` makes it");
        return;
    };
    match Reference::new() {
        Ok(reference) => compare(&reference, &package, &file.display().to_string()),
        Err(why) => println!("nothing is compared, for want of the reference: {why}"),
    }
}

/// Whole processes are compared, the start of Python included.
fn compare(reference: &Reference, package: &Path, file: &str) {
    let ours = || {
        let mut command = reference.expand_by("kvmtest.cartesian", file, &LIST);
        command.env("PYTHONPATH", package);
        command
    };
    let (mut figures, mut peak, mut counts) = (Figures::default(), 0, String::new());
    let mut measure = |runs| {
        for _ in 0..runs {
            let (usage, text) = usage_and_output(&mut ours());
            figures.add(usage.cpu);
            peak = peak.max(usage.peak);
            counts = counted(&text);
        }
    };
    measure(RUNS / 2);
    let (theirs, text) = usage_and_output(&mut reference.expand(file, &LIST));
    measure(RUNS - RUNS / 2);
    assert_eq!(counts, counted(&text), "both find the same number of variants and of keys");
    let mut start = Figures::default();
    for _ in 0..RUNS {
        let mut import: Command = reference.expand_by("kvmtest.cartesian", "", &["only a"]);
        start.add(usage_and_output(import.env("PYTHONPATH", package)).0.cpu);
    }
    let seconds = theirs.cpu.as_secs_f64();
    println!("processor time; variants and keys: {counts}\n");
    println!("the reference's dictionaries        {:9.1} ms", seconds * 1000.0);
    println!("kvmtest.cartesian's                 {figures}");
    println!(
        "    ratio {:.0}, peak memory {} MiB",
        seconds / figures.median().as_secs_f64(),
        peak / 1024
    );
    println!("  of which Python and its imports   {start}");
}

/// Without the times.
fn counted(text: &str) -> String {
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
