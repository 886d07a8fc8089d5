//! The guest agent's port.

use super::argument::{Argument, Device, Options};
use super::plan::Plan;
use crate::error::Result;

/// The socket, relative to the instance directory.
const SOCKET: &str = "agent.sock";

/// The arguments for the guest agent's port, and its socket.
pub(super) fn arguments(plan: &Plan) -> Result<(Vec<Argument>, Option<String>)> {
    let model = plan.virtio("serial");
    if !plan.wants("guest_agent", &model)? {
        return Ok((Vec::new(), None));
    }
    let chardev = Options::of("socket")
        .with("id", "agent")
        .with("path", SOCKET)
        .with("server", "on")
        .with("wait", "off");
    let arguments = vec![
        Argument::Option("chardev", chardev.finish()),
        Device::new(model).with("id", "virtio-serial").asked_by("guest_agent", "yes").into(),
        Device::new("virtserialport")
            .with("bus", "virtio-serial.0")
            .with("chardev", "agent")
            .with("id", "agent-port")
            .with("name", "org.qemu.guest_agent.0")
            .into(),
    ];
    Ok((arguments, Some(SOCKET.to_owned())))
}
