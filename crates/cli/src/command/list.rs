//! `kvmtest list`: the tests that a filter selects.

use kvmtest::Result;
use kvmtest_runner::plan;

use super::selection::{LARGEST, resolve};
use crate::args::List;
use crate::terminal::{say, table};

pub(super) fn execute(args: &List) -> Result<u8> {
    let whole = args.selection.what.is_empty() && args.selection.config.is_none();
    let (selection, known) = match resolve(&args.selection, whole.then_some(LARGEST))? {
        Ok(resolved) => resolved,
        Err(code) => return Ok(code),
    };
    if args.count {
        say(selection.variants.len().to_string());
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = plan::list(&selection, &known)
        .map(|row| {
            if args.full_names {
                return vec![row.name];
            }
            let doc = if row.skip { "(skip = yes)".to_owned() } else { row.doc };
            vec![row.shortname, row.subtest, doc]
        })
        .collect();
    say(table(&rows).trim_end());
    Ok(0)
}
