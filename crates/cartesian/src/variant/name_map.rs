//! Which part of a variant's name comes from which source.

use crate::plan::{Plan, file_names};
use crate::tree::NodeId;
use crate::variant::title::{NAME_BYTES, add};
use crate::walk::Leaf;

/// The part of a name that comes from one source.
#[derive(Clone, Debug)]
pub(crate) struct FileName {
    /// The number of the file's name.
    number: u32,
    /// The last component of the source's name.
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) shortname: String,
}

/// The parts of a name, in the order of the text.
pub(crate) fn name_map(plan: &Plan, leaf: &Leaf) -> Vec<FileName> {
    match leaf {
        Leaf::Path(path) => of_path(plan, path),
        // What the last of the joined has overrides what the others have.
        Leaf::Joined(leaves) => leaves.last().map(|leaf| name_map(plan, leaf)).unwrap_or_default(),
    }
}

fn of_path(plan: &Plan, path: &[NodeId]) -> Vec<FileName> {
    let mut files: Vec<FileName> = Vec::new();
    // The order of the text is the path from its end.
    for &node in path.iter().rev() {
        if !plan.tree.node(node).head.labels.is_empty() {
            position(plan, node, &mut files);
        }
    }
    for &node in path {
        let head = &plan.tree.node(node).head;
        if head.labels.is_empty() {
            continue;
        }
        let at = position(plan, node, &mut files);
        for &label in &head.labels {
            let names = plan.names.of(label);
            add(names.long, &mut files[at].name);
            add(names.short, &mut files[at].shortname);
        }
    }
    files
}

/// Where a node's source stands in the list.
fn position(plan: &Plan, node: NodeId, files: &mut Vec<FileName>) -> usize {
    let number = plan.files[plan.tree.node(node).head.file as usize];
    let known = files.iter().position(|known| known.number == number);
    known.unwrap_or_else(|| {
        let file = file_names::last(&plan.tree.sources.files[number as usize].name).to_owned();
        let (name, shortname) = (String::with_capacity(NAME_BYTES), String::new());
        files.push(FileName { number, file, name, shortname });
        files.len() - 1
    })
}
