//! What is chosen, and what is said where nothing is.

use kvmtest_runner::plan::{Choice, Known, Refusal, Wanted, list, select, show};

use crate::matrix::{SHIPPED, choose, choose_with, known, matrix, shortnames};

#[track_caller]
fn check(what: &[&str], set: &str, expect: &[&str]) {
    let selection = choose(what).unwrap_or_else(|refusal| panic!("{}", refusal.render(false)));
    assert_eq!(shortnames(&selection), expect, "{what:?}");
    assert_eq!(selection.set.as_deref(), Some(set), "{what:?}");
    assert!(selection.warnings.is_empty(), "{:?}", selection.warnings);
}

#[track_caller]
fn refused(what: &[&str], code: u8, parts: &[&str]) {
    let Err(refusal) = choose(what) else { panic!("{what:?} chose something") };
    assert_eq!(refusal.exit_code(), code);
    let text = refusal.render(false);
    for part in parts {
        assert!(text.contains(part), "`{text}` lacks `{part}`");
    }
}

#[test]
fn with_nothing_said_it_is_the_first_set() {
    check(&[], "quick", &["boot", "reboot"]);
}

#[test]
fn a_name_is_looked_for_in_the_first_set_that_has_it() {
    check(&["boot"], "quick", &["boot"]);
    check(&["reboot", "boot"], "quick", &["boot", "reboot"]);
    check(&["wide..boot"], "full", &["wide.boot"]);
    check(&["shutdown"], "full", &["shutdown", "wide.shutdown"]);
    check(&["only wide", "boot"], "full", &["wide.boot"]);
}

#[test]
fn a_subtest_that_nothing_names_runs_by_its_own_name() {
    check(&["migrate"], "full", &["migrate", "wide.migrate"]);
    let choice = Choice { wanted: Wanted::parse(["others"]).expect("ok"), ..Choice::default() };
    let all_named = known(&["boot", "shutdown"]);
    let refusal = select(&choice, &matrix(), &all_named).err().expect("nothing is left");
    assert!(matches!(refusal, Refusal::Nothing(_)), "{refusal:?}");
    let none = select(&Choice::default(), &matrix(), &Known::default()).expect("chosen");
    assert_eq!(shortnames(&none), ["boot", "reboot"]);
}

#[test]
fn a_statement_counts_after_the_files() {
    let selection = choose(&["mem = 1024", "boot"]).expect("chosen");
    assert_eq!(selection.variants[0].get("mem"), Some("1024"));
}

#[test]
fn a_set_can_be_named() {
    let full = Choice { set: Some("full".into()), ..Choice::default() };
    assert_eq!(shortnames(&choose_with(&full).expect("chosen")).len(), 8);
    let none = Choice { set: Some("qiuck".into()), ..Choice::default() };
    let text = choose_with(&none).err().expect("refused").render(false);
    assert!(text.contains("no set `qiuck`: there are `quick`, `full`"), "{text}");
}

#[test]
fn where_nothing_matches_the_nearest_names_are_offered() {
    refused(&["boto"], 4, &["no variant has `boto`", "did you mean `boot`"]);
    refused(&["shutdwon"], 4, &["`shutdown`?"]);
    refused(&["migrat"], 4, &["`migrate`?"]);
    refused(&["zzzzzzzz"], 4, &["no variant has `zzzzzzzz`", "`kvmtest list`"]);
    refused(&["boot", "shutdwon"], 4, &["no variant has `shutdwon`", "`shutdown`"]);
    refused(&["onyl wide"], 4, &["no variant has `onyl`", "`only`", "has an operator"]);
    refused(&["small..wide"], 4, &["each of its labels exists"]);
    refused(&["no boot, reboot, shutdown, migrate"], 4, &["no variant is left by `no boot"]);
}

#[test]
fn a_broken_statement_is_shown_with_its_place() {
    refused(&["only ???=", "??? : x"], 3, &["<command line>"]);
}

#[test]
fn list_and_show_tell_what_is_known() {
    let selection = choose(&["boot"]).expect("chosen");
    let known = known(SHIPPED);
    let rows: Vec<_> = list(&selection, &known).collect();
    assert_eq!((rows.len(), rows[0].subtest.as_str(), rows[0].skip), (1, "boot", false));
    assert_eq!(rows[0].doc, "What it does.");
    let shown = show(&selection, &known, "boot");
    assert_eq!(shown.len(), 1);
    let keys: Vec<&str> = shown[0].params.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["guest", "mem", "name", "sets", "shortname", "type"]);
    let origin = shown[0].params.origin("mem").expect("a file set it").to_string();
    assert_eq!(origin, "<shipped>/tests.cfg:2");
    assert_eq!(shown[0].file.as_deref(), Some("shipped/src/x.rs"));
    let selection = choose(&["shutdown"]).expect("chosen");
    assert_eq!(show(&selection, &known, "shutdown").len(), 1, "the exact one");
    assert_eq!(show(&selection, &known, "type_of").len(), 2);
}

#[test]
fn a_short_name_selects_the_variant_although_labels_are_left_out_of_it() {
    let tests = "
sets = all
variants:
    - boot:
variants:
    - @small:
    - wide:
variants:
    - @up:
    - smp2:
variants:
    - @all:
";
    let matrix = crate::matrix::Matrix(vec![("tests.cfg", tests)]);
    let check = |what: &[&str], expect: &[&str]| {
        let choice = Choice { wanted: Wanted::parse(what).expect("filters"), ..Choice::default() };
        let chosen = select(&choice, &matrix, &Known::default()).expect("chosen");
        assert_eq!(shortnames(&chosen), expect, "{what:?}");
    };
    check(&["smp2.boot"], &["smp2.boot"]);
    check(&["smp2..boot"], &["smp2.boot", "smp2.wide.boot"]);
    check(&["wide.boot"], &["wide.boot"]);
    check(&["wide.boot", "smp2.boot"], &["wide.boot", "smp2.boot"]);
    check(&["smp2.boot", "wide"], &["smp2.boot", "wide.boot", "smp2.wide.boot"]);
}
