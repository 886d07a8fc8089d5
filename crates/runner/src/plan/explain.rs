//! What `show --explain` tells, as data.

use kvmtest_cartesian::{Explain, Variant, nearest};

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

/// The stories of a key in the variants that `show` would show, each when it is asked for. There
/// is none for a variant if no statement anywhere gives the key a value.
pub fn explain<'a>(
    selection: &'a Selection,
    wanted: &'a str,
    key: &'a str,
) -> impl Iterator<Item = Explained> + 'a {
    // What one variant has no story for, none has.
    chosen(selection, wanted).map_while(move |variant| {
        let story = variant.explain(key)?;
        Some(Explained { shortname: variant.shortname().to_owned(), story })
    })
}

/// What to say of a key that has no story: with the nearest keys of the first variant.
pub fn unexplained(selection: &Selection, wanted: &str, key: &str) -> String {
    let first = chosen(selection, wanted).next();
    let keys = first.iter().flat_map(Variant::params).map(|(key, _)| key);
    let near = nearest(key, keys.chain(["name", "shortname", "dep"]), 5);
    let near: Vec<String> = near.iter().map(|key| format!("`{key}`")).collect();
    let mean = if near.is_empty() {
        "`kvmtest show NAME` shows what there is".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    format!("no statement gives `{}` a value; {mean}", key.escape_debug())
}
