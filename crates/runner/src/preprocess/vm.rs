//! A machine is started, started from a state, reused or left as it is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kvmtest::state::Origin;
use kvmtest::vm::{Choice, GuestUse, Lifetime, Vm};
use kvmtest::{Error, ErrorKind, Params, Result};

use super::lifetime::Wish;
use super::refusals::Refusals;
use crate::around::Around;
use crate::makers::Makers;

/// Where the machine is from that the test gets, in words.
struct Came {
    lifetime: Lifetime,
    from: String,
}

/// Brings the machine into the state that [`Wish`] says. What the test gets, and why, is kept with
/// its result: `vm_lifetime_vm1`.
pub(super) fn prepare(around: &mut Around, vm: &Vm, params: &Params) -> Result<()> {
    let (wish, choice) = Wish::of(params)?;
    let Came { lifetime, from } = bring(around, vm, params, wish, &choice)?;
    let why = &choice.why;
    around.fact(format!("vm_lifetime_{}", vm.name()), format!("{lifetime}: {why}; {from}"));
    if choice.guest_use != GuestUse::Clean && !vm.is_dead()? {
        // Before the test runs, so that nothing it does can keep it from being known.
        vm.soil()?;
    }
    Ok(())
}

fn bring(
    around: &mut Around,
    vm: &Vm,
    params: &Params,
    wish: Wish,
    choice: &Choice,
) -> Result<Came> {
    let Choice { lifetime, why, .. } = choice;
    let name = vm.name();
    let came = |from: &str| Ok(Came { lifetime: *lifetime, from: from.to_owned() });
    match wish {
        Wish::Anew => {
            around.log(format!("starting the VM `{name}` ({lifetime}: {why})"));
            vm.create()?;
            came("booted")
        }
        Wish::Incoming(address) => {
            let mut params = params.clone();
            params.set("incoming", address);
            vm.set_params(params);
            vm.create()?;
            came("started")
        }
        Wish::FromState => {
            around.log(format!("starting the VM `{name}` from a state ({lifetime}: {why})"));
            from_state(around, vm, choice)
        }
        Wish::Nothing => came("not touched"),
        Wish::Alive => match why_not(around, vm, choice)? {
            None => {
                around.log(format!("reusing the VM `{name}` ({lifetime}: {why})"));
                reuse(around, vm)?;
                // Whoever says `living` gets it all the same, and has to know.
                let entered = vm.record().is_some_and(|record| record.entered);
                came(if entered { "reused, with somebody's traces in its guest" } else { "reused" })
            }
            Some(not) => {
                around.log(format!("starting the VM `{name}`: {not} ({lifetime}: {why})"));
                let came = if choice.from_state {
                    from_state(around, vm, choice)?
                } else {
                    vm.create()?;
                    came("booted")?
                };
                Ok(Came { from: format!("started, because {not}; {}", came.from), ..came })
            }
        },
    }
}

/// Starts the machine from a state. What was chosen by itself boots where no state can be made.
fn from_state(around: &mut Around, vm: &Vm, choice: &Choice) -> Result<Came> {
    let known = lock(&around.refusals).find(vm)?.filter(|_| choice.is_auto).map(str::to_owned);
    if let Some(why) = known {
        around.log(format!("the VM `{}` boots: there can be no state of it: {why}", vm.name()));
        return boot_instead(vm, choice, &format!("as an earlier test found: {why}"));
    }
    let mut makers = Makers::of(around);
    let begun = vm.create_from_state(&mut makers);
    around.note_all(makers.said());
    match begun {
        Ok(origin) => {
            let from = words(&origin);
            around.log(format!("the VM `{}` goes on from: {from}", vm.name()));
            Ok(Came { lifetime: choice.lifetime, from })
        }
        Err(error) if choice.is_auto && is_about_the_state(&error) => {
            lock(&around.refusals).note(vm, &error)?;
            let why = error.message();
            around.warn(format!(
                "the VM `{}` boots, because there can be no state of it: {why}",
                vm.name()
            ));
            boot_instead(vm, choice, why)
        }
        Err(error) => Err(error),
    }
}

fn boot_instead(vm: &Vm, choice: &Choice, why: &str) -> Result<Came> {
    vm.create()?;
    let lifetime = match choice.lifetime {
        Lifetime::Living => Lifetime::Living,
        _ => Lifetime::Fresh,
    };
    Ok(Came { lifetime, from: format!("booted: {why}") })
}

/// What another thread has left there is whole.
fn lock(refusals: &Mutex<Refusals>) -> MutexGuard<'_, Refusals> {
    refusals.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the machine may well boot, although it cannot start from a state.
fn is_about_the_state(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Host
            | ErrorKind::MigrateTimeout
            | ErrorKind::MigrateBlocked
            | ErrorKind::MigrateCancelled
            | ErrorKind::MigrateFailed
            | ErrorKind::State
            | ErrorKind::StateGone
            // A disk that is full, say.
            | ErrorKind::Io
    )
}

/// `state booted 3f2a91c0, made in 3.4 s, started in 0.2 s`.
fn words(origin: &Origin) -> String {
    let digest: String = origin.digest.chars().take(8).collect();
    let made = match origin.built {
        Some(time) => format!(", made in {:.1} s", time.as_secs_f64()),
        None => String::new(),
    };
    let took = origin.took.as_secs_f64();
    format!("state {} {digest}{made}, started in {took:.2} s", origin.name)
}

/// Why the machine cannot be used as it is. Where it can be, it is held.
fn why_not(around: &Around, vm: &Vm, choice: &Choice) -> Result<Option<String>> {
    let because = |why: &str| Ok(Some(why.to_owned()));
    if vm.is_dead()? {
        return because("it is not there");
    }
    // First of all: the time for which it was kept may be over in this moment.
    match vm.hold(&around.holder) {
        Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
        Err(_) => return because("it has ended just now"),
        Ok(()) => {}
    }
    if !vm.is_alive() {
        return because("it does not answer");
    }
    if vm.monitor()?.status()? == "guest-panicked" {
        return because("its guest has panicked");
    }
    if let Some(why) = choice.objection(vm) {
        return Ok(Some(why));
    }
    if vm.needs_restart()? {
        return because("this test's params make another machine");
    }
    Ok(None)
}

fn reuse(around: &mut Around, vm: &Vm) -> Result<()> {
    vm.start_logs()?;
    // What processes share of a machine includes its params.
    around.env.register_vm(vm)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_state_in_words() {
        let origin = Origin {
            name: "booted".into(),
            digest: "3f2a91c04711".into(),
            built: None,
            took: Duration::from_millis(154),
        };
        assert_eq!(words(&origin), "state booted 3f2a91c0, started in 0.15 s");
        let built = Origin { built: Some(Duration::from_millis(3440)), ..origin };
        assert_eq!(words(&built), "state booted 3f2a91c0, made in 3.4 s, started in 0.15 s");
    }

    #[test]
    fn only_what_is_about_the_state_lets_a_machine_boot_instead() {
        let check = |kind, expected| {
            assert_eq!(is_about_the_state(&Error::new(kind, "x")), expected, "{kind:?}");
        };
        for kind in [
            ErrorKind::Host,
            ErrorKind::MigrateBlocked,
            ErrorKind::MigrateFailed,
            ErrorKind::State,
            ErrorKind::Io,
        ] {
            check(kind, true);
        }
        for kind in [
            ErrorKind::Interrupted,
            ErrorKind::Params,
            ErrorKind::LoginTimeout,
            ErrorKind::GuestPanicked,
            ErrorKind::TestError,
            ErrorKind::VmCreate,
        ] {
            check(kind, false);
        }
    }
}
