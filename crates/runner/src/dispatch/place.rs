//! A place in a source file, as short as it is clear.

use camino::{Utf8Path, Utf8PathBuf};

/// The same place as seen from the working directory, if the file lies below it; else from the
/// folder of its crate, which is one of `folders`. Any other stays as the compiler wrote it.
pub(super) fn short(place: &str, working: Option<&Utf8Path>, folders: &[Utf8PathBuf]) -> String {
    let mut bases = working.into_iter().chain(folders.iter().map(Utf8PathBuf::as_path));
    let found = bases.find_map(|base| below(place, base));
    found.unwrap_or_else(|| place.strip_prefix("./").unwrap_or(place)).to_owned()
}

/// The working directory of this process.
pub(super) fn working_directory() -> Option<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(std::env::current_dir().ok()?).ok()
}

fn below<'a>(place: &'a str, base: &Utf8Path) -> Option<&'a str> {
    // Everything lies below the root: that says nothing.
    base.parent()?;
    place.strip_prefix(base.as_str())?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_from_here_or_from_its_crate() {
        let check = |place, working, expect| {
            let folders = ["/srv/me/mine".into(), "/src/theirs".into()];
            assert_eq!(short(place, Some(Utf8Path::new(working)), &folders), expect, "{place}");
        };
        check("/srv/me/mine/src/a.rs:7:9", "/srv/me", "mine/src/a.rs:7:9");
        check("/srv/me/mine/src/a.rs:7:9", "/srv/me/mine", "src/a.rs:7:9");
        check("/srv/me/mine/src/a.rs:7:9", "/tmp", "src/a.rs:7:9");
        check("/srv/me/mine/src/a.rs:7:9", "/", "src/a.rs:7:9");
        check("/src/theirs/src/a.rs:7:9", "/srv/me", "src/a.rs:7:9");
        check("/srv/me/mine2/src/a.rs:7:9", "/tmp", "/srv/me/mine2/src/a.rs:7:9");
        check("/elsewhere/a.rs:7:9", "/tmp", "/elsewhere/a.rs:7:9");
        check("./src/a.rs:7:9", "/tmp", "src/a.rs:7:9");
        check("src/a.rs:7:9", "/tmp", "src/a.rs:7:9");
        assert_eq!(short("/a/b.rs:1", None, &[]), "/a/b.rs:1");
    }
}
