//! What `show --explain` tells, as data.

use kvmtest_cartesian::{Explain, nearest};

use super::selection::Selection;
use super::view::chosen;

/// The story of one key of one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The short name of the variant.
    pub shortname: String,
    /// The story; the full name is in it.
    pub story: Explain,
}

/// The stories of a key in the variants that `show` would show.
///
/// Where none of them has one, since no statement gives the key a value: a sentence that says so,
/// with the nearest keys.
pub fn explain(
    selection: &Selection,
    wanted: &str,
    key: &str,
) -> std::result::Result<Vec<Explained>, String> {
    let variants = chosen(selection, wanted);
    let explained = |variant: &kvmtest_cartesian::Variant| {
        let story = variant.explain(key)?;
        Some(Explained { shortname: variant.shortname().to_owned(), story })
    };
    let stories: Vec<Explained> = variants.iter().filter_map(explained).collect();
    if !stories.is_empty() {
        return Ok(stories);
    }
    let keys = variants.iter().flat_map(kvmtest_cartesian::Variant::params).map(|(key, _)| key);
    let near = nearest(key, keys.chain(["name", "shortname", "dep"]), 5);
    let near: Vec<String> = near.iter().map(|key| format!("`{key}`")).collect();
    let mean = if near.is_empty() {
        "`kvmtest show NAME` shows what there is".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    Err(format!("no statement gives `{}` a value; {mean}", key.escape_debug()))
}
