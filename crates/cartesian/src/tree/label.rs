//! Strings become small numbers once, at parse time; afterwards only numbers are compared.

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;

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
    /// All strings after one another.
    text: String,
    /// For each symbol where its string ends.
    ends: Vec<u32>,
    symbols: HashTable<Symbol>,
}

impl Interner {
    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        let Self { text: all, ends, symbols } = self;
        let is_same = |symbol: &Symbol| string(all, ends, *symbol) == text;
        if let Some(&symbol) = symbols.find(hash(text), is_same) {
            return symbol;
        }
        let symbol = Symbol(number(ends.len()));
        all.push_str(text);
        ends.push(number(all.len()));
        symbols.insert_unique(hash(text), symbol, |symbol| hash(string(all, ends, *symbol)));
        symbol
    }

    pub(crate) fn find(&self, text: &str) -> Option<Symbol> {
        self.symbols.find(hash(text), |symbol| self.text(*symbol) == text).copied()
    }

    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        string(&self.text, &self.ends, symbol)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Symbol, &str)> {
        (0..number(self.len())).map(|symbol| (Symbol(symbol), self.text(Symbol(symbol))))
    }
}

fn string<'a>(text: &'a str, ends: &[u32], symbol: Symbol) -> &'a str {
    let start = symbol.index().checked_sub(1).map_or(0, |before| ends[before]);
    &text[start as usize..ends[symbol.index()] as usize]
}

fn hash(text: &str) -> u64 {
    FxBuildHasher.hash_one(text)
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
