//! `kvmtest lint`: what a configuration says that was hardly meant.

use std::collections::BTreeMap;
use std::fmt::Write;

use camino::Utf8Path;
use kvmtest::Result;
use kvmtest_cartesian::{Diagnostic, Finding, Severity};
use kvmtest_runner::exit_code;
use kvmtest_runner::plan::{self, Known, Unreadable};

use super::selection::house;
use crate::args::{Lint, LintFormat};
use crate::configs::Configs;
use crate::terminal::{has_colour_on, note, say};

/// Nothing was found.
const CLEAN: u8 = 0;
/// Something was found.
const FOUND: u8 = 1;

/// How many more places of a finding are named.
const PLACES: usize = 8;

pub(super) fn execute(args: &Lint) -> Result<u8> {
    let known = house()?.known(&args.subtests)?;
    if args.files.is_empty() {
        return Ok(lint(args, None, &known));
    }
    let codes = args.files.iter().map(|file| lint(args, Some(file), &known));
    Ok(codes.max().unwrap_or(CLEAN))
}

fn lint(args: &Lint, file: Option<&Utf8Path>, known: &Known) -> u8 {
    let (diagnostics, code) = match plan::lint(file, &Configs, known) {
        Ok(mut found) => {
            found.retain(|found| found.finding.is_none_or(|kind| !args.allow.contains(&kind)));
            let code = if found.is_empty() { CLEAN } else { FOUND };
            (found, code)
        }
        Err(Unreadable::Diagnostics(errors)) => (errors, exit_code::SETUP_IMPOSSIBLE),
        Err(Unreadable::File { why, .. }) => {
            note(format!("kvmtest: {why}"));
            return exit_code::SETUP_IMPOSSIBLE;
        }
    };
    match args.format {
        LintFormat::Json => diagnostics.iter().for_each(|diagnostic| say(json(diagnostic))),
        LintFormat::Text => {
            let colour = has_colour_on(&std::io::stdout());
            for places in together(&diagnostics) {
                say(text(&places, colour) + "\n");
            }
            let name = file.map_or("the shipped configuration", Utf8Path::as_str);
            say(format!("{name}: {}", summary(&diagnostics)));
        }
    }
    code
}

/// What is the same in several places, in the order of the first ones.
fn together(diagnostics: &[Diagnostic]) -> Vec<Vec<&Diagnostic>> {
    let mut groups: Vec<Vec<&Diagnostic>> = Vec::new();
    let mut known: BTreeMap<(Option<Finding>, &str), usize> = BTreeMap::new();
    for diagnostic in diagnostics {
        let key = (diagnostic.finding, diagnostic.message.as_str());
        let group = *known.entry(key).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) if !diagnostic.is_error() => group.push(diagnostic),
            _ => groups.push(vec![diagnostic]),
        }
    }
    groups
}

fn text(places: &[&Diagnostic], colour: bool) -> String {
    let [first, others @ ..] = places else { return String::new() };
    let mut text = first.render(colour);
    if !others.is_empty() {
        let shown =
            others.iter().take(PLACES).map(|other| format!("{}:{}", other.file, other.line));
        let shown = shown.collect::<Vec<_>>().join(", ");
        let more = if others.len() > PLACES { ", …" } else { "" };
        let count = others.len();
        let noun = if count == 1 { "place" } else { "places" };
        let _ = write!(text, "\n  = the same in {count} more {noun}: {shown}{more}");
    }
    text
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
        return format!("{errors} errors: what else there is can be told when these are mended");
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
