//! `join`: one variant out of several.

use crate::walk::dead::Dead;
use crate::walk::facts::Fact;
use crate::walk::{Leaf, Walk};

/// Every combination of one variant per filter; the last filter varies fastest.
pub(crate) struct Join<'a> {
    /// For each filter a walk that has not begun.
    beginnings: Vec<Walk<'a>>,
    walks: Vec<Walk<'a>>,
    /// The last walk has given nothing yet.
    is_fresh: bool,
    /// Why one of the filters finds nothing.
    reason: Option<Vec<Fact>>,
}

impl<'a> Join<'a> {
    pub(crate) fn new(beginnings: Vec<Walk<'a>>) -> Self {
        Self { beginnings, walks: Vec::new(), is_fresh: false, reason: None }
    }

    pub(crate) fn advance(&mut self, dead: &mut Dead) -> bool {
        if self.walks.is_empty() {
            self.begin();
        }
        while let Some(walk) = self.walks.last_mut() {
            if !walk.advance(dead) {
                // A filter that finds nothing finds nothing whatever the others find.
                if self.is_fresh {
                    self.reason = walk.reason().map(<[Fact]>::to_vec);
                    self.walks.clear();
                }
                self.walks.pop();
                continue;
            }
            self.is_fresh = false;
            if self.walks.len() == self.beginnings.len() {
                return true;
            }
            self.begin();
        }
        false
    }

    /// The facts out of which it follows that there is nothing to join. They may name the guard
    /// that is the filter of the join.
    pub(crate) fn reason(&self) -> Option<&[Fact]> {
        self.reason.as_deref()
    }

    pub(crate) fn leaf(&self) -> Leaf {
        Leaf::Joined(self.walks.iter().map(Walk::leaf).collect())
    }

    fn begin(&mut self) {
        self.walks.push(self.beginnings[self.walks.len()].clone());
        self.is_fresh = true;
    }
}
