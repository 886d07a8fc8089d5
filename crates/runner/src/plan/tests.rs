//! From chosen variants to the tests of a run.

use std::sync::Arc;

use kvmtest::Params;
use kvmtest_cartesian::{Variant, nearest};

use super::config::params;
use super::known::Known;
use super::test::PlannedTest;
use crate::child::Program;
use crate::queue::Needs;

/// What is to be run, in its order.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The tests, each repetition by itself.
    pub tests: Vec<PlannedTest>,
    /// The short names of those that say `skip = yes`.
    pub left_out: Vec<String>,
}

/// Makes tests of variants: what says `skip = yes` is left out, what says `iterations = 3` comes
/// three times. A variant that cannot be run becomes a test that says why.
pub fn plan(variants: impl IntoIterator<Item = Variant>, known: &Known) -> Plan {
    let mut plan = Plan::default();
    for variant in variants {
        add(&mut plan, &variant, known);
    }
    plan
}

fn add(plan: &mut Plan, variant: &Variant, known: &Known) {
    let params = params(variant);
    let checked = check(&params, known);
    let (program, iterations) = match checked {
        Ok(Checked { program: None, .. }) => {
            plan.left_out.push(variant.shortname().to_owned());
            return;
        }
        Ok(Checked { program: Some(program), iterations }) => (Ok(program), iterations),
        Err(why) => (Err(why), 1),
    };
    for iteration in 1..=iterations {
        plan.tests.push(PlannedTest {
            number: u32::try_from(plan.tests.len() + 1).unwrap_or(u32::MAX),
            name: variant.name().to_owned(),
            shortname: variant.shortname().to_owned(),
            dep: variant.deps().to_vec(),
            subtest: params.get_or("type", "").to_owned(),
            iteration,
            program: program.clone(),
            params: params.clone(),
            urgent: false,
            expected: None,
        });
    }
}

struct Checked {
    iterations: u32,
    /// None where it is to be skipped.
    program: Option<Arc<Program>>,
}

fn check(params: &Params, known: &Known) -> Result<Checked, String> {
    let skip = params.get_bool_or("skip", false).map_err(|error| error.to_string())?;
    let iterations = params.get_u64_or("iterations", 1).map_err(|error| error.to_string())?;
    let iterations = u32::try_from(iterations)
        .ok()
        .filter(|number| (1..=100_000).contains(number))
        .ok_or_else(|| params.wrong("iterations", "between 1 and 100000").to_string())?;
    Needs::read(params).map_err(|error| error.to_string())?;
    check_unstable(params)?;
    if skip {
        // Nobody is asked whether it could be run.
        return Ok(Checked { iterations, program: None });
    }
    let subtest = known.find(params).map_err(|error| error.to_string())?;
    let subtest = subtest.ok_or_else(|| unknown(params, known))?;
    let program = known.program(&subtest, params)?;
    Ok(Checked { iterations, program: Some(program) })
}

fn unknown(params: &Params, known: &Known) -> String {
    let name = params.get_or("type", "");
    let place = params.origin("type").map(|place| format!(" ({place})")).unwrap_or_default();
    if let Some(why) = known.why_not(name, Some(params)) {
        return format!("there is no subtest `{name}`{place}: {why}");
    }
    let near = nearest(name, known.iter().map(|subtest| subtest.name.as_str()), 3);
    let hint = match near.as_slice() {
        [] => String::new(),
        near => format!("; did you mean `{}`?", near.join("`, `")),
    };
    format!("there is no subtest `{name}`{place}{hint}")
}

/// A test that may fail says why.
fn check_unstable(params: &Params) -> Result<(), String> {
    let unstable = params.get_bool_or("unstable", false).map_err(|error| error.to_string())?;
    if unstable && params.find_nonempty("unstable_reason").is_none_or(|why| why.trim().is_empty()) {
        let place =
            params.origin("unstable").map(|place| format!(" ({place})")).unwrap_or_default();
        return Err(format!(
            "`unstable = yes` without a reason{place}: `unstable_reason` says why it may fail"
        ));
    }
    Ok(())
}
