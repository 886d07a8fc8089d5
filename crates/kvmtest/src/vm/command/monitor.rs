//! Monitors: the subtest's, and one more for the harness, since a QMP socket serves one client at
//! a time.
//!
//! All of them speak QMP. A human monitor is spoken to through it: what it prints can then be told
//! from what was typed, and its answers have an end.

use super::argument::{Argument, Options};
use super::plan::Plan;
use super::read;
use super::uses::{MonitorKind, MonitorUse};
use crate::error::{Context as _, Result};

/// The name of the harness's own monitor.
const HARNESS: &str = "harness";

/// The arguments for the monitors, and the monitors; the harness's comes first.
pub(super) fn arguments(plan: &Plan) -> Result<(Vec<Argument>, Vec<MonitorUse>)> {
    let mut monitors = vec![monitor(HARNESS, HARNESS, MonitorKind::Qmp)];
    for object in plan.objects("monitors", &["qmp1"])? {
        if object.name == HARNESS {
            return Err(plan.params.wrong("monitors", "a list without `harness`, which is taken"));
        }
        let kind = read::choice(&object.params, "monitor_type", "qmp", &["qmp", "human"])
            .with_context(|| format!("monitor `{}`", object.name))?;
        let kind = if kind == "qmp" { MonitorKind::Qmp } else { MonitorKind::Human };
        monitors.push(monitor(&object.name, &object.label, kind));
    }
    Ok((monitors.iter().flat_map(options).collect(), monitors))
}

fn monitor(name: &str, label: &str, kind: MonitorKind) -> MonitorUse {
    MonitorUse { name: name.to_owned(), kind, socket: format!("{label}.qmp") }
}

fn options(monitor: &MonitorUse) -> [Argument; 2] {
    // The socket's name without its ending is the label, which is a fit identifier.
    let label = monitor.socket.rsplit_once('.').map_or(&*monitor.socket, |(label, _)| label);
    let id = format!("monitor-{label}");
    let chardev = Options::of("socket")
        .with("id", &id)
        .with("path", &monitor.socket)
        .with("server", "on")
        .with("wait", "off");
    let monitor = Options::default().with("chardev", &id).with("mode", "control");
    [Argument::Option("chardev", chardev.finish()), Argument::Option("mon", monitor.finish())]
}
