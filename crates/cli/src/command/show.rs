//! `kvmtest show`: all params of a test, and where each was set.

use kvmtest::Result;
use kvmtest_runner::plan::{self, Shown};

use super::explain;
use super::selection::resolve;
use crate::args::{Show, TextOrJson};
use crate::output::{Objects, Output, Reader};
use crate::terminal::{Columns, clean};

pub(super) fn execute(args: &Show) -> Result<u8> {
    let (selection, known) = match resolve(&args.selection, None)? {
        Ok(resolved) => resolved,
        Err(code) => return Ok(code),
    };
    let wanted = args.selection.what.first().map_or("", String::as_str);
    if !args.explain.is_empty() {
        return explain::execute(args, &selection, wanted);
    }
    let mut out = Output::new();
    let mut objects = Objects::new(args.format == TextOrJson::Json);
    for shown in plan::show(&selection, &known, wanted) {
        let written = out.lines(|lines| match args.format {
            TextOrJson::Text => {
                lines.extend_from_slice(text(&shown).trim_end().as_bytes());
                lines.push(b'\n');
            }
            TextOrJson::Json | TextOrJson::Jsonl => {
                objects.add(lines, |lines| lines.extend(json(&shown).to_string().bytes()));
            }
        });
        if written? == Reader::Gone {
            return Ok(0);
        }
    }
    let _ = out.lines(|lines| objects.end(lines))?;
    let _ = out.flush()?;
    Ok(0)
}

/// Values wider than this push the place that set them to the right, in their own row only.
const WIDTH: usize = 72;

fn text(shown: &Shown) -> String {
    let mut lines = vec![shown.shortname.clone(), format!("  full name: {}", shown.name)];
    lines.extend(shown.file.iter().map(|file| format!("  subtest: {file}")));
    if !shown.dep.is_empty() {
        lines.push(format!("  depends on: {}", shown.dep.join(" ")));
    }
    // These stand above.
    let told = ["name", "shortname", "dep"];
    let rows: Vec<Vec<String>> = shown
        .params
        .values()
        .filter(|(key, _)| !told.contains(key))
        .map(|(key, value)| {
            let origin = value.origin.as_ref().map(ToString::to_string).unwrap_or_default();
            vec![format!("  {key} = {}", clean(&value.text)), origin]
        })
        .collect();
    let narrow = |row: &&Vec<String>| row[0].chars().count() <= WIDTH;
    let columns = Columns::of(&rows.iter().filter(narrow).cloned().collect::<Vec<_>>());
    let rows: String = rows.iter().map(|row| columns.line(row)).collect();
    format!("{}\n{rows}", lines.join("\n"))
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
