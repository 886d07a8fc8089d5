//! `kvmtest lint`: what a configuration says that was hardly meant.

use std::collections::BTreeMap;
use std::fmt::Write;

use camino::Utf8Path;
use kvmtest_cartesian::{Diagnostic, Finding, Severity};
use kvmtest_runner::exit_code;
use kvmtest_runner::plan::{self, Known, Unreadable};

use super::selection::house;
use crate::args::{Lint, TextOrJson};
use crate::output::{Objects, Output, Reader};
use crate::shipped::Configs;
use crate::terminal::{has_colour_on, note};

/// Nothing was found.
const CLEAN: u8 = 0;
/// Something was found.
const FOUND: u8 = 1;

/// How many more lines of a finding are named.
const PLACES: usize = 8;

pub(super) fn execute(args: &Lint) -> kvmtest::Result<u8> {
    let known = house()?.known(&args.subtests)?;
    let files: Vec<Option<&Utf8Path>> = match args.files.as_slice() {
        [] => vec![None],
        files => files.iter().map(|file| Some(file.as_path())).collect(),
    };
    let mut out = Output::new();
    let mut objects = Objects::new(args.format == TextOrJson::Json);
    let mut code = CLEAN;
    for file in files {
        let (diagnostics, of_file) = match lint(args, file, &known) {
            Ok(found) => found,
            Err(why) => {
                let _ = out.flush()?;
                note(format!("kvmtest: {why}"));
                code = code.max(exit_code::SETUP_IMPOSSIBLE);
                continue;
            }
        };
        code = code.max(of_file);
        let written = out.lines(|lines| match args.format {
            TextOrJson::Text => lines.extend(text(file, &diagnostics).bytes()),
            TextOrJson::Json | TextOrJson::Jsonl => {
                for diagnostic in &diagnostics {
                    objects.add(lines, |lines| lines.extend(json(diagnostic).bytes()));
                }
            }
        });
        if written? == Reader::Gone {
            return Ok(code);
        }
    }
    let _ = out.lines(|lines| objects.end(lines))?;
    let _ = out.flush()?;
    Ok(code)
}

/// What is found in a configuration, and the exit code; or why it cannot be read.
fn lint(
    args: &Lint,
    file: Option<&Utf8Path>,
    known: &Known,
) -> Result<(Vec<Diagnostic>, u8), String> {
    let is_wanted = |found: &Diagnostic| match found.finding {
        Some(kind) => {
            !args.allow.contains(&kind) && (args.only.is_empty() || args.only.contains(&kind))
        }
        None => args.only.is_empty(),
    };
    match plan::lint(file, &Configs, known) {
        Ok(mut found) => {
            found.retain(is_wanted);
            let code = if found.is_empty() { CLEAN } else { FOUND };
            Ok((found, code))
        }
        Err(Unreadable::Diagnostics(errors)) => Ok((errors, exit_code::SETUP_IMPOSSIBLE)),
        Err(Unreadable::File { why, .. }) => Err(why),
    }
}

fn text(file: Option<&Utf8Path>, diagnostics: &[Diagnostic]) -> String {
    let colour = has_colour_on(&std::io::stdout());
    let mut text = String::new();
    for picture in pictures(diagnostics) {
        text += &picture.text(colour);
        text += "\n\n";
    }
    let name = file.map_or("the shipped configuration", Utf8Path::as_str);
    let _ = writeln!(text, "{name}: {}", summary(diagnostics));
    text
}

/// What is found in one line.
struct Picture<'a> {
    /// Each with what is the same in other lines.
    found: Vec<(&'a Diagnostic, Vec<&'a Diagnostic>)>,
}

/// What is the same in several lines is told with the first of them.
fn pictures(diagnostics: &[Diagnostic]) -> Vec<Picture<'_>> {
    let mut pictures: Vec<Picture> = Vec::new();
    let mut known: BTreeMap<(Option<Finding>, &str), (usize, usize)> = BTreeMap::new();
    for diagnostic in diagnostics {
        let key = (diagnostic.finding, diagnostic.message.as_str());
        let again = known.get(&key).filter(|_| !diagnostic.is_error());
        if let Some(&(picture, at)) = again {
            pictures[picture].found[at].1.push(diagnostic);
            continue;
        }
        let last = pictures.last_mut().filter(|last| {
            !diagnostic.is_error()
                && last.found.iter().all(|(one, _)| one.shares_picture(diagnostic))
        });
        match last {
            Some(last) => last.found.push((diagnostic, Vec::new())),
            None => pictures.push(Picture { found: vec![(diagnostic, Vec::new())] }),
        }
        let last = pictures.len() - 1;
        known.insert(key, (last, pictures[last].found.len() - 1));
    }
    pictures
}

impl Picture<'_> {
    fn text(&self, colour: bool) -> String {
        let mut marked: Vec<&Diagnostic> = Vec::new();
        for (first, others) in &self.found {
            marked.push(first);
            marked.extend(others.iter().filter(|other| first.shares_picture(other)));
        }
        let mut text = Diagnostic::render_together(&marked, colour);
        for (first, others) in &self.found {
            let mut lines: Vec<(&str, u32)> =
                others.iter().map(|other| (other.file.as_ref(), other.line)).collect();
            lines.dedup();
            lines.retain(|line| *line != (first.file.as_ref(), first.line));
            if lines.is_empty() {
                continue;
            }
            let count = lines.len();
            let noun = if count == 1 { "line" } else { "lines" };
            // Where several things are in the picture, it is said which one.
            let what = if self.found.len() == 1 { "the same" } else { first.message.as_str() };
            let _ = write!(text, "\n  = {what} in {count} more {noun}: {}", places(&lines));
        }
        text
    }
}

/// `a.cfg:1, 2, b.cfg:3, …`
fn places(lines: &[(&str, u32)]) -> String {
    let mut file = "";
    let mut places: Vec<String> = Vec::new();
    for (name, line) in lines.iter().take(PLACES) {
        places.push(if *name == file { line.to_string() } else { format!("{name}:{line}") });
        file = name;
    }
    if lines.len() > PLACES {
        places.push("…".to_owned());
    }
    places.join(", ")
}

fn json(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    serde_json::json!({
        "file": diagnostic.file,
        "line": diagnostic.line,
        "columns": [diagnostic.columns.start, diagnostic.columns.end],
        "severity": severity,
        "finding": diagnostic.finding.map(Finding::name),
        "message": diagnostic.message,
        "help": diagnostic.help,
    })
    .to_string()
}

/// `3 findings: 2 unknown-label, 1 overwritten`
fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    if errors > 0 {
        let (noun, are) = if errors == 1 { ("error", "it is") } else { ("errors", "these are") };
        return format!("{errors} {noun}: what else there is can be told when {are} mended");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for diagnostic in diagnostics {
        *counts.entry(diagnostic.finding.map_or("warning", Finding::name)).or_default() += 1;
    }
    if counts.is_empty() {
        return "nothing found".to_owned();
    }
    let kinds: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let noun = if diagnostics.len() == 1 { "finding" } else { "findings" };
    format!("{} {noun}: {}", diagnostics.len(), kinds.join(", "))
}
