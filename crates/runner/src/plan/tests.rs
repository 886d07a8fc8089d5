//! From chosen variants to the tests of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use kvmtest::params::Origin;
use kvmtest::state::{self, Step};
use kvmtest::vm::Lifetime;
use kvmtest::{Error, Params, perturb};
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
    let (program, makers, iterations) = match checked {
        Ok(Checked { program: None, .. }) => {
            plan.left_out.push(variant.shortname().to_owned());
            return;
        }
        Ok(Checked { program: Some(program), makers, iterations }) => {
            (Ok(program), Arc::new(makers), iterations)
        }
        Err(why) => (Err(why), Arc::default(), 1),
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
            makers: makers.clone(),
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
    makers: BTreeMap<String, Arc<Program>>,
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
    perturb::check(params).map_err(|error| error.to_string())?;
    if skip {
        // Nobody is asked whether it could be run.
        return Ok(Checked { iterations, program: None, makers: BTreeMap::new() });
    }
    let program = program(params, known, Named { key: "type", place: params.origin("type") })?;
    Ok(Checked { iterations, program: Some(program), makers: makers(params, known)? })
}

/// The key that names a subtest, and where it is set.
struct Named<'a> {
    key: &'a str,
    place: Option<&'a Origin>,
}

/// What runs the subtest that `params` name (`type`), as `named` says.
fn program(params: &Params, known: &Known, named: Named<'_>) -> Result<Arc<Program>, String> {
    let subtest = known.find(params).map_err(|error| error.to_string())?;
    let subtest = subtest.ok_or_else(|| unknown(params, known, named))?;
    known.program(&subtest, params)
}

/// What runs the subtests that make states of its machines.
fn makers(params: &Params, known: &Known) -> Result<BTreeMap<String, Arc<Program>>, String> {
    let mut makers = BTreeMap::new();
    // Most tests have none, and then nothing is looked up for each of their machines.
    if !params.iter().any(|(key, _)| key.starts_with("state_subtest")) {
        return Ok(makers);
    }
    let words = |error: Error| error.to_string();
    for vm in params.objects("vms") {
        let own = params.object_params(vm);
        if !Lifetime::of(&own).map_err(words)?.from_state {
            continue;
        }
        let of_vm = |why: String| format!("the VM `{vm}`: {why}");
        for plan in state::plans(&own).map_err(words).map_err(of_vm)? {
            for step in &plan.steps {
                let Step::Subtest(name) = step else { continue };
                let mut params = params.clone();
                params.set("type", name.as_str());
                let key = format!("state_subtest_{}", plan.name);
                let place = own.object_params(&plan.name).origin("state_subtest").cloned();
                let program = program(&params, known, Named { key: &key, place: place.as_ref() });
                makers.insert(name.clone(), program.map_err(of_vm)?);
            }
        }
    }
    Ok(makers)
}

/// More names of subtests than these would hide what they are told for.
const MOST: usize = 30;

fn unknown(params: &Params, known: &Known, Named { key, place }: Named<'_>) -> String {
    let name = params.get_or("type", "");
    let place = place.map(|place| format!(", {place}")).unwrap_or_default();
    let place = format!(" (`{key}`{place})");
    if let Some(why) = known.why_not(name, Some(params)) {
        return format!("there is no subtest `{name}`{place}: {why}");
    }
    let names = || known.iter().map(|subtest| subtest.name.as_str());
    let near = nearest(name, names(), 3);
    let hint = match near.as_slice() {
        [] if (1..=MOST).contains(&names().count()) => {
            format!("; there are {}", names().collect::<Vec<_>>().join(", "))
        }
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
