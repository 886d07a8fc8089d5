//! The test device of kvm-unit-tests, and the port by which a guest ends QEMU with a status.

use camino::Utf8PathBuf;

use super::argument::{Argument, Device, Options};
use super::plan::Plan;
use super::read;
use crate::error::Result;

/// The arguments for the test device, and the file that it writes to.
///
/// A byte written to port 0xf1 goes to the file; one written to port 0xf4 ends QEMU with the exit status `2 * byte + 1`.
pub(super) fn arguments(plan: &Plan) -> Result<(Vec<Argument>, Option<Utf8PathBuf>)> {
    if !read::flag(plan.params, "testdev", false)? {
        return Ok((Vec::new(), None));
    }
    let log = plan.request.paths.scratch.join("testdev.log");
    let chardev = Options::of("file").with("id", "testdev").with("path", log.as_str());
    let arguments = vec![
        Argument::Option("chardev", chardev.finish()),
        Device::new("pc-testdev").asked_by("testdev", "yes").into(),
        // The port to which the historical device wrote its log; the present one has none.
        Device::new("isa-debugcon")
            .with("iobase", 0xf1)
            .with("chardev", "testdev")
            .asked_by("testdev", "yes")
            .into(),
        Device::new("isa-debug-exit")
            .with("iobase", 0xf4)
            .with("iosize", 4)
            .asked_by("testdev", "yes")
            .into(),
    ];
    Ok((arguments, Some(log)))
}
