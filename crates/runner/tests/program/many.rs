//! A run of many tests, and a disk that is full.

use kvmtest::test::Note;
use kvmtest_runner::Outcome;
use kvmtest_runner::event::What;

use crate::program::{Ground, text};

/// What is to stay as it is, however many tests have been run.
#[derive(Debug, Default)]
struct Sample {
    open: Vec<u64>,
    memory: Vec<u64>,
    threads: Vec<u64>,
    time: Vec<u64>,
}

#[test]
fn a_thousand_tests_cost_no_more_each_than_the_first() {
    const TESTS: usize = 1000;
    let ground = Ground::new();
    let iterations = format!("iterations = {TESTS}");
    let output =
        ground.start_with_jobs(4, &["counts", &iterations]).wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let recorded = kvmtest_runner::event::read(&ground.latest().join("events.jsonl"));
    let recorded = recorded.expect("read");
    assert!(recorded.broken.is_empty());
    let mut all = Sample::default();
    for event in &recorded.events {
        match &event.what {
            What::Note { note: Note::KeyValue { key, value }, .. } => {
                let number = value.parse().expect("a number");
                match key.as_str() {
                    "open" => all.open.push(number),
                    "memory" => all.memory.push(number),
                    _ => all.threads.push(number),
                }
            }
            What::TestFinished(finished) => {
                assert_eq!(finished.outcome, Outcome::Pass, "{finished:?}");
                all.time.push(finished.duration_ms);
            }
            _ => {}
        }
    }
    assert_eq!((all.open.len(), all.time.len()), (TESTS, TESTS));
    // What four tests have open at one time differs a little; what leaks is there a thousand times.
    let grows = |figures: &[u64], by: u64| {
        let (first, last) = (&figures[..TESTS / 4], &figures[TESTS / 4 * 3..]);
        let most = |figures: &[u64]| figures.iter().max().copied().expect("some");
        assert!(most(last) <= most(first) + by, "{} {}", most(first), most(last));
    };
    grows(&all.open, 20);
    grows(&all.threads, 10);
    // Each test is remembered for the summary: a few kilobytes, and not one descriptor.
    grows(&all.memory, 16 << 10);
    // Others may have more to do at one time than at another; what grows, grows with each of them.
    let least = |figures: &[u64]| figures.iter().min().copied().expect("some");
    let (first, last) = (least(&all.time[..TESTS / 4]), least(&all.time[TESTS / 4 * 3..]));
    assert!(last <= 3 * first + 20, "{first} ms, then {last} ms");
    assert_eq!(ground.path.join("scratch").read_dir_utf8().expect("listed").count(), 0);
}

/// A small disk, for as long as this lives.
struct Disk(std::path::PathBuf);

impl Disk {
    fn mount(path: &std::path::Path, size: &str) -> Option<Self> {
        std::fs::create_dir(path).expect("made");
        let options = format!("size={size},mode=0700");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "kvmtest-tests"])
            .arg(path)
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then(|| Self(path.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).output();
    }
}

#[expect(clippy::print_stdout, reason = "the test harness shows what a test prints")]
fn skip(why: &str) {
    println!("skipped: {why}");
}

#[test]
fn a_disk_without_room_loses_results_and_says_so_but_not_the_run() {
    let ground = Ground::new();
    let place = ground.path.join("results");
    let Some(_disk) = Disk::mount(place.as_std_path(), "64k") else {
        return skip("a file system can be mounted by root only");
    };
    let output = ground
        .start_with_jobs(2, &["talks", "passes", "iterations = 3"])
        .wait_with_output()
        .expect("it ends");
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{shown}{}", text(&output.stderr));
    assert_eq!(shown.matches("PASS   ").count(), 6, "{shown}");
    assert!(shown.contains("6 tests in") && shown.contains("6 passed"), "{shown}");
    assert_eq!(shown.matches("cannot write events.jsonl").count(), 1, "{shown}");
    let recorded = kvmtest_runner::event::read(&ground.latest().join("events.jsonl"));
    assert!(!recorded.expect("what there was room for").events.is_empty());
}
