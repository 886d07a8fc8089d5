//! The screen: who sees it, and the card that draws it.

use super::argument::{Argument, Device, Options};
use super::plan::Plan;
use super::read;
use crate::error::Result;
use crate::params::Params;

/// Cards by their name in `vga`, with their models.
const CARDS: &[(&str, &str)] = &[
    ("std", "VGA"),
    ("cirrus", "cirrus-vga"),
    ("vmware", "vmware-svga"),
    ("qxl", "qxl-vga"),
    ("virtio", "virtio-vga"),
    ("bochs", "bochs-display"),
    ("ati", "ati-vga"),
];

/// The arguments for the screen, and the socket on which it can be seen, relative to the instance
/// directory.
pub(super) fn arguments(plan: &Plan) -> Result<(Vec<Argument>, Option<String>)> {
    let params = plan.params;
    let display = read::choice(params, "display", "none", &["none", "vnc", "sdl", "gtk", "spice"])?;
    let mut arguments = Vec::new();
    let mut socket = None;
    match display {
        "sdl" | "gtk" => arguments.push(Argument::Option("display", display.to_owned())),
        _ => arguments.push(Argument::Option("display", "none".to_owned())),
    }
    match display {
        "vnc" => {
            let options = Options::of("unix:vnc.sock").verbatim(params.find("vnc_extra_params"));
            arguments.push(Argument::Option("vnc", options.finish()));
            socket = Some("vnc.sock".to_owned());
        }
        "spice" => {
            if !plan.request.facts.has_option("spice") {
                return Err(plan.lacks("option", "-spice", &[]));
            }
            arguments.push(Argument::Option("spice", spice(params)));
            socket = Some("spice.sock".to_owned());
        }
        _ => {}
    }
    arguments.extend(cards(params, display)?);
    Ok((arguments, socket))
}

/// `spice` holds further options in QEMU's syntax; the old `disable-ticketing` without a value is
/// no longer understood.
fn spice(params: &Params) -> String {
    let further: Vec<&str> = params
        .get_or("spice", "disable-ticketing")
        .split(',')
        .map(|option| if option == "disable-ticketing" { "disable-ticketing=on" } else { option })
        .filter(|option| !option.is_empty())
        .collect();
    Options::default()
        .with("unix", "on")
        .with("addr", "spice.sock")
        .verbatim(Some(&further.join(",")))
        .finish()
}

/// Without anybody to look at it, no card: the firmware and the guest spend time on it.
fn cards(params: &Params, display: &str) -> Result<Vec<Argument>> {
    let qxl = match params.find_nonempty("qxl").map(str::trim) {
        None | Some("off" | "no") => false,
        Some("on" | "yes") => display == "spice",
        Some(_) => return Err(params.wrong("qxl", "`on` or `off`")),
    };
    let default = match display {
        "none" => "none",
        _ if qxl => "qxl",
        _ => "std",
    };
    let mut names = vec!["none"];
    names.extend(CARDS.iter().map(|(name, _)| *name));
    let card = read::choice(params, "vga", default, &names)?;
    let Some((_, model)) = CARDS.iter().find(|(name, _)| *name == card) else {
        return Ok(Vec::new());
    };
    let mut devices = vec![Device::new(*model).with("id", "video").asked_by("vga", card).into()];
    if card == "qxl" {
        let heads = read::number(params, "qxl_dev_nr", 1, 16)?.unwrap_or(1);
        devices.extend((1..heads).map(|head| {
            Device::new("qxl").with("id", format!("video{head}")).asked_by("vga", card).into()
        }));
    }
    Ok(devices)
}
