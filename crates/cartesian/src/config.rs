//! The configuration as its user sees it.

use crate::census::Census;
use crate::count;
use crate::dead::Dead;
use crate::plan::Plan;
use crate::tree::{NodeId, Tree};
use crate::variant::Variant;
use crate::walk::Walk;
use std::sync::Arc;

/// What a [`Parser`](crate::Parser) understood: cheap to clone, never changes.
#[derive(Clone)]
pub struct Config {
    plan: Arc<Plan>,
}

impl Config {
    pub(crate) fn new(tree: Tree, root: NodeId, defaults: Option<Vec<String>>) -> Self {
        Self { plan: Arc::new(Plan::new(tree, root, defaults)) }
    }

    /// Every variant, in order: the last `variants` block varies slowest.
    ///
    /// Each is found when it is asked for. [`Iterator::count`] builds none of them.
    pub fn variants(&self) -> Variants<'_> {
        Variants { plan: &self.plan, walk: Walk::new(&self.plan), dead: Dead::default() }
    }

    /// Every label that any variant has in its name, each once, without the name of its block.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.census().labels()
    }

    /// Every value that a plain `key = value` statement gives this key anywhere, each once, in
    /// the order of the text, whether or not a variant gets there.
    pub fn assigned(&self, key: &str) -> Vec<&str> {
        self.census().assigned(key)
    }

    /// What it holds besides, told without going through its variants.
    pub fn census(&self) -> Census<'_> {
        Census::new(&self.plan.tree, self.plan.root)
    }
}

/// The variants of a configuration, one after another.
pub struct Variants<'a> {
    plan: &'a Arc<Plan>,
    walk: Walk<'a>,
    dead: Dead,
}

impl Variants<'_> {
    fn advance(&mut self) -> bool {
        self.walk.advance(&mut self.dead)
    }
}

impl Iterator for Variants<'_> {
    type Item = Variant;

    fn next(&mut self) -> Option<Variant> {
        self.advance().then(|| Variant::new(self.plan.clone(), self.walk.leaf()))
    }

    fn nth(&mut self, n: usize) -> Option<Variant> {
        for _ in 0..n {
            if !self.advance() {
                return None;
            }
        }
        self.next()
    }

    fn count(self) -> usize {
        if self.walk.has_begun() {
            return self.fold(0, |count, _| count + 1);
        }
        usize::try_from(count::count(self.plan)).unwrap_or(usize::MAX)
    }
}
