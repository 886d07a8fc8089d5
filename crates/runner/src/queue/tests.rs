//! What the queue does, step by step.

use std::sync::Arc;

use super::*;
use crate::child::Program;

/// A test called `name`, which depends on `dep` (several with blanks between), with `params` as
/// `key=value` with blanks between.
fn test(name: &str, dep: &str, params: &str) -> PlannedTest {
    PlannedTest {
        number: 0,
        name: name.to_owned(),
        shortname: name.to_owned(),
        dep: dep.split_whitespace().map(str::to_owned).collect(),
        subtest: "boot".to_owned(),
        iteration: 1,
        program: Ok(Arc::new(Program::new("/bin/true", [""; 0]))),
        makers: Arc::default(),
        params: params.split_whitespace().filter_map(|pair| pair.split_once('=')).collect(),
        urgent: false,
        expected: None,
    }
}

const HOST: Capacity = Capacity { cpus: 4, memory: 4096 };

fn rules(workers: usize) -> Rules {
    Rules { workers, capacity: HOST, retries: 0, repeat_until_fail: 0 }
}

/// A queue that is told what to do in words.
struct Bench {
    queue: Queue,
    at: HashMap<usize, u32>,
}

impl Bench {
    fn new(rules: Rules, tests: &[(&str, &str, &str)]) -> Self {
        let tests = (1..).zip(tests).map(|(number, (name, dep, params))| PlannedTest {
            number,
            urgent: params.contains("urgent"),
            ..test(name, dep, params)
        });
        Self { queue: Queue::new(tests.collect(), rules), at: HashMap::new() }
    }

    /// What the worker gets: `a`, `a#2` for a second try, `skip a: …`, `wait`, `over`.
    fn next(&mut self, worker: usize) -> String {
        match self.queue.next(worker) {
            Next::Run { test, attempt } => {
                self.at.insert(worker, test.number);
                let name = &test.shortname;
                if attempt == 1 { name.clone() } else { format!("{name}#{attempt}") }
            }
            Next::Skip { test, reason } => format!("skip {}: {reason}", test.shortname),
            Next::Clear { workers } => format!("clear {workers:?}"),
            Next::Wait => "wait".to_owned(),
            Next::Over => "over".to_owned(),
        }
    }

    #[track_caller]
    fn gets(&mut self, worker: usize, expect: &str) -> &mut Self {
        assert_eq!(self.next(worker), expect);
        self
    }

    #[track_caller]
    fn ends(&mut self, worker: usize, outcome: Outcome, expect: Ended) -> &mut Self {
        let number = self.at.remove(&worker).expect("the worker is at a test");
        assert_eq!(self.queue.finished(number, outcome), expect);
        self
    }

    fn clears(&mut self, worker: usize) -> &mut Self {
        self.queue.cleared(worker);
        self
    }

    #[track_caller]
    fn passes(&mut self, worker: usize) -> &mut Self {
        self.ends(worker, Outcome::Pass, STEADY)
    }

    /// Runs everything with one worker; tests in `failing` fail.
    #[track_caller]
    fn alone(&mut self, failing: &[&str], expect: &[&str]) {
        let mut told = Vec::new();
        loop {
            match self.next(0).as_str() {
                "over" => break,
                "wait" => panic!("waits with nothing running after {told:?}"),
                next => {
                    told.push(next.to_owned());
                    if !next.starts_with("skip") {
                        let fails = failing.contains(&next);
                        let outcome = if fails { Outcome::Fail } else { Outcome::Pass };
                        self.ends(0, outcome, STEADY);
                    }
                }
            }
        }
        assert_eq!(told, expect);
        assert_eq!(self.queue.not_run(), 0);
    }
}

const STEADY: Ended = Ended::Final { flaky: false };
const FLAKY: Ended = Ended::Final { flaky: true };

#[test]
fn one_worker_keeps_the_order() {
    let tests = [
        ("a", "", "vms=x smp=99"),
        ("b", "", "alone=yes"),
        ("c", "", "vms=y"),
        ("d", "", "vms=x smp=99"),
    ];
    Bench::new(rules(1), &tests).alone(&[], &["a", "b", "c", "d"]);
    Bench::new(rules(1), &[]).gets(0, "over");
}

#[test]
fn a_dependency_comes_first_wherever_it_stands() {
    let tests = [("x.boot", "x.install", ""), ("y.boot", "y.install", ""), ("x.install", "", "")];
    Bench::new(rules(1), &tests).alone(&[], &["y.boot", "x.install", "x.boot"]);
}

#[test]
fn a_dependency_is_matched_by_whole_labels_that_follow_each_other() {
    #[track_caller]
    fn check(dep: &str, other: &str, waits: bool) {
        let tests = [("one", dep, ""), (other, "", "")];
        let expect = if waits { [other, "one"] } else { ["one", other] };
        Bench::new(rules(1), &tests).alone(&[], &expect);
    }
    check("boot", "boot", true);
    check("boot", "a.boot", true);
    check("boot", "boot.b", true);
    check("a.boot", "x.a.boot.b", true);
    check("boot", "boot_savevm", false);
    check("boot", "reboot", false);
    check("a.boot", "a.x.boot", false);
    check("a.boot", "boot.a", false);
    check("a.boot", "aa.boot", false);
    check("a.boot", "a.boots", false);
    check("missing", "a", false);
    check("a.b.c", "a.b", false);
    check("(os=f).boot", "(os=f).(tests=boot)", true);
    check("(os=f).boot", "(os=u).boot", false);
    check("(os=f).boot", "f.boot", false);
}

#[test]
fn a_test_does_not_depend_on_itself() {
    let tests = [("boot.again", "boot", ""), ("boot", "", "")];
    Bench::new(rules(1), &tests).alone(&[], &["boot", "boot.again"]);
    Bench::new(rules(1), &[("boot", "boot", "")]).alone(&[], &["boot"]);
}

#[test]
fn what_depends_on_a_failure_is_skipped_with_the_reason() {
    let tests = [("a", "", ""), ("b", "a", ""), ("c", "b", ""), ("d", "", ""), ("e", "d a", "")];
    let because = "its dependency `a` ended as FAIL";
    Bench::new(rules(1), &tests).alone(
        &["a"],
        &[
            "a",
            &format!("skip b: {because}"),
            &format!("skip c: its dependency `b` was skipped: {because}"),
            &format!("skip e: {because}"),
            "d",
        ],
    );
}

#[test]
fn only_pass_and_warn_satisfy() {
    for outcome in Outcome::ALL {
        let mut bench = Bench::new(rules(1), &[("a", "", ""), ("b", "a", "")]);
        bench.gets(0, "a").ends(0, outcome, STEADY);
        let skipped = format!("skip b: its dependency `a` ended as {outcome}");
        bench.gets(0, if outcome.is_pass() { "b" } else { &skipped });
    }
}

#[test]
fn every_repetition_of_a_dependency_counts() {
    let tests = [("a", "", ""), ("a", "", ""), ("b", "a", "")];
    let mut bench = Bench::new(rules(2), &tests);
    bench.gets(0, "a").gets(1, "a").passes(0);
    bench.gets(0, "wait").ends(1, Outcome::Error, STEADY);
    bench.gets(0, "skip b: its dependency `a` ended as ERROR").gets(0, "over");
}

#[test]
fn a_dependant_waits_while_its_dependency_runs() {
    let mut bench = Bench::new(rules(2), &[("a", "", ""), ("b", "a", ""), ("c", "", "")]);
    bench.gets(0, "a").gets(1, "c").passes(1).gets(1, "wait").passes(0).gets(0, "b");
    bench.gets(1, "over").passes(0).gets(0, "over");
}

#[test]
fn a_circle_is_skipped_and_stops_nothing() {
    let tests = [("a", "b", ""), ("b", "a", ""), ("c", "a", ""), ("d", "", "")];
    let mut bench = Bench::new(rules(1), &tests);
    for name in ["a", "b", "c"] {
        assert!(bench.next(0).starts_with(&format!("skip {name}: its dependenc")));
    }
    bench.gets(0, "d").passes(0).gets(0, "over");
}

#[test]
fn a_circle_is_found_without_what_leads_to_it() {
    let check = |deps: &[(&str, &str)], expect: Option<&[&str]>| {
        let tests: Vec<_> = deps.iter().map(|(name, dep)| test(name, dep, "")).collect();
        let graph = Graph::of(&tests);
        let circle = graph.circle();
        let names = circle.map(|nodes| {
            nodes.iter().map(|node| deps[graph.nodes[*node].tests[0]].0).collect::<Vec<_>>()
        });
        assert_eq!(names.as_deref(), expect, "{deps:?}");
    };
    check(&[("a", ""), ("b", "a"), ("c", "a b")], None);
    check(&[("a", "b"), ("b", "a")], Some(&["a", "b"]));
    check(&[("x", "a"), ("a", "y b"), ("b", "c"), ("c", "a"), ("y", "")], Some(&["a", "b", "c"]));
}

#[test]
fn what_fails_is_tried_again_as_often_as_it_may_be() {
    let mut bench = Bench::new(Rules { retries: 2, ..rules(1) }, &[("a", "", ""), ("b", "a", "")]);
    bench.gets(0, "a").ends(0, Outcome::Fail, Ended::Again);
    bench.gets(0, "a#2").ends(0, Outcome::Error, Ended::Again);
    bench.gets(0, "a#3").ends(0, Outcome::Pass, FLAKY);
    bench.gets(0, "b").ends(0, Outcome::Error, Ended::Again);
    bench.gets(0, "b#2").ends(0, Outcome::Fail, Ended::Again);
    bench.gets(0, "b#3").ends(0, Outcome::Fail, STEADY).gets(0, "over");
}

#[test]
fn what_is_no_failure_or_was_interrupted_is_not_tried_again() {
    for outcome in Outcome::ALL {
        let mut bench = Bench::new(Rules { retries: 1, ..rules(1) }, &[("a", "", "")]);
        let again = matches!(outcome, Outcome::Fail | Outcome::Error);
        bench.gets(0, "a").ends(0, outcome, if again { Ended::Again } else { STEADY });
        assert_eq!(bench.queue.not_run(), 0);
    }
}

#[test]
fn what_passes_is_repeated_until_it_fails_or_has_been_often_enough() {
    let rules = Rules { repeat_until_fail: 3, retries: 5, ..rules(1) };
    let mut bench = Bench::new(rules, &[("a", "", ""), ("b", "", ""), ("c", "", "")]);
    bench.gets(0, "a").ends(0, Outcome::Pass, Ended::Again);
    bench.gets(0, "a#2").ends(0, Outcome::Warn, Ended::Again);
    bench.gets(0, "a#3").passes(0);
    bench.gets(0, "b").ends(0, Outcome::Pass, Ended::Again);
    bench.gets(0, "b#2").ends(0, Outcome::Fail, STEADY);
    bench.gets(0, "c").ends(0, Outcome::Interrupted, STEADY).gets(0, "over");
}

#[test]
fn what_runs_at_one_time_fits_the_host() {
    let tests = [
        ("a", "", "vms=x smp=3 mem=1G"),
        ("b", "", "vms=x smp=2 mem=1G"),
        ("c", "", "vms=x mem=1G"),
        ("d", "", "used_mem=2049"),
        ("e", "", "used_mem=2048"),
    ];
    let mut bench = Bench::new(rules(4), &tests);
    bench.gets(0, "a").gets(1, "c").gets(2, "e").gets(3, "wait");
    bench.passes(1).gets(1, "wait").passes(2).gets(1, "d").gets(2, "wait");
    bench.passes(0).gets(0, "b");
}

#[test]
fn what_is_larger_than_the_host_or_says_so_runs_alone() {
    for large in ["used_cpus=5", "used_mem=5000", "alone=yes"] {
        let tests = [("a", "", ""), ("b", "", large), ("c", "", "")];
        let mut bench = Bench::new(rules(2), &tests);
        bench.gets(0, "a").gets(1, "c").passes(1).gets(1, "wait").passes(0);
        bench.gets(1, "b").gets(0, "over").passes(1).gets(1, "over");
        let mut bench = Bench::new(rules(2), &tests[1..]);
        bench.gets(0, "b").gets(1, "wait").passes(0).gets(1, "c");
    }
}

#[test]
fn tests_stay_with_their_machine_as_long_as_there_is_something_else_for_the_others() {
    let tests = [
        ("a1", "", "kill_vm=no vms=x mem=1"),
        ("b1", "", "kill_vm=no vms=x mem=2"),
        ("a2", "", "kill_vm=no vms=x mem=1"),
        ("b2", "", "kill_vm=no vms=x mem=2"),
        ("a3", "", "kill_vm=no vms=x mem=1"),
        ("a4", "", "kill_vm=no vms=x mem=1"),
    ];
    let mut bench = Bench::new(rules(2), &tests);
    bench.gets(0, "a1").gets(1, "b1").passes(1).gets(1, "b2").passes(0).gets(0, "a2");
    bench.passes(1).gets(1, "a3").passes(0).gets(0, "a4").gets(1, "wait");
}

#[test]
fn tests_stay_with_their_dependency_as_long_as_there_is_something_else_for_the_others() {
    let tests = [("a", "", ""), ("a1", "a", ""), ("b", "", ""), ("c", "", ""), ("a2", "a", "")];
    let mut bench = Bench::new(rules(2), &tests);
    bench.gets(0, "a").gets(1, "b").passes(0).passes(1);
    bench.gets(1, "c").gets(0, "a1").passes(1).gets(1, "a2");
}

#[test]
fn what_needs_an_image_stays_with_the_worker_that_made_it() {
    for makes in ["create_image=yes", "vms=v images_v=i force_create_image_i=yes"] {
        let tests = [("a", "", makes), ("b", "a", ""), ("c", "a", ""), ("d", "", "")];
        let mut bench = Bench::new(rules(3), &tests);
        bench.gets(0, "a").gets(1, "d").gets(2, "over").passes(0).passes(1);
        bench.gets(1, "over").gets(0, "b").passes(0).gets(0, "c");
        bench.passes(0).gets(0, "over");
    }
}

#[test]
fn what_is_urgent_comes_first() {
    let tests = [
        ("a", "", "vms=x"),
        ("b", "", "vms=x"),
        ("c", "", "vms=y urgent=1"),
        ("d", "b", "urgent=1"),
    ];
    let mut bench = Bench::new(rules(2), &tests);
    bench.gets(0, "c").gets(1, "a").passes(0).gets(0, "b").passes(0).gets(0, "d");
}

#[test]
fn odd_questions_have_harmless_answers() {
    let mut bench = Bench::new(rules(2), &[("a", "", ""), ("b", "", "")]);
    assert_eq!(bench.queue.finished(1, Outcome::Pass), STEADY);
    assert_eq!(bench.queue.finished(77, Outcome::Fail), STEADY);
    bench.gets(0, "a").gets(0, "wait").gets(9, "b").passes(9).passes(0);
    assert_eq!(bench.queue.finished(1, Outcome::Fail), STEADY);
    bench.gets(0, "over").gets(9, "over").gets(0, "over");
}

#[test]
fn what_was_never_handed_out_is_counted() {
    let mut bench = Bench::new(rules(1), &[("a", "", ""), ("b", "a", ""), ("c", "", "")]);
    assert_eq!(bench.queue.not_run(), 3);
    bench.gets(0, "a").ends(0, Outcome::Fail, STEADY);
    assert_eq!(bench.queue.not_run(), 2);
    assert!(bench.next(0).starts_with("skip b"));
    assert_eq!(bench.queue.not_run(), 1);
}

#[test]
fn idle_machines_count_and_go_where_they_stand_in_the_way() {
    let tests = [
        ("a", "", "vms=x mem=3G kill_vm=no"),
        ("b", "", "used_mem=1000"),
        ("c", "b", "used_mem=2000"),
        ("d", "b", "used_mem=100"),
    ];
    let mut bench = Bench::new(rules(3), &tests);
    bench.gets(0, "a").gets(1, "b").passes(0).gets(0, "wait").passes(1);
    bench.gets(1, "clear [0]").gets(1, "wait").gets(0, "wait").gets(2, "wait");
    bench.clears(0).gets(1, "c").gets(0, "d");
}

#[test]
fn a_worker_makes_room_for_its_own_test_itself() {
    let tests = [
        ("a", "", "vms=x mem=3G kill_vm=no"),
        ("b", "a", "vms=y mem=3G kill_vm=no"),
        ("c", "b", "vms=z mem=3G"),
    ];
    let mut bench = Bench::new(rules(2), &tests);
    bench.gets(0, "a").passes(0).gets(0, "b").passes(0).gets(0, "c").gets(1, "over");
}

#[test]
fn a_test_that_is_larger_than_the_host_has_all_of_it() {
    let tests = [("a", "", "vms=x mem=1 kill_vm=no"), ("b", "a", "vms=y mem=9G")];
    let mut bench = Bench::new(rules(2), &tests);
    bench.gets(0, "a").passes(0).gets(1, "clear [0]").clears(0).gets(1, "b");
}

#[test]
fn machines_that_nobody_wants_go_first() {
    let tests = [
        ("a", "", "vms=x mem=1500 kill_vm=no"),
        ("b", "", "vms=x mem=1400 kill_vm=no"),
        ("big", "a b", "used_mem=2000"),
        ("a2", "big", "vms=x mem=1500 kill_vm=no"),
    ];
    let mut bench = Bench::new(rules(3), &tests);
    bench.gets(0, "a").gets(1, "b").passes(0).passes(1);
    bench.gets(2, "clear [1]").clears(1).gets(2, "big").passes(2).gets(1, "a2");
}

#[test]
fn machines_that_do_not_live_on_take_nothing() {
    for life in ["", "kill_vm=yes", "kill_vm_x=yes kill_vm=no", "kill_vm_y=no"] {
        let params = format!("vms=x mem=3G {life}");
        let tests = [("a", "", params.as_str()), ("b", "a", "used_mem=4000")];
        Bench::new(rules(2), &tests).gets(0, "a").passes(0).gets(1, "b");
    }
    for life in ["kill_vm=no", "kill_vm_x=no", "kill_vm_on_error=no", "kill_vm_x_on_error=no"] {
        let params = format!("vms=x mem=3G {life}");
        let tests = [("a", "", params.as_str()), ("b", "a", "used_mem=4000")];
        Bench::new(rules(2), &tests).gets(0, "a").passes(0).gets(1, "clear [0]");
    }
}
