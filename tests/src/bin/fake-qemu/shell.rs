//! A shell that knows the lines of a session's own making, and the few commands of the subtests.

use serde_json::json;

use crate::guest::{Guest, Heard};
use crate::machine::{Machine, wait_forever};
use crate::role::Role;

/// Serves until the shell is left; nothing if the guest begins anew.
pub(crate) fn serve(guest: &mut Guest) -> Option<()> {
    loop {
        guest.console.say("fake:~# ");
        let Heard::Line(line) = guest.hear(true) else { return None };
        let mut status = 0;
        for statement in line.split("; ") {
            let words: Vec<_> = statement.split(' ').collect();
            match &words[..] {
                [""] => {}
                ["exit"] => return Some(()),
                ["printf", r"'%s<\n'", mark] => guest.console.say(format!("{mark}<\r\n")),
                ["printf", r"'%s=%s;\n'", mark, "$?"] => {
                    guest.console.say(format!("{mark}={status};\r\n"));
                }
                ["command", "eval", ..] => {
                    let command = statement.trim_start_matches("command eval ");
                    status = execute(guest, command.trim_matches('\''));
                }
                ["shutdown", "-r", "now"] => {
                    guest.machine.event("RESET", &json!({"guest": true, "reason": "guest-reset"}));
                    return None;
                }
                ["shutdown", "-h", "now"] if guest.machine.role == Role::StaysOn => {}
                ["shutdown", "-h", "now"] => guest.machine.shut_down("guest-shutdown"),
                _ => guest.console.say(format!("sh: {statement}: not found\r\n")),
            }
        }
    }
}

/// Executes one command; gives back its status.
fn execute(guest: &mut Guest, command: &str) -> i32 {
    match guest.machine.role {
        Role::DiesInCommand => Machine::be_killed(),
        Role::HangsInCommand => {
            guest.machine.note("hangs");
            wait_forever();
        }
        Role::Floods => guest.flood(),
        _ => {}
    }
    match command {
        "cat /proc/sys/kernel/random/boot_id" => {
            let boot = guest.boots;
            guest.console.say(format!("0000000{boot}-fake\r\n"));
            0
        }
        "true" => 0,
        other => {
            guest.console.say(format!("sh: {other}: not found\r\n"));
            127
        }
    }
}
