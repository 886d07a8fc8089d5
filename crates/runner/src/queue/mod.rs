//! What may run next: a policy, without a clock, a process or a file.
//!
//! - A test waits until everything that it depends on is over. If one of these did not pass, it is
//!   skipped, and so is what depends on it. What was not selected counts as passed.
//! - What runs at one time never takes more than the host has. A test that is larger than the host
//!   runs while nothing else does, as one that says `alone = yes`.
//! - Machines that live on while their worker does nothing count as well. Where they stand in the
//!   way of a test they are ended, those first that no test wants any more.
//! - No worker waits while there is a test that it could run.
//! - As far as that allows, tests stay with the worker that has their machine, or has run what they
//!   are connected with by dependencies. Where one of them makes an image that another needs, they
//!   do in any case, because workers do not see each other's images.
//! - One worker alone runs the tests in their order, but for dependencies.

mod capacity;
mod graph;
mod idle;
mod kind;
mod machine;
mod needs;
mod owners;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub use capacity::Capacity;
pub(crate) use graph::Graph;
pub use needs::Needs;

use crate::outcome::Outcome;
use crate::plan::PlannedTest;
use idle::{Idle, Room};
use kind::{Fit, Kind};
use owners::Owners;

/// What holds for all tests of a run.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How many workers there are.
    pub workers: usize,
    /// What the host has.
    pub capacity: Capacity,
    /// How often a test is tried again that ended as FAIL or ERROR.
    pub retries: u32,
    /// How often a test is run as long as it passes; 0 and 1 mean once. With more than that, nothing
    /// is tried again that failed.
    pub repeat_until_fail: u32,
}

impl Rules {
    /// Whether a test is tried again that fails at this try, counted from 1.
    pub fn tries_again(&self, attempt: u32) -> bool {
        self.repeat_until_fail <= 1 && attempt <= self.retries
    }
}

/// What a worker may do now.
#[derive(Debug, Clone)]
pub enum Next {
    /// Run this test.
    Run {
        /// The test.
        test: Arc<PlannedTest>,
        /// Which try this is, counted from 1.
        attempt: u32,
    },
    /// Tell that this test is skipped, and ask again. It is over by that.
    Skip {
        /// The test.
        test: Arc<PlannedTest>,
        /// Why: which dependency did not pass.
        reason: String,
    },
    /// These workers, which are at no test, are to end their machines, which stand in the way. Ask
    /// again when one of them [has](Queue::cleared).
    Clear {
        /// The workers.
        workers: Vec<usize>,
    },
    /// Ask again when anything has finished.
    Wait,
    /// There will be nothing any more for this worker.
    Over,
}

/// What the end of a test means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It counts.
    Final {
        /// It passed, but not at the first try.
        flaky: bool,
    },
    /// It does not count: the test will be handed out again, with its next attempt.
    Again,
}

/// The tests of a run that are not over.
#[derive(Debug)]
pub struct Queue {
    rules: Rules,
    tests: Vec<Item>,
    by_number: HashMap<u32, usize>,
    graph: Graph,
    /// For each node how many nodes it still waits for.
    missing: Vec<usize>,
    /// For each node how many of its tests are not over.
    left: Vec<usize>,
    kinds: Vec<Kind>,
    /// The tests that could run, in their order, by kind; only kinds that have some.
    ready: BTreeMap<usize, BTreeSet<usize>>,
    /// The tests that are to be skipped, with the reason.
    skipped: BTreeMap<usize, String>,
    /// What each worker is at.
    running: HashMap<usize, usize>,
    owners: Owners,
    idle: Idle,
}

/// A test, and how far it is.
#[derive(Debug)]
struct Item {
    test: Arc<PlannedTest>,
    kind: usize,
    state: State,
    attempt: u32,
    failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not handed out, or to be handed out again.
    Open,
    Running,
    Over,
}

impl Queue {
    /// All of `tests`, in this order; their numbers tell them apart.
    ///
    /// Tests that depend on each other in a circle are skipped; a plan has none.
    pub fn new(tests: Vec<PlannedTest>, rules: Rules) -> Self {
        let graph = Graph::of(&tests);
        let (_, stuck) = graph.sorted();
        let (kinds, kind_of) = kinds(&tests, &graph, rules.capacity);
        let owners = Owners::new(&graph, &kinds);
        let item = |(test, kind)| Item {
            test: Arc::new(test),
            kind,
            state: State::Open,
            attempt: 0,
            failed: false,
        };
        let tests: Vec<Item> = tests.into_iter().zip(kind_of).map(item).collect();
        let mut queue = Self {
            rules,
            by_number: tests.iter().enumerate().map(|(at, item)| (item.test.number, at)).collect(),
            missing: graph.nodes.iter().map(|node| node.needs.len()).collect(),
            left: graph.nodes.iter().map(|node| node.tests.len()).collect(),
            tests,
            graph,
            kinds,
            ready: BTreeMap::new(),
            skipped: BTreeMap::new(),
            running: HashMap::new(),
            owners,
            idle: Idle::default(),
        };
        for at in 0..queue.tests.len() {
            queue.owners.opened(queue.tests[at].kind);
        }
        for node in 0..queue.missing.len() {
            if queue.missing[node] == 0 {
                queue.release(node);
            }
        }
        for node in stuck {
            queue.skip(node, "its dependencies depend on it, or on each other");
        }
        queue
    }

    /// What `worker` may do now; to be asked again whenever anything has finished. A worker that
    /// is at a test waits.
    pub fn next(&mut self, worker: usize) -> Next {
        if self.running.contains_key(&worker) || self.idle.is_clearing(worker) {
            return Next::Wait;
        }
        if let Some((at, reason)) = self.skipped.pop_first() {
            return Next::Skip { test: self.tests[at].test.clone(), reason };
        }
        match self.choose(worker) {
            Some(at) => match self.make_room(worker, at) {
                Room::Enough => self.start(worker, at),
                Room::After(workers) => Next::Clear { workers },
                Room::Soon => Next::Wait,
            },
            None if self.owners.left_for(worker) == 0 => Next::Over,
            None => Next::Wait,
        }
    }

    /// Test `number` has ended as `outcome`; what that means for it. What does not run is final.
    pub fn finished(&mut self, number: u32, outcome: Outcome) -> Ended {
        let at = self.by_number.get(&number).copied();
        let Some(at) = at.filter(|at| self.tests[*at].state == State::Running) else {
            return Ended::Final { flaky: false };
        };
        let worker = self.running.iter().find(|(_, running)| **running == at);
        if let Some(worker) = worker.map(|(worker, _)| *worker) {
            self.running.remove(&worker);
            self.idle.keeps(worker, self.kinds[self.tests[at].kind].kept);
        }
        let item = &mut self.tests[at];
        if is_again(&self.rules, item.attempt, outcome) {
            item.failed |= outcome.is_failure();
            item.state = State::Open;
            let kind = item.kind;
            self.owners.opened(kind);
            self.ready.entry(kind).or_default().insert(at);
            return Ended::Again;
        }
        item.state = State::Over;
        let flaky = item.failed && outcome.is_pass();
        self.settle(at, outcome);
        Ended::Final { flaky }
    }

    /// A worker that is at no test has no machines any more.
    pub fn cleared(&mut self, worker: usize) {
        self.idle.keeps_nothing(worker);
        self.owners.cleared(worker);
    }

    /// How many tests were never handed out, nor skipped.
    pub fn not_run(&self) -> usize {
        let open = self.tests.iter().filter(|item| item.state == State::Open && item.attempt == 0);
        open.count() + self.skipped.len()
    }

    /// The best test for a worker, if there is any that may run now.
    fn choose(&self, worker: usize) -> Option<usize> {
        if self.is_one_alone() {
            return None;
        }
        let (used, machine) = (self.used(), self.owners.machine(worker));
        let fitting = self.ready.iter().filter_map(|(&number, tests)| {
            let kind = &self.kinds[number];
            let may = self.may_run(kind, used) && self.owners.may_have(worker, number);
            let at = *tests.first().filter(|_| may)?;
            // With one worker there is nobody to divide the tests with.
            let fit = match self.rules.workers {
                0 | 1 => (false, Fit::Free),
                _ => (!kind.urgent, self.owners.fit(worker, machine, kind)),
            };
            Some((fit, at))
        });
        fitting.min().map(|(_, at)| at)
    }

    /// Whether a test of this kind may run beside what runs now, which takes `used`.
    fn may_run(&self, kind: &Kind, used: Capacity) -> bool {
        if kind.needs.alone {
            return self.running.is_empty();
        }
        (self.rules.capacity - used).holds(kind.needs.used)
    }

    fn is_one_alone(&self) -> bool {
        self.running.values().any(|at| self.kinds[self.tests[*at].kind].needs.alone)
    }

    fn used(&self) -> Capacity {
        let used = |at: &usize| self.kinds[self.tests[*at].kind].needs.used;
        self.running.values().map(used).fold(Capacity::default(), |one, other| one + other)
    }

    /// Sees to it that what idle workers keep leaves room for a test, which may run beside what
    /// runs now.
    fn make_room(&mut self, worker: usize, at: usize) -> Room {
        let needs = self.kinds[self.tests[at].kind].needs.used;
        let left = self.rules.capacity - self.used() - needs;
        let (owners, kinds) = (&self.owners, &self.kinds);
        self.idle.make_room(worker, left.memory, |worker| owners.is_wanted(worker, kinds))
    }

    fn start(&mut self, worker: usize, at: usize) -> Next {
        let kind = self.tests[at].kind;
        self.take(at);
        self.idle.keeps_nothing(worker);
        self.owners.started(worker, kind, &self.kinds[kind]);
        self.running.insert(worker, at);
        let item = &mut self.tests[at];
        item.state = State::Running;
        item.attempt += 1;
        Next::Run { test: item.test.clone(), attempt: item.attempt }
    }

    /// A test is over: what waits for it may run, or is skipped.
    fn settle(&mut self, at: usize, outcome: Outcome) {
        let node = self.graph.node_of[at];
        if !outcome.is_pass() {
            let name = &self.tests[at].test.shortname;
            let reason = format!("its dependency `{name}` ended as {outcome}");
            self.skip_dependants(node, &reason);
        }
        self.left[node] -= 1;
        if self.left[node] > 0 {
            return;
        }
        for dependant in self.graph.nodes[node].dependants.clone() {
            self.missing[dependant] -= 1;
            if self.missing[dependant] == 0 {
                self.release(dependant);
            }
        }
    }

    /// All that the tests of a node waited for is over.
    fn release(&mut self, node: usize) {
        for &at in &self.graph.nodes[node].tests {
            if self.tests[at].state == State::Open {
                self.ready.entry(self.tests[at].kind).or_default().insert(at);
            }
        }
    }

    fn skip_dependants(&mut self, node: usize, reason: &str) {
        for dependant in self.graph.nodes[node].dependants.clone() {
            self.skip(dependant, reason);
        }
    }

    /// Skips the tests of a node, which have not begun, and what depends on them.
    fn skip(&mut self, node: usize, reason: &str) {
        let mut open = vec![(node, reason.to_owned())];
        while let Some((node, reason)) = open.pop() {
            let tests = self.graph.nodes[node].tests.clone();
            let first = tests[0];
            // Of several reasons the first one is told.
            if self.tests[first].state != State::Open {
                continue;
            }
            for at in tests {
                self.tests[at].state = State::Over;
                self.owners.closed(self.tests[at].kind);
                self.skipped.insert(at, reason.clone());
            }
            let name = &self.tests[first].test.shortname;
            let reason = format!("its dependency `{name}` was skipped: {reason}");
            let dependants = &self.graph.nodes[node].dependants;
            open.extend(dependants.iter().map(|dependant| (*dependant, reason.clone())));
        }
    }

    fn take(&mut self, at: usize) {
        let kind = self.tests[at].kind;
        if let Some(tests) = self.ready.get_mut(&kind) {
            tests.remove(&at);
            if tests.is_empty() {
                self.ready.remove(&kind);
            }
        }
    }
}

fn is_again(rules: &Rules, attempt: u32, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Interrupted => false,
        _ if rules.repeat_until_fail > 1 => outcome.is_pass() && attempt < rules.repeat_until_fail,
        _ => outcome.is_failure() && rules.tries_again(attempt),
    }
}

/// The kinds of tests that there are, and the kind of each test.
fn kinds(tests: &[PlannedTest], graph: &Graph, capacity: Capacity) -> (Vec<Kind>, Vec<usize>) {
    let mut machines: HashMap<String, usize> = HashMap::new();
    let mut numbers: HashMap<Kind, usize> = HashMap::new();
    let mut kinds = Vec::new();
    let mut kind_of: Vec<usize> = Vec::new();
    for (at, test) in tests.iter().enumerate() {
        let node = &graph.nodes[graph.node_of[at]];
        // Repetitions are many, and looking at all params takes its time.
        let like = &tests[node.tests[0]];
        if let Some(&kind) = kind_of.get(node.tests[0])
            && (like.urgent, &like.params) == (test.urgent, &test.params)
        {
            kind_of.push(kind);
            continue;
        }
        // A test whose params are wrong ends before it takes anything.
        let mut needs = Needs::read(&test.params).unwrap_or_default();
        needs.alone |= !capacity.holds(needs.used);
        let machine = machine::machine(&test.params).map(|machine| {
            let number = machines.len();
            *machines.entry(machine).or_insert(number)
        });
        let kept = needs::kept(&test.params);
        let kind = Kind { urgent: test.urgent, needs, machine, kept, family: node.family };
        let number = *numbers.entry(kind).or_insert_with(|| {
            kinds.push(kind);
            kinds.len() - 1
        });
        kind_of.push(number);
    }
    (kinds, kind_of)
}
