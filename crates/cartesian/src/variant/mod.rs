//! One combination.

pub(crate) mod begun;
pub(crate) mod dictionary;
pub(crate) mod name_map;
pub(crate) mod part;
pub(crate) mod piece;
pub(crate) mod record;
pub(crate) mod slots;
pub(crate) mod title;

use crate::explain::Explain;
use crate::plan::Plan;
use crate::tree::source::Place;
use crate::variant::dictionary::Dictionary;
use crate::variant::name_map::{FileName, name_map};
use crate::variant::piece::Piece;
use crate::walk::Leaf;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// One dictionary of the configuration. Its name and its keys are made when they are asked for.
pub struct Variant {
    plan: Arc<Plan>,
    leaf: Leaf,
    name: OnceLock<String>,
    shortname: OnceLock<String>,
    deps: OnceLock<Vec<String>>,
    files: OnceLock<Vec<FileName>>,
    dictionary: OnceLock<Dictionary>,
}

impl Variant {
    pub(crate) fn new(plan: Arc<Plan>, leaf: Leaf) -> Self {
        let (name, shortname) = (OnceLock::new(), OnceLock::new());
        let (deps, files, dictionary) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { plan, leaf, name, shortname, deps, files, dictionary }
    }

    /// All labels, separated by dots; those of blocks with a name as `(name=label)`.
    pub fn name(&self) -> &str {
        self.name.get_or_init(|| title::name(&self.plan, &self.leaf))
    }

    /// The labels that are neither `@` nor default, without the names of their blocks.
    pub fn shortname(&self) -> &str {
        self.shortname.get_or_init(|| title::shortname(&self.plan, &self.leaf))
    }

    /// The names, or beginnings and ends of names, of what has to have passed before.
    pub fn deps(&self) -> &[String] {
        self.deps.get_or_init(|| title::deps(&self.plan, &self.leaf))
    }

    /// The value of a key. `name`, `shortname` and `dep` are no keys here.
    pub fn get(&self, key: &str) -> Option<&str> {
        let dictionary = self.dictionary();
        let symbol = self.plan.tree.strings.find(key);
        let entry = dictionary.entries.iter().find(|entry| match entry.suffix {
            0 => Some(entry.key) == symbol,
            _ => dictionary.key(&self.plan, entry) == key,
        })?;
        Some(dictionary.value(&self.plan, entry))
    }

    /// Where the statement stands that gave this key its value last.
    pub fn place(&self, key: &str) -> Option<Place> {
        self.iter().find(|(found, _, _)| *found == key)?.2
    }

    /// Every key with its value and the place of the statement that gave it last, in the order
    /// in which the keys first got a value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Option<Place>)> {
        let dictionary = self.dictionary();
        dictionary.entries.iter().map(move |entry| {
            let operation = &self.plan.tree.operations[entry.operation as usize];
            let place = self.plan.tree.sources.place(operation.at);
            let (key, value) =
                (dictionary.key(&self.plan, entry), dictionary.value(&self.plan, entry));
            (key, value, Some(place))
        })
    }

    /// Every key with its value, in the same order, without looking for places.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        let dictionary = self.dictionary();
        let pair = |entry| (dictionary.key(&self.plan, entry), dictionary.value(&self.plan, entry));
        dictionary.entries.iter().map(pair)
    }

    /// Every key with its value, in the same order, each with a number by which it is known again
    /// in other variants, for whoever turns texts into something else.
    pub fn pieces(&self) -> impl Iterator<Item = (Piece<'_>, Piece<'_>)> {
        let dictionary = self.dictionary();
        dictionary.entries.iter().map(|entry| {
            (dictionary.key_piece(&self.plan, entry), dictionary.value_piece(&self.plan, entry))
        })
    }

    /// How a key came to its value: every statement that touched it or would have, in order.
    /// The keys that the language sets have a story, too: the lines that they are made of.
    ///
    /// `None` where no statement anywhere gives this key a value. A key that only statements of
    /// other variants set, or statements whose condition does not hold, has a story without a
    /// value.
    pub fn explain(&self, key: &str) -> Option<Explain> {
        Explain::of(&self.plan, &self.leaf, self.name(), key)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.dictionary().entries.len()
    }

    /// Whether there are no keys at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// For each source file (its last path component) the labels of the name that come from it:
    /// with the names of their blocks (`_name_map_file`), and without (`_short_name_map_file`).
    pub fn name_map(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let files = self.files.get_or_init(|| name_map(&self.plan, &self.leaf));
        files.iter().map(|file| (file.file.as_str(), file.name.as_str(), file.shortname.as_str()))
    }

    fn dictionary(&self) -> &Dictionary {
        self.dictionary.get_or_init(|| Dictionary::of(&self.plan, &self.leaf))
    }
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant").field("name", &self.name()).finish_non_exhaustive()
    }
}
