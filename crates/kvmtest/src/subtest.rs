//! What a subtest is to those who run it: a name, the file it stands in, and its function.

use crate::env::Env;
use crate::error::Result;
use crate::params::Params;
use crate::test::Test;

/// A subtest: one line of the table that the build script of a subtests crate writes.
#[derive(Debug, Clone, Copy)]
pub struct Subtest {
    /// `boot` for `run_boot`; what the key `type` names.
    pub name: &'static str,
    /// The crate and the file in it: `kvmtest-subtests/src/boot.rs`.
    pub file: &'static str,
    /// The first line of the file's own documentation; empty where there is none.
    pub doc: &'static str,
    /// The function.
    pub run: fn(&mut Test, &Params, &mut Env) -> Result<()>,
}
