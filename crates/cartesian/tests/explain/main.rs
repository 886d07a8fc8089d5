//! The story of a value.

mod agree;
mod consistent;
mod joins;
mod titles;

use consistent::is_consistent;
use kvmtest_cartesian::{
    Config, Context, Effect, Explain, NoInclude, Parser, Source, Step, Variant,
};
use std::fmt::Write;

fn parse(text: &str) -> Config {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:#?}");
    config
}

fn first(text: &str) -> Variant {
    parse(text).variants().next().expect("a variant")
}

/// The story of a key in the first variant, without the lines that say which it is.
#[track_caller]
fn check(text: &str, key: &str, expected: &str) {
    let variant = first(text);
    let explain = variant.explain(key).expect("a story");
    is_consistent(&explain, &variant);
    let rendered = explain.to_string();
    let (head, story) = rendered.split_once("\n\n").unwrap_or((&rendered, ""));
    let answer = match variant.get(key) {
        Some(value) => format!("{key} = {value}\n  in {}", variant.name()),
        None => format!("{key} has no value\n  in {}", variant.name()),
    };
    let by = variant.place(key).map(|place| format!("\n  by {place}")).unwrap_or_default();
    assert_eq!(head, answer + &by);
    assert_eq!(unindent(story), unindent(expected), "{text}");
}

/// Lines without the blanks around them, and without empty ones.
fn unindent(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The effects of the statements on a key in the first variant.
#[track_caller]
fn check_effects(text: &str, key: &str, expected: &[(u32, Effect)]) {
    let variant = first(text);
    let explain = variant.explain(key).expect("a story");
    is_consistent(&explain, &variant);
    let effects: Vec<_> = steps(&explain).map(|s| (s.place.line, s.effect.clone())).collect();
    assert_eq!(effects, expected, "{text}");
}

fn steps(explain: &Explain) -> impl Iterator<Item = &Step> {
    explain.stories.iter().flat_map(|story| &story.steps)
}

#[test]
fn assignments_are_told_in_their_order() {
    check(
        "k = 1\nother = 2\nk += 2\nk <= 3\nk = '  4 '\n",
        "k",
        "1. t.cfg:1  k = 1
            no value → 1
         2. t.cfg:3  k += 2
            1 → 12
         3. t.cfg:4  k <= 3
            12 → 312
         4. t.cfg:5  k = '  4 '
            312 → \"  4 \"",
    );
}

#[test]
fn places_and_statements_are_aligned() {
    let text = "k = 1\n\n\n\n\n\n\n\n\nk += 2\n";
    let story = first(text).explain("k").expect("a story").to_string();
    let expected = "k = 12
  in \n  by t.cfg:10

  1. t.cfg:1   k = 1
               no value → 1

  2. t.cfg:10  k += 2
               1 → 12";
    assert_eq!(story, expected);
}

#[test]
fn what_had_no_effect_says_why() {
    check_effects("k = 1\nk ~= 2\n", "k", &[(1, Effect::Set), (2, Effect::HasValue)]);
    check_effects("k ~= 1\n", "k", &[(1, Effect::Set)]);
    check_effects("del k\nk = 1\n", "k", &[(1, Effect::NoKey), (2, Effect::Set)]);
    check_effects("k.* ?= 2\nk = 1\n", "k", &[(1, Effect::NoKey), (2, Effect::Set)]);
    check_effects("k ?= 2\nk = 1\n", "k", &[(1, Effect::NoKey), (2, Effect::Set)]);
}

#[test]
fn what_there_is_no_room_for_is_told() {
    let text = format!("k = {}\n{}", "x".repeat(1 << 16), "k = ${k}${k}\n".repeat(20));
    let explain = first(&text).explain("k").expect("a story");
    let refused = steps(&explain).filter(|step| step.effect == Effect::NoRoom).count();
    assert!((1..20).contains(&refused), "{refused}");
    assert_eq!(explain.value.as_deref(), first(&text).get("k"));
    assert!(steps(&explain).all(|step| step.effect.took() || step.before == step.after));
}

#[test]
fn a_key_that_was_taken_away_has_a_story() {
    check(
        "k = 1\ndel k   # why not\n",
        "k",
        "1. t.cfg:1  k = 1
            no value → 1
         2. t.cfg:2  del k
            1 → no value",
    );
    check_effects(
        "k = 1\ndel k\nk += 2\n",
        "k",
        &[(1, Effect::Set), (2, Effect::Delete), (3, Effect::Append)],
    );
}

#[test]
fn regular_expressions_are_told_where_they_match() {
    let text = "key = 1\nkernel = 2\nk.y ?= 3\nke.* ?+= 4\nk.* ?<= 5\nx.* ?= 6\n";
    let after = [(1, Effect::Set), (3, Effect::Set), (4, Effect::Append), (5, Effect::Prepend)];
    check_effects(text, "key", &after);
    check_effects(text, "kernel", &[(2, Effect::Set), (4, Effect::Append), (5, Effect::Prepend)]);
}

#[test]
fn substitutions_tell_what_and_whence() {
    check(
        "a = 1\nb = 2\nc = ${a}-${b}\nc += ${c} ${nix} ${a}\n",
        "c",
        "1. t.cfg:3  c = ${a}-${b}
            ${a} is 1 (t.cfg:1)
            ${b} is 2 (t.cfg:2)
            no value → 1-2
         2. t.cfg:4  c += ${c} ${nix} ${a}
            ${c} is 1-2 (t.cfg:3)
            ${nix} has no value: it stays as written
            1-2 → 1-21-2 ${nix} ${a}",
    );
    check(
        "variants:\n  - v:\n    k = ${shortname}\n",
        "k",
        "1. t.cfg:3  k = ${shortname}
            in variant v (t.cfg:2)
            ${shortname} is v
            no value → v",
    );
}

#[test]
fn a_substitution_that_had_no_effect_is_not_told_of_another_statement() {
    check("a = 1\nb = ${a}\nc = 3\n", "c", "1. t.cfg:3  c = 3\nno value → 3");
}

#[test]
fn conditions_are_told_whether_they_hold() {
    check(
        "variants:
  - a:
  - b:
k = 0
a:
    k = 1
!a: k = 2
b:
    k = 3
    !a: k = 4
a: !b: k = 5
",
        "k",
        "1. t.cfg:4   k = 0
            no value → 0
         2. t.cfg:6   k = 1
            under a: which holds (t.cfg:5)
            0 → 1
         3. t.cfg:7   k = 2
            under !a: which does not hold (t.cfg:7)
            not applied
         4. t.cfg:9   k = 3
            under b: which does not hold (t.cfg:8)
            not applied
         5. t.cfg:10  k = 4
            under b: which does not hold (t.cfg:8)
            under !a: (t.cfg:10)
            not applied
         6. t.cfg:11  k = 5
            under a: which holds (t.cfg:11)
            under !b: which holds (t.cfg:11)
            1 → 5",
    );
}

#[test]
fn variants_are_told_with_the_blocks_around_them() {
    check(
        "variants os:
    - linux:
        k = 1
        variants:
            - old.very:
                k = 2
                x: k = 3
            - new:
                k = 4
        k += 5
    - bsd:
        k = 6
variants:
    - x:
        k += 7
",
        "k",
        "1. t.cfg:3   k = 1
            in variant (os=linux) (t.cfg:2)
            no value → 1
         2. t.cfg:6   k = 2
            in variant (os=linux) (t.cfg:2), old.very (t.cfg:5)
            1 → 2
         3. t.cfg:7   k = 3
            in variant (os=linux) (t.cfg:2), old.very (t.cfg:5)
            under x: which holds (t.cfg:7)
            2 → 3
         4. t.cfg:10  k += 5
            in variant (os=linux) (t.cfg:2)
            3 → 35
         5. t.cfg:15  k += 7
            in variant x (t.cfg:14)
            35 → 357
         2 more statements for it in other variants' blocks:
            t.cfg:9   k = 4  in (os=linux) new
            t.cfg:12  k = 6  in (os=bsd)",
    );
}

#[test]
fn the_key_of_a_block_comes_from_the_line_of_the_variant() {
    check(
        "variants os:\n  - f:\n  - g: f\n",
        "os",
        "1. t.cfg:2  - f:
            in variant (os=f) (t.cfg:2)
            no value → f
         1 more statement for it in other variants' blocks:
            t.cfg:3  - g: f  in (os=g)",
    );
}

#[test]
fn a_key_of_other_variants_only_has_a_story() {
    check(
        "variants:\n  - a:\n  - b:\n    k = 1\n    c: k = 2\n",
        "k",
        "2 statements for it in other variants' blocks:
            t.cfg:4  k = 1  in b
            t.cfg:5  k = 2  in b c:",
    );
}

#[test]
fn only_the_nearest_of_many_others_are_shown() {
    let mut text = "variants:\n  - a:\n".to_owned();
    for number in 0..20 {
        let _ = write!(text, "  - v{number}:\n    k = {number}\n");
    }
    let explain = first(&text).explain("k").expect("a story");
    assert_eq!(explain.elsewhere.len(), 20);
    let shown = explain.to_string();
    assert!(shown.contains("\n20 statements for it in other variants' blocks, the nearest"));
    assert_eq!(shown.matches("k = ").count(), 3, "{shown}");
}

#[test]
fn a_key_that_nobody_sets_has_no_story() {
    let check = |text: &str, key: &str| assert_eq!(first(text).explain(key), None, "{text} {key}");
    check("k = 1\n", "x");
    check("k = 1\n", "");
    check("k = 1\n", "k\n");
    check("k = ${x}\n", "x");
    check("k = 1\n.* ?= 2\n", "x");
    check("k = x\n.* ?= 2\n", "_name_map");
}

#[test]
fn bounds_tell_whether_they_bound() {
    check(
        "mem = 100\nmem_max = 5${x}\nx = 0\nmem_max = 5${x}\nmem_min = 20\n",
        "mem",
        "1. t.cfg:1  mem = 100
            no value → 100
         2. t.cfg:4  mem_max = 5${x}
            bound by mem_max: 100 → 50
         3. t.cfg:5  mem_min = 20
            no effect: 50 is not bound by mem_min = 20",
    );
    let set = |limit: &str| Effect::Bound { limit: limit.to_owned() };
    check_effects("mem_fixed = 7\n", "mem", &[(1, set("mem_fixed"))]);
    check_effects("mem = 1\nmem_fixed = 7\n", "mem", &[(1, Effect::Set), (2, set("mem_fixed"))]);
    let within = Effect::WithinBound { limit: "mem_max".to_owned(), value: "x".to_owned() };
    check_effects("mem = 1\nmem_max = x\n", "mem", &[(1, Effect::Set), (2, within)]);
    check_effects(
        "variants:\n  - a:\nmem = 9\n!a: mem_max = 7\na: mem_max = 8\n",
        "mem",
        &[(3, Effect::Set), (4, Effect::Condition), (5, set("mem_max"))],
    );
}

#[test]
fn includes_are_told() {
    let mut parser = Parser::new();
    let mut include = |path: &str, _from: &str| match path {
        "a.cfg" => Ok(Source::new(path, "variants:\n  - x:\n    include b.cfg\n")),
        "b.cfg" => Ok(Source::new(path, "x:\n  k = 1\n")),
        _ => Err("no such file".to_owned()),
    };
    parser.parse(Source::new("t.cfg", "include a.cfg\n"), &mut include);
    let variant = parser.finish().0.variants().next().expect("a variant");
    let explain = variant.explain("k").expect("a story");
    is_consistent(&explain, &variant);
    let step = steps(&explain).next().expect("a step");
    let kinds: Vec<_> = step
        .context
        .iter()
        .map(|context| match context {
            Context::Variant { labels, place } => format!("{place} - {labels}"),
            Context::Condition { filter, place, .. } => format!("{place} {filter}:"),
            Context::Include { path, place } => format!("{place} include {path}"),
        })
        .collect();
    let expected = ["t.cfg:1 include a.cfg", "a.cfg:2 - x", "a.cfg:3 include b.cfg", "b.cfg:1 x:"];
    assert_eq!(kinds, expected);
    let rendered = explain.to_string();
    assert!(rendered.ends_with("\n\nt.cfg:1 includes a.cfg\na.cfg:3 includes b.cfg"), "{rendered}");
}

#[test]
fn statements_from_the_command_line_have_a_place_too() {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", "k = 1\n"), &mut NoInclude);
    parser.statement("k = 2");
    let variant = parser.finish().0.variants().next().expect("a variant");
    let places: Vec<_> =
        steps(&variant.explain("k").expect("a story")).map(|s| s.place.to_string()).collect();
    assert_eq!(places, ["t.cfg:1", "<command line>:1"]);
}

#[test]
fn long_stories_are_told_to_the_end() {
    let many = |line: &dyn Fn(usize) -> String| (0..20_000).map(line).collect::<String>();
    let check = |text: String, key: &str, steps: usize| {
        let explain = first(&text).explain(key).expect("a story");
        assert_eq!(explain.stories[0].steps.len(), steps);
        assert!(explain.to_string().len() > steps);
    };
    check(many(&|number| format!("other{number} = 1\nk = x\n")), "k", 20_000);
    check(many(&|_| "k = x\ndel k\n".to_owned()), "k", 40_000);
    check(many(&|number| format!("k_max{number}_max = 1\n")) + "k = 0\n", "k", 20_001);
    let text = many(&|_| format!("k += {}\n", "x".repeat(100)));
    let explain = first(&text).explain("k").expect("a story");
    assert_eq!(explain.value.as_ref().map(String::len), Some(2_000_000));
    assert_eq!((explain.stories[0].steps.len(), explain.from), (20_000, Some(0)));
    let large = format!("variants:\n  - a:\nk = {}\n", "x".repeat(1 << 19));
    let explain = first(&(large + &many(&|_| "b: k = 1\n".to_owned()))).explain("k");
    assert_eq!(explain.expect("a story").stories[0].steps.len(), 20_001);
}
