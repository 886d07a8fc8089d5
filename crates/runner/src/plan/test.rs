//! One test that is to be run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kvmtest::Params;

use crate::child::Program;

/// One test that is to be run.
#[derive(Debug, Clone)]
pub struct PlannedTest {
    /// Its number in this run, counted from 1.
    pub number: u32,
    /// The full name of the variant.
    pub name: String,
    /// The short name.
    pub shortname: String,
    /// The full names of the variants that it depends on, as the configuration gives them.
    pub dep: Vec<String>,
    /// The subtest: what the key `type` names; empty where it is not set.
    pub subtest: String,
    /// Which repetition this is, counted from 1.
    pub iteration: u32,
    /// The program that runs the subtest, or why there is none.
    pub program: Result<Arc<Program>, String>,
    /// The programs that run the subtests which make states of its machines, by their names.
    pub makers: Arc<BTreeMap<String, Arc<Program>>>,
    /// The parameters.
    pub params: Params,
    /// Whether it is to come before those that are not urgent, as far as dependencies allow.
    pub urgent: bool,
    /// How long it takes, by earlier runs.
    pub expected: Option<Duration>,
}

/// A test for tests: called `name`, which depends on `dep` (several with blanks between).
#[cfg(test)]
pub(crate) fn example(name: &str, dep: &str) -> PlannedTest {
    PlannedTest {
        number: 0,
        name: name.to_owned(),
        shortname: name.to_owned(),
        dep: dep.split_whitespace().map(str::to_owned).collect(),
        subtest: "boot".to_owned(),
        iteration: 1,
        program: Err("is not run".to_owned()),
        makers: Arc::default(),
        params: Params::new(),
        urgent: false,
        expected: None,
    }
}
