//! The helpers that most subtests begin with, by their historical names.

use std::time::Duration;

use crate::env::Env;
use crate::error::Result;
use crate::session::Session;
use crate::vm::Vm;

/// How long [`wait_for_login`] waits where nothing else is said.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(240);

/// The living VM called `name`: found in the environment, or created.
pub fn get_living_vm(env: &Env, name: &str) -> Result<Vm> {
    env.get_living_vm(name)
}

/// A session with the guest, as soon as it lets somebody in; for four minutes.
pub fn wait_for_login(vm: &Vm) -> Result<Session> {
    vm.wait_for_login(LOGIN_TIMEOUT)
}
