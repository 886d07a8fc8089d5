//! `kvmtest show`: all params of a test, and where each was set.

use kvmtest::Result;
use kvmtest_runner::plan::{self, Shown};

use super::explain;
use super::selection::resolve;
use crate::args::Show;
use crate::terminal::{clean, say, table};

pub(super) fn execute(args: &Show) -> Result<u8> {
    let (selection, known) = match resolve(&args.selection, None)? {
        Ok(resolved) => resolved,
        Err(code) => return Ok(code),
    };
    let wanted = args.selection.what.first().map_or("", String::as_str);
    if !args.explain.is_empty() {
        return Ok(explain::execute(args, &selection, wanted));
    }
    for shown in plan::show(&selection, &known, wanted) {
        if args.json {
            say(json(&shown).to_string());
        } else {
            say(text(&shown).trim_end());
        }
    }
    Ok(0)
}

fn text(shown: &Shown) -> String {
    let mut lines = vec![shown.shortname.clone(), format!("  full name: {}", shown.name)];
    lines.extend(shown.file.iter().map(|file| format!("  subtest: {file}")));
    if !shown.dep.is_empty() {
        lines.push(format!("  depends on: {}", shown.dep.join(" ")));
    }
    let rows: Vec<Vec<String>> = shown
        .params
        .values()
        .map(|(key, value)| {
            let origin = value.origin.as_ref().map(ToString::to_string).unwrap_or_default();
            vec![format!("  {key} = {}", clean(&value.text)), origin]
        })
        .collect();
    lines.push(table(&rows));
    lines.join("\n")
}

fn json(shown: &Shown) -> serde_json::Value {
    serde_json::json!({
        "shortname": shown.shortname,
        "name": shown.name,
        "file": shown.file,
        "dep": shown.dep,
        "params": shown.params,
    })
}
