//! Somebody who does everything that a page shows.

use std::process::Command;

use kvmtest_tests::{Ended, Running, Sandbox, program};
use serde_json::Value;

use crate::page::{Action, Outcome, Page, Wrong};

/// One working directory for a whole page: later examples go on with the files of earlier ones.
pub(crate) struct Reader {
    sandbox: Sandbox,
    /// The exit status of the last command, for `echo $?`.
    status: i32,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.root.join("bin")).expect("made");
        let link = sandbox.root.join("bin/kvmtest");
        std::os::unix::fs::symlink(program(), link).expect("linked");
        Self { sandbox, status: 0 }
    }

    /// Does everything in order.
    pub(crate) fn read(mut self, page: &Page) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        for example in &page.examples {
            let outcome = self.act(&example.action);
            wrong.extend(page.compare(example, &outcome));
        }
        wrong
    }

    fn act(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Write { file, text } => {
                self.write(file, text);
                Outcome::Worked
            }
            Action::Command(command) => Outcome::Printed(self.shell(command).stdout),
            Action::Listed(command) => {
                let ended = self.shell(&command.replacen("kvmtest run", "kvmtest list", 1));
                match self.status {
                    0 => Outcome::Worked,
                    _ => Outcome::Printed(ended.stdout),
                }
            }
            Action::Params(cell) => {
                self.write("row.cfg", &(code(cell).join("\n") + "\n"));
                self.row(&["--config", "row.cfg", "--format", "jsonl"], params)
            }
            Action::Left(cell) => {
                let statements = code(cell);
                let list = ["--config", "tests.cfg", "--format", "names"];
                let statements = statements.iter().map(String::as_str);
                let args: Vec<_> = list.into_iter().chain(statements).collect();
                self.row(&args, |names| {
                    let names: Vec<_> = names.lines().map(|name| format!("`{name}`")).collect();
                    names.join(" ")
                })
            }
        }
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.sandbox.work.join(file), text).expect("written");
    }

    /// Output and errors together, as on a terminal.
    fn shell(&mut self, command: &str) -> Ended {
        let path = std::env::var("PATH").unwrap_or_default();
        let script = format!("exec 2>&1\n(exit {})\n{command}\n", self.status);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]);
        self.sandbox.enclose(&mut shell);
        shell.env("PATH", format!("{}:{path}", self.sandbox.root.join("bin")));
        let ended = Running::start(&mut shell).end();
        self.status = ended.status.code().expect("no signal ends it");
        ended
    }

    /// What a row of a table tells: a cell made of what `list` prints, `none`, or the first error.
    fn row(&self, args: &[&str], cell: impl Fn(&str) -> String) -> Outcome {
        let ended = self.sandbox.kvmtest(["list"].iter().chain(args).copied());
        match ended.status.code() {
            Some(0) => Outcome::Cell(cell(&ended.stdout)),
            Some(4) if ended.stderr.starts_with("no variant is left") => {
                Outcome::Cell("none".to_owned())
            }
            _ => {
                let first = ended.stderr.lines().next().unwrap_or_default();
                match first.strip_prefix("kvmtest: error: ") {
                    Some(error) => Outcome::Cell(format!("error: {error}")),
                    None => Outcome::Printed(ended.stderr),
                }
            }
        }
    }
}

/// The params of the only variant. Maps of names are left out.
fn params(jsonl: &str) -> String {
    let [line] = jsonl.lines().collect::<Vec<_>>()[..] else { return jsonl.to_owned() };
    let variant: Value = serde_json::from_str(line).expect("JSON");
    let params = variant["params"].as_object().expect("an object");
    let shown: Vec<_> = params
        .iter()
        .filter(|(key, _)| !key.starts_with('_'))
        .map(|(key, value)| {
            let pair = format!("{key} = {}", value.as_str().expect("a string"));
            let pair = pair.replace('|', "\\|");
            format!("`{}`", if pair.ends_with("= ") { pair.trim_end() } else { &pair })
        })
        .collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join(" ") }
}

/// The pieces of code of a cell.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(|piece| piece.replace("\\|", "|")).collect()
}
