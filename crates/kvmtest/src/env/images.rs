//! Whose an image is, where several workers run tests.

use super::Env;
use crate::error::Result;
use crate::storage::Image;
use crate::vm::command::image_overlay;

impl Env {
    /// The file that the machines of this env see as `image`: the image itself, or where that is
    /// not this env's to write to ([`set_overlays`](Env::set_overlays)), the overlay over it, or
    /// what was made in its place.
    pub fn image(&self, image: &Image) -> Result<Image> {
        let content = self.home.file.read()?;
        if let Some(own) = content.own_images.get(image.path()) {
            return Ok(image.at(own.clone(), image.format()));
        }
        let overlay = content
            .overlays
            .filter(|_| !image.is_shareable())
            .map(|dir| image_overlay(&dir, image.path()))
            .filter(|overlay| overlay.exists());
        Ok(overlay.map_or_else(|| image.clone(), |overlay| image.at(overlay, "qcow2")))
    }

    /// Where `image` is to be made: itself, or where that is not this env's to write to, a file
    /// that from now on takes its place for the machines of this env.
    pub fn place_for(&self, image: &Image) -> Result<Image> {
        let made = self.home.file.update(|content| {
            let directory = content.overlays.as_ref().filter(|_| !image.is_shareable())?;
            let overlay = image_overlay(directory, image.path());
            let own = overlay.with_extension(format!("own.{}", image.format()));
            content.own_images.insert(image.path().to_owned(), own.clone());
            Some((overlay, own))
        })?;
        let Some((overlay, own)) = made else { return Ok(image.clone()) };
        // There may be none; what there is belongs to an image that is not seen any more.
        let _ = std::fs::remove_file(overlay);
        Ok(image.at(own, image.format()))
    }

    /// Whether `image` is this env's to change or remove: it has a file of its own for it, or
    /// nobody else uses the image at the same time.
    pub fn may_change(&self, image: &Image) -> Result<bool> {
        let content = self.home.file.read()?;
        Ok(content.overlays.is_none() || self.image(image)?.path() != image.path())
    }
}

#[cfg(test)]
mod tests {
    use camino::{Utf8Path, Utf8PathBuf};

    use super::*;
    use crate::params::Params;

    struct Room {
        _keep: tempfile::TempDir,
        root: Utf8PathBuf,
    }

    fn room() -> Room {
        let keep = tempfile::tempdir().expect("a directory");
        let root = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
        Room { _keep: keep, root }
    }

    fn image(root: &Utf8Path, more: &[(&str, &str)]) -> Image {
        let path = root.join("disk.raw");
        let mut params: Params = more.iter().copied().collect();
        params.set("image_name", path.as_str());
        params.set("image_format", "raw");
        Image::of("disk", &params).expect("an image")
    }

    #[test]
    fn alone_an_env_has_the_images_themselves() {
        let room = room();
        let env = Env::open(&room.root.join("env.json")).expect("opened");
        let image = image(&room.root, &[]);
        assert_eq!(env.image(&image).expect("read"), image);
        assert_eq!(env.place_for(&image).expect("read"), image);
        assert!(env.may_change(&image).expect("read"));
    }

    #[test]
    fn a_worker_sees_its_overlay_and_makes_images_of_its_own() {
        let room = room();
        let env = Env::open(&room.root.join("env.json")).expect("opened");
        env.set_overlays(Some(&room.root)).expect("written");
        let image = image(&room.root, &[]);
        assert_eq!(env.image(&image).expect("read"), image, "nothing was written yet");
        assert!(!env.may_change(&image).expect("read"));

        let overlay = image_overlay(&room.root, image.path());
        std::fs::write(&overlay, "").expect("written");
        let seen = env.image(&image).expect("read");
        assert_eq!((seen.path(), seen.format()), (overlay.as_path(), "qcow2"));
        assert!(env.may_change(&image).expect("read"));

        let own = env.place_for(&image).expect("made");
        assert!(own.path() != image.path() && own.path() != overlay);
        assert_eq!(own.format(), "raw");
        assert!(!overlay.exists(), "it is of another image");
        assert_eq!(env.image(&image).expect("read"), own);
        env.set_overlays(Some(&room.root)).expect("written");
        assert_eq!(env.image(&image).expect("read"), image, "another run begins anew");
    }

    #[test]
    fn what_is_shareable_is_shared() {
        let room = room();
        let env = Env::open(&room.root.join("env.json")).expect("opened");
        env.set_overlays(Some(&room.root)).expect("written");
        let image = image(&room.root, &[("image_shareable", "yes")]);
        assert_eq!(env.place_for(&image).expect("read"), image);
        assert!(!env.may_change(&image).expect("read"), "others use it");
    }
}
