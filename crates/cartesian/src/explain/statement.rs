//! The text of a statement.

use crate::parser::scan;
use crate::plan::Plan;
use crate::tree::operation::{Kind, Operation};
use crate::tree::source::Place;

/// Where an assignment stands.
pub(super) fn place(plan: &Plan, operation: u32) -> Place {
    plan.tree.sources.place(plan.tree.operations[operation as usize].at)
}

/// An assignment as written, without what stands before it in its line.
pub(super) fn text(plan: &Plan, operation: &Operation) -> String {
    let file = &plan.tree.sources.files[plan.tree.sources.file_at(operation.at)];
    let (line, line_start) = file.line_text(operation.at);
    let at = (operation.at - file.base) as usize - line_start;
    if operation.kind == Kind::Delete {
        return format!("del {}", &line[scan::before_comment(line, at)]);
    }
    line[at..].trim_end().to_owned()
}

/// How an assignment is written.
pub(super) fn operator(plan: &Plan, operation: &Operation) -> &'static str {
    match operation.kind {
        Kind::Set if text(plan, operation).starts_with('-') => "-",
        Kind::Set => "=",
        Kind::Append => "+=",
        Kind::Prepend => "<=",
        Kind::Lazy => "~=",
        Kind::PatternSet => "?=",
        Kind::PatternAppend => "?+=",
        Kind::PatternPrepend => "?<=",
        Kind::Delete => "del",
    }
}
