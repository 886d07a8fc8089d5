//! The human monitor, spoken to through QMP: what it prints can be told from what was typed.

use std::sync::Arc;

use super::qmp::QmpMonitor;
use crate::error::Result;

/// Commands as a person types them (`info status`), answers as a person reads them.
pub struct HumanMonitor {
    qmp: Arc<QmpMonitor>,
}

impl HumanMonitor {
    /// The human face of `qmp`.
    pub fn new(qmp: Arc<QmpMonitor>) -> Self {
        Self { qmp }
    }

    /// What `command_line` prints. The human monitor has no notion of failure: what it prints
    /// may be an error message.
    pub fn cmd(&self, command_line: &str) -> Result<String> {
        self.qmp.human(command_line)
    }

    /// What `info WHAT` prints.
    pub fn info(&self, what: &str) -> Result<String> {
        self.cmd(&format!("info {what}"))
    }
}
