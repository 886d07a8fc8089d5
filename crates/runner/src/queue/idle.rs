//! The memory of machines that live on while their workers do nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What the workers keep that are at no test.
#[derive(Debug, Default)]
pub(super) struct Idle {
    /// For each worker the memory of the machines that its last test left, in MiB.
    kept: BTreeMap<usize, u64>,
    /// Those that are ending their machines.
    clearing: BTreeSet<usize>,
}

/// What has to happen before a test can begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Nothing.
    Enough,
    /// What these workers keep has to go.
    After(Vec<usize>),
    /// What is going already has to be gone.
    Soon,
}

impl Idle {
    /// A worker has ended a test that leaves machines with so much memory.
    pub(super) fn keeps(&mut self, worker: usize, memory: u64) {
        if memory > 0 {
            self.kept.insert(worker, memory);
        }
    }

    /// A worker keeps nothing any more: it has ended its machines, or begins with a test, which
    /// then has all that its params say.
    pub(super) fn keeps_nothing(&mut self, worker: usize) {
        self.kept.remove(&worker);
        self.clearing.remove(&worker);
    }

    /// Whether a worker is ending its machines.
    pub(super) fn is_clearing(&self, worker: usize) -> bool {
        self.clearing.contains(&worker)
    }

    /// Makes room for a test of `worker`, where idle machines of others may take so much memory.
    /// `wanted` tells whose machines have yet something to do: they are the last to go.
    pub(super) fn make_room(
        &mut self,
        worker: usize,
        memory: u64,
        wanted: impl Fn(usize) -> bool,
    ) -> Room {
        let mut others: Vec<(usize, u64)> =
            self.kept.iter().map(|(at, kept)| (*at, *kept)).collect();
        others.retain(|(other, _)| *other != worker);
        others.sort_by_key(|(other, kept)| {
            (!self.is_clearing(*other), wanted(*other), Reverse(*kept))
        });
        let mut taken: u64 = others.iter().map(|(_, kept)| kept).sum();
        let in_the_way = others.into_iter().take_while(|(_, kept)| {
            let is = taken > memory;
            taken -= kept;
            is
        });
        let in_the_way: Vec<usize> = in_the_way.map(|(other, _)| other).collect();
        if in_the_way.is_empty() {
            return Room::Enough;
        }
        let more: Vec<usize> =
            in_the_way.into_iter().filter(|other| self.clearing.insert(*other)).collect();
        if more.is_empty() { Room::Soon } else { Room::After(more) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle(kept: &[u64]) -> Idle {
        let mut idle = Idle::default();
        for (worker, memory) in kept.iter().enumerate() {
            idle.keeps(worker, *memory);
        }
        idle
    }

    #[test]
    fn no_more_is_ended_than_stands_in_the_way() {
        let check = |kept: &[u64], memory, wanted: &[usize], expect: &[usize]| {
            let room = idle(kept).make_room(0, memory, |worker| wanted.contains(&worker));
            match expect {
                [] => assert_eq!(room, Room::Enough, "{kept:?}"),
                workers => assert_eq!(room, Room::After(workers.to_vec()), "{kept:?}"),
            }
        };
        check(&[], 0, &[], &[]);
        check(&[9], 0, &[], &[]);
        check(&[0, 5], 5, &[], &[]);
        check(&[0, 5], 4, &[], &[1]);
        check(&[0, 5, 7, 6], 11, &[], &[2]);
        check(&[0, 5, 7, 6], 10, &[], &[2, 3]);
        check(&[0, 5, 7, 6], 11, &[2], &[3, 1]);
        check(&[0, 5, 7, 6], 0, &[], &[2, 3, 1]);
    }

    #[test]
    fn what_is_going_is_not_asked_to_go_again() {
        let mut idle = idle(&[0, 5, 6]);
        assert_eq!(idle.make_room(0, 8, |_| false), Room::After(vec![2]));
        assert!(idle.is_clearing(2) && !idle.is_clearing(1));
        assert_eq!(idle.make_room(0, 8, |_| false), Room::Soon);
        assert_eq!(idle.make_room(0, 4, |_| false), Room::After(vec![1]));
        idle.keeps_nothing(2);
        assert_eq!(idle.make_room(0, 8, |_| false), Room::Enough);
        assert_eq!(idle.make_room(0, 4, |_| false), Room::Soon);
    }
}
