//! What of a test's files is taken into the page, and how much.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::Links;
use crate::report::story::end_of;
use crate::report::text::without_sequences;

/// Of each log the last so many bytes.
const LOG: u64 = 64 << 10;
/// Of all logs together.
const ALL_LOGS: usize = 8 << 20;
/// Screens that are no larger.
const IMAGE: u64 = 512 << 10;
/// Of all screens together.
const ALL_IMAGES: usize = 8 << 20;

/// The limits, for people.
pub(super) fn limits() -> String {
    format!(
        "In this page: the last {} KiB of each log, up to {} MiB of logs and {} MiB of screens in \
         all, those of failed tests first; the files themselves are linked",
        LOG >> 10,
        ALL_LOGS >> 20,
        ALL_IMAGES >> 20
    )
}

/// A file of a test.
#[derive(Debug, Serialize)]
pub(super) struct File {
    name: String,
    href: String,
    kind: Kind,
    /// A log's text, or the end of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Whether there is more in the file.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    /// An image, as an address that has it in itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Log,
    Image,
    Video,
    Other,
}

/// Takes files into the page as long as there is room.
pub(super) struct Embedder<'a> {
    results: &'a Utf8Path,
    links: Links,
    logs: usize,
    images: usize,
}

impl<'a> Embedder<'a> {
    pub(super) fn new(results: &'a Utf8Path, links: Links) -> Self {
        Self { results, links, logs: ALL_LOGS, images: ALL_IMAGES }
    }

    /// The address of something below the results.
    pub(super) fn link(&self, path: &str) -> String {
        self.links.to(self.results, path)
    }

    /// The file `name` of the test's directory `directory`.
    pub(super) fn file(&mut self, directory: &str, name: &str) -> File {
        let path = Utf8PathBuf::from(directory).join(name);
        let (kind, mime) = kind(name);
        let mut file = File {
            name: name.to_owned(),
            href: self.link(path.as_str()),
            kind,
            text: None,
            cut: false,
            data: None,
        };
        let path = self.results.join(path);
        match kind {
            Kind::Log => {
                if let Some((text, cut)) = self.log(&path) {
                    (file.text, file.cut) = (Some(text), cut);
                }
            }
            Kind::Image => file.data = self.image(&path, mime),
            Kind::Video | Kind::Other => {}
        }
        file
    }

    fn log(&mut self, path: &Utf8Path) -> Option<(String, bool)> {
        if self.logs == 0 {
            return None;
        }
        let most = LOG.min(self.logs as u64);
        let (bytes, cut) = end_of(path, most).ok().filter(|(bytes, _)| !bytes.is_empty())?;
        self.logs -= bytes.len();
        let text = without_sequences(&String::from_utf8_lossy(&bytes));
        // What is before the first line end is a part of a line.
        let whole = text.split_once('\n').filter(|_| cut).map(|(_, rest)| rest.to_owned());
        Some((whole.unwrap_or(text), cut))
    }

    fn image(&mut self, path: &Utf8Path, mime: &str) -> Option<String> {
        let (bytes, cut) = end_of(path, IMAGE.min(self.images as u64)).ok()?;
        if cut || bytes.is_empty() {
            return None;
        }
        self.images -= bytes.len();
        Some(format!("data:{mime};base64,{}", base64(&bytes)))
    }
}

/// What a file is by its name, and its media type if it is an image.
fn kind(name: &str) -> (Kind, &'static str) {
    match Utf8Path::new(name).extension().unwrap_or_default() {
        "log" | "txt" | "jsonl" | "json" | "sh" | "cfg" => (Kind::Log, ""),
        "png" => (Kind::Image, "image/png"),
        "jpg" | "jpeg" => (Kind::Image, "image/jpeg"),
        "gif" => (Kind::Image, "image/gif"),
        "webp" => (Kind::Image, "image/webp"),
        "webm" | "mp4" => (Kind::Video, ""),
        _ => (Kind::Other, ""),
    }
}

/// Bytes as characters, by RFC 4648.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let all = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(all >> (18 - 6 * place) & 63) as usize];
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_letters() {
        let pairs =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (bytes, letters) in pairs {
            assert_eq!(base64(bytes.as_bytes()), letters);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd, 0xfc]), "//79/A==");
    }

    #[test]
    fn there_is_room_for_so_much() {
        let keep = tempfile::tempdir().expect("a directory");
        let results = Utf8Path::from_path(keep.path()).expect("UTF-8");
        let write = |name: &str, size: usize| {
            std::fs::write(results.join(name), "a line of 19 bytes\n".repeat(size / 19))
                .expect("ok");
        };
        write("long.log", 200_000);
        write("small.png", 400);
        write("large.png", 600_000);
        let mut embedder = Embedder::new(results, Links::Relative);
        let long = embedder.file("", "long.log");
        let text = long.text.expect("the end of it");
        assert!(long.cut && text.len() < 65_536 && text.starts_with("a line"));
        assert!(
            embedder.file("", "small.png").data.expect("it fits").starts_with("data:image/png")
        );
        assert_eq!(embedder.file("", "large.png").data, None);
        embedder.logs = 100;
        assert_eq!(embedder.file("", "long.log").text.map(|text| text.len() < 100), Some(true));
        assert_eq!(embedder.file("", "long.log").text, None);
        assert_eq!(embedder.file("", "gone.log").text, None);
    }
}
