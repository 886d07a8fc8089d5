//! The board of a machine as QEMU calls it: `pc-q35-7.2` where its params say `q35`. Another
//! version of QEMU has another one of that name, and takes in nothing that was saved on this.

use serde_json::json;

use crate::error::{Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;
use crate::vm::create::Plan;

/// The board of the machine behind `monitor`.
pub(super) fn of_running(monitor: &QmpMonitor) -> Result<String> {
    let kind = monitor.cmd("qom-get", json!({"path": "/machine", "property": "type"}))?;
    let kind = kind.as_str().unwrap_or_default();
    Ok(kind.strip_suffix("-machine").unwrap_or(kind).to_owned())
}

/// Refuses a machine that was saved on the board `saved` where the QEMU of `plan`, started with
/// `args`, would have another one.
pub(super) fn verify(saved: &str, plan: &Plan, args: &[String]) -> Result<()> {
    let value = args.iter().skip_while(|arg| *arg != "-machine").nth(1);
    let name = value.and_then(|value| value.split(',').next()).unwrap_or_default();
    let qemu = plan.binary.capabilities();
    let board = qemu.machine(name).map_or(name, |machine| machine.name.as_str());
    if board == saved {
        return Ok(());
    }
    let message = format!(
        "another QEMU saved it: it was a `{saved}`, and `{name}` is a `{board}` in QEMU {}; what \
         is to go on in others has its `machine_type` in full when it is saved",
        qemu.version()
    );
    Err(Error::new(ErrorKind::Params, message))
}
