//! What is wished of a machine before a test.

use kvmtest::{Error, ErrorKind, Params, Result};

/// What is to be done with a machine. The first rule that fits decides:
///
/// | params | |
/// |---|---|
/// | `restart_vm = yes`, `vm_lifetime = fresh` | it is started anew |
/// | `migration_mode` | it is started anew, and waits for a migration |
/// | `start_vm = yes` | it is started if it is dead, does not answer, or would be another now |
/// | else | it is left as it is |
pub(super) enum Wish {
    /// Started in any case.
    Anew,
    /// Started to wait for a migration at this address.
    Incoming(String),
    /// Started where it has to be.
    Alive,
    /// Left alone.
    Nothing,
}

/// `living`: kept from test to test, and started anew when something differs. `fresh`: started
/// anew for each test.
const LIFETIMES: &[&str] = &["living", "fresh"];

impl Wish {
    pub(super) fn of(params: &Params) -> Result<Self> {
        if params.find("vm_lifetime") == Some("snapshot") {
            let message = "`vm_lifetime = snapshot`: this version keeps no snapshots of booted \
                           machines (`fresh` starts one anew for each test)";
            return Err(Error::new(ErrorKind::Params, message));
        }
        let fresh = params.get_choice_or("vm_lifetime", LIFETIMES)? == "fresh";
        let restart = params.get_bool_or("restart_vm", false)?;
        let start = params.get_bool_or("start_vm", true)?;
        let incoming = incoming(params)?;
        Ok(match incoming {
            _ if restart || fresh => Self::Anew,
            Some(address) => Self::Incoming(address),
            None if start => Self::Alive,
            None => Self::Nothing,
        })
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
            let wish = match Wish::of(&params) {
                Ok(Wish::Anew) => "anew".to_owned(),
                Ok(Wish::Incoming(address)) => address,
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
        check(&[("vm_lifetime", "snapshot")], "`vm_lifetime = snapshot`: this version");
        check(&[("vm_lifetime", "long")], "`vm_lifetime` must be");
        check(&[("start_vm", "perhaps")], "`start_vm` must be");
        check(&[("restart_vm", "1")], "`restart_vm` must be");
    }
}
