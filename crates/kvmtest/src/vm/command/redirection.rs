//! Ports of the guest that the host can reach.

use super::plan::{Object, Plan};
use super::read;
use super::uses::{NicUse, Protocol, RedirUse};
use crate::error::{Context as _, Result};

/// The redirections of `redirs`, each through one interface: the one that `redir_nic` names, or
/// the first in user mode. Where there is none the guest has an address of its own, and nothing is
/// redirected.
pub(super) fn redirections<'a>(
    plan: &Plan,
    nics: impl Iterator<Item = &'a NicUse>,
) -> Result<Vec<RedirUse>> {
    let users: Vec<&NicUse> = nics.filter(|nic| nic.mode == "user").collect();
    let mut result = Vec::new();
    for object in plan.objects("redirs", &[])? {
        let redir = redirection(&object, &users)
            .with_context(|| format!("redirection `{}`", object.name))?;
        result.extend(redir);
    }
    Ok(result)
}

fn redirection(object: &Object, users: &[&NicUse]) -> Result<Option<RedirUse>> {
    let params = &object.params;
    let nic = match params.find_nonempty("redir_nic") {
        Some(name) => Some(
            users
                .iter()
                .find(|nic| nic.name == name)
                .ok_or_else(|| params.wrong("redir_nic", "a name in `nics`, in user mode"))?,
        ),
        None => users.first(),
    };
    let guest_port = match read::number(params, "guest_port", 1, u64::from(u16::MAX))? {
        Some(port) => u16::try_from(port).unwrap_or(u16::MAX),
        None => {
            return Err(params
                .get("guest_port")
                .err()
                .unwrap_or_else(|| params.wrong("guest_port", "a port, from 1 to 65535")));
        }
    };
    let protocol = match read::choice(params, "redir_protocol", "tcp", &["tcp", "udp"])? {
        "udp" => Protocol::Udp,
        _ => Protocol::Tcp,
    };
    Ok(nic.map(|nic| RedirUse {
        name: object.name.clone(),
        nic: nic.name.clone(),
        protocol,
        guest_port,
    }))
}
