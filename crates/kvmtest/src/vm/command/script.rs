//! The command line as a shell script, for people.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use super::line::CommandLine;
use super::uses::{ImageKind, ImageUse};

/// A script that makes overlays and starts the machine, without a trace in anything else.
pub(super) fn script(line: &CommandLine) -> String {
    let mut script = String::from(HEAD);
    let mut args = line.args.clone();
    for image in &line.images {
        let made = match &image.overlay {
            Some(_) => image.clone(),
            None if image.read_only || image.kind == ImageKind::Cdrom => continue,
            None => {
                let overlay = Utf8PathBuf::from(format!("{}.qcow2", image.id));
                let made = ImageUse { overlay: Some(overlay), ..image.clone() };
                if !writes_to_overlay(&mut args, &made) {
                    continue;
                }
                made
            }
        };
        if let (Some(overlay), Some(args)) = (&made.overlay, made.overlay_args()) {
            let overlay = quote(&here(line, overlay.as_str()));
            let args: Vec<String> = args.iter().map(|arg| quote(&here(line, arg))).collect();
            let _ = writeln!(script, "[ -e {overlay} ] || qemu-img {}", args.join(" "));
        }
    }
    for (name, value) in &line.environment {
        let _ = writeln!(script, "export {name}={}", quote(value));
    }
    let args: Vec<String> = args.iter().map(|arg| here(line, arg)).collect();
    script.push_str(&lines(line.program.as_str(), &args).join(" \\\n    "));
    script.push_str(TAIL);
    script
}

const HEAD: &str = r#"#!/bin/sh
# Starts this machine by hand. What is given to this script is given to QEMU, too: -S, -vnc :1
# Its sockets, logs and overlays are in a private directory, which is removed at the end; no image
# is written to. With KEEP=DIRECTORY they are made there, and stay.
# The console, from another terminal in that directory:
#     socat -,rawer,escape=0x1d UNIX-CONNECT:serial0.sock
set -eu
umask 077
directory= over=
# What is not kept needs no farewell; and a process just forked can miss every signal but this one.
farewell=KILL
[ -z "${KEEP:-}" ] || farewell=TERM
ended() {
    # Another signal must not cut this short.
    trap '' INT TERM HUP
    [ -n "$over" ] || [ -z "${!-}" ] || { kill -s $farewell "$!" 2>/dev/null && wait "$!"; } || true
    [ -n "${KEEP:-}" ] || [ -z "$directory" ] || rm -rf "$directory"
}
# One that comes before it is kept off begins anew.
stopped() {
    ended
    trap - EXIT
    exit "$1"
}
trap ended EXIT
trap 'stopped 130' INT
trap 'stopped 143' TERM HUP
if [ -n "${KEEP:-}" ]; then
    mkdir -p "$KEEP"
    directory=$KEEP
else
    directory=$(mktemp -d)
fi
exec 3<&0
cd "$directory"
echo "sockets and logs are in $PWD" >&2
"#;

// In the background, so that a signal ends the machine as well, and with the input of the script.
const TAIL: &str = r#" \
    "$@" <&3 &
status=0
wait "$!" || status=$?
over=yes
exit "$status"
"#;

/// Lets the block node of `image` write to its overlay; tells whether there is such a node.
fn writes_to_overlay(args: &mut [String], image: &ImageUse) -> bool {
    let Some(overlay) = &image.overlay else { return false };
    for index in 1..args.len() {
        if args[index - 1] != "-blockdev" {
            continue;
        }
        let Ok(mut node) = serde_json::from_str::<Value>(&args[index]) else { continue };
        if node["node-name"] != image.id.as_str() {
            continue;
        }
        let mut file = node["file"].take();
        if let Some(file) = file.as_object_mut() {
            // Of what is only read, this is not asked.
            file.remove("aio");
        }
        let backing = json!({"driver": node["driver"], "read-only": true, "file": file});
        node["driver"] = "qcow2".into();
        node["file"] = json!({"driver": "file", "filename": overlay});
        node["backing"] = backing;
        if let Some(node) = node.as_object_mut() {
            // That of an image that is thrown away is no matter.
            node.remove("cache");
        }
        args[index] = node.to_string();
        return true;
    }
    false
}

/// The argument with what lies in the instance's own directory in the working directory instead.
fn here(line: &CommandLine, arg: &str) -> String {
    let mut arg = arg.replace(&format!("{}/", line.scratch), "");
    for image in line.images.iter().filter(|image| image.keeps_overlay) {
        if let Some(directory) = image.overlay.as_ref().and_then(|overlay| overlay.parent()) {
            // It is gone with the run.
            arg = arg.replace(&format!("{directory}/"), "");
        }
    }
    arg
}

/// The command, quoted for a shell, in lines: the program, then each option with its value.
pub(super) fn lines(program: &str, args: &[String]) -> Vec<String> {
    let mut lines = vec![quote(program)];
    let mut takes_value = false;
    for arg in args {
        let starts_option = arg.starts_with('-');
        match lines.last_mut() {
            Some(line) if takes_value && !starts_option => {
                line.push(' ');
                line.push_str(&quote(arg));
                takes_value = false;
            }
            _ => {
                lines.push(quote(arg));
                takes_value = starts_option;
            }
        }
    }
    lines
}

/// `text` as one word of a POSIX shell.
pub(super) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_only_where_needed() {
        for (text, want) in [
            ("-m", "-m"),
            ("size=512M", "size=512M"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$HOME`id`", "'$HOME`id`'"),
            ("~", "'~'"),
            ("a\nb", "'a\nb'"),
        ] {
            assert_eq!(quote(text), want);
        }
    }

    #[test]
    fn a_line_is_an_option_with_its_value() {
        let args: Vec<String> = ["-S", "-m", "1", "x", "-append", "-a"].map(str::to_owned).into();
        assert_eq!(lines("q", &args), ["q", "-S", "-m 1", "x", "-append", "-a"]);
    }
}
