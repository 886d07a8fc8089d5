//! What `list` and `show` tell, as data.

use kvmtest::Params;
use kvmtest_cartesian::Variant;

use super::config::params;
use super::known::Known;
use super::selection::Selection;

/// A line of `list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The short name.
    pub shortname: String,
    /// The subtest; empty where the variant names none.
    pub subtest: String,
    /// What the subtest does, in one line; empty where that is not known.
    pub doc: String,
    /// Whether it is left out of runs (`skip = yes`).
    pub skip: bool,
}

/// All that can be said of one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The short name.
    pub shortname: String,
    /// The full name.
    pub name: String,
    /// The file of its subtest, where that is known.
    pub file: Option<String>,
    /// What it depends on.
    pub dep: Vec<String>,
    /// All params, each with the place that set it, by name.
    pub params: Params,
}

/// The lines of `list`, in the order of the configuration; each is made when it is asked for.
pub fn list<'a>(selection: &'a Selection, known: &'a Known) -> impl Iterator<Item = Row> + 'a {
    selection.variants().map(|variant| {
        let subtest = variant.get("type").unwrap_or_default();
        // Few have folders of their own, and only those need all of their keys.
        let doc = match variant.get("subtest_dirs") {
            None => known.get(subtest).map(|subtest| subtest.doc.clone()),
            Some(_) => known.find(&params(&variant)).ok().flatten().map(|subtest| subtest.doc),
        };
        Row {
            shortname: variant.shortname().to_owned(),
            subtest: subtest.to_owned(),
            doc: doc.unwrap_or_default(),
            skip: variant.get("skip") == Some("yes"),
        }
    })
}

/// The variants that were chosen, each when it is asked for; where one of them is called exactly
/// `wanted`, that one only.
pub(super) fn chosen<'a>(
    selection: &'a Selection,
    wanted: &'a str,
) -> Box<dyn Iterator<Item = Variant> + 'a> {
    let exact = |variant: &Variant| variant.shortname() == wanted || variant.name() == wanted;
    let found = if selection.may_hold(wanted) { selection.variants().find(exact) } else { None };
    match found {
        Some(variant) => Box::new(std::iter::once(variant)),
        None => Box::new(selection.variants()),
    }
}

/// All that can be said of the variants that were chosen, each when it is asked for; where one of
/// them is called exactly `wanted`, of that one only.
pub fn show<'a>(
    selection: &'a Selection,
    known: &'a Known,
    wanted: &'a str,
) -> impl Iterator<Item = Shown> + 'a {
    chosen(selection, wanted).map(|variant| {
        let mut entries: Vec<_> =
            params(&variant).values().map(|(key, value)| (key.to_owned(), value.clone())).collect();
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        let mut params = Params::new();
        for (key, value) in entries {
            params.insert(key, value);
        }
        Shown {
            shortname: variant.shortname().to_owned(),
            name: variant.name().to_owned(),
            file: known.find(&params).ok().flatten().map(|subtest| subtest.file),
            dep: variant.deps().to_vec(),
            params,
        }
    })
}
