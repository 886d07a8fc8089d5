//! The disks of a machine that is forked: what it wrote becomes a layer below all of them.

use serde_json::{Value, json};

use crate::error::{Context, Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;
use crate::vm::command::{Layers, layer};
use crate::vm::{Instance, Record};

/// Refuses a machine whose disks cannot be those of two.
pub(super) fn verify(record: &Record) -> Result<()> {
    let mut images = record.line.images.iter();
    let Some(image) = images.find(|image| image.overlay.is_none() && !image.read_only) else {
        return Ok(());
    };
    let message = format!(
        "the image `{}` is written to itself: a machine that is to be forked needs \
         `image_snapshot = yes` for it, or a state to start from",
        image.name
    );
    Err(Error::new(ErrorKind::MigrateBlocked, message))
}

/// Gives `to` the disks of `record` as frozen layers.
pub(super) fn freeze(record: &Record, to: &Instance) -> Result<Layers> {
    let mut layers = Layers::new();
    for image in &record.line.images {
        let Some(top) = &image.overlay else { continue };
        let here = to.scratch.join(format!("{}.qcow2", image.id));
        for number in 0..image.layers {
            if let Some(from) = image.layer(number) {
                std::fs::hard_link(&from, layer(&here, number))
                    .with_context(|| format!("linking {from}"))?;
            }
        }
        std::fs::hard_link(top, layer(&here, image.layers))
            .with_context(|| format!("linking {top}"))?;
        layers.insert(image.id.clone(), image.layers + 1);
    }
    Ok(layers)
}

/// Has the machine of `record`, which does not run yet, open the layers below its disks anew.
///
/// It was started while the uppermost layer was still written to, and QEMU reads anew what it
/// knows of the disk that is written to, but not of what lies below.
pub(super) fn reopen(record: &Record, monitor: &QmpMonitor) -> Result<()> {
    for pair in record.line.args.windows(2).filter(|pair| pair[0] == "-blockdev") {
        let Ok(mut node) = serde_json::from_str::<Value>(&pair[1]) else { continue };
        let overlay = node["backing"].is_object() && node["file"]["node-name"].is_string();
        if !overlay {
            continue;
        }
        let id = node["node-name"].as_str().unwrap_or_default().to_owned();
        let below = format!("b.{id}");
        let mut layers = node["backing"].take();
        layers["node-name"] = below.as_str().into();
        let doing = || format!("reopening what is below the disk `{id}`");
        monitor.cmd("blockdev-add", layers).with_context(doing)?;
        node["file"] = node["file"]["node-name"].take();
        node["backing"] = below.into();
        monitor.cmd("blockdev-reopen", json!({ "options": [node] })).with_context(doing)?;
    }
    Ok(())
}
