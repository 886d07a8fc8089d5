//! Subtests of crates outside of this source tree.

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest_runner::plan::{Code, Known, add_folder};
use kvmtest_runner::scaffold::{Origin, scaffold};

use crate::matrix::known;

/// A crate without dependencies whose `main` is this.
fn crate_with(main: &str) -> (tempfile::TempDir, Utf8PathBuf) {
    let keep = tempfile::tempdir().expect("a directory");
    let dir = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
    let manifest =
        "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(dir.join("Cargo.toml"), manifest).expect("written");
    std::fs::create_dir(dir.join("src")).expect("made");
    std::fs::write(dir.join("src/main.rs"), main).expect("written");
    (keep, dir)
}

#[track_caller]
fn refused(known: &mut Known, dir: &Utf8Path, parts: &[&str]) {
    let text = add_folder(known, dir).expect_err("refused").to_string();
    for part in parts {
        assert!(text.contains(part), "`{text}` lacks `{part}`");
    }
}

const LISTS_HELLO: &str = r#"fn main() {
    assert_eq!(std::env::args().nth(1).as_deref(), Some("--list"));
    println!("{{\"version\":1,\"name\":\"hello\",\"file\":\"mine/src/hello.rs\",\"doc\":\"Hi.\"}}");
}"#;

#[test]
fn a_crate_that_answers_adds_its_subtests() {
    let (_keep, dir) = crate_with(LISTS_HELLO);
    let mut known = known(&["boot"]);
    add_folder(&mut known, &dir).expect("added");
    let hello = known.get("hello").expect("known");
    assert_eq!(
        (hello.doc.as_str(), hello.file.as_str()),
        ("Hi.", dir.join("src/hello.rs").as_str())
    );
    let Code::Compiled(program) = &hello.code else { panic!("{hello:?}") };
    assert!(program.path.is_file());
    assert_eq!(program.args, ["child"]);
    refused(&mut known, &dir, &["two subtests are called `hello`", "src/hello.rs"]);
}

#[test]
fn a_name_that_is_taken_is_told_with_both_files() {
    let (_keep, dir) = crate_with(LISTS_HELLO);
    let mut known = known(&["hello"]);
    let file = dir.join("src/hello.rs");
    refused(&mut known, &dir, &["`hello`", "tree/shipped/src/x.rs", file.as_str()]);
}

#[test]
fn a_crate_that_does_not_build_shows_the_compilers_words() {
    let (_keep, dir) = crate_with("fn main() { let x: u8 = \"text\"; }");
    refused(&mut known(&[]), &dir, &["does not build", "mismatched types", "src/main.rs:1"]);
}

#[test]
fn a_program_that_does_not_answer_is_told_so() {
    let (_keep, dir) = crate_with("fn main() { println!(\"Hello, world!\"); }");
    refused(&mut known(&[]), &dir, &["does not answer `--list`", "subtests_main"]);
    let (_keep, dir) = crate_with("fn main() { std::process::exit(7); }");
    refused(&mut known(&[]), &dir, &["does not answer `--list`", "7"]);
    let version = LISTS_HELLO.replace("\\\"version\\\":1", "\\\"version\\\":2");
    let (_keep, dir) = crate_with(&version);
    refused(&mut known(&[]), &dir, &["version 2, not 1"]);
}

#[test]
fn a_folder_without_subtests_is_told_so() {
    let keep = tempfile::tempdir().expect("a directory");
    let dir = Utf8Path::from_path(keep.path()).expect("UTF-8");
    refused(&mut known(&[]), dir, &["holds no subtests", "foo.py", "kvmtest new"]);
    refused(&mut known(&[]), &dir.join("gone"), &["gone", "there is no such folder"]);
}

#[test]
fn a_crate_may_have_files_in_python_beside_it() {
    let (_keep, dir) = crate_with(LISTS_HELLO);
    std::fs::write(dir.join("snake.py"), "def run_snake(test, params, env): pass")
        .expect("written");
    let mut known = known(&[]);
    assert_eq!(add_folder(&mut known, &dir).expect("added"), [""; 0]);
    let names: Vec<&str> = known.iter().map(|subtest| subtest.name.as_str()).collect();
    assert_eq!(names, ["hello", "snake"]);
    std::fs::write(dir.join("hello.py"), "def run_hello(test, params, env): pass")
        .expect("written");
    let both = ["two subtests are called `hello`", "hello.py", "hello.rs"];
    refused(&mut self::known(&[]), &dir, &both);
}

#[test]
fn a_new_crate_builds_and_lists_its_example() {
    let keep = tempfile::tempdir().expect("a directory");
    let dir = Utf8Path::from_path(keep.path()).expect("UTF-8").join("mine");
    let tree = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize_utf8();
    let tree = tree.expect("the source tree");
    scaffold(&dir, Origin { tree: Some(&tree), version: "0.1.0" }).expect("made");
    // Built beside the project's own things, so that the next time it is quick; without being
    // made fast, which takes minutes; and without a network, since all that it needs is here.
    std::fs::create_dir(dir.join(".cargo")).expect("made");
    let target = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside");
    let config = format!(
        "[build]\ntarget-dir = \"{target}\"\n[net]\noffline = true\n\
         [profile.release]\nopt-level = 0\n"
    );
    std::fs::write(dir.join(".cargo/config.toml"), config).expect("written");
    let mut known = known(&["boot"]);
    add_folder(&mut known, &dir).expect("added");
    let hello = known.get("hello").expect("known");
    assert_eq!(hello.doc, "Log in and let the guest say hello.");
    assert_eq!(hello.file, dir.join("src/hello.rs"));
    // A copy under another name, with its function renamed, is another subtest.
    let text = std::fs::read_to_string(dir.join("src/hello.rs")).expect("there");
    std::fs::write(dir.join("src/other.rs"), text.replace("run_hello", "run_other"))
        .expect("written");
    let mut known = self::known(&[]);
    add_folder(&mut known, &dir).expect("added");
    assert!(known.get("hello").is_some() && known.get("other").is_some());
    // One without its function does not compile, and is told what it lacks.
    std::fs::write(dir.join("src/third.rs"), text).expect("written");
    refused(&mut self::known(&[]), &dir, &["src/third.rs has no `pub fn run_third("]);
}
