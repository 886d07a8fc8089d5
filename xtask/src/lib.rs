//! Repository chores: what keeps the tree as `ARCHITECTURE.md` and `CONTRIBUTING.md` say it is.

pub mod ci;
pub mod code;
pub mod codegen;
pub mod finding;
pub mod suite;
pub mod tidy;
pub mod tree;
