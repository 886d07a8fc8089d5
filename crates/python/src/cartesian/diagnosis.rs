//! What was found in a text, in words of Python.

use kvmtest_cartesian::Diagnostic;
use pyo3::prelude::*;

/// The fields of `kvmtest.cartesian.Diagnostic`.
#[derive(IntoPyObject)]
pub(crate) struct Diagnosis {
    is_error: bool,
    is_missing_include: bool,
    file: String,
    line: u32,
    column: u32,
    end_column: u32,
    message: String,
    help: Option<String>,
    source: String,
    picture: String,
}

impl Diagnosis {
    pub(crate) fn new(one: &Diagnostic, is_missing_include: bool) -> Self {
        Self {
            is_error: one.is_error(),
            is_missing_include,
            file: one.file.to_string(),
            line: one.line,
            column: one.columns.start,
            end_column: one.columns.end,
            message: one.message.clone(),
            help: one.help.clone(),
            source: one.excerpt.trim().to_owned(),
            picture: one.render(false),
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.is_error
    }
}
