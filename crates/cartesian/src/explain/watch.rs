//! Which keys to look at.

use crate::plan::Plan;
use crate::tree::label::Symbol;
use crate::tree::operation::Operation;

/// The key that was asked for, and the keys that suffixes could make it of.
pub(super) struct Watch {
    pub(super) key: String,
    pub(super) symbols: Vec<Symbol>,
}

impl Watch {
    /// `None` where no text has such a key.
    pub(super) fn new(plan: &Plan, key: &str) -> Option<Self> {
        let mut names = vec![key];
        let mut seen = 0;
        while let Some(&name) = names.get(seen) {
            seen += 1;
            for suffix in &plan.tree.suffixes {
                let shorter = name.strip_suffix(plan.tree.strings.text(suffix.word));
                if let Some(shorter) = shorter.filter(|shorter| !names.contains(shorter)) {
                    names.push(shorter);
                }
            }
        }
        let symbols: Vec<Symbol> =
            names.into_iter().filter_map(|name| plan.tree.strings.find(name)).collect();
        (!symbols.is_empty()).then(|| Self { key: key.to_owned(), symbols })
    }

    pub(super) fn is_key(&self, plan: &Plan, symbol: Symbol) -> bool {
        plan.tree.strings.text(symbol) == self.key
    }

    pub(super) fn has(&self, symbol: Symbol) -> bool {
        self.symbols.contains(&symbol)
    }

    /// Whether an assignment is one for a watched key, whatever that has for a suffix.
    pub(super) fn concerns(&self, plan: &Plan, operation: &Operation) -> bool {
        if !operation.kind.is_pattern() {
            return self.has(Symbol(operation.key));
        }
        let pattern = &plan.tree.patterns[operation.key as usize];
        let strings = &plan.tree.strings;
        // Asked by text, a pattern does not find out about all other keys as well.
        self.symbols.iter().any(|symbol| pattern.matches_text(strings.text(*symbol), strings))
            || pattern.matches_text(&self.key, strings)
    }

    /// Whether an assignment is for a key that bounds a watched one.
    pub(super) fn bounds(&self, plan: &Plan, operation: &Operation) -> bool {
        !operation.kind.is_pattern()
            && plan.bounds[operation.key as usize].is_some_and(|(_, base)| self.has(base))
    }
}
