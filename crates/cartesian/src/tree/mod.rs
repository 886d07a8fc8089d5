//! What the texts mean, before anything is expanded.
//!
//! Nodes form a directed graph without cycles, not a copy per combination: each variant of a
//! `variants` block has the node of everything above that block as its only child, and all
//! variants of one block share it. A path from the root (the end of the text) down to the node
//! without children (its beginning) is one combination. Children always have smaller numbers
//! than their parents.

pub(crate) mod filter;
pub(crate) mod label;
pub(crate) mod operation;
pub(crate) mod source;
pub(crate) mod spans;

use crate::tree::filter::{FilterId, Filters};
use crate::tree::label::{Interner, Labels, Symbol, number};
use crate::tree::operation::{Operation, Pattern, Template};
use crate::tree::source::{Sources, Span};
use crate::tree::spans::Spans;
use rustc_hash::FxHashMap;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct NodeId(pub(crate) u32);

/// A statement inside a node or a conditional block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    Assign(u32),
    Only(FilterId),
    No(FilterId),
    When(u32),
    Join(FilterId),
    Suffix(u32),
}

/// `F:` or `!F:` and what it governs.
#[derive(Clone)]
pub(crate) struct Condition {
    pub(crate) filter: FilterId,
    pub(crate) negated: bool,
    pub(crate) body: Box<[Item]>,
    /// Whether a filter is somewhere inside: only then does enumeration have to look at it.
    pub(crate) decides: bool,
}

/// A `suffix` statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suffix {
    pub(crate) word: Symbol,
    pub(crate) at: Span,
}

/// What a variant adds to the path.
#[derive(Clone, Default)]
pub(crate) struct Head {
    /// Numbers of the labels of its name.
    pub(crate) labels: Vec<u32>,
    pub(crate) deps: Vec<Span>,
    /// Left out of the short name: `- @name:` or `[default=name]`.
    pub(crate) hidden: bool,
    /// The source that it stands in.
    pub(crate) file: u32,
    /// Its line: `- name: dep`.
    pub(crate) at: Span,
}

#[derive(Clone, Default)]
pub(crate) struct Node {
    pub(crate) head: Head,
    pub(crate) items: Vec<Item>,
    pub(crate) children: Vec<NodeId>,
    /// What the children are joined of, and the joins of the node itself.
    joined_below: Joined,
    joins: u64,
    /// The child that the mode with defaults tries first.
    pub(crate) default: Option<u32>,
}

/// How many paths one variant can be made of, and how many joins are inside one another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Joined {
    pub(crate) paths: u64,
    pub(crate) depth: u32,
}

impl Default for Joined {
    fn default() -> Self {
        Self { paths: 1, depth: 0 }
    }
}

/// Everything that the parser fills.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    pub(crate) sources: Sources,
    pub(crate) strings: Interner,
    pub(crate) labels: Labels,
    pub(crate) nodes: Vec<Node>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) filters: Filters,
    pub(crate) operations: Vec<Operation>,
    pub(crate) templates: Vec<Template>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) suffixes: Vec<Suffix>,
    /// The names of `variants` blocks, by the node that holds the variants.
    pub(crate) blocks: FxHashMap<NodeId, Symbol>,
    pub(crate) spans: Spans,
}

impl Tree {
    pub(crate) fn add_node(&mut self) -> NodeId {
        self.nodes.push(Node::default());
        self.spans.nodes.push(self.spans.current);
        NodeId(number(self.nodes.len() - 1))
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    pub(crate) fn set_children(&mut self, id: NodeId, children: Vec<NodeId>) {
        let below = children.iter().map(|child| self.joined(*child, 0));
        let most = |a: Joined, b: Joined| Joined {
            paths: a.paths.max(b.paths),
            depth: a.depth.max(b.depth),
        };
        self.node_mut(id).joined_below = below.fold(Joined::default(), most);
        self.node_mut(id).children = children;
    }

    /// What a variant of this node is joined of when the node gets that many joins more.
    pub(crate) fn joined(&self, id: NodeId, more: u64) -> Joined {
        let Node { joined_below: Joined { paths, depth }, joins, .. } = self.node(id);
        let joins = joins + more;
        Joined { paths: paths.saturating_mul(joins.max(1)), depth: depth + u32::from(joins > 0) }
    }

    pub(crate) fn add_join(&mut self, id: NodeId, filter: FilterId) {
        let node = self.node_mut(id);
        node.joins += 1;
        node.items.push(Item::Join(filter));
    }

    pub(crate) fn decides(&self, items: &[Item]) -> bool {
        items.iter().any(|item| match item {
            Item::Only(_) | Item::No(_) => true,
            Item::When(condition) => self.conditions[*condition as usize].decides,
            Item::Assign(_) | Item::Join(_) | Item::Suffix(_) => false,
        })
    }
}
