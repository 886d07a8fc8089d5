//! Dependencies on variants that there are not.

use super::label::labels;
use super::names::Names;
use super::{Finding, Lint};
use crate::tree::label::number;
use crate::tree::source::Span;

pub(super) fn check(lint: &mut Lint) {
    let tree = &lint.plan.tree;
    let names = Names::new(tree);
    for dep in tree.nodes.iter().flat_map(|node| &node.head.deps) {
        let written = labels(tree.sources.text(*dep));
        let Some(label) = written.into_iter().find(|label| !names.has(label)) else {
            continue;
        };
        let at =
            Span { start: dep.start + number(label.bytes.start), len: number(label.bytes.len()) };
        let name = tree.sources.text(at);
        let message = format!("no variant has the label `{name}`: nothing is depended on");
        lint.report(Finding::UnknownDependency, at, message, names.suggest(&label));
    }
}
