//! Strings become small numbers once, at parse time; afterwards only numbers are compared.

use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A string that the interner knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Symbol(pub(crate) u32);

impl Symbol {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Gives each distinct string one [`Symbol`].
#[derive(Clone, Default)]
pub(crate) struct Interner {
    symbols: FxHashMap<Arc<str>, Symbol>,
    strings: Vec<Arc<str>>,
}

impl Interner {
    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.symbols.get(text) {
            return symbol;
        }
        let symbol = Symbol(number(self.strings.len()));
        let shared: Arc<str> = text.into();
        self.strings.push(shared.clone());
        self.symbols.insert(shared, symbol);
        symbol
    }

    pub(crate) fn find(&self, text: &str) -> Option<Symbol> {
        self.symbols.get(text).copied()
    }

    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        &self.strings[symbol.index()]
    }

    pub(crate) fn len(&self) -> usize {
        self.strings.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Symbol, &str)> {
        self.strings.iter().enumerate().map(|(i, s)| (Symbol(number(i)), s.as_ref()))
    }
}

/// A label as it stands in a variant's name: `f`, or `(os=f)` in a block called `os`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Label {
    pub(crate) variable: Option<Symbol>,
    pub(crate) name: Symbol,
}

/// Gives each distinct label one number.
#[derive(Clone, Default)]
pub(crate) struct Labels {
    numbers: FxHashMap<Label, u32>,
    labels: Vec<Label>,
}

impl Labels {
    pub(crate) fn intern(&mut self, label: Label) -> u32 {
        *self.numbers.entry(label).or_insert_with(|| {
            self.labels.push(label);
            number(self.labels.len() - 1)
        })
    }

    pub(crate) fn find(&self, label: Label) -> Option<u32> {
        self.numbers.get(&label).copied()
    }

    pub(crate) fn get(&self, number: u32) -> Label {
        self.labels[number as usize]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Label> {
        self.labels.iter().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }
}

/// An index as the tables here store it. Sources are bounded to 1 GiB, so nothing counted in
/// them can pass 32 bits.
pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a table grows with its sources, and these are bounded")
}
