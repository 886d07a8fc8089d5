//! `kvmtest list`: the tests that a filter selects.

use kvmtest::Result;
use kvmtest_runner::plan::{self, Known, Row, Selection, json_line};

use super::selection::{LARGEST, resolve};
use crate::args::{Format, List};
use crate::output::{Objects, Output, Reader};
use crate::terminal::{Columns, clean};

/// How many rows a table's columns are measured by. It never holds more, so that the first rows
/// of a large matrix are there at once.
const MEASURED: usize = 250;

pub(super) fn execute(args: &List) -> Result<u8> {
    let whole = args.selection.what.is_empty() && args.selection.config.is_none();
    let (selection, known) = match resolve(&args.selection, whole.then_some(LARGEST))? {
        Ok(resolved) => resolved,
        Err(code) => return Ok(code),
    };
    let mut out = Output::new();
    let reader = match args.format {
        Format::Table => table(&selection, &known, &mut out)?,
        Format::Names => names(&selection, &mut out)?,
        Format::Jsonl => json(&selection, Objects::new(false), &mut out)?,
        Format::Json => json(&selection, Objects::new(true), &mut out)?,
        Format::Count => {
            let count = selection.count();
            out.lines(|lines| lines.extend(format!("{count}\n").bytes()))?
        }
    };
    if reader == Reader::Reads {
        // Whether anybody reads the end does not matter any more.
        let _ = out.flush()?;
    }
    // The process ends now; giving back a large configuration piece by piece takes longer.
    std::mem::forget(selection);
    Ok(0)
}

fn table(selection: &Selection, known: &Known, out: &mut Output) -> Result<Reader> {
    let mut rows = plan::list(selection, known).map(cells);
    let first: Vec<Vec<String>> = rows.by_ref().take(MEASURED).collect();
    let columns = Columns::of(&first);
    for row in first.into_iter().chain(rows) {
        if out.lines(|lines| lines.extend(columns.line(&row).bytes()))? == Reader::Gone {
            return Ok(Reader::Gone);
        }
    }
    Ok(Reader::Reads)
}

fn cells(row: Row) -> Vec<String> {
    let doc = if row.skip { "(skip = yes)".to_owned() } else { row.doc };
    vec![row.shortname, clean(&row.subtest), doc]
}

fn names(selection: &Selection, out: &mut Output) -> Result<Reader> {
    for variant in selection.variants() {
        let written = out.lines(|lines| {
            lines.extend_from_slice(variant.name().as_bytes());
            lines.push(b'\n');
        });
        if written? == Reader::Gone {
            return Ok(Reader::Gone);
        }
    }
    Ok(Reader::Reads)
}

fn json(selection: &Selection, mut objects: Objects, out: &mut Output) -> Result<Reader> {
    for (i, variant) in (1..).zip(selection.variants()) {
        let written = out.lines(|lines| objects.add(lines, |lines| json_line(&variant, i, lines)));
        if written? == Reader::Gone {
            return Ok(Reader::Gone);
        }
    }
    out.lines(|lines| objects.end(lines))
}
