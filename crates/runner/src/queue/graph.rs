//! Which test depends on which.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};

use kvmtest::Params;

use crate::plan::PlannedTest;
use crate::plan::label::{self, Label};

/// The dependencies between tests, as indices into the list that it was made of.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// The tests by their full names: the repetitions of one are one node.
    pub(crate) nodes: Vec<Node>,
    /// The node of each test.
    pub(crate) node_of: Vec<usize>,
    /// What belongs together by dependencies; nodes that have none belong to none.
    pub(crate) families: Vec<Family>,
}

/// All tests of one name.
#[derive(Debug)]
pub(crate) struct Node {
    /// The tests, in their order.
    pub(crate) tests: Vec<usize>,
    /// The nodes that have to have passed before.
    pub(crate) needs: Vec<usize>,
    /// The nodes that wait for this one.
    pub(crate) dependants: Vec<usize>,
    /// The family.
    pub(crate) family: Option<usize>,
}

/// Nodes that are connected by dependencies, directly or over others.
#[derive(Debug, Default)]
pub(crate) struct Family {
    /// Its nodes.
    pub(crate) nodes: Vec<usize>,
    /// Whether one of them makes an image that another one needs. Each worker has its writable
    /// images for itself, so such a family has to stay with one.
    pub(crate) bound: bool,
}

impl Graph {
    /// Finds the tests that each test depends on: those whose names have the labels of one of its
    /// dependencies, whole, one right after the other. A test does not depend on itself, nor on
    /// what is not among the tests.
    pub(crate) fn of<T: Borrow<PlannedTest>>(tests: &[T]) -> Self {
        let mut graph = Self::default();
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        for (index, test) in tests.iter().enumerate() {
            let node = *by_name.entry(&test.borrow().name).or_insert_with(|| {
                graph.nodes.push(Node {
                    tests: Vec::new(),
                    needs: Vec::new(),
                    dependants: Vec::new(),
                    family: None,
                });
                graph.nodes.len() - 1
            });
            graph.nodes[node].tests.push(index);
            graph.node_of.push(node);
        }
        let first = |node: &Node| tests[node.tests[0]].borrow();
        let names = Names::of(graph.nodes.iter().map(|node| first(node).name.as_str()));
        let mut found: HashMap<&str, Vec<usize>> = HashMap::new();
        for at in 0..graph.nodes.len() {
            let mut needs = Vec::new();
            for dep in &first(&graph.nodes[at]).dep {
                let matching = found.entry(dep).or_insert_with(|| names.with(dep));
                needs.extend(matching.iter().copied().filter(|node| *node != at));
            }
            needs.sort_unstable();
            needs.dedup();
            for &need in &needs {
                graph.nodes[need].dependants.push(at);
            }
            graph.nodes[at].needs = needs;
        }
        graph.find_families(|node| makes_image(&first(node).params));
        graph
    }

    /// The nodes, each after those that it needs, otherwise in their order; and those for which
    /// that cannot be, because they need each other, or need one that does.
    pub(crate) fn sorted(&self) -> (Vec<usize>, Vec<usize>) {
        let mut missing: Vec<usize> = self.nodes.iter().map(|node| node.needs.len()).collect();
        let mut free: BTreeSet<usize> =
            (0..missing.len()).filter(|node| missing[*node] == 0).collect();
        let mut sorted = Vec::new();
        while let Some(node) = free.pop_first() {
            sorted.push(node);
            for &dependant in &self.nodes[node].dependants {
                missing[dependant] -= 1;
                if missing[dependant] == 0 {
                    free.insert(dependant);
                }
            }
        }
        let stuck = (0..missing.len()).filter(|node| missing[*node] > 0).collect();
        (sorted, stuck)
    }

    /// The tests, each after those that it needs, otherwise by their ranks. Those for which that
    /// cannot be are last.
    pub(crate) fn in_order<R: Ord>(&self, rank: impl Fn(usize) -> R) -> Vec<usize> {
        let mut missing: Vec<usize> = self.nodes.iter().map(|node| node.needs.len()).collect();
        let mut left: Vec<usize> = self.nodes.iter().map(|node| node.tests.len()).collect();
        let mut free = BTreeSet::new();
        let mut sorted = Vec::new();
        let release = |free: &mut BTreeSet<(R, usize)>, node: usize| {
            free.extend(self.nodes[node].tests.iter().map(|at| (rank(*at), *at)));
        };
        for node in (0..missing.len()).filter(|node| missing[*node] == 0) {
            release(&mut free, node);
        }
        while let Some((_, at)) = free.pop_first() {
            sorted.push(at);
            let node = self.node_of[at];
            left[node] -= 1;
            if left[node] > 0 {
                continue;
            }
            for &dependant in &self.nodes[node].dependants {
                missing[dependant] -= 1;
                if missing[dependant] == 0 {
                    release(&mut free, dependant);
                }
            }
        }
        let stuck = (0..missing.len()).filter(|node| missing[*node] > 0);
        sorted.extend(stuck.flat_map(|node| &self.nodes[node].tests));
        sorted
    }

    /// Nodes each of which needs the next one, and the last one the first; if there are such.
    pub(crate) fn circle(&self) -> Option<Vec<usize>> {
        let (_, stuck) = self.sorted();
        let mut way = vec![*stuck.first()?];
        // Whoever is stuck needs somebody who is, so that the way comes back to itself.
        loop {
            let last = *way.last()?;
            let next =
                *self.nodes[last].needs.iter().find(|need| stuck.binary_search(need).is_ok())?;
            if let Some(begin) = way.iter().position(|node| *node == next) {
                return Some(way.split_off(begin));
            }
            way.push(next);
        }
    }

    fn find_families(&mut self, makes_image: impl Fn(&Node) -> bool) {
        for start in 0..self.nodes.len() {
            let node = &self.nodes[start];
            let lonely = node.needs.is_empty() && node.dependants.is_empty();
            if lonely || node.family.is_some() {
                continue;
            }
            let number = self.families.len();
            let mut family = Family::default();
            let mut open = vec![start];
            self.nodes[start].family = Some(number);
            while let Some(at) = open.pop() {
                let node = &self.nodes[at];
                family.bound |= !node.dependants.is_empty() && makes_image(node);
                let near: Vec<usize> = node.needs.iter().chain(&node.dependants).copied().collect();
                for other in near {
                    if self.nodes[other].family.is_none() {
                        self.nodes[other].family = Some(number);
                        open.push(other);
                    }
                }
                family.nodes.push(at);
            }
            family.nodes.sort_unstable();
            self.families.push(family);
        }
    }
}

/// Whether the test makes an image: what depends on it wants to find that.
fn makes_image(params: &Params) -> bool {
    let makes = |own: &Params| {
        ["create_image", "force_create_image"].iter().any(|key| own.get_or(key, "no") == "yes")
    };
    makes(params)
        || params.objects("vms").into_iter().any(|vm| {
            let own = params.object_params(vm);
            own.objects("images").into_iter().any(|image| makes(&own.object_params(image)))
        })
}

/// The labels of names, for finding the names that have some of them.
struct Names<'a> {
    labels: Vec<Vec<Label<'a>>>,
    /// The names that have a label, whatever block it is from.
    holders: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Names<'a> {
    fn of(names: impl Iterator<Item = &'a str>) -> Self {
        let labels: Vec<Vec<Label>> = names.map(label::labels).collect();
        let mut holders: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, labels) in labels.iter().enumerate() {
            for label in labels {
                let holders = holders.entry(label.name).or_default();
                if holders.last() != Some(&index) {
                    holders.push(index);
                }
            }
        }
        Self { labels, holders }
    }

    /// The names that have the labels of `dep` directly after one another.
    fn with(&self, dep: &str) -> Vec<usize> {
        let wanted = label::labels(dep);
        let none = Vec::new();
        let rarest = wanted
            .iter()
            .map(|label| self.holders.get(label.name).unwrap_or(&none))
            .min_by_key(|holders| holders.len());
        let has = |index: &usize| label::has(&self.labels[*index], &wanted);
        rarest.into_iter().flatten().copied().filter(has).collect()
    }
}
