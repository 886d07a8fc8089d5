//! From what was asked for to the tests of a run, in their order.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use kvmtest_runner::Outcome;
use kvmtest_runner::event::{self, Event, Host, RunStarted, TestFinished, TestStarted, What};
use kvmtest_runner::history::{History, Recorder};
use kvmtest_runner::plan::{
    Arranged, Arrangement, Choice, Refusal, Rerun, Sequence, Shard, Wanted, arrange, facts,
};

use crate::matrix::{Matrix, SHIPPED, known};

const CONFIG: &str = "\
type = boot
variants:
    - boot: install
    - install:
    - reboot: boot
    - other:
    - left: install
        skip = yes
variants:
    - small:
    - wide:
";

/// A place with results of earlier runs.
struct Bench {
    _dir: tempfile::TempDir,
    results: Utf8PathBuf,
    config: &'static str,
}

fn bench(config: &'static str) -> Bench {
    let dir = tempfile::tempdir().expect("a directory");
    let results = Utf8PathBuf::from_path_buf(dir.path().into()).expect("UTF-8");
    Bench { _dir: dir, results, config }
}

impl Bench {
    /// A run before this one: `name outcome milliseconds`; `-` for a test that did not end, `waits`
    /// for one that never began.
    fn ran(&self, name: &str, tests: &[&str]) -> Utf8PathBuf {
        let folder = self.results.join(name);
        std::fs::create_dir(&folder).expect("made");
        let mut events = vec![What::RunStarted(RunStarted {
            sources: Vec::new(),
            version: event::VERSION,
            program: String::new(),
            host: Host::default(),
            argv: Vec::new(),
            results: folder.clone(),
            planned: tests.len(),
            set: None,
            perturb: None,
            left_out: Vec::new(),
        })];
        let names = tests.iter().map(|test| test.split_whitespace().next().expect("a name"));
        events.push(What::Planned { tests: names.map(str::to_owned).collect() });
        for (number, test) in (1..).zip(tests) {
            if !test.ends_with(" waits") {
                events.extend(ended(number, test));
            }
        }
        let mut recorder = Recorder::default();
        let mut lines = String::new();
        for what in events {
            let event = Event { at: Timestamp::now(), ms: 0, what };
            recorder.note(&event);
            lines.push_str(&serde_json::to_string(&event).expect("serialises"));
            lines.push('\n');
        }
        std::fs::write(folder.join("events.jsonl"), lines).expect("written");
        let latest = self.results.join("latest");
        let _ = std::fs::remove_file(&latest);
        std::os::unix::fs::symlink(&folder, latest).expect("linked");
        if let Some(run) = recorder.run() {
            History::beside(&self.results).add(&run).expect("added");
        }
        folder
    }

    fn arrange(&self, what: &[&str], arrangement: &Arrangement) -> Result<Arranged, Refusal> {
        let wanted = Wanted::parse(what).expect("understood");
        let choice = Choice { wanted, ..Choice::default() };
        let shipped = Matrix(vec![("tests.cfg", self.config)]);
        arrange(&choice, arrangement, &self.results, &shipped, &known(SHIPPED))
    }

    #[track_caller]
    fn check(&self, what: &[&str], arrangement: &Arrangement, expect: &[&str]) -> Arranged {
        let arranged = self.arrange(what, arrangement);
        let arranged = arranged.unwrap_or_else(|refusal| panic!("{}", refusal.render(false)));
        assert_eq!(names(&arranged), expect);
        arranged
    }

    #[track_caller]
    fn refused(&self, what: &[&str], arrangement: &Arrangement, code: u8, part: &str) {
        let refusal = self.arrange(what, arrangement).expect_err(part);
        let text = refusal.render(false);
        assert!(text.contains(part), "`{text}` lacks `{part}`");
        assert_eq!(refusal.exit_code(), code, "{text}");
    }
}

fn ended(number: u32, test: &str) -> Vec<What> {
    let mut words = test.split_whitespace();
    let name = words.next().expect("a name").to_owned();
    let mut events = vec![What::TestStarted(TestStarted {
        test: number,
        shortname: name.clone(),
        name,
        subtest: "boot".to_owned(),
        iteration: 1,
        attempt: 1,
        worker: 1,
        directory: String::new(),
    })];
    let word = words.next().expect("an outcome");
    if let Some(outcome) = Outcome::ALL.into_iter().find(|outcome| outcome.word() == word) {
        let duration_ms = words.next().map_or(1, |word| word.parse().expect("a number"));
        let finished = serde_json::json!(
            { "test": number, "outcome": outcome, "duration_ms": duration_ms }
        );
        let finished: TestFinished = serde_json::from_value(finished).expect("an event");
        events.push(What::TestFinished(finished));
    }
    events
}

fn names(arranged: &Arranged) -> Vec<&str> {
    arranged.plan.tests.iter().map(|test| test.shortname.as_str()).collect()
}

fn usual() -> Arrangement {
    Arrangement::default()
}

#[test]
fn dependencies_come_first_and_numbers_are_those_of_the_configuration() {
    let bench = bench(CONFIG);
    let arranged = bench.check(
        &["small"],
        &usual(),
        &["small.install", "small.boot", "small.reboot", "small.other"],
    );
    let numbers: Vec<u32> = arranged.plan.tests.iter().map(|test| test.number).collect();
    assert_eq!(numbers, [2, 1, 3, 4]);
    assert_eq!(arranged.plan.left_out, ["small.left"]);
    assert_eq!(arranged.remarks, [""; 0]);
}

#[test]
fn facts_are_told_without_a_worker() {
    let bench = bench("type = boot\nvms = a\nsmp = 2\nvariants:\n - x:\n - y: x\n   alone = yes\n");
    let arranged = bench.check(&[], &usual(), &["x", "y"]);
    let facts = facts(&arranged.plan.tests);
    assert_eq!((facts[0].used.cpus, facts[0].used.memory, facts[0].alone), (2, 512, false));
    assert_eq!((facts[1].after.as_slice(), facts[1].alone), (&["x".to_owned()][..], true));
}

#[test]
fn what_is_depended_on_is_added_where_it_is_asked_for() {
    let bench = bench(CONFIG);
    bench.check(&["small.reboot"], &usual(), &["small.reboot"]);
    let with_deps = Arrangement { with_deps: true, ..usual() };
    let all = ["small.install", "small.boot", "small.reboot"];
    bench.check(&["small.reboot"], &with_deps, &all);
    bench.check(&["small.reboot", "small.install"], &with_deps, &all);
    bench.check(&["small.other"], &with_deps, &["small.other"]);
    // A test that says `skip = yes` is left out also here.
    bench.check(&["small.left", "small.other"], &with_deps, &["small.other"]);
}

#[test]
fn what_is_depended_on_is_of_the_same_set() {
    let bench = bench(
        "type = boot\nvariants:\n - a:\n - b: a\nvariants set:\n - @quick:\n - @full:\nsets = quick \
         full\n",
    );
    let with_deps = Arrangement { with_deps: true, ..usual() };
    let arranged = bench.check(&["b"], &with_deps, &["a", "b"]);
    assert!(arranged.plan.tests.iter().all(|test| test.name.contains("(set=quick)")));
}

#[test]
fn a_circle_is_an_error_that_names_it() {
    let bench = bench("type = boot\nvariants:\n - a: b\n - b: c\n - c: a\n - d: a\n");
    bench.refused(&[], &usual(), 3, "in a circle: `a` needs `b` needs `c` needs `a`");
    bench.check(&["a", "b", "d"], &usual(), &["b", "a", "d"]);
}

#[test]
fn a_seed_brings_an_order_back_and_is_told() {
    let bench = bench(CONFIG);
    let shuffled =
        |seed| Arrangement { sequence: Some(Sequence::Shuffled(seed)), ..Arrangement::default() };
    let one = bench.arrange(&[], &shuffled(7)).expect("arranged");
    let orders: std::collections::HashSet<Vec<String>> = (0..20)
        .map(|seed| bench.arrange(&[], &shuffled(seed)).expect("arranged"))
        .map(|arranged| names(&arranged).into_iter().map(str::to_owned).collect())
        .collect();
    assert!(orders.len() > 10);
    let again = bench.arrange(&[], &shuffled(7)).expect("arranged").for_workers(4);
    assert_eq!(names(&one), names(&again));
    assert!(one.remarks[0].contains("--shuffle=7"), "{:?}", one.remarks);
}

#[test]
fn several_workers_begin_with_the_slowest() {
    let bench = bench(CONFIG);
    let tests = [
        "small.other PASS 900",
        "small.boot PASS 100",
        "small.install PASS 50",
        "wide.other PASS 500",
    ];
    bench.ran("one", &tests);
    let arranged = bench.arrange(&["other", "small.boot"], &usual()).expect("arranged");
    assert_eq!(names(&arranged), ["small.boot", "small.other", "wide.other"]);
    let arranged = arranged.for_workers(2);
    assert_eq!(names(&arranged), ["small.other", "wide.other", "small.boot"]);
    let arranged = arranged.for_workers(1);
    assert_eq!(names(&arranged), ["small.boot", "small.other", "wide.other"]);
    let kept = Arrangement { sequence: Some(Sequence::Configuration), ..usual() };
    let arranged = bench.arrange(&["other", "small.boot"], &kept).expect("arranged");
    assert_eq!(names(&arranged.for_workers(2)), ["small.boot", "small.other", "wide.other"]);
}

#[test]
fn what_failed_comes_first() {
    let bench = bench(CONFIG);
    bench.ran("one", &["small.reboot FAIL", "small.other FAIL"]);
    bench.ran("two", &["small.other PASS"]);
    let first = Arrangement { failed_first: true, ..usual() };
    let order = ["small.install", "small.boot", "small.reboot", "small.other"];
    let arranged = bench.check(&["small"], &first, &order);
    assert!(arranged.plan.tests[..3].iter().all(|test| test.urgent));
    assert!(!arranged.plan.tests[3].urgent);
}

#[test]
fn a_history_that_cannot_be_read_keeps_nothing_from_running() {
    let bench = bench(CONFIG);
    std::fs::write(bench.results.join("history.sqlite"), "x".repeat(5000)).expect("written");
    let first = Arrangement { failed_first: true, ..usual() };
    let arranged = bench.check(&["small.other"], &first, &["small.other"]);
    assert_eq!(arranged.remarks.len(), 2);
    assert!(arranged.remarks[0].contains("--rebuild"), "{:?}", arranged.remarks);
}

#[test]
fn what_failed_can_be_run_again() {
    let bench = bench(CONFIG);
    let one = bench.ran("one", &["small.other PASS", "wide.other ERROR"]);
    bench.ran(
        "two",
        &["small.boot FAIL", "small.install PASS", "wide.boot INTERRUPTED", "wide.reboot -"],
    );
    let last = Arrangement { rerun: Some(Rerun::Last), ..usual() };
    let of = |path: &Utf8Path| Arrangement { rerun: Some(Rerun::Of(path.into())), ..usual() };
    let arranged = bench.check(&[], &last, &["small.boot", "wide.boot", "wide.reboot"]);
    assert!(arranged.remarks[0].starts_with("again: 3 of 3 tests"), "{:?}", arranged.remarks);
    let arranged = bench.check(&["small"], &last, &["small.boot"]);
    assert!(arranged.remarks[0].contains("1 of 3") && arranged.remarks[0].contains("2 are not"));
    bench.check(&[], &of(&one), &["wide.other"]);
    bench.check(&[], &of(&one.join("events.jsonl")), &["wide.other"]);
    bench.check(&[], &of(&bench.results), &["small.boot", "wide.boot", "wide.reboot"]);
    bench.refused(&["small"], &of(&one), 4, "`wide.other`");
    bench.ran("three", &["small.boot PASS"]);
    bench.refused(&[], &last, 4, "nothing failed in the run of");
    bench.refused(&[], &of("/nowhere".into()), 3, "there are no results in /nowhere");
}

#[test]
fn a_run_without_events_is_none_to_run_again() {
    for events in ["", "\n\n", "nonsense\n{\"what\":1}\n", "\0\u{fffd}"] {
        let bench = bench(CONFIG);
        let one = bench.ran("one", &["small.boot FAIL"]);
        std::fs::write(one.join("events.jsonl"), events).expect("written");
        for rerun in [Rerun::Last, Rerun::Of(one)] {
            let again = Arrangement { rerun: Some(rerun), ..usual() };
            bench.refused(
                &[],
                &again,
                3,
                "events.jsonl: it has no events: it is no record of a run",
            );
        }
    }
}

#[test]
fn what_a_stopped_run_never_started_is_run_again() {
    let bench = bench(CONFIG);
    bench.ran(
        "one",
        &["small.boot PASS", "small.other FAIL", "wide.boot waits", "wide.other waits"],
    );
    let last = Arrangement { rerun: Some(Rerun::Last), ..usual() };
    let arranged = bench.check(&[], &last, &["small.other", "wide.boot", "wide.other"]);
    let remark = &arranged.remarks[0];
    assert!(remark.starts_with("again: 3 of 3 tests that failed or never started in"), "{remark}");
    bench.check(&["wide"], &last, &["wide.boot", "wide.other"]);
    // A repetition that was not reached is one test to run again.
    bench.ran("two", &["small.boot PASS", "small.boot waits", "small.boot waits"]);
    bench.check(&[], &last, &["small.boot"]);
    bench.ran("three", &["small.boot PASS", "small.other PASS"]);
    bench.refused(&[], &last, 4, "nothing failed in the run of");
}

#[test]
fn a_word_that_finds_nothing_of_what_failed_is_told() {
    let bench = bench(CONFIG);
    bench.ran("one", &["small.boot FAIL", "small.other PASS"]);
    let last = Arrangement { rerun: Some(Rerun::Last), ..usual() };
    let arranged = bench.check(&["boot", "other"], &last, &["small.boot"]);
    assert!(arranged.remarks.iter().any(|told| told.ends_with("matches `other`")), "{arranged:?}");
    bench.refused(&["boot", "small..wide"], &last, 4, "no variant matches `small..wide`");
}

#[test]
fn the_parts_are_all_and_each_test_is_in_one() {
    let bench = bench(CONFIG);
    let part = |part| Arrangement { shard: Some(Shard { part, of: 3 }), ..usual() };
    let mut all = Vec::new();
    let mut marks = Vec::new();
    for number in 1..=3 {
        let arranged = bench.arrange(&[], &part(number)).expect("arranged");
        all.extend(names(&arranged).into_iter().map(str::to_owned));
        let remark = arranged.remarks[0].clone();
        marks.push(remark.split("division ").nth(1).expect("a mark")[..6].to_owned());
        assert_eq!(arranged.plan.tests.iter().map(|test| test.number).min(), Some(1));
    }
    all.sort();
    let mut expect: Vec<String> = ["small", "wide"]
        .iter()
        .flat_map(|guest| {
            ["boot", "install", "other", "reboot"].map(|test| format!("{guest}.{test}"))
        })
        .collect();
    expect.sort();
    assert_eq!(all, expect);
    assert!(marks.iter().all(|mark| *mark == marks[0]), "{marks:?}");
}

#[test]
fn a_part_without_tests_is_a_success_that_says_so() {
    let bench = bench(CONFIG);
    let part = |part| Arrangement { shard: Some(Shard { part, of: 3 }), ..usual() };
    bench.check(&["small.other"], &part(1), &["small.other"]);
    for number in [2, 3] {
        let arranged = bench.check(&["small.other"], &part(number), &[]);
        let [remark] = arranged.remarks.as_slice() else { panic!("{:?}", arranged.remarks) };
        assert!(
            remark.starts_with(&format!("shard {number}/3: 0 of 1 test, division ")),
            "{remark}"
        );
        assert!(remark.ends_with("nothing is to be run here"), "{remark}");
    }
    // Where nothing is chosen at all, no part is a success.
    bench.refused(&["small..wide"], &part(1), 4, "no variant matches");
    bench.refused(&["left"], &part(1), 4, "`skip = yes`");
}

#[test]
fn names_that_cannot_be_names_are_refused_before_anything_runs() {
    let bench = bench(CONFIG);
    bench.refused(
        &["small.other", "vms = ../x"],
        &usual(),
        3,
        "`../x` is none: `vms = ../x` (<command line>:1)",
    );
    bench.refused(&["small.other", "vms = a a"], &usual(), 3, "`a` is there twice");
    bench.refused(&["small.other", "vms = a", "main_vm = b"], &usual(), 3, "`main_vm = b`");
}

#[test]
fn parts_are_divided_by_the_times_that_are_named_and_by_no_others() {
    let bench = bench("type = boot\nvariants:\n - a:\n - b:\n - c:\n - d:\n");
    let one = bench.ran("one", &["a PASS 1000", "b PASS 1", "c PASS 1", "d PASS 1"]);
    let part = |times: Option<&str>| Arrangement {
        shard: Some(Shard { part: 1, of: 2 }),
        shard_times: times.map(Utf8PathBuf::from),
        ..usual()
    };
    bench.check(&[], &part(None), &["a", "c"]);
    bench.check(&[], &part(Some(one.as_str())), &["a"]);
    bench.check(&[], &part(Some("history")), &["a"]);
    bench.refused(&[], &part(Some("/nowhere")), 3, "not known: there are no results in /nowhere");
}

#[test]
fn each_test_and_each_repetition_is_perturbed_by_draws_of_its_own() {
    let bench = bench(
        "variants:
    - a:
        type = boot
    - b:
        type = boot
        iterations = 2
",
    );
    let streams = |perturb: Option<&str>| -> Vec<String> {
        let perturb = perturb.map(|order| order.parse().expect("an order"));
        let arrangement = Arrangement { perturb, ..Arrangement::default() };
        let arranged = bench.arrange(&[], &arrangement).expect("arranged");
        let tests = arranged.plan.tests.iter();
        let keys = ["perturb_with", "perturb_stream"];
        tests.map(|test| keys.map(|key| test.params.get_or(key, "-")).join(" ")).collect()
    };
    assert_eq!(
        streams(Some("migrate@7")),
        ["migrate@7 a", "migrate@7 b", "migrate@7 b#2"],
        "what a seed brings back may never change"
    );
    assert_eq!(streams(None), ["- -", "- -", "- -"]);
}
