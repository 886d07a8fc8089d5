//! What is chosen, and what is said where nothing is.

use kvmtest_runner::plan::{Choice, Known, Refusal, Wanted, list, select, show};

use crate::matrix::{SHIPPED, choose, choose_with, first, known, matrix, shortnames};

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
    assert_eq!(first(&selection).get("mem"), Some("1024"));
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
fn a_keyword_alone_is_half_a_statement() {
    refused(&["only"], 2, &["`only` alone is no statement", "`'only …'`"]);
    refused(&["no", "boot"], 2, &["`no` alone is no statement"]);
    // Unless there is such a label.
    let matrix = crate::matrix::Matrix(vec![("tests.cfg", "variants:\n  - only:\n  - a:\n")]);
    let chosen = select(&wanted(&["only"]), &matrix, &Known::default()).expect("chosen");
    assert_eq!(shortnames(&chosen), ["only"]);
}

#[test]
fn a_statement_with_a_label_that_nobody_has_is_told() {
    refused(
        &["only boto"],
        4,
        &["left by `only boto`", "no variant has `boto`; did you mean `boot`?"],
    );
    refused(&["boot", "only wyde"], 4, &["no variant has `wyde`; did you mean `wide`?"]);
    let text = choose(&["boot", "only wyde"]).err().expect("refused").render(false);
    assert!(!text.contains("together"), "{text}");
    let check = |statement: &str, expect: &str| {
        let selection = choose(&["boot", statement]).expect("chosen");
        let told: Vec<_> = selection.warnings.iter().map(|told| told.message.as_str()).collect();
        assert_eq!(told, [expect], "{statement}");
        assert_eq!(selection.warnings[0].file.as_ref(), "<command line>");
    };
    check("no wyde", "no variant has the label `wyde`: nothing is dropped");
    check("wyde: mem = 5", "no variant has the label `wyde`: the condition never holds");
    check("only boot, boto", "no variant has the label `boto`");
    check("boot:", "a condition with nothing in it");
    assert!(choose(&["boot", "no wide"]).expect("chosen").warnings.is_empty());
}

#[test]
fn a_broken_statement_is_shown_with_its_place() {
    refused(&["only ???=", "??? : x"], 2, &["<command line>"]);
}

#[test]
fn the_set_is_the_first_in_which_every_word_finds_something() {
    check(&["boot", "shutdown"], "full", &["boot", "shutdown", "wide.boot", "wide.shutdown"]);
    check(&["boot,shutdown"], "full", &["boot", "shutdown", "wide.boot", "wide.shutdown"]);
    check(&["boot", "small..reboot"], "quick", &["boot", "reboot"]);
    check(&["wide.boot", "boot"], "full", &["wide.boot", "boot"]);
    check(&["wide.boot", "reboot"], "full", &["wide.boot", "reboot", "wide.reboot"]);
}

#[test]
fn a_word_that_finds_nothing_is_told_and_where_it_would() {
    let of = |set: &str, what: &[&str]| {
        let choice = Choice { set: Some(set.into()), ..wanted(what) };
        let refusal = choose_with(&choice).err().expect("refused");
        assert_eq!(refusal.exit_code(), 4);
        refusal.render(false)
    };
    let list = " (`kvmtest list` shows what there is)";
    assert_eq!(
        of("quick", &["boot", "shutdown"]),
        format!(
            "no variant matches `shutdown` in set `quick`; `shutdown` is in the set `full`{list}"
        )
    );
    assert_eq!(
        of("quick", &["wide..boot"]),
        format!(
            "no variant matches `wide..boot` in set `quick`; `wide..boot` is in the set `full`{list}"
        )
    );
    let together = "each of its labels exists, but no variant has them together";
    assert_eq!(
        of("full", &["boot", "small..wide"]),
        format!("no variant matches `small..wide` in set `full`: {together}{list}")
    );
    refused(&["boot", "small..wide"], 4, &["matches `small..wide` in sets", together]);
    refused(&["shutdown", "small..wide, boot"], 4, &["matches `small..wide` in sets", together]);
    refused(&["boot", "wide", "only small"], 4, &["matches `wide` with `only small` in sets"]);
}

#[test]
fn a_label_that_a_statement_leaves_out_is_told_so() {
    let one = "the label exists, but the statement leaves none of its variants";
    refused(&["boot", "no boot"], 4, &["matches `boot` with `no boot` in sets", one]);
    let two = "the label exists, but the statements leave none of its variants";
    refused(&["boot", "no boot", "mem = 1"], 4, &[two]);
    let text = choose(&["small..wide", "mem = 1"]).err().expect("refused").render(false);
    assert!(text.contains("no variant has them together") && !text.contains("leave"), "{text}");
}

#[test]
fn words_of_which_no_set_has_all_are_told_with_their_sets() {
    let tests = "sets = one two\nvariants:\n  - a:\n  - b:\n  - c:\nvariants:\n  - one:\n    only a, \
                 c\n  - two:\n    only b, c\n";
    let matrix = crate::matrix::Matrix(vec![("tests.cfg", tests)]);
    let chosen = |what: &[&str]| select(&wanted(what), &matrix, &Known::default());
    let text = chosen(&["a", "b", "c"]).err().expect("refused").render(false);
    let expect =
        "no set has all of `a`, `b`, `c`: `a` is in `one`; `b` is in `two`; `c` is in `one`, `two`";
    assert!(text.starts_with(expect), "{text}");
    assert_eq!(chosen(&["b", "c"]).expect("chosen").set.as_deref(), Some("two"));
    let text = chosen(&["a", "b", "a..b"]).err().expect("refused").render(false);
    assert!(text.starts_with("no variant matches `a..b` in sets `one`, `two`: each"), "{text}");
}

#[test]
fn list_and_show_tell_what_is_known() {
    let selection = choose(&["boot"]).expect("chosen");
    let known = known(SHIPPED);
    let rows: Vec<_> = list(&selection, &known).collect();
    assert_eq!((rows.len(), rows[0].subtest.as_str(), rows[0].skip), (1, "boot", false));
    assert_eq!(rows[0].doc, "What it does.");
    let shown: Vec<_> = show(&selection, &known, "boot").collect();
    assert_eq!(shown.len(), 1);
    let keys: Vec<&str> = shown[0].params.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["guest", "mem", "name", "sets", "shortname", "type"]);
    let origin = shown[0].params.origin("mem").expect("a file set it").to_string();
    assert_eq!(origin, "<shipped>/tests.cfg:2");
    assert_eq!(shown[0].file.as_deref(), Some("tree/shipped/src/x.rs"));
    let selection = choose(&["shutdown"]).expect("chosen");
    assert_eq!(show(&selection, &known, "shutdown").count(), 1, "the exact one");
    assert_eq!(show(&selection, &known, "type_of").count(), 2);
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

const NAMED: &str = "
variants guest_os [default=f]:
    - f:
        type = boot
    - g:
        type = shutdown
variants disk:
    - ide:
    - @virtio:
variants:
    - a:
    - @b:
";

#[track_caller]
fn of_named(choice: &Choice) -> Result<Vec<String>, String> {
    let matrix = crate::matrix::Matrix(vec![("tests.cfg", NAMED)]);
    match select(choice, &matrix, &Known::default()) {
        Ok(selection) => {
            let found = shortnames(&selection);
            assert_eq!(selection.count(), found.len());
            Ok(found)
        }
        Err(refusal) => Err(refusal.render(false)),
    }
}

fn wanted(what: &[&str]) -> Choice {
    Choice { wanted: Wanted::parse(what).expect("understood"), ..Choice::default() }
}

#[test]
fn labels_of_named_blocks_are_filters() {
    let check = |what: &[&str], expect: &[&str]| {
        assert_eq!(of_named(&wanted(what)).expect("chosen"), expect, "{what:?}");
    };
    check(&["(guest_os=g)..ide"], &["a.ide.g", "ide.g"]);
    check(&["a..( guest_os = g )"], &["a.ide.g", "a.g"]);
    check(&["(disk=ide).(guest_os=f)"], &["a.ide", "ide"]);
    check(&["(disk=ide)..a", "(disk=virtio).(guest_os=g)"], &["a.ide", "a.ide.g", "a.g", "g"]);
    check(&["(g)..a"], &["a.ide.g", "a.g"]);
    check(&["(guest_os=f): mem = 1", "only (disk=ide)", "a"], &["a.ide", "a.ide.g"]);
}

#[test]
fn a_full_name_selects_its_variant() {
    let check = |what: &[&str], expect: &[&str]| {
        assert_eq!(of_named(&wanted(what)).expect("chosen"), expect, "{what:?}");
    };
    check(&["a.(disk=ide).(guest_os=g)"], &["a.ide.g"]);
    check(&["b.(disk=virtio).(guest_os=g)"], &["g"]);
    check(&["b.(disk=virtio).(guest_os=g)", "a..g"], &["g", "a.ide.g", "a.g"]);
    check(&["a.g", "a.(disk=virtio).(guest_os=g)", "ide.g"], &["a.g", "ide.g"]);
}

#[test]
fn a_joined_variant_is_selected_by_its_name() {
    let text =
        "variants:\n  - a.x:\n  - b.y:\n  - c:\nvariants:\n  - both:\n    join a b\n  - m:\n";
    let matrix = crate::matrix::Matrix(vec![("tests.cfg", text)]);
    let check = |what: &[&str], expect: &[&str]| {
        let Ok(selection) = select(&wanted(what), &matrix, &Known::default()) else {
            panic!("{what:?} chose nothing")
        };
        assert_eq!(shortnames(&selection), expect, "{what:?}");
    };
    check(&["both"], &["both.a.x.b.y"]);
    check(&["both.a.x.b.y"], &["both.a.x.b.y"]);
    check(&["m.c", "both.a.x.b.y"], &["m.c", "both.a.x.b.y"]);
}

#[test]
fn a_label_that_its_block_does_not_have_is_refused() {
    let check = |what: &str, parts: &[&str]| {
        let text = of_named(&wanted(&[what])).expect_err(what);
        for part in parts {
            assert!(text.contains(part), "`{text}` lacks `{part}`");
        }
    };
    check(
        "(guest_os=ide)",
        &["no variant has `(guest_os=ide)`", "did you mean `(guest_os=f)`, `(guest_os=g)`?"],
    );
    check("(gust_os=g)..a", &["`(gust_os=g)`", "`(guest_os=g)`"]);
    check("(zzzzzzzzzzzz)", &["no variant has `(zzzzzzzzzzzz)` (`kvmtest list`"]);
}

#[test]
fn only_the_default_of_each_block_that_has_one() {
    let check = |what: &[&str], expand: &[&str], expect: &[&str]| {
        let expand_defaults = expand.iter().map(|name| (*name).to_owned()).collect();
        let choice = Choice { defaults: true, expand_defaults, ..wanted(what) };
        assert_eq!(of_named(&choice).expect("chosen"), expect, "{what:?} {expand:?}");
    };
    check(&[], &[], &[""]);
    check(&["a"], &[], &["a"]);
    check(&["ide"], &[], &["ide"]);
    check(&[], &["disk"], &["ide", ""]);
    check(&[], &["disk", "guest_os"], &["ide", "ide.g", "", "g"]);
    let text = of_named(&Choice {
        defaults: true,
        expand_defaults: vec!["disk".into(), "gest_os".into()],
        ..Choice::default()
    });
    let text = text.expect_err("refused");
    assert_eq!(text, "there is no block of variants called `gest_os`; did you mean `guest_os`?");
    let expand = Choice { defaults: true, expand_defaults: vec!["x".into()], ..Choice::default() };
    let text = choose_with(&expand).err().expect("refused").render(false);
    assert!(text.contains("no block of the configuration has a name"), "{text}");
}

#[test]
fn a_word_that_defaults_leave_nothing_of_is_told() {
    let check = |what: &[&str], word: &str| {
        let text = of_named(&Choice { defaults: true, ..wanted(what) }).expect_err(word);
        assert!(text.contains(&format!("no variant matches `{word}`")), "{text}");
        assert!(text.contains("`--defaults` leaves none"), "{text}");
    };
    check(&["a", "b"], "a");
    check(&["ide", "(guest_os=g)", "b..virtio"], "ide");
    let all = Choice { defaults: true, ..wanted(&["b", "virtio..f"]) };
    assert_eq!(of_named(&all).expect("chosen"), [""]);
}

#[test]
fn a_word_of_a_joined_name_is_found() {
    let text =
        "variants:\n  - a.x:\n  - b.y:\n  - c:\nvariants:\n  - both:\n    join a b\n  - m:\n";
    let matrix = crate::matrix::Matrix(vec![("tests.cfg", text)]);
    let found =
        |what: &[&str]| select(&wanted(what), &matrix, &Known::default()).map(|s| s.count());
    assert_eq!(found(&["both", "m.c"]).ok(), Some(2));
    let text = found(&["m", "m..both"]).expect_err("refused").render(false);
    assert!(text.contains("no variant matches `m..both`"), "{text}");
}

#[test]
fn variants_are_made_when_they_are_asked_for() {
    // Ten to the thirtieth, which nobody could wait for.
    let block = "variants:\n    - a:\n    - b:\n    - c:\n    - d:\n    - e:\n    - f:\n    - g:\n    \
                 - h:\n    - i:\n    - j:\n";
    let text: &'static str = Box::leak(block.repeat(30).into_boxed_str());
    let matrix = crate::matrix::Matrix(vec![("tests.cfg", text)]);
    for what in [&[][..], &["a.b"], &["a..b"], &["c", "a.b.c"], &["c", "d", "j..i"], &["mem = 1"]] {
        let selection = select(&wanted(what), &matrix, &Known::default()).expect("chosen");
        assert_eq!(selection.variants().take(3).count(), 3, "{what:?}");
        assert_eq!(list(&selection, &Known::default()).take(3).count(), 3, "{what:?}");
    }
}
