//! What a variant is called, and what it depends on.

use crate::plan::Plan;
use crate::tree::NodeId;
use crate::walk::Leaf;
use std::sync::Arc;

/// What the language itself says of a variant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Title {
    pub(crate) name: String,
    pub(crate) shortname: String,
    pub(crate) dep: Vec<String>,
    /// For each source the part of the name that comes from it, long and short.
    pub(crate) files: Vec<FileName>,
}

#[derive(Clone, Debug)]
pub(crate) struct FileName {
    pub(crate) file: Arc<str>,
    pub(crate) name: String,
    pub(crate) shortname: String,
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
        let mut title = Self::default();
        // Files are listed in the order of the text, which is the path from its end.
        for &node in path.iter().rev() {
            let head = &plan.tree.node(node).head;
            if !head.labels.is_empty() {
                title.file(&plan.tree.sources.files[head.file as usize].name);
            }
        }
        for &node in path {
            let head = &plan.tree.node(node).head;
            for &dep in &head.deps {
                let mut dep = plan.span(dep).to_owned();
                if !title.name.is_empty() {
                    dep = format!("{}.{dep}", title.name);
                }
                title.dep.push(dep);
            }
            if head.labels.is_empty() {
                continue;
            }
            let file = title.file(&plan.tree.sources.files[head.file as usize].name);
            for &label in &head.labels {
                add(plan, label, true, &mut title.files[file].name);
                add(plan, label, false, &mut title.files[file].shortname);
                add(plan, label, true, &mut title.name);
                if !head.hidden {
                    add(plan, label, false, &mut title.shortname);
                }
            }
        }
        title
    }

    fn file(&mut self, path: &Arc<str>) -> usize {
        let name = path.rsplit('/').next().unwrap_or(path);
        let known = self.files.iter().position(|file| file.file.as_ref() == name);
        known.unwrap_or_else(|| {
            let (long, short) = (String::new(), String::new());
            self.files.push(FileName { file: name.into(), name: long, shortname: short });
            self.files.len() - 1
        })
    }
}

fn add(plan: &Plan, label: u32, long: bool, name: &mut String) {
    if !name.is_empty() {
        name.push('.');
    }
    plan.write_label(label, long, name);
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
