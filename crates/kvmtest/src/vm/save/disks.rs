//! What a saved machine has written to its overlays.

use camino::Utf8Path;

use crate::error::{Context, Result};
use crate::storage::sparse::copy;
use crate::vm::{Instance, Record};

/// Copies the overlays of the machine of `record` to `directory`, which is made, with the layers
/// below them. The machine stands still.
pub(super) fn copy_all(record: &Record, directory: &Utf8Path) -> Result<()> {
    crate::directories::private(directory)?;
    for image in record.line.images.iter().filter(|image| !image.keeps_overlay) {
        let Some(top) = &image.overlay else { continue };
        copy(top, &directory.join(top.file_name().unwrap_or_default()))?;
        for layer in (0..image.layers).filter_map(|number| image.layer(number)) {
            copy(&layer, &directory.join(layer.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// Gives the machine of `instance` copies of what lies in `directory`.
pub(super) fn copy_back(directory: &Utf8Path, instance: &Instance) -> Result<()> {
    let doing = || format!("reading {directory}");
    for entry in directory.read_dir_utf8().with_context(doing)? {
        let entry = entry.with_context(doing)?;
        copy(entry.path(), &instance.scratch.join(entry.file_name()))?;
    }
    Ok(())
}
