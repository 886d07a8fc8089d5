//! `-blockdev`: the node that reads and writes an image. JSON takes any name as it is.

use camino::Utf8Path;
use serde_json::{Value, json};

use super::super::argument::Argument;
use super::super::uses::{ImageKind, layer};
use super::drive::Drive;
use super::image::Image;

/// The argument for the node; none for an empty drive.
pub(super) fn argument(drive: &Drive) -> Option<Argument> {
    let image = drive.image.as_ref()?;
    let mut node = match &drive.overlay {
        // The backing file is given here and not left to the overlay's header, where a name with a
        // colon would be a protocol.
        Some(overlay) => json!({
            "driver": "qcow2",
            "node-name": drive.id,
            "file": named(file(drive, overlay), &drive.id),
            "backing": backing(drive, image, overlay),
        }),
        None => json!({
            "driver": image.format,
            "node-name": drive.id,
            "read-only": drive.read_only,
            "file": file(drive, &image.path),
        }),
    };
    if let Some(cache) = drive.cache {
        node["cache"] = json!({"direct": cache.direct, "no-flush": cache.no_flush});
    }
    if drive.discard {
        node["discard"] = "unmap".into();
    }
    Some(Argument::json("blockdev", &node))
}

/// The image, with the layers over it.
fn backing(drive: &Drive, image: &Image, overlay: &Utf8Path) -> Value {
    let image = json!({
        "driver": image.format,
        "read-only": true,
        "file": {"driver": protocol(drive, &image.path), "filename": image.path},
    });
    (0..drive.layers).fold(image, |below, number| {
        json!({
            "driver": "qcow2",
            "read-only": true,
            "file": {"driver": "file", "filename": layer(overlay, number)},
            "backing": below,
        })
    })
}

/// The node of the file below `id`, with a name by which it can be told of later.
fn named(mut file: Value, id: &str) -> Value {
    file["node-name"] = format!("f.{id}").into();
    file
}

fn file(drive: &Drive, path: &Utf8Path) -> Value {
    let mut file = json!({"driver": protocol(drive, path), "filename": path});
    if let Some(aio) = &drive.aio {
        file["aio"] = aio.as_str().into();
    }
    file
}

/// QEMU refuses a device under `file`, and a file under `host_device`.
fn protocol(drive: &Drive, path: &Utf8Path) -> &'static str {
    let is_device = path.starts_with("/dev") && !path.starts_with("/dev/shm");
    match drive.kind {
        ImageKind::Cdrom if is_device => "host_cdrom",
        _ if is_device => "host_device",
        _ => "file",
    }
}
