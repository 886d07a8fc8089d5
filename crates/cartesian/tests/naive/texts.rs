//! Random texts without faults, made from bytes: each choice takes one, and zeros, which are also
//! what comes after the last byte, choose what is simplest. What shrinks the bytes shrinks the text.

use crate::statement::{self, Block, Entry, Filter, Label, Statement};
use std::fmt;

/// A text and how it is to be expanded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) statements: Vec<Statement>,
    /// Only default variants, except in the blocks of these names.
    pub(crate) defaults: Option<Vec<String>>,
}

/// How many bytes are worth giving.
pub(crate) const BYTES: usize = 600;

/// The text that some bytes stand for.
pub(crate) fn from_bytes(bytes: &[u8]) -> Text {
    let mut maker =
        Maker { bytes: bytes.iter(), labels: 3, joins: false, gentle: false, left: 400 };
    let flags = maker.below(16);
    maker.labels += maker.below(5);
    maker.joins = flags & 1 == 1;
    maker.gentle = flags & 8 == 8;
    let defaults = (flags & 6 == 6).then(|| maker.some(2, Maker::block_name));
    let mut statements = Vec::new();
    for _ in 0..3 + maker.below(9) {
        statements.push(maker.statement(Place::Outermost));
    }
    Text { statements, defaults }
}

/// As somebody would write it into a test.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "defaults: {:?}, text:\n{}", self.defaults, statement::text(&self.statements))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outermost,
    Variant(u32),
    Condition(u32),
}

struct Maker<'a> {
    bytes: std::slice::Iter<'a, u8>,
    /// How many labels there are: `a`, `b`, …
    labels: usize,
    joins: bool,
    /// Filters are written such that few drop everything.
    gentle: bool,
    /// How many combinations may still be made.
    left: usize,
}

impl Maker<'_> {
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.bytes.next().copied().unwrap_or(0)) % limit
    }

    fn pick<'b>(&mut self, choices: &[&'b str]) -> &'b str {
        choices[self.below(choices.len())]
    }

    fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn statement(&mut self, place: Place) -> Statement {
        // What is left over is an assignment.
        let choice = self.below(40);
        match (choice, place) {
            (6..8, _) => self.pattern(),
            (8, _) => Statement::Delete(self.key()),
            (9..11, _) if self.gentle => Statement::No(self.filter(0)),
            (9..12, _) if !self.gentle => Statement::Only(self.filter(4)),
            (12..16, _) if !self.gentle => Statement::No(self.filter(1)),
            (16, _) => Statement::Suffix(self.pick(&["_s", "_t"]).into()),
            (17..19, Place::Outermost | Place::Variant(_)) if self.joins => {
                Statement::Join(self.joined())
            }
            (19..22, Place::Outermost) => self.condition(1),
            (19..22, Place::Variant(depth) | Place::Condition(depth)) if depth < 3 => {
                self.condition(depth + 1)
            }
            (22..40, Place::Outermost) => self.variants(1),
            (36..40, Place::Variant(depth)) if depth < 3 => self.variants(depth + 1),
            _ => self.assignment(),
        }
    }

    fn variants(&mut self, depth: u32) -> Statement {
        let most = match self.left {
            0..100 => 1,
            100..300 => 2,
            _ => 3,
        };
        let count = 1 + self.below(most);
        self.left /= count;
        let name = (self.below(3) == 2).then(|| self.block_name());
        let mut variants = Vec::new();
        for _ in 0..count {
            let hidden = self.below(6) == 5;
            let mut name = self.label();
            if self.below(6) == 5 {
                name = format!("{name}.{}", self.label());
            }
            let deps = if self.below(6) == 5 { self.some(2, Self::label) } else { Vec::new() };
            let body = self.some(2, |maker| maker.statement(Place::Variant(depth)));
            variants.push(Entry { hidden, name, deps, body });
        }
        let default = (self.below(6) == 5).then(|| variants[self.below(count)].name.clone());
        Statement::Variants(Block { name, default, variants })
    }

    fn condition(&mut self, depth: u32) -> Statement {
        let negated = self.below(3) == 2;
        let filter = self.filter(2);
        let mut body = vec![self.statement(Place::Condition(depth))];
        body.extend(self.some(2, |maker| maker.statement(Place::Condition(depth))));
        Statement::When { negated, filter, body }
    }

    fn assignment(&mut self) -> Statement {
        let key = self.key();
        let operator = self.pick(&["=", "+=", "<=", "~=", "="]).into();
        Statement::Assign { key, operator, value: self.value() }
    }

    fn pattern(&mut self) -> Statement {
        let key = self.pick(&["k", "k.*", "j|k", "[jk]", ".*k", "j.?", "k_[st].*"]).into();
        let operator = self.pick(&["?=", "?+=", "?<="]).into();
        Statement::Assign { key, operator, value: self.value() }
    }

    fn key(&mut self) -> String {
        let keys = ["k", "j", "kk", "jk", "k_max", "j_min", "k_fixed", "k_s", "j_t", "n"];
        self.pick(&keys).into()
    }

    fn value(&mut self) -> String {
        let values = [
            "1",
            "2",
            "30",
            "4K",
            "5M",
            "x",
            "${k}",
            "${j}",
            "x${k}y${j}",
            "${k}${q}${j}",
            "\" q\"",
            "'q'",
            "${name}",
            "${shortname}",
            "${dep}",
            "${n}",
        ];
        self.pick(&values).into()
    }

    fn filter(&mut self, most: usize) -> Filter {
        let mut words = vec![self.word()];
        words.extend(self.some(most, Self::word));
        Filter(words)
    }

    /// What a `join` joins: at most three, since each multiplies.
    fn joined(&mut self) -> Filter {
        let single = |maker: &mut Self| {
            vec![vec![if maker.gentle {
                Label { block: None, name: maker.label() }
            } else {
                maker.filter_label()
            }]]
        };
        if self.below(4) == 3 {
            return self.filter(2);
        }
        let mut words = vec![single(self), single(self)];
        words.extend(self.some(1, single));
        Filter(words)
    }

    fn word(&mut self) -> Vec<Vec<Label>> {
        let count = [1, 1, 1, 2, 2, 2, 3][self.below(7)] + usize::from(self.gentle);
        (0..count).map(|_| self.sequence()).collect()
    }

    fn sequence(&mut self) -> Vec<Label> {
        let count = [1, 1, 1, 1, 2, 2, 2, 3][self.below(8)];
        (0..count).map(|_| self.filter_label()).collect()
    }

    fn filter_label(&mut self) -> Label {
        let block = (self.below(6) == 5).then(|| self.block_name());
        Label { block, name: self.label() }
    }

    fn label(&mut self) -> String {
        let at = self.below(self.labels);
        "abcdefgh"[at..=at].into()
    }

    fn block_name(&mut self) -> String {
        self.pick(&["n", "m"]).into()
    }
}
