//! Asks a binary what it can do: one start under QMP, one for each help text.

use std::collections::HashMap;

use camino::Utf8Path;
use serde_json::{Value, json};

use super::answers::Answers;
use super::conversation::Conversation;
use super::{Capabilities, Version};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

/// A machine of no kind: nothing is emulated, everything can be asked.
const QMP_ARGUMENTS: [&str; 9] = [
    "-machine",
    "none",
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-S",
    "-qmp",
    "stdio",
];

/// What `path` can do. Starts it several times at once; none of its processes is left.
pub(super) fn ask(path: &Utf8Path, deadline: Deadline) -> Result<Capabilities> {
    let mut qmp = Conversation::start(path, &QMP_ARGUMENTS)?;
    let (version, package) = greeting(path, &mut qmp, deadline)?;
    for (name, command, arguments) in questions() {
        let mut message = json!({"execute": command, "id": name});
        if !arguments.is_null() {
            message["arguments"] = arguments;
        }
        qmp.say(&format!("{message}\n"));
    }
    // They run while the questions are answered.
    let mut help = Conversation::start(path, &["-help"])?;
    let mut netdev_help = Conversation::start(path, &["-netdev", "help"])?;
    let answers = Answers {
        version,
        package,
        qmp: answers(path, &mut qmp, deadline)?,
        help: output(path, &mut help, deadline)?,
        netdev_help: output(path, &mut netdev_help, deadline)?,
    };
    Ok(answers.into_capabilities())
}

/// Name, command and arguments of every question. The first one opens the monitor.
fn questions() -> [(&'static str, &'static str, Value); 10] {
    let types = |kind| json!({"implements": kind, "abstract": false});
    [
        ("qmp_capabilities", "qmp_capabilities", Value::Null),
        ("query-target", "query-target", Value::Null),
        ("query-machines", "query-machines", Value::Null),
        ("query-cpu-definitions", "query-cpu-definitions", Value::Null),
        ("query-qmp-schema", "query-qmp-schema", Value::Null),
        ("query-command-line-options", "query-command-line-options", Value::Null),
        ("accelerators", "qom-list-types", types("accel")),
        ("devices", "qom-list-types", types("device")),
        ("objects", "qom-list-types", types("user-creatable")),
        ("chardevs", "qom-list-types", types("chardev")),
    ]
}

fn greeting(
    path: &Utf8Path,
    qmp: &mut Conversation,
    deadline: Deadline,
) -> Result<(Version, String)> {
    let line = match qmp.line(deadline) {
        Ok(Some(line)) => line,
        Ok(None) => return Err(died(path, qmp)),
        Err(error) => return Err(error.context(format!("waiting for the greeting of `{path}`"))),
    };
    let greeting: Value = serde_json::from_slice(&line).unwrap_or_default();
    let told = &greeting["QMP"]["version"];
    let Some(version) = Version::from_qmp(told) else {
        let message = format!("`{path}` does not greet as QEMU does: it said `{}`", shown(&line));
        return Err(Error::new(ErrorKind::Host, message).with_output(line));
    };
    if version < Version::OLDEST {
        return Err(Error::new(
            ErrorKind::Host,
            format!("`{path}` is QEMU {version}, which is too old: needed is {}", Version::OLDEST),
        ));
    }
    Ok((version, told["package"].as_str().unwrap_or_default().to_owned()))
}

fn answers(
    path: &Utf8Path,
    qmp: &mut Conversation,
    deadline: Deadline,
) -> Result<HashMap<&'static str, Value>> {
    let mut answers = HashMap::new();
    let names = questions().map(|(name, ..)| name);
    while answers.len() < names.len() {
        let line = match qmp.line(deadline) {
            Ok(Some(line)) => line,
            Ok(None) => return Err(died(path, qmp)),
            Err(error) => return Err(error.context(format!("asking `{path}` what it can do"))),
        };
        let Ok(mut answer) = serde_json::from_slice::<Value>(&line) else {
            let message = format!("`{path}` does not speak QMP: it said `{}`", shown(&line));
            return Err(Error::new(ErrorKind::Monitor, message).with_output(line));
        };
        // An event has no id.
        let id = answer["id"].as_str();
        let Some(name) = names.into_iter().find(|name| Some(*name) == id) else { continue };
        if let Some(error) = answer.get("error") {
            tracing::debug!(%path, question = name, %error, "QEMU cannot tell");
        }
        answers.insert(name, answer["return"].take());
    }
    Ok(answers)
}

fn output(path: &Utf8Path, process: &mut Conversation, deadline: Deadline) -> Result<String> {
    let (output, status) = process
        .finish(deadline)
        .map_err(|error| error.context(format!("asking `{path}` for help")))?;
    if !status.success() {
        return Err(died(path, process));
    }
    Ok(String::from_utf8_lossy(&output).into_owned())
}

fn died(path: &Utf8Path, process: &Conversation) -> Error {
    let end = process.end_in_words();
    let words = process.complaints().to_vec();
    let said = match shown(&words) {
        nothing if nothing.is_empty() => "it said nothing".to_owned(),
        said => format!("it said `{said}`"),
    };
    Error::new(ErrorKind::VmCreate, format!("`{path}` ended at its start ({end}): {said}"))
}

/// The last kilobyte of what somebody said, fit for a terminal: where a program fails, its last
/// words tell why.
fn shown(bytes: &[u8]) -> String {
    let tail = &bytes[bytes.len().saturating_sub(1024)..];
    let mut text = String::new();
    for character in String::from_utf8_lossy(tail).trim().chars() {
        match character {
            '\n' => text.push('\n'),
            '\r' => {}
            control if control.is_control() => text.extend(control.escape_default()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_cannot_drive_a_terminal_nor_fill_it() {
        assert_eq!(shown(b"  no such\r\n machine\n"), "no such\n machine");
        assert_eq!(shown(b"\x1b[2Jgone\x07"), "\\u{1b}[2Jgone\\u{7}");
        assert_eq!(shown(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(shown(&vec![b'x'; 1 << 20]).len(), 1024);
    }
}
