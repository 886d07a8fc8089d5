//! `kvmtest report`: makes reports again from the events of a run.

use std::io::{ErrorKind, Write};

use kvmtest::{Context, Result};
use kvmtest_runner::exit_code;
use kvmtest_runner::report::{Again, ConsoleOptions, Format, write};

use super::run::detail;
use crate::args::{Report, ReportFormat};
use crate::terminal::note;

pub(super) fn execute(args: &Report) -> Result<u8> {
    let again = Again::open(&args.results)?;
    let bytes = match format(args.format) {
        Some(format) => again.make(format, args.output.as_deref())?,
        None => console(&again, args)?,
    };
    match &args.output {
        Some(path) => write(path, &bytes)?,
        None => print(&bytes)?,
    }
    if let [(line, why), more @ ..] = again.broken() {
        let others =
            if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        note(format!(
            "kvmtest: line {line} of the events is broken ({why}){others}; the rest is shown"
        ));
    }
    Ok(exit_code::ALL_PASSED)
}

fn console(again: &Again, args: &Report) -> Result<Vec<u8>> {
    let mut options = ConsoleOptions::detect().with_detail(detail(&args.detail));
    if args.output.is_some() {
        options.color = false;
    }
    let mut bytes = Vec::new();
    again.console(&mut bytes, options)?;
    Ok(bytes)
}

fn print(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // Whoever read has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("writing to standard output"),
    }
}

fn format(format: ReportFormat) -> Option<Format> {
    match format {
        ReportFormat::Console => None,
        ReportFormat::Json => Some(Format::Json),
        ReportFormat::Junit => Some(Format::Junit),
        ReportFormat::Tap => Some(Format::Tap),
        ReportFormat::Html => Some(Format::Html),
    }
}
