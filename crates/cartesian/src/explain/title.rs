//! The stories of the keys that the language sets itself: which lines of variants they are made
//! of.

use super::context;
use super::step::{Effect, Step};
use super::{Explain, Story};
use crate::plan::Plan;
use crate::tree::NodeId;
use crate::variant::name_map::{FileName, name_map};
use crate::variant::title;
use crate::walk::Leaf;

/// A key of the language that says what a variant is called or depends on, or which part of that
/// comes from which file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    Name,
    Shortname,
    Dep,
    NameMap,
    ShortNameMap,
}

impl Own {
    fn of(key: &str) -> Option<Self> {
        match key {
            "name" => Some(Self::Name),
            "shortname" => Some(Self::Shortname),
            "dep" => Some(Self::Dep),
            "_name_map_file" => Some(Self::NameMap),
            "_short_name_map_file" => Some(Self::ShortNameMap),
            _ => None,
        }
    }

    /// `None`: there is nothing yet, or nothing at all.
    fn value(self, plan: &Plan, leaf: &Leaf) -> Option<String> {
        let value = match self {
            Self::Name => title::name(plan, leaf),
            Self::Shortname => title::shortname(plan, leaf),
            Self::Dep => title::deps(plan, leaf).join(" "),
            Self::NameMap => map(plan, leaf, |part| &part.name),
            Self::ShortNameMap => map(plan, leaf, |part| &part.shortname),
        };
        (!value.is_empty()).then_some(value)
    }
}

/// `a.cfg: x.y, b.cfg: z`
fn map(plan: &Plan, leaf: &Leaf, name: fn(&FileName) -> &String) -> String {
    let parts = name_map(plan, leaf);
    let parts: Vec<String> =
        parts.iter().map(|part| format!("{}: {}", part.file, name(part))).collect();
    parts.join(", ")
}

/// `None` where the key is not one of the language.
pub(super) fn explain(plan: &Plan, leaf: &Leaf, variant: &str, key: &str) -> Option<Explain> {
    let own = Own::of(key)?;
    let mut stories = Vec::new();
    each_path(leaf, &mut |path| stories.push(story(plan, path, own, key)));
    let value = own.value(plan, leaf);
    // All parts of a joined variant give labels to the name; the rest is the last one's.
    let single = stories.len() == 1 || !matches!(own, Own::Name | Own::Shortname);
    let from = value.as_ref().and_then(|_| stories.len().checked_sub(1)).filter(|_| single);
    let took = |story: &Story| story.steps.iter().rfind(|step| step.effect.took()).cloned();
    let place = from.and_then(|from| Some(took(&stories[from])?.place));
    Some(Explain {
        variant: variant.to_owned(),
        key: key.to_owned(),
        value,
        place,
        stories,
        from,
        elsewhere: Vec::new(),
    })
}

fn each_path(leaf: &Leaf, visit: &mut impl FnMut(&[NodeId])) {
    match leaf {
        Leaf::Path(path) => visit(path),
        Leaf::Joined(leaves) => leaves.iter().for_each(|leaf| each_path(leaf, visit)),
    }
}

/// A title grows from the root down.
fn story(plan: &Plan, path: &[NodeId], own: Own, key: &str) -> Story {
    let deps = title::deps_of(plan, path);
    let mut deps = deps.iter();
    let mut steps = Vec::new();
    for &node in path {
        let head = &plan.tree.node(node).head;
        let deps: Vec<&str> = deps.by_ref().take(head.deps.len()).map(String::as_str).collect();
        let (effect, added) = match own {
            Own::Name | Own::NameMap => (Effect::Label, context::labels_of(plan, node, true)),
            Own::Shortname if head.hidden => (Effect::Hidden, String::new()),
            // Nothing is left out here.
            Own::Shortname | Own::ShortNameMap => {
                (Effect::Label, context::labels_of(plan, node, false))
            }
            Own::Dep => (Effect::Dep, deps.join(" ")),
        };
        if head.labels.is_empty() || (added.is_empty() && effect != Effect::Hidden) {
            continue;
        }
        steps.push(Step {
            place: plan.tree.sources.place(head.at.start),
            statement: plan.span(head.at).to_owned(),
            operator: "-",
            key: key.to_owned(),
            context: context::around_head(plan, node),
            substitutions: Vec::new(),
            before: None,
            after: (!added.is_empty()).then(|| added.into()),
            effect,
        });
    }
    let result =
        own.value(plan, &Leaf::Path(path.into())).map(|value| (key.to_owned(), value.into()));
    Story { variant: title::name_of(plan, path), steps, result: result.into_iter().collect() }
}
