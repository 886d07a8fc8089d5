//! What is wished of a machine before a test.

use kvmtest::vm::{Choice, Lifetime};
use kvmtest::{Params, Result, state};

/// What is to be done with a machine. The first rule that fits decides:
///
/// | params | |
/// |---|---|
/// | `restart_vm = yes`, `vm_lifetime = fresh` | it is started anew |
/// | `migration_mode` | it is started anew, and waits for a migration |
/// | a fresh one is chosen | it is started anew |
/// | a snapshot is chosen | it is started from a state |
/// | `start_vm = yes` | it is started if it is dead, does not answer, or would be another now |
/// | else | it is left as it is |
///
/// What is chosen by `vm_lifetime = auto`, and why, says [`Lifetime::of`].
pub(super) enum Wish {
    /// Started in any case.
    Anew,
    /// Started to wait for a migration at this address.
    Incoming(String),
    /// Started from a state.
    FromState,
    /// Started where it has to be.
    Alive,
    /// Left alone.
    Nothing,
}

impl Wish {
    /// What `params` wish, and the choice that this follows.
    pub(super) fn of(params: &Params) -> Result<(Self, Choice)> {
        let choice = Lifetime::of(params)?;
        if choice.from_state {
            // What cannot be made is told before anything is done.
            state::plans(params)?;
        }
        let anew =
            params.get_bool_or("restart_vm", false)? || params.find("vm_lifetime") == Some("fresh");
        let start = params.get_bool_or("start_vm", true)?;
        let wish = match (incoming(params)?, choice.lifetime) {
            _ if anew => Self::Anew,
            (Some(address), _) => Self::Incoming(address),
            (None, Lifetime::Fresh) => Self::Anew,
            (None, Lifetime::Snapshot) => Self::FromState,
            (None, Lifetime::Living) if start => Self::Alive,
            (None, Lifetime::Living) => Self::Nothing,
        };
        Ok((wish, choice))
    }
}

/// Where a machine with `migration_mode` waits; `incoming` says it where it is not to be left to
/// QEMU.
fn incoming(params: &Params) -> Result<Option<String>> {
    let Some(mode) = params.find_nonempty("migration_mode") else { return Ok(None) };
    let said = params.find_nonempty("incoming");
    let address = match (mode, said) {
        ("tcp" | "unix" | "exec", Some(address)) => address,
        // The kernel picks the port; `query-migrate` tells it.
        ("tcp", None) => "tcp:127.0.0.1:0",
        // In the machine's own runtime directory.
        ("unix", None) => "unix:migration.sock",
        ("exec", None) => {
            return Err(params.wrong(
                "migration_mode",
                "`tcp` or `unix`, or `incoming` must say what is executed",
            ));
        }
        _ => return Err(params.wrong("migration_mode", "`tcp`, `unix` or `exec`")),
    };
    Ok(Some(address.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_decides() {
        let check = |params: &[(&str, &str)], expected: &str| {
            let params: Params = params.iter().copied().collect();
            let wish = match Wish::of(&params).map(|(wish, _)| wish) {
                Ok(Wish::Anew) => "anew".to_owned(),
                Ok(Wish::Incoming(address)) => address,
                Ok(Wish::FromState) => "from a state".to_owned(),
                Ok(Wish::Alive) => "alive".to_owned(),
                Ok(Wish::Nothing) => "nothing".to_owned(),
                Err(error) => error.to_string(),
            };
            assert!(wish.starts_with(expected), "{params:?}: {wish}");
        };
        check(&[], "alive");
        check(&[("start_vm", "no")], "nothing");
        check(&[("start_vm", "no"), ("restart_vm", "yes")], "anew");
        check(&[("vm_lifetime", "fresh"), ("migration_mode", "tcp")], "anew");
        check(&[("vm_lifetime", "living")], "alive");
        check(&[("start_vm", "no"), ("migration_mode", "tcp")], "tcp:127.0.0.1:0");
        check(&[("migration_mode", "unix")], "unix:migration.sock");
        check(&[("migration_mode", "exec"), ("incoming", "exec:cat x")], "exec:cat x");
        check(&[("migration_mode", "exec")], "`migration_mode` must be");
        check(&[("migration_mode", "rdma")], "`migration_mode` must be");
        check(&[("migration_mode", "")], "alive");
        check(&[("vm_lifetime", "long")], "`vm_lifetime` must be");
        check(&[("start_vm", "perhaps")], "`start_vm` must be");
        check(&[("restart_vm", "1")], "`restart_vm` must be");

        let snapshot = [("vm_lifetime", "snapshot"), ("guest", "small")];
        let with = |key, value| [snapshot[0], snapshot[1], (key, value)];
        check(&snapshot, "from a state");
        check(&with("start_vm", "no"), "nothing");
        check(&with("restart_vm", "yes"), "anew");
        check(&with("migration_mode", "tcp"), "tcp:");
        check(&with("vm_state", "web"), "nothing says how the state `web` is made");
        check(&with("vm_state", "../web"), "`vm_state` must be");

        let auto = [("vm_lifetime", "auto"), ("guest", "small")];
        let with = |key, value| [auto[0], auto[1], (key, value)];
        check(&auto, "from a state");
        check(&with("guest_use", "dirty"), "from a state");
        check(&with("guest_use", "clean"), "alive");
        check(&with("guest_use", "boot"), "anew");
        check(&with("migration_mode", "tcp"), "tcp:");
        check(&with("start_vm", "no"), "nothing");
        check(&with("guest_use", "x"), "`guest_use` must be");
        // What a machine that lives already is made from matters where it does not.
        let clean = |key, value| [auto[0], auto[1], ("guest_use", "clean"), (key, value)];
        check(&clean("vm_state", "web"), "nothing says how the state `web` is made");
    }
}
