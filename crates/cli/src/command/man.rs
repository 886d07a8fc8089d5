//! `kvmtest man`: the manual pages, one for each command.

use camino::Utf8Path;
use clap::CommandFactory;
use kvmtest::{Context, Result};

use crate::args::Args;
use crate::terminal;

pub(super) fn execute(dir: &Utf8Path) -> Result<u8> {
    let doing = || format!("writing manual pages to {dir}");
    std::fs::create_dir_all(dir).with_context(doing)?;
    clap_mangen::generate_to(Args::command(), dir).with_context(doing)?;
    terminal::say(format!("manual pages are in {dir}"));
    Ok(0)
}
