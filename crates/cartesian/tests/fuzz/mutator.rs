//! Changes texts at random.

use crate::{corpus, statement, texts};

/// Texts that are worth changing, and the dice.
pub(crate) struct Mutator {
    kept: Vec<String>,
    state: u64,
}

/// Longer texts take longer and find no more.
const LONGEST: usize = 3000;

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { kept: Vec::new(), state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    pub(crate) fn keep(&mut self, text: String) {
        self.kept.push(text);
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Another text to try.
    pub(crate) fn text(&mut self) -> String {
        let mut text = match self.below(8) {
            0 => self.well_formed(),
            _ => self.any(),
        };
        for _ in 0..=self.below(5) {
            text = self.changed(&text);
        }
        let end = (0..=LONGEST.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or(0));
        text
    }

    fn well_formed(&mut self) -> String {
        let bytes: Vec<u8> =
            (0..self.below(texts::BYTES)).map(|_| self.next().to_le_bytes()[0]).collect();
        statement::text(&texts::from_bytes(&bytes).statements)
    }

    fn any(&mut self) -> String {
        let at = self.below(self.kept.len());
        self.kept[at].clone()
    }

    fn changed(&mut self, text: &str) -> String {
        match self.below(12) {
            0..5 => self.in_line(text),
            5..9 => self.lines(text),
            9 => text.to_owned() + &self.any(),
            10 => {
                let cut = self.position(text);
                text[..cut].to_owned()
            }
            _ => {
                let other = self.any();
                let (from, to) = (self.position(&other), self.position(text));
                format!("{}{}", &text[..to], &other[from..])
            }
        }
    }

    /// Another word, one less, or a character that nobody expects.
    fn in_line(&mut self, text: &str) -> String {
        let (one, other) = (self.position(text), self.position(text));
        let (start, end) = (one.min(other), one.max(other));
        let near = |length: usize| {
            text[start..].char_indices().nth(length).map_or(text.len(), |(at, _)| start + at)
        };
        match self.below(8) {
            0..4 => {
                let word = corpus::WORDS[self.below(corpus::WORDS.len())];
                format!("{}{word}{}", &text[..start], &text[start..])
            }
            4 => {
                let end = near(self.below(4));
                format!("{}{}", &text[..start], &text[end..])
            }
            5 => {
                let end = near(self.below(20));
                let piece = text[start..end].repeat(1 + self.below(8));
                format!("{}{piece}{}", &text[..start], &text[end..])
            }
            6 => {
                let strange = char::from_u32(self.next() >> self.below(32)).unwrap_or('\u{fffd}');
                format!("{}{strange}{}", &text[..start], &text[start..])
            }
            _ if end - start < 40 => format!("{}{}", &text[..start], &text[end..]),
            _ => text.to_owned(),
        }
    }

    /// Lines in another order, twice, not at all, or further in or out.
    fn lines(&mut self, text: &str) -> String {
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let (one, other) = (self.below(lines.len()), self.below(lines.len()));
        match self.below(6) {
            0 => {
                lines.remove(one);
            }
            1 => lines.swap(one, other),
            2 => lines.insert(other, lines[one].clone()),
            3 => lines[one] = format!("{}{}", " ".repeat(1 + self.below(8)), lines[one]),
            4 => lines[one] = lines[one].trim_start().into(),
            _ => {
                let from = self.any();
                let from: Vec<_> = from.split('\n').collect();
                lines.insert(one, from[self.below(from.len())].to_owned());
            }
        }
        lines.join("\n")
    }

    /// A place between two characters.
    fn position(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit.max(1)
    }

    /// Marsaglia's xorshift.
    fn next(&mut self) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        u32::try_from(self.state >> 32).expect("what is left has 32 bits")
    }
}
