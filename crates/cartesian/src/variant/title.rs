//! What a variant is called, and what it depends on.

use crate::plan::Plan;
use crate::tree::NodeId;
use crate::walk::Leaf;

/// What the language itself says of a variant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Title {
    pub(crate) name: String,
    pub(crate) shortname: String,
    pub(crate) dep: Vec<String>,
}

impl Title {
    pub(crate) fn of(plan: &Plan, leaf: &Leaf) -> Self {
        match leaf {
            Leaf::Path(path) => Self::of_path(plan, path),
            // The first combines with all the others, as if these were combined already.
            Leaf::Joined(leaves) => leaves
                .iter()
                .rev()
                .map(|leaf| Self::of(plan, leaf))
                .reduce(|later, earlier| Self {
                    name: join(&earlier.name, &later.name),
                    shortname: join(&earlier.shortname, &later.shortname),
                    ..later
                })
                .unwrap_or_default(),
        }
    }

    pub(crate) fn of_path(plan: &Plan, path: &[NodeId]) -> Self {
        let mut title = Self {
            name: String::with_capacity(NAME_BYTES),
            shortname: String::with_capacity(NAME_BYTES),
            dep: Vec::new(),
        };
        for &node in path {
            let head = &plan.tree.node(node).head;
            for &dep in &head.deps {
                let mut dep = plan.span(dep).to_owned();
                if !title.name.is_empty() {
                    dep = format!("{}.{dep}", title.name);
                }
                title.dep.push(dep);
            }
            for &label in &head.labels {
                let names = plan.names.of(label);
                add(names.long, &mut title.name);
                if !head.hidden {
                    add(names.short, &mut title.shortname);
                }
            }
        }
        title
    }
}

/// Room that most names need.
pub(crate) const NAME_BYTES: usize = 400;

/// Appends a label to a name.
pub(crate) fn add(label: &str, name: &mut String) {
    if !name.is_empty() {
        name.push('.');
    }
    name.push_str(label);
}

/// The name of two joined variants: what both begin with, once, then the rest of each. The last
/// label of a name is always told, so that a variant joined with itself shows.
fn join(first: &str, second: &str) -> String {
    if first.is_empty() || second.is_empty() {
        return format!("{first}{second}");
    }
    let mut common = 0;
    for (at, _) in first.match_indices('.') {
        if second.len() > at && second.as_bytes()[..=at] == first.as_bytes()[..=at] {
            common = at + 1;
        }
    }
    format!("{}.{}", first, &second[common..])
}
