//! Against what the reference implementation of the language makes of the same texts.
//!
//! The texts and the answers are test data that lie beside the project, in `../shared/data`;
//! where they are absent, these tests say so and pass.

use kvmtest_cartesian::{Config, Diagnostic, NoInclude, Parser, Source, Variant};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

#[test]
fn cases() {
    check_file("cases.jsonl", &[]);
}

/// Here the reference is known to be wrong, and this crate does what the language's manual says.
const DEFECTS: [&str; 2] = ["named condition", "trailing comma"];

#[test]
fn probes() {
    check_file("probes.jsonl", &DEFECTS);
}

#[test]
fn matrix_down_to_one_variant() {
    let Some(path) = data("expected-boot.jsonl") else { return };
    let expected = std::fs::read_to_string(path).expect("the data are readable");
    let statements: Vec<_> = STATEMENTS.into_iter().chain(["only boot"]).collect();
    check_matrix(&expected, &statements);
}

#[test]
fn matrix_of_all_guests() {
    let Some(path) = data("expected-all-guests-boot.jsonl.xz") else { return };
    let mut packed = std::io::BufReader::new(std::fs::File::open(path).expect("readable"));
    let mut expected = Vec::new();
    lzma_rs::xz_decompress(&mut packed, &mut expected).expect("the data are packed right");
    let statements = ["only smp2", "only qcow2", "only virtio_net", "only virtio_blk", "only boot"];
    check_matrix(&String::from_utf8(expected).expect("the data are UTF-8"), &statements);
}

fn check_file(name: &str, except: &[&str]) {
    let Some(path) = data(name) else { return };
    let text = std::fs::read_to_string(path).expect("the data are readable");
    let mut faults = Vec::new();
    for case in text.lines() {
        let case: Value = serde_json::from_str(case).expect("the data are JSON");
        let title = case["test"].as_str().unwrap_or_default();
        if except.contains(&title) {
            continue;
        }
        let (config, diagnostics) = parse(&case);
        let refused = diagnostics.iter().any(Diagnostic::is_error);
        let input = case["input"].as_str().unwrap_or_default();
        // The reference fails only when it expands; a bound that is no number is left alone here.
        let expects_error = case["error"].is_string() && case["error"] != "ValueError";
        if expects_error != refused {
            let told: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
            faults.push(format!("{title}: refused: {refused}: {told:?}\n{input}"));
        } else if let Value::Array(expected) = &case["expect"] {
            let found: Vec<_> = config.variants().map(|v| dictionary(&v)).collect();
            if &found != expected {
                let (found, expected) = (json!(found), json!(expected));
                faults.push(format!("{title}:\n{input}\nfound    {found}\nexpected {expected}"));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n\n"));
}

fn parse(case: &Value) -> (Config, Vec<Diagnostic>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(text).collect()
    };
    let mut parser = if case["defaults"] == true {
        Parser::with_defaults(list(&case["expand_defaults"]))
    } else {
        Parser::new()
    };
    parser.parse(Source::new("<string>", text(&case["input"])), &mut NoInclude);
    for more in list(&case["then"]) {
        parser.parse(Source::new("<string>", more), &mut NoInclude);
    }
    parser.finish()
}

/// A variant as the reference gives it: one flat dictionary.
fn dictionary(variant: &Variant) -> Value {
    let mut all = params(variant);
    all.insert("name".into(), variant.name().into());
    all.insert("shortname".into(), variant.shortname().into());
    all.insert("dep".into(), json!(variant.deps()));
    Value::Object(all)
}

fn params(variant: &Variant) -> Map<String, Value> {
    let mut all: Map<String, Value> =
        variant.iter().map(|(key, value, _)| (key.to_owned(), value.into())).collect();
    let (mut long, mut short) = (Map::new(), Map::new());
    for (file, name, shortname) in variant.name_map() {
        long.insert(file.to_owned(), name.into());
        short.insert(file.to_owned(), shortname.into());
    }
    if !long.is_empty() {
        all.insert("_name_map_file".into(), long.into());
        all.insert("_short_name_map_file".into(), short.into());
    }
    all
}

fn check_matrix(expected: &str, statements: &[&str]) {
    let Some(root) = data("tp-qemu") else { return };
    let mut parser = Parser::new();
    let mut include = |path: &str, _from: &str| {
        let text = std::fs::read_to_string(root.join(path)).map_err(|error| error.to_string())?;
        Ok(Source::new(path, text))
    };
    let source = include("tests.cfg", "").expect("the matrix is readable");
    parser.parse(source, &mut include);
    for statement in statements {
        parser.statement(statement);
    }
    let (config, diagnostics) = parser.finish();
    let errors: Vec<_> =
        diagnostics.iter().filter(|d| d.is_error()).map(|d| d.render(false)).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let mut variants = config.variants();
    for line in expected.lines() {
        let expected: Value = serde_json::from_str(line).expect("the data are JSON");
        let variant = variants.next().expect("as many variants as expected");
        assert_eq!(variant.name(), expected["name"]);
        assert_eq!(variant.shortname(), expected["shortname"]);
        assert_eq!(json!(variant.deps()), expected["dep"]);
        let (found, wanted) =
            (params(&variant), expected["params"].as_object().expect("a dictionary"));
        for (key, value) in wanted {
            assert_eq!(found.get(key), Some(value), "{key} of {}", variant.name());
        }
        let extra: Vec<_> = found.keys().filter(|key| !wanted.contains_key(*key)).collect();
        assert!(extra.is_empty(), "{extra:?} in {}", variant.name());
    }
    assert!(variants.next().is_none(), "more variants than expected");
}

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
