//! `-serial`: each port is a socket, and all that comes out of it is written to a file as well.

use super::argument::{Argument, Options};
use super::plan::Plan;
use super::uses::SerialUse;
use crate::error::Result;

/// A PC has four of them.
const MOST: usize = 4;

/// The arguments for the serial ports, and the ports.
pub(super) fn arguments(plan: &Plan) -> Result<(Vec<Argument>, Vec<SerialUse>)> {
    let mut arguments = Vec::new();
    let mut ports = Vec::new();
    let objects = plan.objects("serials", &["serial0"])?;
    if objects.len() > MOST {
        return Err(plan.params.wrong("serials", "a list of at most 4 names"));
    }
    for (index, object) in objects.into_iter().enumerate() {
        let id = match object.label.strip_prefix("serial") {
            Some(rest) if !rest.starts_with('-') => object.label,
            _ => format!("serial-{}", object.label),
        };
        let socket = format!("{id}.sock");
        let file = if index == 0 { "serial.log".to_owned() } else { format!("{id}.log") };
        let log = plan.request.paths.scratch.join(file);
        let options = Options::of("socket")
            .with("id", &id)
            .with("path", &socket)
            .with("server", "on")
            .with("wait", "off")
            .with("logfile", log.as_str())
            // A VM that is restarted goes on in the same file.
            .with("logappend", "on");
        arguments.push(Argument::Option("chardev", options.finish()));
        arguments.push(Argument::Option("serial", format!("chardev:{id}")));
        ports.push(SerialUse { name: object.name, socket, log });
    }
    Ok((arguments, ports))
}
