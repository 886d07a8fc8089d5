//! The machines whose states are meant.

use std::rc::Rc;

use kvmtest::state;
use kvmtest::vm::Lifetime;
use kvmtest::{Error, ErrorKind, Params, Result};
use kvmtest_runner::plan::PlannedTest;
use serde_json::{Value, json};

/// A machine that starts from a state.
pub(super) struct Machine {
    /// The test that it belongs to.
    pub(super) test: Rc<PlannedTest>,
    /// Its name there.
    pub(super) name: String,
    /// The states that lead to the one that it starts from.
    pub(super) chain: Vec<state::Plan>,
}

/// What there is to make.
#[derive(Default)]
pub(super) struct Wanted {
    /// The machines, in the order of their tests.
    pub(super) machines: Vec<Machine>,
    /// Machines that start otherwise: which, and why.
    pub(super) others: Vec<String>,
    /// Those of which nobody can tell.
    pub(super) failed: Vec<Failed>,
}

/// A state that cannot be made, and why.
pub(super) struct Failed {
    pub(super) test: String,
    pub(super) state: Option<String>,
    pub(super) error: Error,
}

impl Failed {
    pub(super) fn told(&self) -> Value {
        json!({ "test": self.test, "state": self.state, "why": self.error.to_string() })
    }
}

/// Those of `tests`, each test once.
pub(super) fn machines(tests: Vec<PlannedTest>) -> Wanted {
    let mut wanted = Wanted::default();
    for test in tests.into_iter().filter(|test| test.iteration == 1).map(Rc::new) {
        if let Err(why) = &test.program {
            let error = Error::new(ErrorKind::Params, why.clone());
            wanted.fail(&test, error.context(format!("planning the test `{}`", test.shortname)));
            continue;
        }
        for name in test.params.objects("vms") {
            let doing = format!("planning the VM `{name}` of the test `{}`", test.shortname);
            if let Err(error) = wanted.add(&test, name) {
                wanted.fail(&test, error.context(doing));
            }
        }
    }
    wanted
}

impl Wanted {
    fn add(&mut self, test: &Rc<PlannedTest>, name: &str) -> Result<()> {
        let own: Params = test.params.object_params(name);
        let choice = Lifetime::of(&own)?;
        if choice.from_state {
            let chain = state::plans(&own)?;
            self.machines.push(Machine { test: test.clone(), name: name.to_owned(), chain });
        } else {
            let short = &test.shortname;
            self.others.push(format!("the VM `{name}` of `{short}` does not: {}", choice.why));
        }
        Ok(())
    }

    fn fail(&mut self, test: &PlannedTest, error: Error) {
        self.failed.push(Failed { test: test.shortname.clone(), state: None, error });
    }
}
