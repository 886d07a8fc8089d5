//! Why a key has the value that it has.

mod context;
mod elsewhere;
mod hearing;
mod keys;
mod recorder;
mod render;
mod statement;
mod statements;
mod step;
mod story;
mod title;
mod watch;

pub use context::Context;
pub use elsewhere::Elsewhere;
pub use step::{Effect, Step, Substitution};
pub use story::Story;

use crate::plan::Plan;
use crate::tree::source::Place;
use crate::variant::dictionary::Dictionary;
use crate::walk::Leaf;
use recorder::Recorder;
use watch::Watch;

/// The whole story of one key in one variant: every statement that touched it or would have, in
/// the order in which they take effect.
///
/// As a text (`to_string()`) it is meant for people, in several lines without a line end after
/// the last one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Explain {
    /// The name of the variant.
    pub variant: String,
    /// The key that was asked for.
    pub key: String,
    /// The value: what [`Variant::get`](crate::Variant::get) gives; for `dep` all dependencies
    /// with blanks between them. `None` where the variant has no such key.
    pub value: Option<String>,
    /// Where the statement stands that gave the value last.
    pub place: Option<Place>,
    /// What happened. One story, or one for each of the variants that `join` made one of, a
    /// later one overriding the earlier.
    pub stories: Vec<Story>,
    /// The number in `stories` of the one that the value comes from.
    pub from: Option<usize>,
    /// The statements for this key in blocks of variants that this one does not have, the
    /// nearest first.
    pub elsewhere: Vec<Elsewhere>,
}

impl Explain {
    /// `None` where no statement anywhere gives this key a value.
    pub(crate) fn of(plan: &Plan, leaf: &Leaf, variant: &str, key: &str) -> Option<Self> {
        if let Some(explain) = title::explain(plan, leaf, variant, key) {
            return Some(explain);
        }
        let mut recorder = Recorder::new(plan, Watch::new(plan, key)?);
        let dictionary = Dictionary::recorded(plan, leaf, &mut recorder);
        let mut entries = dictionary.entries.iter();
        let entry = entries.find(|entry| dictionary.key(plan, entry) == key);
        let value = entry.map(|entry| dictionary.value(plan, entry).to_owned());
        let from = entry.and_then(|entry| recorder.origin(entry.operation));
        let explain = Self {
            variant: variant.to_owned(),
            key: key.to_owned(),
            place: entry.map(|entry| statement::place(plan, entry.operation)),
            elsewhere: elsewhere::find(&recorder),
            stories: recorder.stories(),
            value,
            from,
        };
        explain.says_something().then_some(explain)
    }

    /// A regular expression that met nothing is no reason to believe that there is such a key.
    fn says_something(&self) -> bool {
        let mut steps = self.stories.iter().flat_map(|story| &story.steps);
        let is_pattern = |operator: &str| operator.starts_with('?');
        self.value.is_some()
            || steps.any(|step| !is_pattern(step.operator))
            || self.elsewhere.iter().any(|elsewhere| !is_pattern(elsewhere.operator))
    }
}
