//! `setup_hugepages`.

use kvmtest::{Params, Result};

use crate::around::Around;
use crate::hugepages::need;

pub(super) fn check(params: &Params) -> Result<()> {
    if params.get_bool_or("setup_hugepages", false)? {
        need::machines(params)?;
    }
    Ok(())
}

/// Reserves what the memory of the machines takes.
pub(super) fn reserve(around: &mut Around) -> Result<()> {
    if !around.params.get_bool_or("setup_hugepages", false)? {
        return Ok(());
    }
    for need in around.hugepages.needs(&around.params)? {
        let reserved = around.hugepages.reserve(need)?;
        around.reserved.push(reserved);
    }
    Ok(())
}
