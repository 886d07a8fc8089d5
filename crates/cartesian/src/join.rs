//! `join`: one variant out of several.

use crate::dead::Dead;
use crate::walk::{Leaf, Walk};

/// Every combination of one variant per filter; the last filter varies fastest.
pub(crate) struct Join<'a> {
    /// For each filter a walk that has not begun.
    beginnings: Vec<Walk<'a>>,
    walks: Vec<Walk<'a>>,
}

impl<'a> Join<'a> {
    pub(crate) fn new(beginnings: Vec<Walk<'a>>) -> Self {
        Self { beginnings, walks: Vec::new() }
    }

    pub(crate) fn advance(&mut self, dead: &mut Dead) -> bool {
        if self.walks.is_empty() {
            self.begin();
        }
        while let Some(walk) = self.walks.last_mut() {
            if !walk.advance(dead) {
                self.walks.pop();
            } else if self.walks.len() == self.beginnings.len() {
                return true;
            } else {
                self.begin();
            }
        }
        false
    }

    pub(crate) fn leaf(&self) -> Leaf {
        Leaf::Joined(self.walks.iter().map(Walk::leaf).collect())
    }

    fn begin(&mut self) {
        self.walks.push(self.beginnings[self.walks.len()].clone());
    }
}
