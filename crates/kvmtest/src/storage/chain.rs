//! The files that an image stands on.

use camino::{Utf8Path, Utf8PathBuf};

use super::overlay::ask;
use super::qcow2;
use crate::error::{Error, ErrorKind, Result};

/// More than anybody has; a chain that is longer bites its own tail.
const LONGEST: usize = 200;

/// The file `path` of the given format, and all the backing files below it.
pub(crate) fn chain(path: &Utf8Path, format: &str) -> Result<Vec<Utf8PathBuf>> {
    let mut files = vec![path.to_owned()];
    let mut format = Some(format.to_owned());
    while let (Some("qcow2"), Some(last)) = (format.as_deref(), files.last().cloned()) {
        if qcow2::read(&last)?.is_none_or(|existing| existing.is_plain) {
            break;
        }
        let info = ask(&last, "qcow2")?;
        let Some(below) = info.backing_filename else { break };
        if files.len() == LONGEST {
            let message = format!("{path} has more than {LONGEST} backing files");
            return Err(Error::new(ErrorKind::Image, message));
        }
        files.push(last.parent().map_or_else(|| below.clone().into(), |dir| dir.join(&below)));
        format = info.backing_filename_format;
    }
    Ok(files)
}
