//! From what was asked for to the tests of a run, in their order.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::perturb;
use kvmtest_cartesian::Diagnostic;

use super::files::Shipped;
use super::known::Known;
use super::objects;
use super::order::{Sequence, order};
use super::refusal::Refusal;
use super::rerun::{self, Failed};
use super::select::{Choice, select, select_dependencies};
use super::shard::{Shard, divide};
use super::test::PlannedTest;
use super::tests::{Plan, plan};
use super::unmatched::quoted;
use crate::event;
use crate::history::History;
use crate::queue::Graph;

/// What of the variants that were chosen is run, and in which order.
#[derive(Debug, Clone, Default)]
pub struct Arrangement {
    /// In which order; where nothing is said, as the configuration has them for one worker, and
    /// the slowest first for several.
    pub sequence: Option<Sequence>,
    /// What failed when it was last run comes before everything else.
    pub failed_first: bool,
    /// Only what failed in an earlier run, or was never started in it. Where no filter is given,
    /// that is all of it.
    pub rerun: Option<Rerun>,
    /// What the chosen tests depend on is run, too.
    pub with_deps: bool,
    /// Only one part of several.
    pub shard: Option<Shard>,
    /// By which times tests are divided into parts: those of the history where it says `history`,
    /// else those of the run that this names. Where nothing is named, every test counts the same.
    pub shard_times: Option<Utf8PathBuf>,
    /// What the machines of all tests go through.
    pub perturb: Option<perturb::Order>,
}

/// Which earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rerun {
    /// The last one in the folder of results.
    Last,
    /// The one with this folder, or these events.
    Of(Utf8PathBuf),
}

/// The tests of a run.
#[derive(Debug)]
pub struct Arranged {
    /// The tests, in the order in which they are to run; their numbers are those of the
    /// configuration's order.
    pub plan: Plan,
    /// The set of the configuration that they are from, where it has sets.
    pub set: Option<String>,
    /// What the configuration's reader found odd.
    pub warnings: Vec<Diagnostic>,
    /// What is worth saying about how they were chosen.
    pub remarks: Vec<String>,
    /// The order that was asked for.
    sequence: Option<Sequence>,
    /// The full names of what comes first.
    first: HashSet<String>,
}

impl Arranged {
    /// Puts the tests in the order that is best for so many workers, unless one was asked for.
    #[must_use]
    pub fn for_workers(mut self, workers: usize) -> Self {
        let usual = if workers > 1 { Sequence::SlowestFirst } else { Sequence::Configuration };
        self.plan.tests.sort_by_key(|test| test.number);
        self.plan.tests = order(self.plan.tests, self.sequence.unwrap_or(usual), &self.first);
        self
    }
}

/// Chooses tests and puts them in order. `results` is the folder with the results of earlier runs,
/// beside which their history lies.
///
/// Tests that depend on each other in a circle are an error that names them.
pub fn arrange(
    choice: &Choice,
    arrangement: &Arrangement,
    results: &Utf8Path,
    shipped: &dyn Shipped,
    known: &Known,
) -> Result<Arranged, Refusal> {
    let history = History::beside(results);
    let mut remarks = Vec::new();
    let mut choice = choice.clone();
    let failed = match &arrangement.rerun {
        Some(rerun) => Some(narrow(&mut choice, rerun, results)?),
        None => None,
    };
    let selection = match (select(&choice, shipped, known), &failed) {
        (Err(Refusal::Nothing(_)), Some((failed, events))) => {
            // What was typed may be at fault by itself; then that is told.
            select(&Choice { names: None, ..choice }, shipped, known)?;
            return Err(none_of(failed, events));
        }
        (selection, _) => selection?,
    };
    let mut plan = plan(selection.variants(), known);
    if !selection.idle.is_empty() {
        // A word that would find nothing in any case is told as ever.
        select(&Choice { names: None, ..choice.clone() }, shipped, known)?;
        remarks.push(format!("nothing of what is run again matches {}", quoted(&selection.idle)));
    }
    if let Some((failed, events)) = &failed {
        keep_failed(&mut plan, failed, events, &mut remarks)?;
        if let (Some(before), None) = (&failed.perturb, arrangement.perturb) {
            remarks.push(format!("that run was perturbed: add `--perturb {before}` for the same"));
        }
    }
    if plan.tests.is_empty() {
        let left_out = plan.left_out.join(", ");
        let sentence = format!("every variant that matches says `skip = yes`: {left_out}");
        return Err(Refusal::Nothing(sentence));
    }
    if arrangement.with_deps {
        let set = selection.set.as_deref();
        add_dependencies(&mut plan, |deps| {
            select_dependencies(&choice, set, deps, shipped, known)
                .map(|variants| super::tests::plan(variants, known))
        })?;
    }
    refuse_circle(&plan.tests)?;
    objects::check(&plan.tests).map_err(Refusal::Impossible)?;
    let times = history.times().unwrap_or_else(|error| {
        remarks.push(format!("how long tests take is not known: {error}"));
        HashMap::new()
    });
    for test in &mut plan.tests {
        test.expected = times.get(&test.name).copied();
    }
    if let Some(shard) = arrangement.shard {
        let times = match arrangement.shard_times.as_deref() {
            None => HashMap::new(),
            Some(name) if name == "history" => times,
            Some(path) => times_of(path)?,
        };
        remarks.push(keep_shard(&mut plan, shard, &times));
    }
    for (number, test) in (1..).zip(&mut plan.tests) {
        test.number = number;
        perturb_with(test, arrangement.perturb);
    }
    let first = if arrangement.failed_first {
        history.failing().unwrap_or_else(|error| {
            remarks.push(format!("what failed last is not known: {error}"));
            HashSet::new()
        })
    } else {
        HashSet::new()
    };
    if let Some(Sequence::Shuffled(seed)) = arrangement.sequence {
        remarks.push(format!("shuffled: `--shuffle={seed}` brings this order back"));
    }
    let (set, warnings) = (selection.set, selection.warnings);
    let sequence = arrangement.sequence;
    Ok(Arranged { plan, set, warnings, remarks, sequence, first }.for_workers(1))
}

/// Chooses nothing but what failed in an earlier run.
fn narrow(
    choice: &mut Choice,
    rerun: &Rerun,
    results: &Utf8Path,
) -> Result<(Failed, Utf8PathBuf), Refusal> {
    let path = match rerun {
        Rerun::Last => results,
        Rerun::Of(path) => path,
    };
    let unknown = |why: String| {
        Refusal::Impossible(format!(
            "which tests failed before is not known (`--rerun=RESULTS` names a run): {why}"
        ))
    };
    let events = event::events_of(path).map_err(unknown)?;
    let failed = rerun::failed(&events).map_err(|error| unknown(format!("{events}: {error}")))?;
    let events = events.canonicalize_utf8().unwrap_or(events);
    if failed.names.is_empty() {
        return Err(Refusal::Nothing(format!("nothing failed in the run of {events}")));
    }
    choice.names = Some(failed.names.iter().cloned().collect());
    if choice.set.is_none() && choice.wanted.filters.is_empty() {
        choice.set.clone_from(&failed.set);
    }
    Ok((failed, events))
}

fn keep_failed(
    plan: &mut Plan,
    failed: &Failed,
    events: &Utf8Path,
    remarks: &mut Vec<String>,
) -> Result<(), Refusal> {
    plan.tests.retain(|test| failed.names.contains(&test.name));
    let there: HashSet<&str> = plan.tests.iter().map(|test| test.name.as_str()).collect();
    let missing = failed.names.iter().filter(|name| !there.contains(name.as_str()));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    let (all, kept) = (failed.names.len(), there.len());
    if kept == 0 {
        return Err(none_of(failed, events));
    }
    let rest = match missing.as_slice() {
        [] => String::new(),
        [one] => format!("; `{one}` is not among those that are chosen here"),
        [one, ..] => {
            format!("; {} are not among those that are chosen here: `{one}` …", missing.len())
        }
    };
    let what = failed.what();
    remarks.push(format!("again: {kept} of {all} tests that {what} in the run of {events}{rest}"));
    Ok(())
}

fn none_of(failed: &Failed, events: &Utf8Path) -> Refusal {
    let all = failed.names.len();
    let one = failed.names.first().map(String::as_str).unwrap_or_default();
    Refusal::Nothing(format!(
        "nothing that is chosen here is among the {all} tests that {} in the run of {events}, as \
         `{one}` (its `--config` and its statements have to be given again)",
        failed.what()
    ))
}

/// Adds what the tests depend on, and what that depends on, in front of them.
fn add_dependencies(
    plan: &mut Plan,
    look_up: impl Fn(&[String]) -> Result<Plan, Refusal>,
) -> Result<(), Refusal> {
    let mut names: HashSet<String> = plan.tests.iter().map(|test| test.name.clone()).collect();
    let mut asked: HashSet<String> = HashSet::new();
    let mut new = 0..plan.tests.len();
    loop {
        let mut deps = Vec::new();
        for dep in plan.tests[new].iter().flat_map(|test| &test.dep) {
            if asked.insert(dep.clone()) {
                deps.push(dep.clone());
            }
        }
        if deps.is_empty() {
            return Ok(());
        }
        let mut found = look_up(&deps)?.tests;
        found.retain(|test| !names.contains(&test.name));
        names.extend(found.iter().map(|test| test.name.clone()));
        new = 0..found.len();
        plan.tests.splice(0..0, found);
    }
}

/// Says to the test's machines what they go through. A test and its repetitions have draws of
/// their own; the tries of one have the same.
fn perturb_with(test: &mut PlannedTest, order: Option<perturb::Order>) {
    if let Some(order) = order {
        test.params.set("perturb_with", order.to_string());
    }
    if test.params.find_nonempty("perturb_with").is_some() {
        let stream = match test.iteration {
            1 => test.name.clone(),
            other => format!("{}#{other}", test.name),
        };
        test.params.set("perturb_stream", stream);
    }
}

fn refuse_circle(tests: &[PlannedTest]) -> Result<(), Refusal> {
    let graph = Graph::of(tests);
    let Some(circle) = graph.circle() else { return Ok(()) };
    let name = |node: &usize| format!("`{}`", tests[graph.nodes[*node].tests[0]].name);
    let names: Vec<String> = circle.iter().chain(circle.first()).map(name).collect();
    Err(Refusal::Impossible(format!(
        "tests depend on each other in a circle: {}",
        names.join(" needs ")
    )))
}

/// Leaves what is in the shard; gives back what there is to say of it. A shard may be empty: who
/// has more hosts than tests wants no failure of it.
fn keep_shard(plan: &mut Plan, shard: Shard, times: &HashMap<String, Duration>) -> String {
    let all = plan.tests.len();
    let division = divide(&plan.tests, |test| times.get(&test.name).copied(), shard.of);
    let mut shard_of = division.shard_of.into_iter();
    plan.tests.retain(|_| shard_of.next() == Some(shard.part));
    let kept = plan.tests.len();
    let noun = if all == 1 { "test" } else { "tests" };
    let empty = if kept == 0 { "; nothing is to be run here" } else { "" };
    format!(
        "shard {shard}: {kept} of {all} {noun}, division {} (the same for all {} shards, or tests \
         are missing){empty}",
        division.mark, shard.of
    )
}

/// How long the tests of a run took that passed in it.
fn times_of(path: &Utf8Path) -> Result<HashMap<String, Duration>, Refusal> {
    let unknown =
        |why: String| Refusal::Impossible(format!("how long tests take is not known: {why}"));
    let events = event::events_of(path).map_err(unknown)?;
    crate::history::times_of(&events).map_err(|error| unknown(format!("{events}: {error}")))
}
