//! Which worker has what: machines, and tests that belong together.

use std::collections::HashMap;

use super::graph::Graph;
use super::kind::{Fit, Kind};

/// Which worker has what, and how many tests there are left for whom.
#[derive(Debug)]
pub(super) struct Owners {
    /// For each family the worker that ran its last test.
    families: Vec<Option<usize>>,
    /// The machine that each worker's last test left.
    machines: HashMap<usize, usize>,
    /// For each machine how many workers have it.
    holders: Vec<usize>,
    /// For each kind how many of its tests are yet to be handed out.
    open: Vec<usize>,
    /// The family of each kind, where it has to stay with the worker that began with it.
    bound: Vec<Option<usize>>,
}

impl Owners {
    /// Nobody has anything, and no test is left.
    pub(super) fn new(graph: &Graph, kinds: &[Kind]) -> Self {
        let machines =
            kinds.iter().filter_map(|kind| kind.machine).max().map_or(0, |most| most + 1);
        let bound = |kind: &Kind| kind.family.filter(|family| graph.families[*family].bound);
        Self {
            families: vec![None; graph.families.len()],
            machines: HashMap::new(),
            holders: vec![0; machines],
            open: vec![0; kinds.len()],
            bound: kinds.iter().map(bound).collect(),
        }
    }

    /// One more test of this kind is to be handed out.
    pub(super) fn opened(&mut self, kind: usize) {
        self.open[kind] += 1;
    }

    /// One test of this kind is not to be handed out any more.
    pub(super) fn closed(&mut self, kind: usize) {
        self.open[kind] -= 1;
    }

    /// A worker begins with a test of the kind `number`, which is `kind`.
    pub(super) fn started(&mut self, worker: usize, number: usize, kind: &Kind) {
        self.closed(number);
        if let Some(family) = kind.family {
            self.families[family] = Some(worker);
        }
        let before = match kind.machine {
            Some(machine) => self.machines.insert(worker, machine),
            None => self.machines.remove(&worker),
        };
        if let Some(before) = before {
            self.holders[before] -= 1;
        }
        if let Some(machine) = kind.machine {
            self.holders[machine] += 1;
        }
    }

    /// Whether a worker may have a test of the kind `number`.
    pub(super) fn may_have(&self, worker: usize, number: usize) -> bool {
        let owner = self.bound[number].and_then(|family| self.families[family]);
        owner.is_none_or(|owner| owner == worker)
    }

    /// What a worker's last test left is gone.
    pub(super) fn cleared(&mut self, worker: usize) {
        if let Some(machine) = self.machines.remove(&worker) {
            self.holders[machine] -= 1;
        }
    }

    /// Whether a test that is yet to be handed out wants the machine that a worker has.
    pub(super) fn is_wanted(&self, worker: usize, kinds: &[Kind]) -> bool {
        let Some(machine) = self.machine(worker) else { return false };
        let mut open = self.open.iter().zip(kinds).filter(|(open, _)| **open > 0);
        open.any(|(_, kind)| kind.machine == Some(machine))
    }

    /// The machine that a worker's last test left.
    pub(super) fn machine(&self, worker: usize) -> Option<usize> {
        self.machines.get(&worker).copied()
    }

    /// How well a test of this kind fits a worker, which has `machine`.
    pub(super) fn fit(&self, worker: usize, machine: Option<usize>, kind: &Kind) -> Fit {
        let family = kind.family.and_then(|family| self.families[family]);
        if machine.is_some() && machine == kind.machine {
            Fit::SameMachine
        } else if family == Some(worker) {
            Fit::SameFamily
        } else if family.is_some() || kind.machine.is_some_and(|own| self.holders[own] > 0) {
            Fit::Others
        } else {
            Fit::Free
        }
    }

    /// How many tests may yet be handed out to a worker.
    pub(super) fn left_for(&self, worker: usize) -> usize {
        let may = |number: &usize| self.may_have(worker, *number);
        (0..self.open.len()).filter(may).map(|number| self.open[number]).sum()
    }
}
