//! What holds whatever the tests are.

use std::sync::Arc;

use kvmtest::Params;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const HOST: Capacity = Capacity { cpus: 4, memory: 4096 };

/// A test as it was drawn.
#[derive(Debug, Clone)]
struct Drawn {
    /// The tests before it that it depends on.
    deps: Vec<Index>,
    cpus: u64,
    memory: u64,
    alone: bool,
    machine: Option<u8>,
    /// How much memory of its machine lives on.
    kept: Option<u64>,
    makes_image: bool,
    urgent: bool,
    repetitions: u32,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (
        prop::collection::vec(any::<Index>(), 0..3),
        0..6_u64,
        prop_oneof![Just(0), 1..5000_u64],
        prop::bool::weighted(0.1),
        prop::option::of(0..3_u8),
        prop::option::of(1..5000_u64),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        1..3_u32,
    )
        .prop_map(
            |(deps, cpus, memory, alone, machine, kept, makes_image, urgent, repetitions)| Drawn {
                deps,
                cpus,
                memory,
                alone,
                machine,
                kept,
                makes_image,
                urgent,
                repetitions,
            },
        )
}

/// The tests, put into another order, so that dependencies stand anywhere.
fn tests(drawn: &[Drawn], places: &[Index]) -> Vec<PlannedTest> {
    let mut tests = Vec::new();
    for (at, drawn) in drawn.iter().enumerate() {
        let dep = drawn.deps.iter().filter(|_| at > 0).map(|dep| format!("t{}", dep.index(at)));
        let flag = |flag: bool| if flag { "yes" } else { "no" };
        let mut params = Params::new();
        params.set("used_cpus", drawn.cpus.to_string());
        params.set("used_mem", drawn.memory.to_string());
        params.set("alone", flag(drawn.alone));
        params.set("create_image", flag(drawn.makes_image));
        if let Some(machine) = drawn.machine {
            params.set("vms", format!("vm{machine}"));
            params.set("kill_vm", flag(drawn.kept.is_none()));
            params.set("mem", drawn.kept.unwrap_or(1).to_string());
        }
        let test = PlannedTest {
            number: 0,
            name: format!("x.t{at}"),
            shortname: format!("t{at}"),
            dep: dep.collect(),
            subtest: "boot".to_owned(),
            iteration: 1,
            program: Err("is not run".to_owned()),
            makers: Arc::default(),
            params,
            urgent: drawn.urgent,
            expected: None,
        };
        for iteration in 1..=drawn.repetitions {
            tests.push(PlannedTest { iteration, ..test.clone() });
        }
    }
    for (at, place) in places.iter().enumerate().take(tests.len()) {
        let other = place.index(tests.len());
        tests.swap(at, other);
    }
    for (number, test) in (1..).zip(&mut tests) {
        test.number = number;
    }
    tests
}

/// What a run did.
#[derive(Default)]
struct Told {
    attempts: HashMap<u32, u32>,
    final_outcome: HashMap<u32, Outcome>,
}

/// A run in which `choices` decide who finishes next, and how.
struct Run {
    queue: Queue,
    rules: Rules,
    tests: Vec<PlannedTest>,
    running: HashMap<usize, Arc<PlannedTest>>,
    /// The memory of the machines of workers that are at no test.
    kept: HashMap<usize, u64>,
    over: BTreeSet<usize>,
    told: Told,
}

impl Run {
    fn new(tests: Vec<PlannedTest>, rules: Rules) -> Self {
        Self {
            queue: Queue::new(tests.clone(), rules),
            rules,
            tests,
            running: HashMap::new(),
            kept: HashMap::new(),
            over: BTreeSet::new(),
            told: Told::default(),
        }
    }

    fn finish(mut self, mut choice: impl FnMut() -> (Index, Outcome)) -> Told {
        loop {
            for worker in 0..self.rules.workers {
                self.ask(worker);
            }
            self.check_nobody_waits_in_vain();
            if self.running.is_empty() {
                break;
            }
            let (which, outcome) = choice();
            let mut workers: Vec<usize> = self.running.keys().copied().collect();
            workers.sort_unstable();
            let worker = *which.get(&workers);
            let test = self.running.remove(&worker).expect("it runs");
            if test.params.get_or("kill_vm", "yes") == "no" {
                let memory = test.params.get_u64("mem").expect("a number");
                self.kept.insert(worker, memory);
            }
            match self.queue.finished(test.number, outcome) {
                Ended::Again => {}
                Ended::Final { .. } => self.end(&test, outcome),
            }
        }
        assert_eq!(self.over.len(), self.rules.workers, "nobody is left waiting");
        assert_eq!(self.told.final_outcome.len(), self.tests.len(), "every test is over");
        assert_eq!(self.queue.not_run(), 0);
        self.told
    }

    fn ask(&mut self, worker: usize) {
        if self.running.contains_key(&worker) || self.over.contains(&worker) {
            return;
        }
        loop {
            match self.queue.next(worker) {
                Next::Run { test, attempt } => {
                    self.check_start(&test, attempt);
                    self.kept.remove(&worker);
                    self.running.insert(worker, test);
                    self.check_room();
                    return;
                }
                Next::Clear { workers } => {
                    assert!(!workers.is_empty() && !workers.contains(&worker));
                    for other in workers {
                        assert!(!self.running.contains_key(&other), "it is idle");
                        self.kept.remove(&other).expect("and keeps something");
                        self.queue.cleared(other);
                    }
                }
                Next::Skip { test, .. } => {
                    assert!(self.failed_dependency(&test), "skipped for a reason");
                    self.end(&test, Outcome::Skip);
                }
                Next::Wait => return,
                Next::Over => {
                    self.over.insert(worker);
                    return;
                }
            }
        }
    }

    fn end(&mut self, test: &PlannedTest, outcome: Outcome) {
        let before = self.told.final_outcome.insert(test.number, outcome);
        assert_eq!(before, None, "a test ends once");
    }

    fn check_start(&mut self, test: &PlannedTest, attempt: u32) {
        let last = self.told.attempts.insert(test.number, attempt).unwrap_or(0);
        assert_eq!(attempt, last + 1, "tries follow each other");
        assert!(self.is_ready(test), "dependencies come first");
        assert!(self.fits(test), "nothing takes more than the host has");
    }

    fn check_room(&self) {
        let needs = |test: &Arc<PlannedTest>| Needs::read(&test.params).expect("understood").used;
        let used: u64 = self.running.values().map(|test| needs(test).memory).sum();
        let kept: u64 = self.kept.values().sum();
        assert!(kept <= HOST.memory.saturating_sub(used), "idle machines take what is not there");
    }

    fn check_nobody_waits_in_vain(&self) {
        let idle = self.rules.workers - self.running.len() - self.over.len();
        let running: Vec<u32> = self.running.values().map(|test| test.number).collect();
        let could_run = |test: &&PlannedTest| {
            !self.told.final_outcome.contains_key(&test.number)
                && !running.contains(&test.number)
                && self.is_ready(test)
                && self.fits(test)
                && !self.is_bound(test)
        };
        let could = self.tests.iter().find(could_run);
        assert!(idle == 0 || could.is_none(), "a worker waits, and {could:?} could run");
    }

    fn dependencies<'a>(
        &'a self,
        test: &'a PlannedTest,
    ) -> impl Iterator<Item = &'a PlannedTest> + 'a {
        self.tests.iter().filter(|other| test.dep.contains(&other.shortname))
    }

    fn is_ready(&self, test: &PlannedTest) -> bool {
        let passed = |number| {
            self.told.final_outcome.get(number).is_some_and(|outcome: &Outcome| outcome.is_pass())
        };
        self.dependencies(test).all(|other| passed(&other.number))
    }

    fn failed_dependency(&self, test: &PlannedTest) -> bool {
        let outcome = |number| self.told.final_outcome.get(number).copied();
        self.dependencies(test).any(|other| {
            outcome(&other.number).is_some_and(|outcome| !outcome.is_pass())
                || self.failed_dependency(other)
        })
    }

    fn fits(&self, test: &PlannedTest) -> bool {
        let needs = |test: &PlannedTest| Needs::read(&test.params).expect("understood");
        let alone = |needs: Needs| needs.alone || !HOST.holds(needs.used);
        let others: Vec<Needs> = self.running.values().map(|test| needs(test)).collect();
        let all = others.iter().fold(needs(test).used, |sum, other| sum + other.used);
        others.is_empty()
            || HOST.holds(all) && !alone(needs(test)) && !others.into_iter().any(alone)
    }

    /// Whether it may have to wait for a worker of its own, as what is connected with an image.
    fn is_bound(&self, test: &PlannedTest) -> bool {
        let graph = Graph::of(&self.tests);
        let at = self.tests.iter().position(|other| other.number == test.number);
        let family = at.and_then(|at| graph.nodes[graph.node_of[at]].family);
        family.is_some_and(|family| graph.families[family].bound)
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![4 => Just(Outcome::Pass), 1 => prop::sample::select(&Outcome::ALL[..])]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_test_ends_once_and_nobody_waits_in_vain(
        drawn in prop::collection::vec(drawn(), 0..14),
        places in prop::collection::vec(any::<Index>(), 28),
        choices in prop::collection::vec((any::<Index>(), outcome()), 1..40),
        workers in 1..5_usize,
        retries in 0..3_u32,
        repeat_until_fail in prop_oneof![3 => Just(0_u32), 1 => 1..4_u32],
    ) {
        let rules = Rules { workers, capacity: HOST, retries, repeat_until_fail };
        let tests = tests(&drawn, &places);
        let mut choices = choices.iter().cycle();
        let told = Run::new(tests.clone(), rules).finish(|| *choices.next().expect("endless"));
        let most = (retries + 1).max(repeat_until_fail);
        prop_assert!(told.attempts.values().all(|attempts| *attempts <= most));
    }

    #[test]
    fn one_worker_runs_what_depends_on_nothing_in_its_order(
        drawn in prop::collection::vec(drawn(), 0..14),
        places in prop::collection::vec(any::<Index>(), 28),
    ) {
        let mut tests = tests(&drawn, &places);
        for test in &mut tests {
            test.dep.clear();
        }
        let rules = Rules { workers: 1, capacity: HOST, retries: 0, repeat_until_fail: 0 };
        let mut queue = Queue::new(tests.clone(), rules);
        for expect in tests {
            let Next::Run { test, .. } = queue.next(0) else { panic!("there is a test") };
            prop_assert_eq!(test.number, expect.number);
            queue.finished(test.number, Outcome::Pass);
        }
        prop_assert!(matches!(queue.next(0), Next::Over));
    }
}
