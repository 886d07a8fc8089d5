//! Every example of the pages on the configuration language is run.
//!
//! What an example looks like is told in `page.rs`. `UPDATE_BOOK=1` writes what really came out
//! into the pages instead of comparing; `git diff` then shows what changed.

mod page;
mod reader;

use camino::Utf8Path;
use kvmtest_tests::tree;
use page::Page;
use reader::Reader;

#[test]
fn the_chapter() {
    check("configuration.md");
}

#[test]
fn the_reference() {
    check("language.md");
}

#[track_caller]
fn check(name: &str) {
    let path = tree().join("docs/src").join(name);
    let text = std::fs::read_to_string(&path).expect("the page is there");
    let page = Page::parse(&text).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    for included in page.included() {
        included_is_there(path.parent().expect("a folder"), included);
    }
    let wrong = Reader::new().read(&page);
    if std::env::var_os("UPDATE_BOOK").is_some() {
        std::fs::write(&path, page.with(&wrong)).expect("written");
        return;
    }
    let told: Vec<_> = wrong.iter().map(|wrong| format!("{name}:{wrong}")).collect();
    let hint = "`UPDATE_BOOK=1` writes what really comes out into the page";
    assert!(wrong.is_empty(), "{}\n{hint}", told.join("\n"));
}

/// `file:anchor`: mdBook leaves an empty place where it finds no such part of a file.
#[track_caller]
fn included_is_there(folder: &Utf8Path, included: &str) {
    let (file, anchor) = included.split_once(':').expect("a part of a file");
    let text = std::fs::read_to_string(folder.join(file)).expect(included);
    let begin = text.find(&format!("<!-- ANCHOR: {anchor} -->\n")).expect(included);
    let end = text.find(&format!("<!-- ANCHOR_END: {anchor} -->\n")).expect(included);
    assert!(begin < end, "{included}");
    assert!(!text[begin..end].contains("```"), "{included} has examples that are not run");
}

/// What is wrong with a page of this text.
fn told(text: &str) -> String {
    match Page::parse(text) {
        Err(fault) => fault,
        Ok(page) => match &Reader::new().read(&page)[..] {
            [] => String::new(),
            wrong => wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        },
    }
}

#[track_caller]
fn refuses(text: &str, expected: &str) {
    let told = told(text);
    assert!(told.contains(expected), "{text}\n{told}");
}

const CONFIG: &str = "```cfg\nvariants:\n    - a:\n    - b:\n```\n";

#[test]
fn what_comes_out_is_compared() {
    let page = |after: &str| format!("{CONFIG}{after}");
    let list = "$ kvmtest list --config tests.cfg";
    assert_eq!(told(&page(&format!("```console\n{list}\na\nb\n```\n"))), "");
    assert_eq!(told(&page(&format!("```console\n{list} a\na\n$ echo $?\n0\n```\n"))), "");
    refuses(
        &page(&format!("```console\n{list}\na\n```\n")),
        "8: `kvmtest list --config tests.cfg`",
    );
    refuses(&page(&format!("```console\n{list}\na\nb\nc\n```\n")), "found:\na\nb");
    refuses(&page(&format!("```console\n{list} q\na\n```\n")), "no variant has `q`");
    refuses(&page("```sh\nkvmtest run --config tests.cfg q\n```\n"), "no variant has `q`");
    assert_eq!(told(&page("```sh\nkvmtest run --config tests.cfg a\n```\n")), "");
    let table = |row: &str| page(&format!("| added | left |\n|---|---|\n{row}\n"));
    assert_eq!(told(&table("| `only a` | `a` |")), "");
    assert_eq!(told(&table("| `only c` | none |")), "");
    refuses(&table("| `only a` | `b` |"), "| `only a` | `a` |");
    refuses(&table("| `only a,` | `a` |"), "nothing after `,`");
    let table = |row: &str| format!("| written | params |\n|---|---|\n{row}\n");
    assert_eq!(told(&table("| `k = 1`<br>`k += 2` | `k = 12` | why |")), "");
    assert_eq!(told(&table("| `ka = 1`<br>`k(a\\|b) ?= 2` | `ka = 2` |")), "");
    refuses(&table("| `k = 1` | `k = 2` |"), "| `k = 1` | `k = 1` |");
}

#[test]
fn what_nobody_would_run_is_refused() {
    refuses("```rust\nfn f() {}\n```\n", "1: a code block of an unknown kind: `rust`");
    refuses("```\nmem = 1\n```\n", "1: a code block of an unknown kind: ``");
    refuses("- see:\n  ```cfg\n", "2: a code block that does not begin in the first column");
    refuses("~~~\nx\n~~~\n", "1: a code block");
    refuses("see:\n\n    mem = 1\n", "3: a code block");
    refuses("```cfg\nmem = 1\n", "1: a code block that does not end");
    refuses("```console\nkvmtest list\n```\n", "2: output without a command");
    refuses("```console\n```\n", "1: a block without a command");
    refuses("```console\n$ rm -r x\n```\n", "2: `rm -r x` is not run here");
    refuses("```console\n$ kvmtest run\n```\n", "2: `kvmtest run` is not run here");
    refuses("```sh\nkvmtest env\n```\n", "2: `kvmtest env` is not run here");
    refuses("| added | else |\n|---|---|\n", "1: a table of an unknown kind");
    refuses(CONFIG, "1: nothing is done with `tests.cfg`");
    refuses(&CONFIG.repeat(2), "1: nothing is done with `tests.cfg`");
}

#[test]
fn what_came_out_is_written() {
    let page = format!("{CONFIG}```console\n$ kvmtest list --config tests.cfg\nx\n```\nend\n");
    let page = Page::parse(&page).expect("a page");
    let wrong = Reader::new().read(&page);
    let expected =
        format!("{CONFIG}```console\n$ kvmtest list --config tests.cfg\na\nb\n```\nend\n");
    assert_eq!(page.with(&wrong), expected);
}
