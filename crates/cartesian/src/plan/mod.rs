//! A tree made ready for enumeration: what can be known once is computed once.

pub(crate) mod ahead;
pub(crate) mod beginning;
pub(crate) mod bound;
pub(crate) mod file_names;
pub(crate) mod names;

use crate::plan::ahead::Ahead;
use crate::plan::beginning::Beginning;
use crate::plan::bound::Bound;
use crate::plan::names::Names;
use crate::tree::filter::FilterId;
use crate::tree::label::{Label, Symbol, number};
use crate::tree::source::Span;
use crate::tree::{Item, NodeId, Tree};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of the next plan.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// No tag: no filter names the label.
pub(crate) const NO_TAG: u32 = u32::MAX;

/// A statement that can drop variants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    Only(FilterId),
    No(FilterId),
    /// A condition with such a statement inside.
    When(u32),
}

impl Guard {
    fn of(item: Item, tree: &Tree) -> Option<Self> {
        match item {
            Item::Only(filter) => Some(Self::Only(filter)),
            Item::No(filter) => Some(Self::No(filter)),
            Item::When(condition) if tree.conditions[condition as usize].decides => {
                Some(Self::When(condition))
            }
            Item::When(_) | Item::Assign(_) | Item::Join(_) | Item::Suffix(_) => None,
        }
    }
}

/// Keys that can be read with `${…}` though nobody assigns them.
pub(crate) struct Known {
    pub(crate) name: Option<Symbol>,
    pub(crate) shortname: Option<Symbol>,
    pub(crate) dep: Option<Symbol>,
}

/// Where only defaults are wanted: the child of a node that is tried before all others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    pub(crate) child: u32,
    /// If it gives any variant, the others are not tried.
    pub(crate) suffices: bool,
}

pub(crate) struct Plan {
    /// No other plan of this process has it.
    pub(crate) number: u64,
    pub(crate) tree: Tree,
    pub(crate) root: NodeId,
    /// All sources after one another: spans are slices of it. Names need none, so it is made when
    /// a span is asked for.
    text: OnceLock<String>,
    /// For each label the tags that it has: by its name, and by block and name.
    pub(crate) tags: Vec<[u32; 2]>,
    pub(crate) tag_count: usize,
    pub(crate) ahead: Ahead,
    /// For each node and each condition its guards.
    pub(crate) node_guards: Vec<Box<[Guard]>>,
    pub(crate) condition_guards: Vec<Box<[Guard]>>,
    pub(crate) joins: Vec<Box<[FilterId]>>,
    /// For each node the child to try first, where only defaults are wanted.
    pub(crate) first: Vec<Option<First>>,
    /// For each key whether it bounds another one.
    pub(crate) bounds: Vec<Option<(Bound, Symbol)>>,
    pub(crate) known: Known,
    pub(crate) names: Names,
    /// For each source the number of its file name.
    pub(crate) files: Vec<u32>,
    pub(crate) beginning: Option<Beginning>,
}

impl Plan {
    pub(crate) fn new(mut tree: Tree, root: NodeId, defaults: Option<Vec<String>>) -> Self {
        let bounds = bounds(&mut tree);
        let tags = tags(&tree);
        let tag_count = tree.filters.named.len();
        let guards = |items: &[Item]| items.iter().filter_map(|i| Guard::of(*i, &tree)).collect();
        let joins = |items: &[Item]| {
            let join = |item: &Item| match item {
                Item::Join(filter) => Some(*filter),
                _ => None,
            };
            items.iter().filter_map(join).collect()
        };
        let wanted = |node: NodeId| {
            let expand = defaults.as_ref()?;
            let is_exception = |block: Option<Symbol>| {
                block
                    .is_some_and(|block| expand.iter().any(|name| name == tree.strings.text(block)))
            };
            if is_exception(tree.blocks.get(&node).copied()) {
                return None;
            }
            // The last block inside of a variant shares the node of that variant.
            let around = tree.node(node).head.labels.first();
            let around = around.and_then(|label| tree.labels.get(*label).variable);
            let child = tree.node(node).default?;
            Some(First { child, suffices: !is_exception(around) })
        };
        let nodes = || (0..number(tree.nodes.len())).map(NodeId);
        let known = |key| tree.strings.find(key);
        Self {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            root,
            text: OnceLock::new(),
            ahead: Ahead::new(&tree, &tags, tag_count),
            node_guards: tree.nodes.iter().map(|node| guards(&node.items)).collect(),
            condition_guards: tree.conditions.iter().map(|c| guards(&c.body)).collect(),
            joins: tree.nodes.iter().map(|node| joins(&node.items)).collect(),
            first: nodes().map(wanted).collect(),
            known: Known { name: known("name"), shortname: known("shortname"), dep: known("dep") },
            names: Names::new(&tree),
            files: file_names::numbers(&tree.sources),
            beginning: Beginning::new(&tree),
            tags,
            tag_count,
            bounds,
            tree,
        }
    }

    pub(crate) fn span(&self, span: Span) -> &str {
        let text = self.text.get_or_init(|| self.tree.sources.joined());
        &text[span.start as usize..span.end() as usize]
    }

    /// The tags of a label.
    pub(crate) fn tags_of(&self, label: u32) -> impl Iterator<Item = u32> {
        self.tags[label as usize].into_iter().filter(|&tag| tag != NO_TAG)
    }

    /// The child of a node that is tried as number `tried`; `has_yielded` tells whether a variant
    /// came out of those before.
    pub(crate) fn child(&self, node: NodeId, tried: usize, has_yielded: bool) -> Option<NodeId> {
        let children = &self.tree.node(node).children;
        let child = match self.first[node.0 as usize] {
            Some(first) if first.suffices && tried == 1 && has_yielded => return None,
            Some(first) if tried == 0 => first.child as usize,
            Some(first) if tried <= first.child as usize => tried - 1,
            _ => tried,
        };
        children.get(child).copied()
    }

    /// What decides a guard.
    pub(crate) fn filter(&self, guard: Guard) -> FilterId {
        match guard {
            Guard::Only(filter) | Guard::No(filter) => filter,
            Guard::When(condition) => self.tree.conditions[condition as usize].filter,
        }
    }

    /// A number of its own for each guard.
    pub(crate) fn number(&self, guard: Guard) -> usize {
        match guard {
            Guard::Only(filter) | Guard::No(filter) => filter.0 as usize,
            Guard::When(condition) => self.tree.filters.len() + condition as usize,
        }
    }

    pub(crate) fn guard_count(&self) -> usize {
        self.tree.filters.len() + self.tree.conditions.len()
    }

    pub(crate) fn ahead(&self, node: NodeId) -> &[u64] {
        self.ahead.of(node).unwrap_or_default()
    }
}

fn tags(tree: &Tree) -> Vec<[u32; 2]> {
    let tag = |label| tree.filters.named.find(label).unwrap_or(NO_TAG);
    let both = |label: Label| {
        let plain = tag(Label { variable: None, name: label.name });
        let named = if label.variable.is_some() { tag(label) } else { NO_TAG };
        [plain, named]
    };
    tree.labels.iter().map(both).collect()
}

fn bounds(tree: &mut Tree) -> Vec<Option<(Bound, Symbol)>> {
    let found: Vec<_> = tree
        .strings
        .iter()
        .filter_map(|(key, text)| {
            Bound::of(text).map(|(bound, base)| (key, bound, base.to_owned()))
        })
        .collect();
    let found: Vec<_> = found
        .into_iter()
        .map(|(key, bound, base)| (key, bound, tree.strings.intern(&base)))
        .collect();
    let mut bounds = vec![None; tree.strings.len()];
    for (key, bound, base) in found {
        bounds[key.index()] = Some((bound, base));
    }
    bounds
}
