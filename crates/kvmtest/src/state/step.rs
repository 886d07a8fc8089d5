//! How a state is made from another one.

use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;
use crate::vm::Vm;

/// The state that every other one is made from: booted and logged in.
pub const BOOTED: &str = "booted";

/// What makes a state of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A command in the guest's shell.
    Command(String),
    /// A subtest, which is given the machine and leaves it as it is to be.
    Subtest(String),
}

/// Runs subtests, for states that are made by one. The library knows none.
pub trait Subtests {
    /// Text that is another one as soon as the subtest is: what it does decides what comes out.
    fn identity(&self, name: &str) -> Result<String>;

    /// The params that they get and may heed, besides those of the machine: another value may make
    /// another state.
    fn params(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Runs the subtest on the machine, which the env file knows.
    fn run(&mut self, vm: &Vm, name: &str) -> Result<()>;
}

/// Knows no subtest.
pub struct NoSubtests;

impl Subtests for NoSubtests {
    fn identity(&self, name: &str) -> Result<String> {
        Err(Error::new(
            ErrorKind::Params,
            format!("a state is made by the subtest `{name}`, which only `kvmtest` can run"),
        ))
    }

    fn run(&mut self, _: &Vm, name: &str) -> Result<()> {
        self.identity(name).map(drop)
    }
}

/// A state as `params` describe it: its name, and the steps that make it of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// What is done to the state before; nothing for [`BOOTED`], and for another name of it.
    pub steps: Vec<Step>,
}

/// The states that lead to the one that `params` want (`vm_state`, default `booted`), the first
/// of them booted.
pub fn plans(params: &Params) -> Result<Vec<Plan>> {
    let mut plans: Vec<Plan> = Vec::new();
    let mut wish = Wish::first(params);
    loop {
        let name = &wish.name;
        wish.verify_name()?;
        if plans.iter().any(|plan| plan.name == *name) {
            let chain = plans.iter().map(|plan| plan.name.as_str()).chain([name.as_str()]);
            let chain = chain.collect::<Vec<_>>().join(" -> ");
            let message = format!("the state `{name}` would be made from itself: {chain}");
            return Err(Error::new(ErrorKind::Params, message));
        }
        let own = params.object_params(name);
        let next = own.find_nonempty("state_from").map(|_| Wish::before(name, &own));
        let steps = steps(&own);
        if name == BOOTED && (next.is_some() || !steps.is_empty()) {
            return Err(params.wrong("vm_state", "another name than `booted`, which is taken"));
        }
        if name != BOOTED && next.is_none() && steps.is_empty() {
            let Wish { key, place, .. } = &wish;
            let message = format!(
                "nothing says how the state `{name}` is made, which `{key}` wants{place}: \
                 `state_command_{name}` or `state_subtest_{name}`, and `state_from_{name}` where \
                 that is not `booted`"
            );
            return Err(Error::new(ErrorKind::Params, message));
        }
        let done = name == BOOTED;
        let next = next.unwrap_or_else(|| Wish::before(name, &own));
        let Wish { name, .. } = std::mem::replace(&mut wish, next);
        plans.push(Plan { name, steps });
        if done {
            plans.reverse();
            return Ok(plans);
        }
    }
}

/// A state that somebody wants, and who does.
struct Wish {
    name: String,
    key: String,
    /// Where that key is set, in words; empty if no file sets it.
    place: String,
}

impl Wish {
    /// What the machine starts from.
    fn first(params: &Params) -> Self {
        Self::of(params, "vm_state", "vm_state".to_owned())
    }

    /// What the state `name` is made from, whose params are `own`.
    fn before(name: &str, own: &Params) -> Self {
        Self::of(own, "state_from", format!("state_from_{name}"))
    }

    fn of(params: &Params, read: &str, key: String) -> Self {
        let name = params.find_nonempty(read).unwrap_or(BOOTED).to_owned();
        let place = params.origin(read).map(|place| format!(" ({place})")).unwrap_or_default();
        Self { name, key, place }
    }

    fn verify_name(&self) -> Result<()> {
        let Self { name, key, place } = self;
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !name.is_empty() && name.chars().all(is_part) {
            return Ok(());
        }
        let message =
            format!("`{key}` must be a name of letters, digits, `-` and `_`: `{name}`{place}");
        Err(Error::new(ErrorKind::Params, message))
    }
}

fn steps(own: &Params) -> Vec<Step> {
    let command = own.find_nonempty("state_command").map(|text| Step::Command(text.to_owned()));
    let subtest = own.find_nonempty("state_subtest").map(|text| Step::Subtest(text.to_owned()));
    command.into_iter().chain(subtest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_that_lead_to_one() {
        let check = |params: &[(&str, &str)], wanted: &str| {
            let params: Params = params.iter().copied().collect();
            let got = match plans(&params) {
                Ok(plans) => plans
                    .iter()
                    .map(|plan| format!("{} {:?}", plan.name, plan.steps))
                    .collect::<Vec<_>>()
                    .join("; "),
                Err(error) => error.to_string(),
            };
            assert!(got.contains(wanted), "{params:?}: {got}");
        };
        check(&[], "booted []");
        check(&[("vm_state", "booted")], "booted []");
        check(
            &[("vm_state", "web"), ("state_command_web", "nginx")],
            r#"booted []; web [Command("nginx")]"#,
        );
        check(
            &[
                ("vm_state", "b"),
                ("state_from_b", "a"),
                ("state_command_a", "x"),
                ("state_subtest_b", "y"),
            ],
            r#"booted []; a [Command("x")]; b [Subtest("y")]"#,
        );
        check(
            &[("vm_state", "web")],
            "nothing says how the state `web` is made, which `vm_state` wants: `state_command_web`",
        );
        check(
            &[("vm_state", "site"), ("state_from_site", "web")],
            "how the state `web` is made, which `state_from_site` wants: `state_command_web`",
        );
        check(&[("vm_state", "a"), ("state_from_a", "a")], "made from itself: a -> a");
        check(
            &[("vm_state", "a"), ("state_from_a", "b"), ("state_from_b", "a")],
            "the state `a` would be made from itself: a -> b -> a",
        );
        check(
            &[("vm_state", "x"), ("state_from_x", "a"), ("state_from_a", "a")],
            "the state `a` would be made from itself: x -> a -> a",
        );
        check(
            &[("vm_state", "a"), ("state_from_a", "b c")],
            "`state_from_a` must be a name of letters, digits, `-` and `_`: `b c`",
        );
        check(&[("vm_state", "../x"), ("state_command", "x")], "`vm_state` must be");
        check(&[("state_command_booted", "x")], "which is taken");
    }

    #[test]
    fn who_wants_a_state_that_nobody_makes_is_told_with_its_place() {
        let place = |file: &str, line| crate::params::Origin { file: file.into(), line };
        let mut params: Params = [("vm_state", "site")].into_iter().collect();
        let value = crate::params::Value { text: "web".into(), origin: Some(place("my.cfg", 7)) };
        params.insert("state_from_site", value);
        let error = plans(&params).expect_err("nobody makes it").to_string();
        assert!(error.contains("which `state_from_site` wants (my.cfg:7): "), "{error}");
    }
}
