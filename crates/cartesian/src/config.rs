//! The configuration as its user sees it.

use crate::census::Census;
use crate::count;
use crate::diagnostic::Diagnostic;
use crate::lint;
use crate::plan::Plan;
use crate::tree::{NodeId, Tree};
use crate::variant::Variant;
use crate::walk::Walk;
use crate::walk::dead::Dead;
use crate::walk::patience::Patience;
use std::sync::Arc;

/// What a [`Parser`](crate::Parser) understood: cheap to clone, never changes.
#[derive(Clone)]
pub struct Config {
    pub(crate) plan: Arc<Plan>,
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

    /// What the texts say that their author hardly meant: warnings, in the order of the texts,
    /// each of a [`Finding`](crate::Finding).
    ///
    /// It takes an effort that grows with the texts and not with the number of variants. What
    /// could not be decided in so many steps is no finding.
    pub fn lint(&self) -> Vec<Diagnostic> {
        lint::all(&self.plan)
    }

    /// Statements `key = value` whose value is none of `known`, which the message calls a
    /// `what`: ``there is no subtest `bot` ``.
    pub fn lint_values(&self, key: &str, known: &[&str], what: &str) -> Vec<Diagnostic> {
        lint::unknown_values(&self.plan, key, known, what)
    }
}

/// The variants of a configuration, one after another.
pub struct Variants<'a> {
    plan: &'a Arc<Plan>,
    walk: Walk<'a>,
    dead: Dead,
}

impl Variants<'_> {
    /// Asks `goes_on` now and then while a variant is looked for: many combinations may have to be
    /// tried for one that filters leave. Once it says no, there are no further variants.
    #[must_use]
    pub fn while_patient(mut self, goes_on: impl FnMut() -> bool + Send + 'static) -> Self {
        self.dead.patience = Patience::new(goes_on);
        self
    }

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
