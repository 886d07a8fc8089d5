//! What a variant is called, and what it depends on.

use crate::plan::Plan;
use crate::tree::NodeId;
use crate::walk::Leaf;

/// All labels, separated by dots; those of blocks with a name as `(name=label)`.
pub(crate) fn name(plan: &Plan, leaf: &Leaf) -> String {
    joined(leaf, &|path| name_of(plan, path))
}

/// The labels that are neither `@` nor default, without the names of their blocks.
pub(crate) fn shortname(plan: &Plan, leaf: &Leaf) -> String {
    joined(leaf, &|path| shortname_of(plan, path))
}

/// What has to have run before. A joined variant depends on what the last of its parts does.
pub(crate) fn deps(plan: &Plan, leaf: &Leaf) -> Vec<String> {
    match leaf {
        Leaf::Path(path) => deps_of(plan, path),
        Leaf::Joined(leaves) => leaves.last().map(|leaf| deps(plan, leaf)).unwrap_or_default(),
    }
}

pub(crate) fn name_of(plan: &Plan, path: &[NodeId]) -> String {
    let mut name = String::with_capacity(NAME_BYTES);
    for &node in path {
        for &label in &plan.tree.node(node).head.labels {
            add(plan.names.of(label).long, &mut name);
        }
    }
    name
}

pub(crate) fn shortname_of(plan: &Plan, path: &[NodeId]) -> String {
    let mut name = String::with_capacity(NAME_BYTES);
    let heads = path.iter().map(|&node| &plan.tree.node(node).head);
    for head in heads.filter(|head| !head.hidden) {
        for &label in &head.labels {
            add(plan.names.of(label).short, &mut name);
        }
    }
    name
}

/// Each is told with the name so far before it: it is among what has the same beginning.
pub(crate) fn deps_of(plan: &Plan, path: &[NodeId]) -> Vec<String> {
    let mut deps = Vec::new();
    for (at, &node) in path.iter().enumerate() {
        let own = &plan.tree.node(node).head.deps;
        if own.is_empty() {
            continue;
        }
        let before = name_of(plan, &path[..at]);
        deps.extend(own.iter().map(|&dep| {
            let mut name = before.clone();
            add(plan.span(dep), &mut name);
            name
        }));
    }
    deps
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

/// The first combines with all the others, as if these were combined already.
fn joined(leaf: &Leaf, of_path: &impl Fn(&[NodeId]) -> String) -> String {
    match leaf {
        Leaf::Path(path) => of_path(path),
        Leaf::Joined(leaves) => {
            let names = leaves.iter().rev().map(|leaf| joined(leaf, of_path));
            names.reduce(|later, earlier| join(&earlier, &later)).unwrap_or_default()
        }
    }
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
