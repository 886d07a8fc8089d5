//! Which boot of the host this is: what was learned or started in an earlier one is void.

use std::sync::OnceLock;

use crate::error::{Context, Error, ErrorKind, Result};

const PATH: &str = "/proc/sys/kernel/random/boot_id";

/// The kernel's random name of this boot, a UUID in text.
pub fn boot_id() -> Result<&'static str> {
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    if let Some(id) = BOOT_ID.get() {
        return Ok(id);
    }
    let text = std::fs::read_to_string(PATH).with_context(|| format!("reading {PATH}"))?;
    let id = text.trim();
    if id.is_empty() {
        return Err(Error::new(ErrorKind::Host, format!("{PATH} is empty")));
    }
    Ok(BOOT_ID.get_or_init(|| id.to_owned()))
}
