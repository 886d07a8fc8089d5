//! What a machine consists of, to be compared before and after.

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;

/// The parts of a machine, each as QEMU tells it, without what may differ between two processes.
#[derive(Debug, PartialEq)]
pub(super) struct Devices {
    parts: Vec<(&'static str, Value)>,
}

/// A part's name, the question that tells of it, and the properties by which it is compared.
const PARTS: &[(&str, &str, &[&str])] = &[
    ("processors", "query-cpus-fast", &["cpu-index", "qom-path"]),
    ("memory", "query-memory-size-summary", &["base-memory", "plugged-memory"]),
    // Not where their registers are: the guest's firmware is still about to say that.
    ("PCI devices", "query-pci", &["devices", "slot", "function", "id", "vendor", "qdev_id"]),
    ("drives", "query-block", &["qdev", "removable", "locked"]),
    ("character devices", "query-chardev", &["label"]),
    ("memory devices", "query-memory-devices", &["type", "data", "id", "size", "slot"]),
];

impl Devices {
    pub(super) fn of(monitor: &QmpMonitor) -> Result<Self> {
        let mut parts = Vec::new();
        for (name, question, keys) in PARTS {
            let told = match monitor.cmd(question, Value::Null) {
                Ok(told) => told,
                // A machine without a PCI bus has nothing to tell of one.
                Err(error) if error.kind() == ErrorKind::MonitorCommand => Value::Null,
                Err(error) => return Err(error),
            };
            parts.push((*name, picked(told, keys)));
        }
        Ok(Self { parts })
    }

    /// An error that names what `destination` has in addition, which QEMU itself does not mind. It
    /// says itself what is missing there or is another one.
    pub(super) fn verify_destination(&self, destination: &Self) -> Result<()> {
        let known = self.names();
        let more: Vec<String> = destination
            .names()
            .into_iter()
            .filter(|name| !known.contains(name))
            .map(|name| format!("`{name}`"))
            .collect();
        if more.is_empty() {
            return Ok(());
        }
        let message = format!("the destination has devices of its own: {}", more.join(", "));
        Err(Error::new(ErrorKind::MigrateFailed, message))
    }

    /// The names of all devices that have one.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (_, part) in &self.parts {
            collect(part, &mut names);
        }
        names
    }

    /// An error that names the parts in which `after` is not the same machine.
    pub(super) fn verify(&self, after: &Self) -> Result<()> {
        let pairs = self.parts.iter().zip(&after.parts);
        let other: Vec<&str> =
            pairs.filter(|(before, after)| before != after).map(|(part, _)| part.0).collect();
        if other.is_empty() {
            return Ok(());
        }
        let message = format!("the machine is another one now: its {} differ", other.join(", "));
        Err(Error::new(ErrorKind::MigrateFailed, message))
    }
}

fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| collect(one, names)),
        Value::Object(object) => {
            let name = object.get("qdev_id").and_then(Value::as_str).filter(|id| !id.is_empty());
            names.extend(name.map(str::to_owned));
            object.values().for_each(|one| collect(one, names));
        }
        _ => {}
    }
}

/// Of each object in `told`, `keys` alone.
fn picked(told: Value, keys: &[&str]) -> Value {
    match told {
        Value::Array(all) => {
            let mut all: Vec<Value> = all.into_iter().map(|one| picked(one, keys)).collect();
            // In whichever order the two processes keep them.
            all.sort_by_key(Value::to_string);
            Value::Array(all)
        }
        Value::Object(object) => {
            let kept = object.into_iter().filter(|(key, _)| keys.contains(&key.as_str()));
            Value::Object(kept.map(|(key, value)| (key, picked(value, keys))).collect())
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_and_what_is_not_compared_do_not_count() {
        let check = |one: Value, other: Value, equal: bool| {
            let keys = &["qdev_id", "devices"];
            assert_eq!(picked(one, keys) == picked(other, keys), equal);
        };
        let pci = |ids: &[&str], bar: u64| {
            let devices: Vec<Value> =
                ids.iter().map(|id| json!({"qdev_id": id, "regions": [bar]})).collect();
            json!([{"bus": 0, "devices": devices}])
        };
        check(pci(&["a", "b"], 1), pci(&["b", "a"], 2), true);
        check(pci(&["a", "b"], 1), pci(&["a"], 1), false);
        check(pci(&["a"], 1), pci(&["c"], 1), false);
    }

    #[test]
    fn what_the_destination_has_in_addition_is_named() {
        let with = |ids: &[&str]| {
            let devices: Vec<Value> = ids.iter().map(|id| json!({"qdev_id": id})).collect();
            Devices { parts: vec![("PCI devices", json!([{"devices": devices}]))] }
        };
        with(&["a", "b"]).verify_destination(&with(&["a"])).expect("QEMU says that itself");
        let error = with(&["a"]).verify_destination(&with(&["a", "c", ""])).expect_err("more");
        assert!(error.to_string().contains("of its own: `c`"), "{error}");
    }

    #[test]
    fn the_parts_that_differ_are_named() {
        let devices = |value: u64| Devices { parts: vec![("drives", json!([value]))] };
        devices(1).verify(&devices(1)).expect("the same");
        let error = devices(1).verify(&devices(2)).expect_err("another machine");
        assert!(error.to_string().contains("its drives differ"), "{error}");
    }
}
