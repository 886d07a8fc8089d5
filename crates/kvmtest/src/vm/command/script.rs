//! The command line as a shell script, for people.

use std::fmt::Write as _;

use super::line::CommandLine;

/// A script that makes what overlays are missing and starts the machine.
pub(super) fn script(line: &CommandLine) -> String {
    let mut script = String::from(
        "#!/bin/sh\n\
         # Starts this machine by hand. Its sockets, logs and overlays are made in the directory\n\
         # that is given as the argument, by default in a new one.\n\
         # The console: socat -,rawer,escape=0x1d UNIX-CONNECT:serial0.sock\n\
         set -e\n\
         cd \"${1:-$(mktemp -d)}\"\n\
         echo \"sockets and logs are in $PWD\" >&2\n",
    );
    for image in &line.images {
        if let (Some(overlay), Some(args)) = (&image.overlay, image.overlay_args()) {
            let overlay = quote(&here(line, overlay.as_str()));
            let args: Vec<String> = args.iter().map(|arg| quote(&here(line, arg))).collect();
            let _ = writeln!(script, "[ -e {overlay} ] || qemu-img {}", args.join(" "));
        }
    }
    for (name, value) in &line.environment {
        let _ = writeln!(script, "export {name}={}", quote(value));
    }
    script.push_str("exec ");
    let args: Vec<String> = line.args.iter().map(|arg| here(line, arg)).collect();
    script.push_str(&lines(line.program.as_str(), &args).join(" \\\n    "));
    script.push('\n');
    script
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
