//! Where a destination is started.

use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;
use crate::vm::Vm;
use crate::vm::incarnation::Incarnation;

/// A host that a machine can go to.
pub(super) trait Endpoint {
    /// Starts a QEMU there that waits for the state of `vm`, and is known to nobody.
    fn start(&self, vm: &Vm, params: Option<&Params>, incarnation: &Incarnation) -> Result<Vm>;
}

/// The host that `dest_host` names; nothing stands for this one.
pub(super) fn endpoint(host: &str) -> Result<Box<dyn Endpoint>> {
    match host.trim() {
        "" | "localhost" | "127.0.0.1" => Ok(Box::new(Local)),
        host => {
            let message =
                format!("`dest_host` must be `localhost`: a machine cannot go to `{host}` yet");
            Err(Error::new(ErrorKind::Params, message))
        }
    }
}

/// This host: the destination is on the same disks.
struct Local;

impl Endpoint for Local {
    fn start(&self, vm: &Vm, params: Option<&Params>, incarnation: &Incarnation) -> Result<Vm> {
        vm.destination(params, incarnation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_goes_to_this_host_and_to_no_other() {
        for host in ["", "localhost", " 127.0.0.1 "] {
            assert!(endpoint(host).is_ok(), "{host}");
        }
        for host in ["example.org", "localhost2", "-oProxyCommand=x"] {
            let error = endpoint(host).err().expect("refused").to_string();
            assert!(error.contains(host) && error.contains("`localhost`"), "{error}");
        }
    }
}
