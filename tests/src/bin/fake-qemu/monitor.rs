//! As much of QMP as a test run needs.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use crate::answers;
use crate::chardev::Chardev;
use crate::machine::{Input, Machine, wait_forever};
use crate::role::Role;
use crate::screen;

/// Serves the monitor on `chardev`, one client at a time as QEMU does, in a thread of its own.
pub(crate) fn serve(machine: &Machine, chardev: &Chardev) {
    let listener = chardev.listen();
    let machine = machine.clone();
    std::thread::spawn(move || {
        if machine.role == Role::NeverGreets {
            wait_forever();
        }
        for stream in listener.incoming().map_while(Result::ok) {
            // Its end is that of the client.
            let _ = converse(&machine, stream);
        }
    });
}

fn converse(machine: &Machine, mut stream: UnixStream) -> std::io::Result<()> {
    say(&mut stream, &answers::greeting(machine.role))?;
    if machine.role == Role::GreetsWithGarbage {
        stream.write_all(b"\x1b[2J\xff\xfe this is no JSON\n")?;
    }
    machine.add_client(stream.try_clone()?);
    for line in BufReader::new(stream.try_clone()?).lines() {
        let Ok(request) = serde_json::from_str::<Value>(&line?) else { continue };
        let mut answer = match request["execute"].as_str().unwrap_or_default() {
            "quit" if machine.role == Role::IgnoresSignals => {
                machine.note("quit");
                wait_forever();
            }
            command => screen::answer(machine, command, &request["arguments"]).unwrap_or_else(
                || json!({"return": execute(machine, command, &request["arguments"])}),
            ),
        };
        answer["id"] = request["id"].clone();
        say(&mut stream, &answer)?;
        // Afterwards: what the guest does may end the process, and QEMU has answered by then.
        let press = |button| {
            let _ = machine.sender().send(button);
        };
        match request["execute"].as_str().unwrap_or_default() {
            "quit" => machine.shut_down("host-qmp-quit"),
            "system_reset" => press(Input::Reset),
            "system_powerdown" => press(Input::PowerButton),
            _ => {}
        }
    }
    Ok(())
}

fn execute(machine: &Machine, command: &str, arguments: &Value) -> Value {
    match command {
        "query-status" => {
            let status = machine.status();
            return json!({"status": status, "running": status == "running"});
        }
        "human-monitor-command" => {
            return human(arguments["command-line"].as_str().unwrap_or_default());
        }
        "system_reset" if machine.role == Role::DiesInMonitor => Machine::be_killed(),
        "system_reset" => {
            machine.event("RESET", &json!({"guest": false, "reason": "host-qmp-system-reset"}));
        }
        "system_powerdown" => {
            machine.event("POWERDOWN", &json!({}));
        }
        _ => {}
    }
    json!({})
}

fn human(command_line: &str) -> Value {
    match command_line {
        "info status" => "VM status: running\r\n".into(),
        "info usernet" => {
            "Hub -1 (net-nic1):\r\n  TCP[HOST_FORWARD]  9  127.0.0.1 9  10.0.2.15 22  0 0\r\n"
                .into()
        }
        "info registers -a" => {
            "\r\nCPU#0\r\nRIP=ffffffff81c3b1ab RFL=00000246 [---Z-P-] CPL=0 II=0 HLT=1\r\n".into()
        }
        other => format!("unknown command: '{other}'\r\n").into(),
    }
}

fn say(stream: &mut UnixStream, message: &Value) -> std::io::Result<()> {
    stream.write_all((message.to_string() + "\r\n").as_bytes())
}
