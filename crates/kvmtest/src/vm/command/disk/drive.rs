//! A drive as `params` describe it, before it has a place.

use camino::Utf8PathBuf;

use super::super::bootindex::Bootindices;
use super::super::plan::{Object, Plan};
use super::super::read;
use super::super::uses::{ImageKind, ImageUse};
use super::bus::Bus;
use super::cache::Cache;
use super::image::Image;
use crate::error::{Context as _, Result};
use crate::params::Params;

/// A drive, with or without something in it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(super) struct Drive {
    pub(super) name: String,
    /// The identifier of the node and of the device.
    pub(super) id: String,
    pub(super) kind: ImageKind,
    pub(super) bus: Bus,
    /// The key and the value that chose the bus.
    pub(super) asked_by: (&'static str, String),
    pub(super) index: Option<u64>,
    /// The image; none in an empty CD-ROM drive.
    pub(super) image: Option<Image>,
    /// The overlay that is written to instead of the image.
    pub(super) overlay: Option<Utf8PathBuf>,
    /// How many frozen layers there are between the overlay and the image.
    pub(super) layers: u32,
    /// Whether the overlay outlives this incarnation of the machine.
    pub(super) keeps_overlay: bool,
    /// Whether others may write to the image at the same time.
    pub(super) shareable: bool,
    pub(super) size: u64,
    pub(super) read_only: bool,
    pub(super) cache: Option<Cache>,
    pub(super) aio: Option<String>,
    pub(super) discard: bool,
    pub(super) serial: Option<String>,
    pub(super) werror: Option<String>,
    pub(super) rerror: Option<String>,
    pub(super) bootindex: Option<u64>,
    pub(super) iothread: bool,
    pub(super) extra: Option<String>,
}

const DEFAULT_SIZE: u64 = 10 << 30;

/// The disks of `images`, without those that say `boot_drive = no`.
pub(super) fn disks(plan: &Plan, bootindices: &Bootindices) -> Result<Vec<Drive>> {
    // The guest's data disk is the first image that does not say what it is.
    let mut shared = plan.request.guest.map(|guest| &guest.data_disk);
    let mut drives = Vec::new();
    for object in plan.objects("images", super::default_objects(plan, "images"))? {
        let place = || format!("image `{}`", object.name);
        if !read::flag(&object.params, "boot_drive", true).with_context(place)? {
            continue;
        }
        let bootindex = bootindices.get(&("images", object.name.clone())).copied();
        let drive = disk(plan, &object, shared, bootindex).with_context(place)?;
        if drive.image.as_ref().is_some_and(|image| image.is_shared) {
            shared = None;
        }
        drives.push(drive);
    }
    Ok(drives)
}

/// The discs of `cdroms`. A drive without a disc is left out, unless `cdrom_drive = yes`.
pub(super) fn cdroms(plan: &Plan, bootindices: &Bootindices) -> Result<Vec<Drive>> {
    let mut drives = Vec::new();
    for object in plan.objects("cdroms", &[])? {
        let place = || format!("cdrom `{}`", object.name);
        let file = object.params.find_nonempty("cdrom");
        if file.is_none()
            && !read::flag(&object.params, "cdrom_drive", false).with_context(place)?
        {
            continue;
        }
        let mut drive = bare(plan, &object, ImageKind::Cdrom, "cd_format").with_context(place)?;
        drive.image = file.map(|file| Image {
            path: plan.request.paths.resolve(file),
            format: "raw".to_owned(),
            is_shared: false,
            is_own: false,
        });
        drive.read_only = true;
        drive.bootindex = bootindices.get(&("cdroms", object.name)).copied();
        drives.push(drive);
    }
    Ok(drives)
}

/// The floppy disk that `floppy` names.
pub(super) fn floppy(plan: &Plan) -> Result<Option<Drive>> {
    let Some(file) = plan.params.find_nonempty("floppy") else { return Ok(None) };
    let image = Image {
        path: plan.request.paths.resolve(file),
        format: "raw".to_owned(),
        is_shared: false,
        is_own: false,
    };
    let read_only = read::flag(plan.params, "floppy_readonly", false)?;
    let layers = plan.request.paths.layers.as_ref();
    let overlay = match layers {
        _ if read_only => None,
        Some(_) => Some(plan.request.paths.scratch.join("floppy.qcow2")),
        None => image.overlay(plan),
    };
    Ok(Some(Drive {
        name: "floppy".to_owned(),
        id: "floppy".to_owned(),
        kind: ImageKind::Floppy,
        bus: Bus::Floppy,
        asked_by: ("floppy", file.to_owned()),
        index: None,
        image: Some(image),
        layers: layers.and_then(|layers| layers.get("floppy")).copied().unwrap_or(0),
        keeps_overlay: overlay.is_some() && layers.is_none(),
        overlay,
        shareable: false,
        size: 1440 << 10,
        read_only,
        cache: None,
        aio: None,
        discard: false,
        serial: None,
        werror: None,
        rerror: None,
        bootindex: None,
        iothread: false,
        extra: None,
    }))
}

impl Drive {
    /// What the rest of the library has to know of the image, if there is one.
    pub(super) fn image_use(&self, model: &str) -> Option<ImageUse> {
        let image = self.image.as_ref()?;
        Some(ImageUse {
            name: self.name.clone(),
            id: self.id.clone(),
            kind: self.kind,
            path: image.path.clone(),
            format: image.format.clone(),
            overlay: self.overlay.clone(),
            layers: self.layers,
            keeps_overlay: self.keeps_overlay,
            size: self.size,
            read_only: self.read_only,
            model: model.to_owned(),
        })
    }
}

fn disk(
    plan: &Plan,
    object: &Object,
    shared: Option<&Utf8PathBuf>,
    bootindex: Option<u64>,
) -> Result<Drive> {
    let params = &object.params;
    let image = Image::of(plan, object, shared)?;
    let mut drive = bare(plan, object, ImageKind::Disk, "drive_format")?;
    drive.bootindex = bootindex;
    drive.read_only = read::flag(params, "image_readonly", false)?;
    drive.shareable = read::flag(params, "image_shareable", false)?;
    let layers = plan.request.paths.layers.as_ref().filter(|_| !drive.shareable);
    let throwaway =
        image.is_shared || layers.is_some() || read::flag(params, "image_snapshot", false)?;
    if throwaway && !drive.read_only {
        let file = format!("{}.qcow2", drive.id);
        drive.overlay = Some(plan.request.paths.scratch.join(file));
        drive.layers = layers.and_then(|layers| layers.get(&drive.id)).copied().unwrap_or(0);
    } else if !drive.read_only && !drive.shareable {
        drive.overlay = image.overlay(plan);
        drive.keeps_overlay = drive.overlay.is_some();
    }
    drive.image = Some(image);
    drive.size = match params.find_nonempty("image_size") {
        Some(_) => params.get_size("image_size")?,
        None => DEFAULT_SIZE,
    };
    drive.cache = Cache::of(params)?
        .or_else(|| (drive.overlay.is_some() && !drive.keeps_overlay).then(Cache::throwaway));
    drive.aio = aio(params, drive.cache)?;
    drive.discard =
        read::choice(params, "drive_discard", "ignore", &["ignore", "unmap"])? == "unmap";
    drive.serial = params.find_nonempty("drive_serial").map(str::to_owned);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let on_write = ["report", "ignore", "enospc", "stop", "auto"];
    let on_read = ["report", "ignore", "stop", "auto"];
    drive.werror = owned(read::choice_if_set(params, "drive_werror", &on_write)?);
    drive.rerror = owned(read::choice_if_set(params, "drive_rerror", &on_read)?);
    drive.iothread = read::flag(params, "image_iothread", false)?;
    suits(params, &drive)?;
    Ok(drive)
}

/// A drive with nothing in it, on the bus that `key` names.
fn bare(plan: &Plan, object: &Object, kind: ImageKind, key: &'static str) -> Result<Drive> {
    let params = &object.params;
    let (prefix, default) = match (kind, plan.request.guest) {
        (ImageKind::Cdrom, Some(_)) => ("cd", "virtio_scsi"),
        (ImageKind::Cdrom, None) => ("cd", "ide"),
        // The kernel of the small guest knows nothing older.
        (_, Some(_)) => ("disk", "virtio_blk"),
        (_, None) => ("disk", "ide"),
    };
    let format = read::choice(params, key, default, &Bus::names(kind))?;
    Ok(Drive {
        name: object.name.clone(),
        id: format!("{prefix}-{}", object.label),
        kind,
        bus: Bus::named(format).expect("a name out of the table"),
        asked_by: (key, format.to_owned()),
        index: read::number(params, "drive_index", 0, 1023)?,
        image: None,
        overlay: None,
        layers: 0,
        keeps_overlay: false,
        shareable: false,
        size: 0,
        read_only: false,
        cache: None,
        aio: None,
        discard: false,
        serial: None,
        werror: None,
        rerror: None,
        bootindex: None,
        iothread: false,
        extra: params.find_nonempty("drive_extra_params").map(str::to_owned),
    })
}

/// Refuses what the bus cannot do: a test that goes on without it would not be the test it seems.
fn suits(params: &Params, drive: &Drive) -> Result<()> {
    let bus = &drive.asked_by.1;
    let asks = [
        ("drive_werror", drive.werror.is_some(), drive.bus.handles_errors()),
        ("drive_rerror", drive.rerror.is_some(), drive.bus.handles_errors()),
        ("drive_serial", drive.serial.is_some(), drive.bus.is_plain_block()),
        (
            "drive_cache",
            Cache::of(params)?.is_some_and(|cache| !cache.writeback),
            drive.bus.is_plain_block(),
        ),
        ("bootindex", drive.bootindex.is_some(), drive.bus.boots()),
        ("image_iothread", drive.iothread, drive.bus.threads()),
        ("image_shareable", drive.shareable, drive.bus.shares()),
    ];
    match asks.iter().find(|(_, asked, can)| *asked && !can) {
        Some((key, _, _)) => {
            Err(params
                .wrong(key, &format!("left out with `drive_format = {bus}`, which cannot do it")))
        }
        None => Ok(()),
    }
}

fn aio(params: &Params, cache: Option<Cache>) -> Result<Option<String>> {
    let aio = read::choice_if_set(params, "drive_aio", &["threads", "native", "io_uring"])?;
    if aio == Some("native") && !cache.is_some_and(|cache| cache.direct) {
        let what = "`threads` or `io_uring`, or `drive_cache` must be `none` or `directsync`";
        return Err(params.wrong("drive_aio", what));
    }
    Ok(aio.map(str::to_owned))
}
