//! Subtests in Python: the files in a folder, and the interpreter that runs them.
//!
//! A folder is only looked at, no interpreter is started for a list of tests. Before a run one
//! short process for each interpreter tells whether it can run subtests at all.

mod file;
mod folder;
mod interpreter;
mod package;
mod shipped;

pub use file::{Subtest, doc};
pub use folder::{Found, scan};
pub use interpreter::Interpreters;
pub use shipped::unpack;
