//! The table for folders of several kinds.

use std::path::Path;

use kvmtest_build::generate;

/// The table for a folder with these files.
fn table(files: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    generate(dir.path(), Path::new("src")).expect("readable")
}

const GOOD: &str = "//! Log in.\npub fn run_boot() {}";

#[test]
fn each_file_is_a_subtest() {
    let other = GOOD.replace("boot", "abc").replace("Log in.", "Say \"hi\".");
    let code = table(&[("boot.rs", GOOD), ("abc.rs", &other)]);
    for part in [
        "pub mod boot;",
        "name: \"boot\"",
        "run: boot::run_boot",
        "\"/\", \"src/boot.rs\")",
        "doc: \"Log in.\"",
        "doc: \"Say \\\"hi\\\".\"",
        "boot.rs\"]",
    ] {
        assert!(code.contains(part), "{code} lacks {part}");
    }
    assert!(code.find("mod abc").expect("there") < code.find("mod boot").expect("there"));
    assert!(!code.contains("compile_error"));
}

#[test]
fn what_is_no_subtest_by_its_name_is_left_alone() {
    let code = table(&[
        ("lib.rs", ""),
        ("main.rs", ""),
        ("notes.txt", ""),
        (".boot.rs.swp", ""),
        ("deeper/mod.rs", ""),
    ]);
    assert!(!code.contains("mod ") && !code.contains("compile_error"), "{code}");
    assert!(code.contains("SUBTESTS: &[::kvmtest::Subtest] = &[\n];"), "{code}");
}

#[test]
fn a_file_without_its_function_does_not_compile_and_says_so() {
    let code = table(&[("halt.rs", GOOD)]);
    assert!(code.contains("compile_error!(\"src/halt.rs has no `pub fn run_halt(test: &mut"));
    assert!(!code.contains("pub mod halt"));
}

#[test]
fn a_name_that_cannot_be_a_functions_is_told_so() {
    for name in ["two words", "a-b", "9p", "self", "ü"] {
        let code = table(&[(&format!("{name}.rs"), GOOD)]);
        let expect = format!("`{name}` cannot be the name of a subtest");
        assert!(code.contains(&expect), "{code}");
    }
}

#[test]
fn a_word_of_the_language_may_be_a_name() {
    let code = table(&[("loop.rs", "pub fn run_loop() {}")]);
    assert!(code.contains("pub mod r#loop;") && code.contains("r#loop::run_loop"), "{code}");
}

#[test]
fn a_file_that_is_no_text_is_left_to_the_compiler() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("bad.rs"), b"\xff\xfepub fn run_bad() {}").expect("written");
    assert!(generate(dir.path(), Path::new("src")).expect("readable").contains("pub mod bad"));
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    generate(Path::new("/nowhere/at/all"), Path::new("src")).expect_err("not there");
}
