//! What is answered when QEMU is asked what it can do.

use std::io::{BufRead, Write};

use serde_json::{Value, json};

use crate::role::Role;

const DEVICES: [&str; 8] = [
    "e1000",
    "pvpanic",
    "virtio-blk-pci",
    "virtio-net-pci",
    "virtio-rng-pci",
    "virtio-serial-pci",
    "virtserialport",
    "pcie-root-port",
];

/// The greeting of a monitor.
pub(crate) fn greeting(role: Role) -> Value {
    let major = if role == Role::TooOld { 5 } else { 9 };
    let version = json!({"qemu": {"micro": 0, "minor": 2, "major": major}, "package": "fake"});
    json!({"QMP": {"version": version, "capabilities": ["oob"]}})
}

/// Answers on standard input and output until that is closed.
pub(crate) fn converse(role: Role) {
    say(&greeting(role));
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let Ok(question) = serde_json::from_str::<Value>(&line) else { continue };
        say(&json!({"return": answer(&question), "id": question["id"]}));
    }
}

pub(crate) fn help() {
    print("QEMU emulator version 9.2.0 (fake)\n-nodefaults     no default devices\n");
}

pub(crate) fn netdev_help() {
    print("Available netdev backend types:\nuser\ntap\n");
}

fn answer(question: &Value) -> Value {
    match question["execute"].as_str().unwrap_or_default() {
        "query-target" => json!({"arch": "x86_64"}),
        "query-machines" => {
            json!([{"name": "pc-q35-9.2", "alias": "q35", "cpu-max": 4, "is-default": true}])
        }
        "query-cpu-definitions" => json!([{"name": "max"}]),
        "qom-list-types" => match question["arguments"]["implements"].as_str() {
            Some("accel") => json!([{"name": "tcg-accel"}]),
            Some("device") => DEVICES.iter().map(|name| json!({"name": name})).collect(),
            Some("user-creatable") => json!([{"name": "rng-builtin"}]),
            _ => json!([{"name": "chardev-socket"}]),
        },
        "qmp_capabilities" => json!({}),
        _ => json!([]),
    }
}

fn say(message: &Value) {
    print(&(message.to_string() + "\r\n"));
}

/// That nobody reads it any more is no mistake.
fn print(text: &str) {
    let mut output = std::io::stdout().lock();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}
