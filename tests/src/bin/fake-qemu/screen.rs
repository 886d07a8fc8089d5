//! A screen, if the variable `FAKE_QEMU_SCREEN` gives the machine one.

use std::fs::File;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value, json};

use crate::machine::{Machine, wait_forever};

/// The pictures that are shown, each once, and then the last one for ever: the first does not
/// change at once, and comes back.
const SHADES: [u8; 5] = [10, 10, 20, 10, 30];

static SHOWN: AtomicU8 = AtomicU8::new(0);

/// Answers what is asked of the screen; nothing if there is none, or something else was asked.
pub(crate) fn answer(machine: &Machine, command: &str, arguments: &Value) -> Option<Value> {
    let screen = std::env::var("FAKE_QEMU_SCREEN").ok()?;
    match command {
        "qom-list" if arguments["path"] == "/backend" => {
            Some(json!({"return": [{"name": "type"}, {"name": "console[0]"}]}))
        }
        "screendump" => {
            machine.note("screendump");
            Some(dump(&screen, arguments))
        }
        _ => None,
    }
}

fn dump(screen: &str, arguments: &Value) -> Value {
    let path = arguments["filename"].as_str().expect("a name");
    let format = arguments["format"].as_str().unwrap_or("ppm");
    match (screen, format) {
        ("png", "png") => write_png(path),
        // As QEMU before 7.1 does.
        ("ppm", "png") => return refusal("Parameter 'format' is unexpected"),
        ("png" | "ppm", _) => {
            let pixels = [next_shade(); 12];
            std::fs::write(path, [b"P6\n2 2\n255\n".as_slice(), &pixels].concat())
                .expect("written");
        }
        ("garbage", _) => std::fs::write(path, b"\x89PNG\r\n\x1a\n\0\0").expect("written"),
        ("refuses", _) => return refusal("there is no surface"),
        ("hangs", _) => wait_forever(),
        (other, _) => panic!("no screen is called `{other}`"),
    }
    json!({"return": {}})
}

fn refusal(why: &str) -> Value {
    json!({"error": {"class": "GenericError", "desc": why}})
}

fn write_png(path: &str) {
    let mut encoder = png::Encoder::new(File::create(path).expect("made"), 2, 2);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("written");
    writer.write_image_data(&[next_shade(); 12]).expect("written");
}

fn next_shade() -> u8 {
    let number = usize::from(SHOWN.load(Ordering::SeqCst));
    SHOWN.store(u8::try_from((number + 1).min(SHADES.len() - 1)).expect("few"), Ordering::SeqCst);
    SHADES[number]
}
