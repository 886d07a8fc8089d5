//! `post_command`, and the end of what `pre_command` left running.

use std::time::Duration;

use kvmtest::host::Left;
use kvmtest::{Deadline, Result};

use crate::around::Around;
use crate::hook;

/// How long what `post_command` has sent a signal may take to end.
const MOMENT: Duration = Duration::from_secs(1);

pub(super) fn run(around: &mut Around) -> Result<()> {
    let done = hook::run(around, "post_command");
    let before = std::mem::take(&mut around.left);
    let is_told = around.params.find_nonempty("post_command").is_some();
    let deadline = Deadline::after(if is_told { MOMENT } else { Duration::ZERO });
    end(around, "pre_command", &before, deadline);
    end(around, "post_command", &done?, deadline);
    Ok(())
}

/// It was `post_command`'s to end what it does not want to last.
fn end(around: &mut Around, key: &str, left: &[Left], deadline: Deadline) {
    for process in left.iter().filter(|process| !process.ends_by(deadline)) {
        process.kill();
        around.warn(format!("killed what `{key}` left running: {process}"));
    }
}
