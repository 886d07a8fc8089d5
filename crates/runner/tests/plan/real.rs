//! A real matrix of 52,000 lines against what the reference implementation of the language makes
//! of it. It is test data that lies beside the project, in `../shared/data`; where it is absent,
//! these tests say so and pass.

use std::io::BufRead;

use camino::Utf8PathBuf;
use kvmtest_runner::plan::{Choice, Known, Selection, Wanted, json_line, select};
use serde_json::Value;

/// The statements that are given after the matrix, in the README of the data.
const STATEMENTS: [&str; 17] = [
    "only JeOS.27",
    "only i440fx",
    "only smp2",
    "only qcow2",
    "only virtio_net",
    "only virtio_blk",
    "kill_vm = yes",
    "backup_image_before_testing = yes",
    "restore_image_after_testing = yes",
    "qemu_img_binary = /usr/bin/qemu-img",
    "nettype = bridge",
    "netdst = virbr0",
    "qemu_binary = /usr/bin/kvm",
    "qemu_img_binary = /usr/bin/qemu-img",
    "qemu_io_binary = /usr/bin/qemu-io",
    "qemu_dst_binary = /usr/bin/kvm",
    "malloc_perturb = yes",
];

#[test]
fn every_line_of_json_is_as_expected_down_to_one_variant() {
    let Some(path) = data("expected-boot.jsonl") else { return };
    let what: Vec<_> = STATEMENTS.into_iter().chain(["only boot"]).collect();
    check(&std::fs::read(path).expect("readable"), &what);
}

#[test]
fn every_line_of_json_is_as_expected_for_all_guests() {
    let Some(path) = data("expected-all-guests-boot.jsonl.xz") else { return };
    let mut packed = std::io::BufReader::new(std::fs::File::open(path).expect("readable"));
    let mut expected = Vec::new();
    lzma_rs::xz_decompress(&mut packed, &mut expected).expect("the data are packed right");
    check(&expected, &["only smp2", "only qcow2", "only virtio_net", "only virtio_blk", "boot"]);
}

#[test]
fn a_filter_or_a_name_finds_its_variants_without_looking_at_millions() {
    let Some(all) = choose(&["boot"]) else { return };
    let first = all.variants().next().expect("one");
    // Two labels with a dot between them could be the name of any of millions.
    let filter = choose(&["JeOS.27"]).expect("it is there");
    assert!(filter.variants().next().expect("one").name().contains(".JeOS.27."));
    let named = choose(&[first.name()]).expect("it is there");
    assert_eq!(named.variants().map(|v| v.name().to_owned()).collect::<Vec<_>>(), [first.name()]);
    let short = choose(&[first.shortname()]).expect("it is there");
    assert!(short.variants().all(|variant| variant.shortname() == first.shortname()));
    assert!(short.variants().any(|variant| variant.name() == first.name()));
}

fn check(expected: &[u8], what: &[&str]) {
    let Some(selection) = choose(what) else { return };
    let mut variants = selection.variants();
    let mut line = Vec::new();
    let mut count = 0;
    for expected in expected.lines() {
        let expected: Value = serde_json::from_str(&expected.expect("UTF-8")).expect("JSON");
        let variant = variants.next().expect("as many variants as expected");
        count += 1;
        line.clear();
        json_line(&variant, count, &mut line);
        let found: Value = serde_json::from_slice(&line).expect("JSON");
        assert_eq!(found, expected, "{}", variant.name());
    }
    assert!(variants.next().is_none(), "more variants than expected");
    assert_eq!(selection.count(), count);
}

fn choose(what: &[&str]) -> Option<Selection> {
    let config = Some(data("tp-qemu/tests.cfg")?);
    let wanted = Wanted::parse(what).expect("understood");
    let choice = Choice { wanted, config, ..Choice::default() };
    let chosen = select(&choice, &crate::matrix::matrix(), &Known::default());
    Some(chosen.unwrap_or_else(|refusal| panic!("{}", refusal.render(false))))
}

#[expect(clippy::print_stderr, reason = "a test that did nothing says so")]
fn data(name: &str) -> Option<Utf8PathBuf> {
    let root = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cartesian");
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {path} is not there");
    None
}
