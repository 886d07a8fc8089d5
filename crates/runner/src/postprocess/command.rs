//! `post_command`, and the end of what `pre_command` left running.

use kvmtest::Result;
use kvmtest::host::Left;

use crate::around::Around;
use crate::hook;

pub(super) fn run(around: &mut Around) -> Result<()> {
    let done = hook::run(around, "post_command");
    let before = std::mem::take(&mut around.left);
    end(around, "pre_command", &before);
    end(around, "post_command", &done?);
    Ok(())
}

/// It was `post_command`'s to end what it does not want to last.
fn end(around: &mut Around, key: &str, left: &[Left]) {
    for process in left.iter().filter(|process| process.is_alive()) {
        process.kill();
        around.warn(format!("killed what `{key}` left running: {process}"));
    }
}
