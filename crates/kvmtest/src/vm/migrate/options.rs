//! How a machine is migrated.

use std::time::Duration;

use super::endpoint::endpoint;
use crate::error::{Error, ErrorKind, Result};
use crate::migration::Settings;
use crate::params::Params;

/// By which way a machine's state gets from one QEMU to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// A TCP connection; the kernel chooses the port.
    #[default]
    Tcp,
    /// A socket in the machine's private directory.
    Unix,
    /// Two processes that QEMU starts, with a pipe in between.
    Exec,
    /// A pair of sockets whose ends are handed to QEMU.
    Fd,
    /// A file: all of the state is written before any of it is read. From QEMU 8.2 on.
    File,
}

/// Capabilities that send by several connections at a time.
const SEVERAL: &[&str] = &["multifd", "postcopy-preempt"];

/// How a machine is migrated. The default is over TCP, with QEMU's own limits.
#[derive(Debug, Clone, Default)]
pub struct MigrateOptions {
    /// By which way.
    pub protocol: Protocol,
    /// Limits, capabilities, parameters, and how long it may take.
    pub settings: Settings,
    /// Whether the guest is stopped first, to go on afterwards as it did before. Where nothing is
    /// said it is with emulated processors, and not with real ones: an emulator may not notice all
    /// that its guest writes meanwhile (QEMU 7.2 does not), and the guest then goes on with old
    /// memory in places.
    pub offline: Option<bool>,
    /// When it is cancelled, if it is not over by then.
    pub cancel_after: Option<Duration>,
    /// The host that the machine goes to; nothing, or `localhost`, stands for this one.
    pub dest_host: String,
    /// The parameters of the destination, where they are to be others than the machine's own;
    /// QEMU refuses what makes another machine.
    pub destination: Option<Params>,
}

impl MigrateOptions {
    /// By `protocol`.
    pub fn by(protocol: Protocol) -> Self {
        Self { protocol, ..Self::default() }
    }

    /// What `params` say: `migration_protocol`, `mig_offline`, `mig_cancel` with
    /// `mig_cancel_delay`, `dest_host`, and the keys of [`Settings::from_params`].
    pub fn from_params(params: &Params) -> Result<Self> {
        const DELAY: Duration = Duration::from_secs(2);
        let host = params.get_or("dest_host", "");
        endpoint(host).map_err(|_| {
            params.wrong("dest_host", "`localhost`: a machine moves within its host")
        })?;
        let cancel = params.get_bool_or("mig_cancel", false)?;
        let delay = params.get_duration_or("mig_cancel_delay", DELAY)?;
        Ok(Self {
            protocol: params.get_or("migration_protocol", "tcp").parse().map_err(|_: Error| {
                params.wrong("migration_protocol", "`tcp`, `unix`, `exec`, `fd` or `file`")
            })?,
            settings: Settings::from_params(params)?,
            offline: match params.get_choice_or("mig_offline", &["auto", "yes", "no"])? {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            cancel_after: cancel.then_some(delay),
            dest_host: host.to_owned(),
            destination: None,
        })
    }
}

impl MigrateOptions {
    /// Refuses what does not go together, and what QEMU fails at without a word about it.
    pub(super) fn verify(&self) -> Result<()> {
        let one = match self.protocol {
            Protocol::Exec => "exec",
            Protocol::Fd => "fd",
            Protocol::Tcp | Protocol::Unix | Protocol::File => return Ok(()),
        };
        let Some(several) = SEVERAL.iter().find(|name| self.settings.has_capability(name)) else {
            return Ok(());
        };
        let message = format!(
            "the migration capability `{several}` takes several connections, and by `{one}` there \
             is one: migrate by `tcp` or `unix`"
        );
        Err(Error::new(ErrorKind::Params, message))
    }
}

impl std::str::FromStr for Protocol {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "tcp" => Self::Tcp,
            "unix" => Self::Unix,
            "exec" => Self::Exec,
            "fd" => Self::Fd,
            "file" => Self::File,
            _ => {
                return Err(Error::new(
                    ErrorKind::Params,
                    format!("a protocol is `tcp`, `unix`, `exec`, `fd` or `file`: `{text}`"),
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_several_connections_goes_by_no_single_one() {
        let check = |protocol, name: &str, on, expected: Option<&str>| {
            let mut options = MigrateOptions::by(protocol);
            options.settings.capabilities.push((name.to_owned(), on));
            match (options.verify(), expected) {
                (Ok(()), None) => {}
                (Err(error), Some(words)) => {
                    assert_eq!(error.kind(), ErrorKind::Params);
                    assert!(error.to_string().contains(words), "{error}");
                }
                (got, _) => panic!("{protocol:?} {name}: {got:?}"),
            }
        };
        check(Protocol::Exec, "multifd", true, Some("by `exec` there is one"));
        check(Protocol::Fd, "postcopy-preempt", true, Some("`postcopy-preempt` takes several"));
        check(Protocol::Exec, "multifd", false, None);
        check(Protocol::Exec, "xbzrle", true, None);
        check(Protocol::Tcp, "multifd", true, None);
        check(Protocol::Unix, "multifd", true, None);
    }
}
